"""The demo's history as a whole: valid, in order, inside its year, the same for the same seed."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from domain.events import EVENTS
from domain.events.envelope import Event
from ingestion.demo import Demo, history

BEGINNING = datetime(2025, 10, 19, 22, tzinfo=UTC)
END = datetime(2026, 11, 21, 20, tzinfo=UTC)


def unkeyed(ns: str, key: str) -> str:
    return hashlib.sha256(f"{ns}\0{key}".encode()).hexdigest()[:32]


@pytest.fixture(scope="module")
def small() -> Demo:
    return history(surrogate=unkeyed, customers=150)


def events(demo: Demo) -> Iterator[Event]:
    for record in demo.records:
        yield from record


def test_the_same_seed_gives_the_same_history_and_another_seed_another(small: Demo) -> None:
    assert history(surrogate=unkeyed, customers=150) == small
    assert history(surrogate=unkeyed, customers=150, seed=8).records != small.records


def test_every_event_survives_the_way_through_json(small: Demo) -> None:
    for event in events(small):
        written = msgspec.json.encode(event)
        assert msgspec.json.decode(written, type=EVENTS[event.TOPIC]) == event


def test_records_come_in_the_order_in_which_they_became_known(small: Demo) -> None:
    known = [record[0].known_at for record in small.records]
    assert None not in known
    assert known == sorted(known)  # type: ignore[type-var]


def test_everything_happened_and_was_known_inside_the_year(small: Demo) -> None:
    assert small.until == END
    for event in events(small):
        assert event.known_at is not None
        assert BEGINNING <= event.occurred_at <= event.known_at <= END, event.event_id
