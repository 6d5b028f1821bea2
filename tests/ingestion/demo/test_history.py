"""The demo's history as a whole: valid, in order, inside its year, the same for the same seed."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import msgspec
import pytest

from domain.events import EVENTS
from domain.events.decisions import PolicyAdopted
from domain.events.envelope import Event
from domain.events.identity import IdentifierAsserted
from domain.identifiers import normalise
from domain.policy import parse_policy
from ingestion.assertions import assertion_id
from ingestion.demo import Demo, history
from tests.ingestion.demo.unkeyed import unkeyed

BEGINNING = datetime(2025, 10, 19, 22, tzinfo=UTC)
END = datetime(2026, 11, 21, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def small() -> Demo:
    return history(surrogate=unkeyed, customers=150)


@pytest.fixture(scope="module")
def full() -> Demo:
    started = time.process_time()
    demo = history(surrogate=unkeyed)
    assert time.process_time() - started < 10
    return demo


def events(demo: Demo) -> Iterator[Event]:
    return chain.from_iterable(demo.records)


def test_the_same_seed_gives_the_same_history_and_another_seed_another(small: Demo) -> None:
    assert history(surrogate=unkeyed, customers=150) == small
    assert history(surrogate=unkeyed, customers=150, seed=8).records != small.records


def test_every_event_survives_the_way_through_json(small: Demo) -> None:
    for event in events(small):
        written = msgspec.json.encode(event)
        assert msgspec.json.decode(written, type=EVENTS[event.TOPIC]) == event


def test_records_come_in_the_order_in_which_they_became_known(full: Demo) -> None:
    known = [record[0].known_at or END for record in full.records]
    assert known == sorted(known)
    assert all(event.known_at == record[0].known_at for record in full.records for event in record)


def test_everything_happened_and_was_known_inside_the_year(full: Demo) -> None:
    assert full.until == END
    for event in events(full):
        assert event.known_at is not None
        assert BEGINNING <= event.occurred_at <= event.known_at <= END, event.event_id
    assert max(event.occurred_at for event in events(full)) > END - timedelta(minutes=10)


def test_the_full_history_is_as_large_as_promised(full: Demo) -> None:
    number = len({event.event_id for event in events(full)})
    assert 100_000 <= number <= 130_000
    assert full.truth["totals"]["events"] == number
    assert full.truth["totals"]["records"] == len(full.records)
    assert full.truth["totals"]["persons"] >= 5_000


def test_an_event_comes_twice_only_where_the_truth_says_so(full: Demo) -> None:
    seen: dict[str, list[Event]] = {}
    for event in events(full):
        seen.setdefault(event.event_id, []).append(event)
    twice = {name: found for name, found in seen.items() if len(found) > 1}
    told = Counter(name for row in full.truth["patterns"]["duplicate"] for name in row["events"])
    assert {name: len(found) - 1 for name, found in twice.items()} == told
    for one, other in twice.values():
        assert one.known_at is not None
        assert other.known_at is not None
        assert one.known_at < other.known_at
        assert msgspec.structs.replace(other, known_at=one.known_at) == one


def test_a_second_revision_changes_the_record_that_the_truth_names(full: Demo) -> None:
    by_id = {event.event_id: event for event in events(full)}
    revised = {name for name, event in by_id.items() if event.revision > 1}
    rows = full.truth["patterns"]["revision"]
    assert {row["revised"] for row in rows} == revised
    for row in rows:
        first, second = by_id[row["first"]], by_id[row["revised"]]
        assert (second.source, second.id, second.revision) == (first.source, first.id, 2)
        assert msgspec.structs.replace(second, revision=1, known_at=first.known_at) != first


def test_identifiers_are_named_after_the_key_that_normalising_gives(full: Demo) -> None:
    for event in events(full):
        if isinstance(event, IdentifierAsserted):
            key, reason = normalise(event.ns, event.value)
            assert key is not None, (event.event_id, reason)
            assert event.id == assertion_id(event.subject, event.ns, key, unkeyed)


def test_the_policy_of_the_demo_is_adopted_before_anything_happens(full: Demo) -> None:
    policy = parse_policy(full.policy, where="policy.toml")
    adopted = [event for event in events(full) if isinstance(event, PolicyAdopted)]
    assert [(event.version, event.digest, event.content) for event in adopted] == [
        ("demo-1", policy.digest, full.policy)
    ]
    assert adopted[0].starts_at < BEGINNING


def test_the_policy_trusts_every_source_and_every_identifier_of_the_demo(full: Demo) -> None:
    trust = parse_policy(full.policy, where="policy.toml").trust
    assert {event.source for event in events(full)} == set(trust)
    assert all(source.known_at for source in trust.values())
    for event in events(full):
        if isinstance(event, IdentifierAsserted):
            assert trust[event.source].pairs[f"{event.ns}.{event.obtained}"] >= 1


def test_every_channel_of_the_demo_is_in_its_policy(full: Demo) -> None:
    channels = parse_policy(full.policy, where="policy.toml").channels
    assert {event.channel for event in events(full) if event.channel} == set(channels)


def test_the_truth_can_be_written_as_json(small: Demo) -> None:
    assert json.loads(json.dumps(small.truth)) == small.truth
