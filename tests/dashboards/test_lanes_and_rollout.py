"""One customer's lanes and the roll-out's pictures as dicts; nothing from data is read as markup."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from dashboards.figures.forest import Difference, forest
from dashboards.figures.lanes import Line, lanes, placed
from dashboards.figures.plan import delay, plan
from dashboards.figures.stages import stage_bars
from dashboards.measures import Measure
from dashboards.palette import DARK, LIGHT
from dashboards.texts import Words
from projections.kpis import BY_KEY

EN = Words(language="en", zone=ZoneInfo("Europe/Warsaw"))
PL = Words(language="pl", zone=ZoneInfo("Europe/Warsaw"))
CHANNELS = {"email": "E-mail", "phone": "Phone"}
MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)


def notes(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def entries(*rows: dict[str, Any]) -> pl.DataFrame:
    given = {
        "position": 1,
        "occurred_at": NOON,
        "kind": "contact.received",
        "channel": "email",
        "actor_kind": "customer",
        "topic": None,
        "verdict": None,
        "elapsed_s": None,
        "target_s": None,
        "repeated": False,
        "summary": "",
    }
    kinds = {
        "occurred_at": pl.Datetime("us", "UTC"),
        "topic": pl.String,
        "verdict": pl.String,
        "elapsed_s": pl.Float64,
        "target_s": pl.Float64,
    }
    return pl.DataFrame([given | row for row in rows], schema_overrides=kinds)


def line(told: pl.DataFrame, **more: Any) -> Line:
    cases = {
        "case": pl.String,
        "opened_at": told["occurred_at"].dtype,
        "resolved_at": told["occurred_at"].dtype,
        "breached": pl.Boolean,
    }
    moves = {
        "from_at": told["occurred_at"].dtype,
        "to_at": told["occurred_at"].dtype,
        "from_channel": pl.String,
        "to_channel": pl.String,
    }
    given = {
        "cases": pl.DataFrame(schema=cases),
        "switches": pl.DataFrame(schema=moves),
        "channels": CHANNELS,
        "start": NOON - timedelta(days=1),
        "end": NOON + timedelta(days=30),
    }
    return Line(entries=told, **(given | more))


def test_entries_find_their_lane() -> None:
    told = entries(
        {},
        {"kind": "contact.answered", "actor_kind": "human_agent"},
        {"kind": "contact.missed", "channel": "phone", "actor_kind": None},
        {"kind": "offer.presented", "channel": "phone"},
        {"kind": "order.placed", "channel": None},
        {"kind": "note.added", "channel": None},
        {"kind": "identifier.asserted", "channel": None},
        {"kind": "case.resolved"},
        {"channel": "fax"},
    )
    rows = placed(told, CHANNELS)
    assert rows.select("lane", "customer").rows() == [
        ("email", True),
        ("email", False),
        ("phone", True),
        ("offers", True),
        ("orders", True),
        ("notes", True),
    ]


def test_late_is_a_diamond_told_again_a_cross_and_both_are_in_words() -> None:
    told = entries({"verdict": "breached", "elapsed_s": 4980.0, "target_s": 3600.0, "repeated": True})
    figure = lanes(line(told), LIGHT, EN)
    marks = {
        trace["marker"]["symbol"]: trace
        for trace in figure["data"]
        if "symbol" in trace["marker"] and trace["x"]
    }
    assert set(marks) == {"diamond", "cross"}
    assert "answered in 83\u202fmin, promised in 60\u202fmin" in marks["diamond"]["text"][0]
    assert "explained again" in marks["diamond"]["text"][0]


def test_a_case_with_a_broken_promise_is_hatched_and_says_so() -> None:
    told = entries({})
    case = {
        "case": ["T-1", "T-2"],
        "opened_at": [NOON, NOON],
        "resolved_at": [NOON + timedelta(days=3), None],
        "breached": [True, False],
    }
    figure = lanes(line(told, cases=pl.DataFrame(case)), LIGHT, EN)
    late, open_ = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert late["marker"]["pattern"]["shape"] == "/"
    assert "◆ a promise was broken" in late["text"]
    assert open_["marker"]["pattern"]["shape"] == ""
    assert "still open" in open_["text"]


def test_a_move_to_another_channel_is_a_grey_line() -> None:
    moves = pl.DataFrame(
        {
            "from_at": [NOON],
            "to_at": [NOON + timedelta(hours=2)],
            "from_channel": ["email"],
            "to_channel": ["phone"],
        }
    )
    figure = lanes(line(entries({}), switches=moves), LIGHT, EN)
    moved = [shape for shape in figure["layout"]["shapes"] if shape.get("xref") != "paper"]
    assert [(shape["x0"], shape["y0"], shape["x1"], shape["y1"]) for shape in moved] == [
        ("2026-03-02T12:00:00", 4, "2026-03-02T14:00:00", 3)
    ]


def test_nobody_s_text_is_in_the_picture_and_codes_are_escaped() -> None:
    told = entries({"summary": "<a href='http://evil'>x</a>", "topic": "<a href='http://evil'>x</a>"})
    drawn = json.dumps(lanes(line(told), DARK, PL), default=str)
    assert "<a" not in drawn
    assert "&lt;a href" in drawn


def test_a_quiet_time_says_so() -> None:
    assert notes(lanes(line(entries({}), start=NOON + timedelta(days=5)), LIGHT, PL)) == [
        "W tym czasie nie było zdarzeń."
    ]


@pytest.mark.parametrize(
    ("planned", "live", "said"),
    [
        (date(2026, 3, 1), date(2026, 3, 15), "14 days late"),
        (date(2026, 3, 1), date(2026, 2, 28), "1 day early"),
        (date(2026, 3, 1), date(2026, 3, 1), "on the day"),
        (None, date(2026, 3, 1), "not planned"),
        (date(2026, 6, 1), None, "planned 1\u202fJun 2026"),
        (date(2026, 3, 1), None, "overdue by 31 days"),
    ],
)
def test_the_plan_says_how_it_was_kept(planned: date | None, live: date | None, said: str) -> None:
    assert delay({"planned_on": planned, "live_on": live}, date(2026, 4, 1), EN) == said


def test_the_plan_draws_planned_hollow_and_live_filled() -> None:
    lives = pl.DataFrame(
        {
            "unit": ["email", "phone"],
            "stage": ["omnichannel"] * 2,
            "planned_on": [MONDAY, MONDAY],
            "live_on": [MONDAY + timedelta(days=9), None],
        },
        schema_overrides={"live_on": pl.Date},
    )
    figure = plan(lives, CHANNELS, MONDAY + timedelta(days=30), LIGHT, EN)
    assert figure is not None
    fills = [trace["marker"]["color"] for trace in figure["data"]]
    assert sorted(fills) == sorted([LIGHT.background, LIGHT.background, LIGHT.channels["email"]])
    assert plan(lives.clear(), CHANNELS, MONDAY, LIGHT, EN) is None


def test_stages_are_shares_of_a_month_then_and_now() -> None:
    stages = pl.DataFrame(
        {
            "month": [MONDAY.replace(day=1)] * 2,
            "stage": ["anonymous", "omnichannel"],
            "then": [3, 1],
            "now": [1, 3],
        }
    )
    figure = stage_bars(stages, LIGHT, EN)
    assert figure is not None
    shares = {
        (trace["xaxis"], trace["text"][0].split("<br>")[1].split(":")[0]): trace["y"]
        for trace in figure["data"]
        if trace["y"]
    }
    assert shares == {
        ("x", "Anonymous"): [0.75],
        ("x", "Omnichannel"): [0.25],
        ("x2", "Anonymous"): [0.25],
        ("x2", "Omnichannel"): [0.75],
    }
    assert stage_bars(stages.clear(), LIGHT, EN) is None


def differing(**more: Any) -> Difference:
    given = {
        "unit": "email",
        "label": "E-mail",
        "before": 0.7,
        "before_n": 100,
        "after": 0.8,
        "after_n": 100,
        "change": 0.1,
        "low": 0.04,
        "high": 0.16,
    }
    return Difference(**(given | more))


def test_a_difference_whose_interval_holds_zero_is_hollow_and_few_rows_are_words() -> None:
    measure = Measure(kpi=BY_KEY["sla_attainment"], words=EN)
    rows = [differing(), differing(unit="phone", label="Phone", low=-0.02), differing(before_n=3)]
    figure = forest(rows, measure, LIGHT)
    assert figure is not None
    assert [trace["marker"]["color"] for trace in figure["data"]] == [
        LIGHT.background,
        LIGHT.channels["email"],
    ]
    said = [text.split("<br>")[0] for text in notes(figure)]
    assert said == ["too few", "+10.0\u202fpp", "+10.0\u202fpp"]
    assert "70.0\u202f% → 80.0\u202f%" in notes(figure)[1]
    assert "n 3 → 100" in figure["layout"]["yaxis"]["ticktext"][0]
    assert figure["layout"]["xaxis"]["ticktext"] == ["−10\u202fpp", "0", "+10\u202fpp"]
    assert forest([differing(change=None)], measure, LIGHT) is None
