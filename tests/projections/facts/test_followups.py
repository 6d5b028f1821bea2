"""Promised follow-ups: which of one name they are, what ends them, and whether the customer had to ask first."""

import pytest

from tests.given import asserted, event, given, local, table

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
AGENT = {"actor_kind": "human_agent", "actor": "Ada"}
DUE = "03-04 12:00"


def bears(subject: str, mail: str) -> object:
    return asserted(subject, "email", mail, local("03-01 08:00"), "login")


def promised(id: str, subject: str, follow_up: str, **fields: object) -> object:
    told = {"follow_up": follow_up, "due_at": local(DUE), "case": "A", "channel": "email", **AGENT, **fields}
    return event("FollowUpPlanned", id, local("03-02 10:00"), subject, **told)


def ended(kind: str, id: str, at: str, subject: str, follow_up: str) -> object:
    return event(kind, id, local(at), subject, follow_up=follow_up, case="A", **AGENT)


def test_a_follow_up_is_ended_by_what_names_it_of_the_same_person_alone(tmp_path):
    anna, ola = "contact:1", "contact:2"
    home = given(tmp_path, [
        bears(anna, "anna@example.com"), promised("p1", anna, "f1"), promised("p2", anna, "f2"),
        bears(ola, "ola@example.com"), promised("p3", ola, "f1"), promised("p4", ola, "f3"),
        ended("FollowUpDone", "d1", DUE, anna, "f1"), ended("FollowUpDone", "d2", "03-05 09:00", anna, "f1"),
        ended("FollowUpCancelled", "c1", "03-03 09:00", anna, "f2"),
        ended("FollowUpDone", "d3", "03-04 12:00:01", ola, "f3"),
    ])  # fmt: skip
    shown = ("person", "follow_up", "planned_at", "due_at", "done_at", "cancelled_at", "asked_at")
    made, due = local("03-02 10:00"), local(DUE)
    assert table(home.engine.facts("followups").sort("promise"), *shown) == [
        ("contact:shop:1", "f1", made, due, due, None, None),
        ("contact:shop:1", "f2", made, due, None, local("03-03 09:00"), None),
        ("contact:shop:2", "f1", made, due, None, None, None),
        ("contact:shop:2", "f3", made, due, local("03-04 12:00:01"), None, None),
    ]
    assert table(home.reader().kpi("follow_up_kept"), "of", "good", "bad") == [(3, 1, 2)]


@pytest.mark.parametrize("matter", [{"case": "A"}, {"topic": "invoice"}])
@pytest.mark.parametrize(("came", "asked"), [
    ("03-02 10:00:00", False), ("03-02 10:00:01", True), ("03-04 11:59:59", True), ("03-04 12:00:00", False),
])  # fmt: skip
def test_a_customer_had_to_ask_between_the_promise_and_its_end_not_at_them(tmp_path, matter, came, asked):
    home = given(tmp_path, [
        bears("contact:1", "anna@example.com"), promised("p1", "contact:1", "f1", topic="invoice"),
        bears("contact:2", "anna@example.com"),
        event("ContactReceived", "1", local(came), "contact:2", channel="phone", **matter, **CUSTOMER),
        bears("contact:3", "ola@example.com"),
        event("ContactReceived", "2", local("03-03 10:00"), "contact:3", channel="phone", **matter, **CUSTOMER),
    ])  # fmt: skip
    assert home.rows("followups", "asked_at") == [{"asked_at": local(came) if asked else None}]
    assert home.reader().kpi("follow_up_preempted")["bad"].item() == asked


def test_after_it_was_done_a_customer_does_not_have_to_ask(tmp_path):
    home = given(tmp_path, [
        bears("contact:1", "anna@example.com"), promised("p1", "contact:1", "f1"),
        ended("FollowUpDone", "d1", "03-03 10:00", "contact:1", "f1"),
        event("ContactReceived", "1", local("03-03 10:00"), "contact:1", channel="phone", case="A", **CUSTOMER),
    ])  # fmt: skip
    assert home.rows("followups", "done_at", "asked_at") == [
        {"done_at": local("03-03 10:00"), "asked_at": None}
    ]
