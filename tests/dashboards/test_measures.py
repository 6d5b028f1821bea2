"""How a KPI is worded, when its change has a colour, which goal holds, and where a goal stands."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from dashboards.measures import Measure, goal_for, goal_state, goals_of
from dashboards.texts import Words
from dashboards.tiles import mark, spark
from projections.kpis import BY_KEY

EN = Words(language="en", zone=ZoneInfo("Europe/Warsaw"))
SLA, FIRST, AGAIN, SWITCH, CONTACTS = (
    Measure(kpi=BY_KEY[key], words=EN)
    for key in ("sla_attainment", "frt_human", "repeat_explanation", "channel_switch", "contacts")
)


@pytest.mark.parametrize(
    ("measure", "value", "worded"),
    [
        (SLA, 0.8951, "89.5 %"),
        (SLA, None, "no data"),
        (FIRST, 1920.0, "32 min"),
        (CONTACTS, 53815.0, "53 815"),
    ],
)
def test_a_value_is_worded_by_its_kind_and_nothing_is_never_zero(
    measure: Measure, value: float | None, worded: str
) -> None:
    assert measure.worded(value).replace("\u202f", " ") == worded


def test_a_goal_shows_no_decimals_that_it_does_not_have() -> None:
    assert [SLA.target(goal) for goal in (0.9, 0.925)] == ["90\u202f%", "92.5\u202f%"]


@pytest.mark.parametrize(
    ("measure", "now", "then", "change", "shown"),
    [
        (SLA, 0.896, 0.894, "+0.2 pp", ("gray", "off")),
        (SLA, 0.91, 0.9, "+1.0 pp", ("green", "up")),
        (SLA, 0.89, 0.9, "−1.0 pp", ("orange", "down")),
        (AGAIN, 0.11, 0.16, "−5.0 pp", ("green", "down")),
        (FIRST, 480.0, 900.0, "−7 min", ("green", "down")),
        (FIRST, 480.0, 500.0, "−20 s", ("gray", "off")),
        (SWITCH, 0.2, 0.1, "+10.0 pp", ("gray", "up")),
        (CONTACTS, 966.0, 1000.0, "−3.4 %", ("gray", "down")),
        (CONTACTS, 1001.0, 1000.0, "+0.1 %", ("gray", "off")),
        (CONTACTS, 5.0, 0.0, "+5", ("gray", "up")),
    ],
)
def test_colour_means_better_or_worse_and_small_changes_have_none(
    measure: Measure, now: float, then: float, change: str, shown: tuple[str, str]
) -> None:
    assert measure.change(now, then).replace("\u202f", " ") == change
    assert mark(measure, now, then) == shown


def test_a_sparkline_needs_two_values() -> None:
    assert spark(SLA, pl.DataFrame({"value": [0.5, None]})) is None
    assert spark(SLA, pl.DataFrame({"value": [0.5, None, 0.7]})) == [0.5, 0.7]


def goals(*rows: tuple[str, str | None, float]) -> pl.DataFrame:
    table = pl.DataFrame(
        rows, schema={"kpi": pl.String, "channel": pl.String, "target": pl.Float64}, orient="row"
    )
    return table.with_columns(due_on=pl.lit(date(2026, 12, 31)))


def test_a_channel_s_own_goal_comes_before_the_one_for_all() -> None:
    told = goals(("sla_attainment", None, 0.9), ("sla_attainment", "phone", 0.8), ("frt_human", None, 60.0))
    assert goals_of(told, "sla_attainment", ["email", "phone"]) == {"email": 0.9, "phone": 0.8}
    assert goals_of(goals(), "sla_attainment", ["email"]) == {}


def test_the_goal_of_a_kpi_is_the_common_one_the_agreed_one_or_the_declared_one() -> None:
    sla, context = BY_KEY["sla_attainment"], BY_KEY["context_available"]
    assert goal_for(goals(("sla_attainment", None, 0.9), ("sla_attainment", "phone", 0.8)), sla) == 0.9
    assert goal_for(goals(("sla_attainment", "email", 0.9), ("sla_attainment", "phone", 0.9)), sla) == 0.9
    assert goal_for(goals(("sla_attainment", "email", 0.9), ("sla_attainment", "phone", 0.8)), sla) is None
    assert goal_for(goals(), context) == 1.0


@pytest.mark.parametrize(
    ("baseline", "now", "today", "state"),
    [
        (0.7, 0.9, date(2026, 7, 1), "reached"),
        (0.7, 0.81, date(2026, 7, 1), "on_course"),
        (0.7, 0.79, date(2026, 7, 1), "off_course"),
        (0.7, 0.89, date(2026, 12, 31), "off_course"),
        (None, 0.89, date(2026, 7, 1), "off_course"),
        (0.7, None, date(2026, 7, 1), "no_data"),
    ],
)
def test_a_goal_is_on_course_while_it_is_beyond_the_straight_way(
    baseline: float | None, now: float | None, today: date, state: str
) -> None:
    goal: dict[str, Any] = {"target": 0.9, "due_on": date(2026, 12, 31), "baseline_to": date(2026, 1, 1)}
    assert goal_state(SLA, goal, baseline, now, today) == state
