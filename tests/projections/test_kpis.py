"""Every declared KPI answers its own worked examples, and the kinds of answer behave at their edges."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from projections.durations import durations
from projections.facts import FACTS
from projections.kpi import KPI, compute
from projections.kpis import BY_KEY, KPIS
from projections.shares import shares
from projections.tables import schema

VIEWS = {fact.VIEW.name: fact.VIEW for fact in FACTS}
ISSUE_KEYS = [
    "frt_human",
    "frt_customer",
    "sla_attainment",
    "at_risk",
    "callback_kept",
    "resolution",
    "channel_switch",
    "repeat_contact",
    "repeat_explanation",
    "context_available",
    "follow_up_kept",
    "reopen",
    "backlog",
    "contacts",
    "cases_known",
    "reopened",
    "orders_known",
    "persons",
]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EXAMPLES = [
    pytest.param(kpi, example, id=f"{kpi.key}-{number}")
    for kpi in KPIS
    for number, example in enumerate(kpi.examples)
]


def fact_rows(kpi: KPI, rows: list[dict[str, object]], as_of: datetime) -> pl.DataFrame:
    frame = (
        pl.DataFrame(rows, schema=schema(VIEWS[kpi.fact]))
        if rows
        else pl.DataFrame(schema=schema(VIEWS[kpi.fact]))
    )
    return frame.with_columns(
        as_of=pl.lit(as_of).cast(pl.Datetime("us", "UTC")),
        spent_us=pl.lit(None, pl.Int64),
        queue_risk=pl.lit(None, pl.Boolean),
    )


@pytest.mark.parametrize(("kpi", "example"), EXAMPLES)
def test_a_kpi_answers_its_worked_example(kpi, example):
    value = compute(kpi, fact_rows(kpi, list(example.rows), example.as_of))["value"].item()
    assert value == (None if example.value is None else pytest.approx(example.value))


def test_every_key_of_the_contract_is_declared_once():
    assert set(ISSUE_KEYS) <= set(BY_KEY)
    assert len(BY_KEY) == len(KPIS)


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.key)
def test_a_kpi_says_what_it_is(kpi):
    assert kpi.fact in VIEWS
    assert kpi.title
    assert kpi.question.endswith("?")
    assert kpi.definition.endswith(".")
    assert kpi.source
    assert kpi.kind != "share" or kpi.examples, "a share shows a worked example"


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.key)
def test_nothing_to_measure_is_null_and_never_zero(kpi):
    empty = compute(kpi, fact_rows(kpi, [], NOW)).row(0, named=True)
    if kpi.kind == "share":
        assert (empty["of"], empty["value"], empty["low"], empty["high"]) == (0, None, None, None)
    elif kpi.kind == "duration":
        assert (empty["n"], empty["waiting"], empty["median_s"], empty["p90_s"]) == (0, 0, None, None)
    else:
        assert empty["events"] == 0


def test_a_share_carries_its_wilson_interval():
    rows = pl.DataFrame({"ok": [True] * 9 + [False], "team": ["a"] * 10})
    row = shares(rows, pl.col("ok"), None, shows="good", by=()).row(0, named=True)
    assert (row["of"], row["good"], row["bad"], row["value"]) == (10, 9, 1, 0.9)
    assert (row["low"], row["high"]) == (pytest.approx(0.59585, abs=1e-5), pytest.approx(0.98212, abs=1e-5))


def test_rows_that_cannot_be_assessed_are_outside_the_rate():
    rows = pl.DataFrame({"ok": [True, None, False]})
    row = shares(rows, pl.col("ok"), None, shows="bad", by=()).row(0, named=True)
    assert (row["of"], row["good"], row["bad"], row["value"]) == (2, 1, 1, 0.5)


def clock(minutes: int | None, since: datetime, team: str) -> dict[str, object]:
    spent = None if minutes is None else minutes * 60_000_000
    waited = (NOW - since) // timedelta(microseconds=1)
    return {"spent": spent, "elapsed": spent, "since": since, "team": team, "as_of": NOW, "spent_us": waited}


def test_the_unanswered_push_the_median_up_instead_of_vanishing():
    early = NOW - timedelta(hours=10)
    rows = [clock(10, early, "a"), clock(20, early, "a"), clock(None, early, "a"), clock(5, early, "b")]
    table = durations(pl.DataFrame(rows), spent="spent", elapsed="elapsed", since="since", by=["team"])
    assert table.select("team", "n", "waiting", "median_s", "p90_s", "oldest_s").rows() == [
        ("a", 3, 1, 1200.0, None, 36_000.0),
        ("b", 1, 0, 300.0, 300.0, None),
    ]


def test_a_quantile_that_was_not_reached_is_null():
    early = NOW - timedelta(hours=10)
    rows = [clock(None, early, "a"), clock(None, early, "a"), clock(10, early, "a")]
    row = durations(pl.DataFrame(rows), spent="spent", elapsed="elapsed", since="since", by=()).row(
        0, named=True
    )
    assert (row["n"], row["waiting"], row["median_s"], row["median_calendar_s"]) == (3, 2, None, None)
