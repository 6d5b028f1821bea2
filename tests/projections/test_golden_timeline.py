"""The golden timeline's rows (KPI dictionary 3) come out exactly, live and as of every instant it names."""

from datetime import UTC, datetime

import polars as pl
import pytest

from tests.given import Given, given, local, table
from tests.golden_timeline import timeline, unlinking

SECOND = 1_000_000


@pytest.fixture
def golden(tmp_path) -> Given:
    return given(tmp_path, timeline())


def share(home: Given, key: str, at: datetime) -> tuple[int, int]:
    row = home.reader(at).kpi(key).row(0, named=True)
    return row["good"], row["of"]


def clocks(home: Given, kind: str, *columns: str) -> list[tuple[object, ...]]:
    frame = home.engine.facts("clocks").filter(pl.col("kind") == kind).sort("started_at")
    return frame.select(*columns).rows()


def test_response_by_a_person_counts_business_time_across_clock_change_and_holiday(golden):
    assert clocks(golden, "frt_human", "elapsed_us", "calendar_us", "due_at", "agent") == [
        (15_000 * SECOND, 249_000 * SECOND, datetime(2026, 10, 26, 13, 30, tzinfo=UTC), "Ada"),
        (7_195 * SECOND, 151_195 * SECOND, datetime(2026, 11, 12, 13, 0, 5, tzinfo=UTC), "Ben"),
    ]


def test_response_as_lived_starts_at_the_customers_turn(golden):
    assert clocks(golden, "frt_customer", "elapsed_us", "calendar_us") == [
        (15_000 * SECOND, 249_000 * SECOND),
        (7_200 * SECOND, 151_200 * SECOND),
    ]


def test_a_split_shift_shortens_the_first_response(tmp_path):
    from tests.given import POLICY

    split = POLICY.replace('["09:00-17:00"]', '["09:00-12:00", "13:00-17:00"]')
    home = given(tmp_path, timeline(), policy=split)
    assert clocks(home, "frt_human", "elapsed_us")[0] == (12_600 * SECOND,)


def test_as_of_eve_of_the_answer_the_second_cycle_is_running(golden):
    reader = golden.reader(local("11-11 15:00"))
    running = reader.prepared("clocks", "started_at").filter(
        pl.col("kind") == "frt_human", pl.col("stopped_at").is_null()
    )
    assert table(running, "spent_us", "due_at") == [
        (3_595 * SECOND, datetime(2026, 11, 12, 13, 0, 5, tzinfo=UTC))
    ]
    assert table(reader.kpi("sla_attainment"), "of", "good") == [(2, 1)]


def test_promises_are_judged_when_due(golden):
    assert table(golden.reader(local("11-13 12:00")).kpi("sla_attainment"), "of", "good", "bad") == [
        (3, 2, 1)
    ]
    by = golden.reader(local("11-13 12:00")).kpi("sla_attainment", by=["channel"])
    assert table(by, "channel", "of", "good") == [("chat", 1, 1), ("email", 1, 1), ("phone", 1, 0)]


def test_resolution_counts_each_cycle_and_not_the_quiet_between(golden):
    cases = golden.engine.facts("cases").filter(pl.col("case") == "A")
    assert table(cases, "effort_us", "final_calendar_us") == [(25_200 * SECOND, 475 * 3600 * SECOND)]
    cycles = golden.engine.facts("cycles").filter(pl.col("case") == "A").sort("number")
    assert table(cycles, "number", "resolution_us", "resolution_calendar_us") == [
        (1, 16_200 * SECOND, round(69.5 * 3600) * SECOND),
        (2, 9_000 * SECOND, round(42.5 * 3600) * SECOND),
    ]


def test_a_cycle_is_reopened_only_within_seven_days_and_provisional_until_they_are_over(golden):
    row = golden.reader(local("11-18 12:00")).kpi("reopen").row(0, named=True)
    assert (row["bad"], row["of"], row["provisional"]) == (0, 1, 1)
    row = golden.reader(local("11-19 10:30")).kpi("reopen").row(0, named=True)
    assert (row["bad"], row["of"], row["provisional"]) == (0, 2, 0)
    assert table(golden.reader().kpi("reopened"), "events", "cases", "persons") == [(1, 1, 1)]


def test_the_case_moved_from_mail_to_chat_by_the_customers_choice(golden):
    assert share(golden, "channel_switch", local("11-13 12:00")) == (1, 1)
    assert golden.rows("switches", "case", "from_channel", "to_channel", "chosen_by") == [
        {"case": "A", "from_channel": "email", "to_channel": "chat", "chosen_by": "customer_chosen"}
    ]
    assert golden.rows("handovers", "turn", "cause", "level") == [
        {"turn": "shop|14|1", "cause": "channel", "level": None}
    ]


def test_two_missed_calls_are_one_obligation_from_the_first_hang_up(golden):
    due = datetime(2026, 11, 2, 8, 40, 30, tzinfo=UTC)
    assert clocks(golden, "callback_kept", "elapsed_us", "due_at", "outcome") == [
        (4_170 * SECOND, due, "kept")
    ]
    assert clocks(golden, "callback_attempted", "elapsed_us", "due_at") == [(1_470 * SECOND, due)]
    assert share(golden, "callback_attempted", local("11-13 12:00")) == (1, 1)
    assert share(golden, "callback_kept", local("11-13 12:00")) == (0, 1)


@pytest.mark.parametrize(
    ("at", "good", "of"), [("11-02 18:00", 1, 1), ("11-10 18:00", 1, 2), ("11-13 12:00", 1, 3)]
)
def test_context_is_judged_by_what_was_recorded_and_linked_then(golden, at, good, of):
    assert share(golden, "context_available", local(at)) == (good, of)


def test_context_names_its_causes_and_may_be_complete_by_the_answer(golden):
    context = golden.reader(local("11-13 12:00")).facts("context").sort("start_at")
    assert table(context, "good", "cause") == [
        (False, "identity_not_linked"),
        (False, "late_recording"),
        (True, None),
    ]
    assert share(golden, "context_available_at_answer", local("11-13 12:00")) == (2, 3)


def test_the_stage_then_is_not_the_stage_now(golden):
    stages = golden.reader(local("11-13 12:00")).facts("stages")
    assert (stages["stage_then"] == "omnichannel").sum() == 2
    assert (stages["stage_now"] == "omnichannel").sum() == 4
    assert stages.height == 4


def test_the_follow_up_was_missed_and_the_customer_came_first(golden):
    at = local("11-16 08:00")
    assert share(golden, "follow_up_kept", at) == (0, 1)
    row = golden.reader(at).kpi("follow_up_preempted").row(0, named=True)
    assert (row["bad"], row["of"]) == (1, 1)


def test_plain_counts(golden):
    reader = golden.reader(local("11-13 12:00"))
    assert table(reader.kpi("contacts"), "events", "persons") == [(2, 1)]
    assert table(reader.kpi("persons"), "persons") == [(1,)]
    assert table(reader.kpi("backlog"), "cases") == [(0,)]
    open_then = golden.reader(local("11-11 15:00")).kpi("backlog", by=["channel"])
    assert table(open_then, "channel", "events") == [("chat", 1)]
    assert table(reader.kpi("repeat_contact"), "of", "bad") == [(2, 0)]


def test_unlinking_restores_context_and_leaves_earlier_answers(golden):
    golden.more(unlinking())
    assert share(golden, "context_available", local("11-16 12:00")) == (3, 3)
    for at, expected in (("11-02 18:00", (1, 1)), ("11-10 18:00", (1, 2)), ("11-13 12:00", (1, 3))):
        assert share(golden, "context_available", local(at)) == expected
