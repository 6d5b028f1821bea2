"""One person with thousands of contacts: every fact stays near linear, and says what it leaves out."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from projections.facts.handovers import RECALLED
from projections.reach import KEYS, newest
from tests.given import Given, asserted, event, given, local

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
AGENT = {"actor_kind": "human_agent", "actor": "Ada", "direction": "outbound"}
STORY = "Paczka numer 48213077 nie doszła, proszę o sprawdzenie"
CONTACTS = 4_000


def life(contacts: int) -> Iterator[object]:
    """Every half hour a contact on one case, by turns by mail and chat; every fourth with a missed call."""
    for n in range(contacts):
        at, subject = local("03-02 10:00", 2024) + timedelta(minutes=30 * n), f"contact:{n}"
        told = {"channel": ("email", "chat")[n % 2], "case": "A", "topic": "delivery"}
        yield event("ContactReceived", f"r{n}", at, subject, text=f"{STORY}, wersja {n}", **told, **CUSTOMER)
        yield asserted(subject, "email", "anna@example.com", at, "login")
        yield event("ContactAnswered", f"a{n}", at + timedelta(minutes=5), subject, **told, **AGENT)
        yield event(
            "FollowUpPlanned", f"f{n}", at + timedelta(minutes=6), subject, follow_up=f"f{n}",
            due_at=at + timedelta(days=90), **told, **AGENT,
        )  # fmt: skip
        if n % 4 == 0:
            ring = {"channel": "phone", "topic": "delivery"}
            yield event("ContactMissed", f"m{n}", at + timedelta(minutes=8), subject, **ring, **CUSTOMER)
            yield event(
                "ContactInitiated",
                f"b{n}",
                at + timedelta(minutes=12),
                subject,
                connected=True,
                **ring,
                **AGENT,
            )


def test_a_person_with_thousands_of_contacts_is_built_whole(tmp_path):
    home = given(tmp_path, life(CONTACTS))
    sizes = {
        fact: len(home.rows(fact)) for fact in ("contacts", "switches", "handovers", "context", "stages")
    }
    # a call back is a contact of its own, on the phone
    assert sizes == {
        "contacts": CONTACTS + CONTACTS // 4,
        "switches": CONTACTS - 1,
        "handovers": CONTACTS - 1,
        "context": CONTACTS + CONTACTS // 4 - 1,
        "stages": CONTACTS + CONTACTS // 4,
    }
    kept = [row["outcome"] for row in home.rows("clocks") if row["kind"] == "callback_kept"]
    assert kept == ["kept"] * (CONTACTS // 4)
    asked = [row["asked_at"] for row in home.rows("followups")]
    assert sum(moment is None for moment in asked) == 1


def told_in_turn(folder, others: int) -> Given:
    """The story by mail, then so many other chats, then the story again by mail."""
    start = local("03-02 10:00")
    events: list[object] = []
    texts = [STORY, *(f"{'abcdefghijklmnopqrstuvwxyz'[n] * 30}" for n in range(others)), STORY]
    for n, text in enumerate(texts):
        channel = "email" if n in (0, len(texts) - 1) else "chat"
        at, subject = start + timedelta(hours=n), f"contact:{n}"
        told = {"channel": channel, "case": "A", "text": text}
        events += [
            event("ContactReceived", str(n), at, subject, **told, **CUSTOMER),
            asserted(subject, "email", "anna@example.com", at, "login"),
        ]
    return given(folder, events)


@pytest.mark.parametrize(("others", "level"), [(RECALLED - 1, 2), (RECALLED, None)])
def test_a_text_is_compared_with_so_many_turns_before_it_and_no_more(tmp_path, others, level):
    rows = told_in_turn(tmp_path, others).rows("handovers", "at", "level")
    assert max(rows, key=lambda row: row["at"])["level"] == level


def test_a_topic_is_open_while_another_case_of_it_is_and_not_at_the_instants_it_opens_or_closes(tmp_path):
    def came(id: str, at: str, case: str) -> list[object]:
        told = {"channel": "email", "case": case, "topic": "delivery"}
        return [
            event("ContactReceived", id, local(at), f"contact:{id}", **told, **CUSTOMER),
            asserted(f"contact:{id}", "email", "anna@example.com", local(at), "login"),
        ]

    solved = event("CaseResolved", "r", local("03-02 12:00"), "contact:1", case="A", **AGENT)
    home = given(tmp_path, [
        *came("1", "03-02 10:00", "A"), *came("2", "03-02 10:00", "B"), *came("3", "03-02 11:00", "C"), solved,
        event("CaseResolved", "r2", local("03-02 12:00"), "contact:2", case="B", **AGENT),
        event("CaseResolved", "r3", local("03-02 12:00"), "contact:3", case="C", **AGENT),
        *came("4", "03-02 12:00", "D"),
    ])  # fmt: skip
    assert home.rows("handovers", "turn", "cause") == [{"turn": "shop|3|1", "cause": "open_topic"}]


def test_of_a_person_with_very_many_identifiers_the_newest_are_compared(tmp_path):
    events: list[object] = []
    for n in range(KEYS + 1):
        at, subject = local("03-02 10:00") + timedelta(hours=n), f"contact:{n}"
        events += [
            event("ContactReceived", str(n), at, subject, channel="email", **CUSTOMER),
            asserted(subject, "account", "A1", at, "login"),
            asserted(subject, "email", f"{n}@example.com", at, "login"),
        ]
    reader = given(tmp_path, events).reader(local("12-01 12:00"))
    assert reader.known is not None
    looked_at = newest(reader.known.identity)
    assert looked_at.columns == ["person", "identifier"]
    keys = ["account:A1", *(f"email:{n}@example.com" for n in range(2, KEYS + 1))]
    assert sorted(looked_at["identifier"]) == sorted(reader.log.blind(key) for key in keys)
    assert reader.kpi("context_available").row(0, named=True)["of"] == KEYS
    assert reader.kpi("id_stage_now").row(0, named=True)["bad"] == KEYS + 1
