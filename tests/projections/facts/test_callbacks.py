"""Missed calls become obligations: what begins, joins, ends and keeps them."""

import msgspec
import pytest

from tests.given import asserted, event, given, local

HOUR = 3600


def call(id: str, at: str, kind: str, **fields: object) -> list[object]:
    subject = f"contact:{id}"
    told = {"source": "telephony", "channel": "phone"}
    return [
        event(kind, id, local(at), subject, **told, **fields),
        asserted(subject, "phone", "601234567", local(at), "caller_id", source="telephony"),
    ]


def missed(id: str, at: str, rang: float | None = 30.0) -> list[object]:
    return call(id, at, "ContactMissed", actor_kind="customer", direction="inbound", rang_for_s=rang)


def rang_back(id: str, at: str, *, connected: bool) -> list[object]:
    return call(
        id,
        at,
        "ContactInitiated",
        actor_kind="human_agent",
        actor="Ben",
        direction="outbound",
        connected=connected,
    )


def customer_got_through(id: str, at: str) -> list[object]:
    return [
        *call(id, at, "ContactReceived", actor_kind="customer", direction="inbound"),
        *call(f"{id}a", at, "ContactAnswered", actor_kind="human_agent", actor="Ada", direction="inbound"),
    ]


def obligations(folder, events, kind="callback_kept"):
    home = given(folder, events)
    rows = [row for row in home.rows("clocks") if row["kind"] == kind]
    return sorted(
        (
            row["started_by"].split("|")[1],
            row["outcome"],
            None if row["elapsed_us"] is None else row["elapsed_us"] / 1e6,
        )
        for row in rows
    )


def test_a_connected_call_keeps_the_obligation(tmp_path):
    events = [*missed("m1", "03-02 10:00"), *rang_back("b1", "03-02 10:30:30", connected=True)]
    assert obligations(tmp_path, events) == [("m1", "kept", 1800.0)]


def test_a_later_miss_joins_the_open_obligation_and_one_after_it_begins_another(tmp_path):
    events = [
        *missed("m1", "03-02 10:00"),
        *missed("m2", "03-02 10:10"),
        *rang_back("b1", "03-02 10:30:30", connected=True),
        *missed("m3", "03-02 12:00"),
    ]
    assert obligations(tmp_path, events) == [("m1", "kept", 1800.0), ("m3", None, None)]


@pytest.mark.parametrize(("second", "outcome"), [("10:49:59", None), ("10:50:00", "kept")])
def test_a_second_attempt_keeps_it_only_half_an_hour_after_the_first(tmp_path, second, outcome):
    events = [
        *missed("m1", "03-02 10:00"),
        *rang_back("b1", "03-02 10:20:00", connected=False),
        *rang_back("b2", f"03-02 {second}", connected=False),
    ]
    ((_, found, _),) = obligations(tmp_path, events)
    assert found == outcome


def test_a_customer_who_gets_through_first_was_not_called_back(tmp_path):
    events = [*missed("m1", "03-02 10:00"), *customer_got_through("c1", "03-02 10:20"),
              *rang_back("b1", "03-02 10:30", connected=True)]  # fmt: skip
    assert obligations(tmp_path, events) == [("m1", "self_recovered", 1170.0)]
    (row,) = given(tmp_path / "again", events).reader(local("03-03 12:00")).kpi("callback_kept").to_dicts()
    assert (row["of"], row["good"], row["bad"]) == (1, 0, 1)


@pytest.mark.parametrize(("rang", "begun"), [(5.0, 0), (5.1, 1), (None, 1)])
def test_a_ring_of_up_to_five_seconds_is_no_missed_call(tmp_path, rang, begun):
    assert len(obligations(tmp_path, missed("m1", "03-02 10:00", rang))) == begun


def test_an_attempt_stops_the_attempt_clock_alone(tmp_path):
    events = [*missed("m1", "03-02 10:00"), *rang_back("b1", "03-02 10:05:30", connected=False)]
    assert obligations(tmp_path, events, "callback_attempted") == [("m1", None, 300.0)]
    assert obligations(tmp_path / "again", events) == [("m1", None, None)]


def test_an_attempt_before_the_hang_up_counts_for_nothing(tmp_path):
    events = [*rang_back("b1", "03-02 09:59", connected=True), *missed("m1", "03-02 10:00")]
    assert obligations(tmp_path, events) == [("m1", None, None)]


def test_another_persons_call_back_keeps_nothing(tmp_path):
    other = event(
        "ContactInitiated", "x", local("03-02 10:30"), "contact:x", source="telephony", channel="phone",
        actor_kind="human_agent", direction="outbound", connected=True,
    )  # fmt: skip
    stranger = asserted(
        "contact:x", "phone", "609999999", local("03-02 10:30"), "caller_id", source="telephony"
    )
    assert obligations(tmp_path, [*missed("m1", "03-02 10:00"), other, stranger]) == [("m1", None, None)]


def test_the_median_of_calls_returned_waits_with_those_never_rung_back(tmp_path):
    def stranger(events: list[object], number: str) -> list[object]:
        (spoken, _), id = events, number[-1]
        return [
            spoken,
            asserted(
                f"contact:m{id}", "phone", number, local("03-02 10:00"), "caller_id", source="telephony"
            ),
        ]

    events = [*missed("m1", "03-02 10:00"), *rang_back("b1", "03-02 10:30:30", connected=True)]
    for number in ("601000002", "601000003"):
        events += stranger(missed(f"m{number[-1]}", "03-02 10:00"), number)
    reader = given(tmp_path, events[:4]).reader(local("03-03 12:00"))
    assert reader.kpi("callback_kept")["median_s"].item() == 1800.0
    two_wait = given(tmp_path / "more", events).reader(local("03-03 12:00"))
    assert two_wait.kpi("callback_kept").row(0, named=True)["median_s"] is None


def test_calls_of_no_named_channel_answer_each_other(tmp_path):
    def bare(events: list[object]) -> list[object]:
        spoken, told = events
        return [msgspec.structs.replace(spoken, channel=None), told]

    events = [*bare(missed("m1", "03-02 10:00")), *bare(rang_back("b1", "03-02 10:30:30", connected=True))]
    assert obligations(tmp_path, events) == [("m1", "kept", 1800.0)]


def test_many_obligations_of_one_person_follow_each_other(tmp_path):
    events = [
        *missed("m1", "03-02 10:00"), *missed("m2", "03-02 10:05"), *rang_back("b1", "03-02 10:10:30", connected=True),
        *missed("m3", "03-02 11:00"), *rang_back("b2", "03-02 11:10:30", connected=True), *missed("m4", "03-02 12:00"),
        *missed("m5", "03-02 12:01"),
    ]  # fmt: skip
    assert obligations(tmp_path, events) == [("m1", "kept", 600.0), ("m3", "kept", 600.0), ("m4", None, None)]
