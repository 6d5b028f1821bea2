"""Cycles and their clocks: what opens, solves and pauses a case, where people's clock starts, and re-bound promises."""

import pytest

from tests.given import POLICY, asserted, event, given, local, table

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
AGENT = {"actor_kind": "human_agent", "actor": "Ada", "direction": "outbound"}
CASE = {"case": "A", "channel": "email"}
MINUTE = 60_000_000


def came(id: str, at: str, **fields: object) -> list[object]:
    return [
        event("ContactReceived", id, local(at), "contact:1", **{**CASE, **CUSTOMER, **fields}),
        asserted("contact:1", "email", "anna@example.com", local(at), "login"),
    ]


def told(id: str, at: str, state: str | None, **fields: object) -> object:
    return event(
        "StateReported",
        id,
        local(at),
        "contact:1",
        **{**CASE, **AGENT, "direction": None},
        state=state,
        **fields,
    )


def cycles(home, *columns: str):
    return [
        tuple(row[name] for name in columns)
        for row in sorted(home.rows("cycles"), key=lambda row: row["number"])
    ]


def test_solved_then_closed_is_one_resolution_and_leaving_it_reopens(tmp_path):
    home = given(tmp_path, [
        *came("1", "03-02 10:00"), told("s1", "03-02 11:00", "resolved"), told("s2", "03-03 11:00", "closed"),
        told("s3", "03-04 11:00", "open"), told("s4", "03-04 12:00", "open"), told("s5", "03-05 10:00", "closed"),
    ])  # fmt: skip
    assert cycles(home, "number", "opened_at", "resolved_at", "reopened_at", "reopened_by") == [
        (1, local("03-02 10:00"), local("03-02 11:00"), local("03-04 11:00"), "human_agent"),
        (2, local("03-04 11:00"), local("03-05 10:00"), None, None),
    ]
    assert home.reader().kpi("reopened").row(0) == (1, 1, 1)


def test_a_case_is_solved_or_open_by_its_newest_moment_whoever_told_it(tmp_path):
    solved = event("CaseResolved", "r", local("03-02 12:00"), "contact:1", **CASE, **AGENT)
    home = given(tmp_path, [*came("1", "03-02 10:00"), told("s1", "03-02 11:00", "awaiting_customer")])
    assert [row["state"] for row in home.rows("cases")] == ["awaiting_customer"]
    assert [row["state"] for row in home.more([solved]).rows("cases")] == ["resolved"]
    assert [row["state"] for row in home.more(came("2", "03-02 13:00")).rows("cases")] == ["open"]


def test_a_state_nobody_knows_changes_nothing(tmp_path):
    home = given(
        tmp_path,
        [*came("1", "03-02 10:00"), told("s1", "03-02 11:00", "resolved"), told("s2", "03-02 12:00", None)],
    )
    assert cycles(home, "number", "resolved_at") == [(1, local("03-02 11:00"))]


def test_waiting_for_the_customer_is_not_our_time(tmp_path):
    home = given(tmp_path, [
        *came("1", "03-02 10:00"), told("s1", "03-02 11:00", "awaiting_customer"), *came("2", "03-02 14:00"),
        told("s2", "03-02 15:00", "awaiting_customer"), told("s3", "03-02 15:30", "open"),
        told("s4", "03-02 16:00", "awaiting_third_party"), told("s5", "03-02 16:30", "resolved"),
    ])  # fmt: skip
    assert cycles(home, "paused_us", "resolution_us") == [(210 * MINUTE, 180 * MINUTE)]


def test_a_bot_starts_peoples_clock_at_the_hand_off(tmp_path):
    home = given(tmp_path, [
        *came("1", "03-02 10:00"),
        event("BotAnswered", "b", local("03-02 10:00:05"), "contact:1", **CASE, actor_kind="bot", direction="outbound"),
        event("BotHandedOff", "h", local("03-02 10:04"), "contact:1", **CASE, actor_kind="bot"),
        event("ContactAnswered", "2", local("03-02 10:10"), "contact:1", **CASE, **AGENT),
    ])  # fmt: skip
    assert cycles(home, "customer_at", "useful_at", "human_start_at", "human_at") == [
        (local("03-02 10:00"), local("03-02 10:00:05"), local("03-02 10:04"), local("03-02 10:10"))
    ]


def test_a_bot_that_nobody_follows_up_starts_no_human_clock(tmp_path):
    bot = event(
        "BotAnswered",
        "b",
        local("03-02 10:00:05"),
        "contact:1",
        **CASE,
        actor_kind="bot",
        direction="outbound",
    )
    home = given(tmp_path, [*came("1", "03-02 10:00"), bot])
    assert cycles(home, "human_start_at") == [(None,)]
    home.more(came("2", "03-02 10:20"))
    assert cycles(home, "human_start_at") == [(local("03-02 10:20"),)]


PRIORITIES = (
    POLICY + '[[promises]]\nclock = "frt_human"\nchannel = "email"\npriority = "high"\ntarget = "1h"\n'
)


@pytest.mark.parametrize(("raised", "due", "priority"), [
    ("03-02 11:00", "03-02 11:00", "high"),
    ("03-02 15:59:59", "03-02 11:00", "high"),
    ("03-02 16:00", "03-02 16:00", None),
])  # fmt: skip
def test_a_priority_raised_before_the_due_instant_replaces_the_target(tmp_path, raised, due, priority):
    home = given(
        tmp_path, [*came("1", "03-02 10:00"), told("s1", raised, "open", priority="high")], policy=PRIORITIES
    )
    (clock,) = [row for row in home.rows("clocks") if row["kind"] == "frt_human"]
    assert (clock["due_at"], clock["priority"]) == (local(due), priority)


def test_promises_come_from_the_policy_in_force_when_the_clock_started(tmp_path):
    stricter = POLICY.replace('"6h"', '"2h"').replace("test-1", "test-2")
    adopted = event(
        "PolicyAdopted", "p2", local("03-03 00:00"), "policy:omniline", version="test-2",
        starts_at=local("03-03 00:00"), digest="d", content=stricter,
    )  # fmt: skip
    second = event("ContactReceived", "2", local("03-03 10:00"), "contact:2", channel="email", **CUSTOMER)
    home = given(tmp_path, [*came("1", "03-02 10:00"), second, adopted])
    due = sorted(row["due_at"] for row in home.rows("clocks") if row["kind"] == "frt_human")
    assert due == [local("03-02 16:00"), local("03-03 12:00")]


def test_a_promise_is_kept_at_the_due_instant_and_broken_a_microsecond_later(tmp_path):
    from datetime import timedelta

    due = local("03-02 16:00")
    for late, kept in ((timedelta(0), 1), (timedelta(microseconds=1), 0)):
        answer = event("ContactAnswered", "2", due + late, "contact:1", **CASE, **AGENT)
        reader = given(tmp_path / str(kept), [*came("1", "03-02 10:00"), answer]).reader()
        assert reader.kpi("sla_attainment")["good"].item() == kept


def test_one_case_number_of_two_persons_is_opened_answered_and_raised_for_each_alone(tmp_path):
    ola = [
        event("ContactReceived", "9", local("03-02 10:15"), "contact:2", **CASE, **CUSTOMER),
        asserted("contact:2", "email", "ola@example.com", local("03-02 10:15"), "login"),
        event(
            "ContactAnswered", "9a", local("03-02 12:00"), "contact:2", **CASE, **{**AGENT, "actor": "Ben"}
        ),
    ]
    home = given(tmp_path, [
        *came("1", "03-02 10:00"), event("ContactAnswered", "2", local("03-02 10:30"), "contact:1", **CASE, **AGENT),
        told("s0", "03-02 10:00", "open", priority="low", topic="vpn", group="network"),
        told("s1", "03-02 10:20", "open", priority="high"),
        told("s2", "03-02 11:00", "resolved"), told("s3", "03-02 11:30", "open"), *ola,
    ], policy=PRIORITIES)  # fmt: skip
    shown = (
        "person",
        "number",
        "human_at",
        "agent",
        "topic",
        "group",
        "resolved_at",
        "reopened_at",
        "reopened_by",
    )
    anna, other = "contact:shop:1", "contact:shop:2"
    found = home.engine.facts("cycles").sort("person", "number")
    assert table(found, *shown) == [
        (anna, 1, local("03-02 10:30"), "Ada", "vpn", "network", local("03-02 11:00"), local("03-02 11:30"),
         "human_agent"),
        (anna, 2, None, None, None, None, None, None, None),
        (other, 1, local("03-02 12:00"), "Ben", None, None, None, None, None),
    ]  # fmt: skip
    clocks = home.engine.facts("clocks").filter(kind="frt_human").sort("person")
    assert table(clocks, "person", "priority", "due_at", "stopped_at") == [
        (anna, "high", local("03-02 11:00"), local("03-02 10:30")),
        (other, None, local("03-02 16:15"), local("03-02 12:00")),
    ]


def test_a_bot_that_answers_after_the_hand_off_stops_what_the_customer_waits_for_and_not_peoples_clock(
    tmp_path,
):
    def bot(id: str, at: str) -> object:
        return event(
            "BotAnswered", id, local(at), "contact:1", **CASE, actor_kind="bot", direction="outbound"
        )

    home = given(tmp_path, [
        *came("1", "03-02 10:00"),
        event("BotHandedOff", "h", local("03-02 10:01"), "contact:1", **CASE, actor_kind="bot"),
        bot("b1", "03-02 10:02"),
        event("ContactAnswered", "2", local("03-02 10:10"), "contact:1", **CASE, **AGENT),
        bot("b2", "03-02 10:11"),
        event("ContactAnswered", "3", local("03-02 10:20"), "contact:1", **CASE, **{**AGENT, "actor": "Ben"}),
    ])  # fmt: skip
    assert cycles(home, "useful_at", "human_start_at", "human_at", "agent") == [
        (local("03-02 10:02"), local("03-02 10:01"), local("03-02 10:10"), "Ada")
    ]
