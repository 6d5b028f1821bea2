"""Before and after a go-live: what is over is compared, and the interval follows persons, not rows."""

from datetime import date, timedelta

import polars as pl
import pytest

from projections.bootstrap import interval
from projections.kpis import BY_KEY
from projections.reader import ReaderError
from tests.given import asserted, event, given, local, table

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
LIVE = date(2026, 6, 1)


def daily(days: range) -> list[object]:
    """One chat a day at noon, counted from the go-live, each of another person."""
    events: list[object] = []
    for day in days:
        at, subject = local("06-01 12:00") + timedelta(days=day), f"contact:{day}"
        events += [
            event("ContactReceived", str(day), at, subject, channel="chat", **CUSTOMER),
            asserted(subject, "email", f"p{day}@example.com", at, "login"),
        ]
    return events


@pytest.mark.parametrize(("moment", "n", "value"), [
    ("06-14 12:00", 0, None), ("06-29 00:00", 14, 7.0), ("08-10 00:00", 56, 7.0), ("09-30 00:00", 56, 7.0),
])  # fmt: skip
def test_a_count_after_a_go_live_is_per_week_that_is_over(tmp_path, moment, n, value):
    reader = given(tmp_path, daily(range(-56, 90))).reader(local(moment))
    row = reader.before_after("contacts", unit="chat", live_on=LIVE)
    assert table(row, "before_n", "before_value", "after_n", "after_value") == [(56, 7.0, n, value)]


def test_a_stock_has_no_weeks_before_and_after(tmp_path):
    with pytest.raises(ReaderError, match=r"backlog is what stands at one instant"):
        given(tmp_path).reader().before_after("backlog", unit="chat", live_on=LIVE)


def repeats(bad: dict[str, int], of: int = 20) -> pl.DataFrame:
    rows = [
        {
            "person": person,
            "identified": True,
            "direction": "inbound",
            "repeat_of": "x" if n < wrong else None,
        }
        for person, wrong in bad.items()
        for n in range(of)
    ]
    return pl.DataFrame(rows, schema_overrides={"repeat_of": pl.String})


def test_who_is_the_same_on_both_sides_moves_neither():
    """Half of the persons always come back and half never do: drawn alike on both sides, nothing differs."""
    side = repeats({f"p{n}": 20 * (n % 2) for n in range(30)})
    assert interval(BY_KEY["repeat_contact"], side, side, weeks=(8, 8)) == (0.0, 0.0)


def test_the_interval_does_not_depend_on_the_order_of_rows():
    before, after = repeats({f"p{n}": n % 7 for n in range(40)}), repeats({f"q{n}": n % 5 for n in range(40)})
    told = interval(BY_KEY["repeat_contact"], before, after, weeks=(8, 8))
    assert interval(BY_KEY["repeat_contact"], before.reverse(), after.reverse(), weeks=(8, 8)) == told
    low, high = told
    assert low is not None
    assert high is not None
    assert low < 2 / 20 - 3 / 20 < high


def test_loaded_history_is_not_assessed_for_what_was_seen_then(tmp_path):
    at = local("06-01 12:00")
    late = event(
        "ContactReceived", "1", at, "contact:1", channel="chat", known_at=at + timedelta(days=2), **CUSTOMER
    )
    known = event(
        "ContactReceived", "2", at, "contact:2", channel="chat", known_at=at + timedelta(days=1), **CUSTOMER
    )
    reader = given(tmp_path, [late, known]).reader()
    assert reader.kpi("id_stage")["of"].item() == 1
    shown = reader.stages().filter(pl.col("stage") == "anonymous")
    assert table(shown, "then", "now") == [(1, 2)]
