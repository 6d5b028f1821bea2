"""Explained again: what is an opportunity, what is stated, what is restated by text."""

import pytest

from tests.given import asserted, event, given, local

CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
CASE = {"case": "A", "topic": "delivery"}
STORY = "Paczka miała przyjść w poniedziałek, a kurier nie zadzwonił i jej nie ma."


def came(
    id: str, at: str, subject: str, channel: str, text: str | None = None, **fields: object
) -> list[object]:
    return [
        event(
            "ContactReceived",
            id,
            local(at),
            subject,
            channel=channel,
            text=text,
            **{**CASE, **CUSTOMER, **fields},
        ),
        asserted(subject, "email", "anna@example.com", local(at), "login"),
    ]


def answered(id: str, at: str, subject: str, channel: str, agent: str) -> object:
    return event(
        "ContactAnswered", id, local(at), subject, channel=channel, actor_kind="human_agent", actor=agent,
        direction="outbound", **CASE,
    )  # fmt: skip


def chances(folder, events):
    rows = given(folder, events).rows("handovers")
    return sorted((row["turn"].split("|")[1], row["cause"], row["level"]) for row in rows)


def test_a_text_told_again_in_another_channel_is_restated(tmp_path):
    events = [
        *came("1", "03-02 10:00", "contact:1", "email", STORY),
        *came("2", "03-02 15:00", "contact:2", "chat", STORY + " Proszę!"),
    ]
    assert chances(tmp_path, events) == [("2", "channel", 2)]


@pytest.mark.parametrize(("text", "level"), [
    ("Zamówienie 48213077 wciąż nie przyszło", 2),
    ("Dziękuję, poczekam do jutra na wiadomość", None),
    (None, None),
])  # fmt: skip
def test_a_number_told_again_is_restated_and_another_text_is_not(tmp_path, text, level):
    first = "Dzień dobry, numer zamówienia 48213077, gdzie ono jest?"
    events = [
        *came("1", "03-02 10:00", "contact:1", "email", first),
        *came("2", "03-02 15:00", "contact:2", "chat", text),
    ]
    assert chances(tmp_path, events) == [("2", "channel", level)]


def test_a_statement_that_it_was_told_again_counts_without_text(tmp_path):
    stated = event(
        "ExplanationRepeated",
        "x",
        local("03-02 15:10"),
        "contact:2",
        channel="chat",
        stated_by="agent",
        **CASE,
    )
    events = [
        *came("1", "03-02 10:00", "contact:1", "email"),
        *came("2", "03-02 15:00", "contact:2", "chat"),
        stated,
    ]
    assert chances(tmp_path, events) == [("2", "channel", 1)]


def test_another_agent_is_an_opportunity_and_the_same_agent_is_none(tmp_path):
    events = [
        *came("1", "03-02 10:00", "contact:1", "email"), answered("2", "03-02 11:00", "contact:1", "email", "Ada"),
        *came("3", "03-02 12:00", "contact:1", "email"), answered("4", "03-02 13:00", "contact:1", "email", "Ada"),
        *came("5", "03-02 14:00", "contact:1", "email"), answered("6", "03-02 15:00", "contact:1", "email", "Ben"),
        *came("7", "03-02 16:00", "contact:1", "email"),
    ]  # fmt: skip
    assert [row for row in chances(tmp_path, events) if row[0] in ("5", "7")] == [("7", "agent", None)]


def test_a_new_contact_on_an_open_topic_is_an_opportunity(tmp_path):
    events = [
        *came("1", "03-02 10:00", "contact:1", "email"),
        *came("2", "03-02 15:00", "contact:2", "email", case="B"),
        *came("3", "03-02 16:00", "contact:3", "email", case="C", topic="invoice"),
    ]
    assert chances(tmp_path, events) == [("2", "open_topic", None)]
