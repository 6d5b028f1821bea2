"""The truth beside the demo: complete, about events that exist, and true by an independent look at them."""

from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from rapidfuzz import fuzz

from domain.events.contacts import ContactAnswered, ContactMissed, ContactReceived
from domain.events.envelope import Event
from domain.policy import parse_policy
from ingestion.demo import Demo, history
from ingestion.demo.hours import hours_of
from ingestion.demo.texts import CLAUSES, NEWS
from ingestion.demo.truth import PATTERNS
from tests.ingestion.demo.unkeyed import unkeyed

NAMES = {
    "contact",
    "turn",
    "repeat_of",
    "item",
    "restates",
    "stated",
    "redirected",
    "touch",
    "first",
    "revised",
}
"""Keys of the truth that hold event ids."""


@pytest.fixture(scope="module")
def demo() -> Demo:
    return history(surrogate=unkeyed, customers=600)


@pytest.fixture(scope="module")
def by_id(demo: Demo) -> dict[str, Event]:
    return {event.event_id: event for event in chain.from_iterable(demo.records)}


def rows(demo: Demo, pattern: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = demo.truth["patterns"][pattern]
    return found


@pytest.mark.parametrize("seed", [1, 2, 3, 7])
def test_every_pattern_is_planted_even_in_a_small_history(seed: int) -> None:
    small = history(surrogate=unkeyed, customers=150, seed=seed)
    assert set(small.truth["patterns"]) == set(PATTERNS)


def test_the_truth_names_events_that_exist(demo: Demo, by_id: dict[str, Event]) -> None:
    for pattern, found in demo.truth["patterns"].items():
        for row in found:
            named = {value for key, value in row.items() if key in NAMES}
            named |= {*row.get("missed", ()), *(row.get("events", ()) if pattern != "revision" else ())}
            assert named <= set(by_id), (pattern, row)


def test_late_records_became_known_after_the_next_contact_began(demo: Demo, by_id: dict[str, Event]) -> None:
    for row in rows(demo, "late_recording"):
        item, contact = by_id[row["item"]], by_id[row["contact"]]
        assert item.known_at is not None
        assert item.occurred_at < contact.occurred_at < item.known_at
        assert item.known_at == datetime.fromisoformat(row["known_at"])


def test_late_links_came_after_the_contact_began(demo: Demo, by_id: dict[str, Event]) -> None:
    for row in rows(demo, "identity_not_linked"):
        item, contact = by_id[row["item"]], by_id[row["contact"]]
        assert item.occurred_at < contact.occurred_at < datetime.fromisoformat(row["linked_at"])
        assert item.channel != contact.channel


def test_restatements_are_alike_and_everything_else_is_not(demo: Demo, by_id: dict[str, Event]) -> None:
    for row in rows(demo, "explained_again_restated"):
        said, again = by_id[row["restates"]].text, by_id[row["turn"]].text
        assert fuzz.token_set_ratio((said or "").lower(), (again or "").lower()) >= 85, (said, again)
    told = [f"{first}. {second}." for clauses in CLAUSES.values() for first, second in clauses]
    said = [
        text.format(product="pralka", thing="pralkę", order="zamówienie 310001", day="w środę").lower()
        for text in told
    ]
    for fresh in (text.lower() for text in NEWS):
        assert max(fuzz.token_set_ratio(fresh, other) for other in said) < 65, fresh
        assert (
            max(fuzz.token_set_ratio(fresh, other.lower()) for other in NEWS if other.lower() != fresh) < 70
        ), fresh


def test_news_says_no_number_and_no_phrase_twice_to_one_topic(demo: Demo, by_id: dict[str, Event]) -> None:
    for row in rows(demo, "explained_once"):
        text = by_id[row["turn"]].text or ""
        assert text in NEWS


def test_bounced_customers_came_where_we_sent_them(demo: Demo, by_id: dict[str, Event]) -> None:
    received = [event for event in by_id.values() if isinstance(event, ContactReceived)]
    came = {(event.case, event.channel, event.occurred_at) for event in received}
    for pattern, least, most in (("bounce", 0, 48), ("bounce_excused", 0, 48), ("bounce_late", 48, 168)):
        for row in rows(demo, pattern):
            sent, back = by_id[row["redirected"]], datetime.fromisoformat(row["back_at"])
            assert timedelta(hours=least) < back - sent.occurred_at <= timedelta(hours=most)
            assert (row["case"], row["to"], back) in came
    for row in rows(demo, "bounce_lost"):
        assert {channel for case, channel, _ in came if case == row["case"]} == {row["from"]}


def test_working_time_agrees_with_the_calendars_of_the_policy(demo: Demo) -> None:
    policy = parse_policy(demo.policy, where="policy.toml")
    for clock in demo.truth["clocks"][::25]:
        calendar = policy.calendar_of(clock["channel"])
        started = datetime.fromisoformat(clock["started_at"])
        stopped = datetime.fromisoformat(clock["stopped_at"]) if clock["stopped_at"] else demo.until
        day, spent = started.date() - timedelta(days=1), 0.0
        while day <= stopped.date():
            for opens, closes in open_spans(calendar.intervals(day), day):
                spent += max(0.0, (min(closes, stopped) - max(opens, started)).total_seconds())
            day += timedelta(days=1)
        assert spent == clock["elapsed_s"], clock


def open_spans(intervals: tuple[tuple[int, int], ...], day: Any) -> list[tuple[datetime, datetime]]:
    from ingestion.demo.instants import WARSAW

    return [
        (
            datetime(day.year, day.month, day.day, opens // 60, opens % 60, tzinfo=WARSAW),
            datetime(day.year, day.month, day.day, closes // 60, closes % 60, tzinfo=WARSAW),
        )
        for opens, closes in intervals
    ]


def test_people_answer_calls_only_while_the_lines_are_open(by_id: dict[str, Event]) -> None:
    lines = hours_of("phone")
    for event in by_id.values():
        if isinstance(event, ContactAnswered) and event.channel == "phone":
            assert lines.is_open(int(event.occurred_at.timestamp())), event.event_id
        if isinstance(event, ContactMissed) and event.why == "closed":
            assert not lines.is_open(int(event.occurred_at.timestamp())), event.event_id


def test_promises_are_kept_better_after_each_go_live() -> None:
    full = history(surrogate=unkeyed, customers=3_000)
    for channel, live, before, after in (
        ("chat", "2025-12-01", 0.78, 0.87),
        ("messenger", "2026-03-02", 0.75, 0.85),
    ):
        clocks = [c for c in full.truth["clocks"] if (c["clock"], c["channel"]) == ("frt_human", channel)]
        early = [c["verdict"] == "met" for c in clocks if c["started_at"] < live]
        late = [c["verdict"] == "met" for c in clocks if c["started_at"] > "2026-06-01" and c["stopped_at"]]
        assert 0.65 < sum(early) / len(early) < before
        assert sum(late) / len(late) > after


def test_somebody_waits_on_every_channel_and_some_too_long(demo: Demo) -> None:
    states = {channel: set(told) for channel, told in demo.truth["totals"]["waiting"].items()}
    assert set(states) == {"email", "chat", "messenger", "phone", "web_form"}
    assert all("in_time" in told for told in states.values())
    assert {"late", "at_risk"} <= states["email"] & states["chat"] & states["phone"]
