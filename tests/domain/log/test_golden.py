"""What was stored once can be read for ever, and is stored today byte for byte as then."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.events import CLASSES, EVENTS, NAMES
from domain.events.envelope import Event
from domain.log import Pending, open_log
from domain.log.records import LogEvent
from tests.domain.log.golden import FOLDER, MAPPER, path
from tests.domain.log.making import NOW

FILES = sorted(FOLDER.glob("*.v*.json"))


def read(file: Path) -> tuple[LogEvent, Event]:
    """A stored row, and the event that it must be."""
    held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    expected = held.pop("event")
    event = msgspec.convert(expected, NAMES[expected.pop("type")])
    row = LogEvent(
        originator_version=0,
        **held | {"state": held["state"].encode(), "payload_hash": bytes.fromhex(held["payload_hash"])},
    )
    return row, event


def test_every_class_has_its_sample() -> None:
    assert {path(event) for event in CLASSES} <= set(FILES)
    assert {file.name.partition(".v")[0] for file in FILES} <= set(EVENTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_stored_sample_is_read_as_its_event(file: Path) -> None:
    row, event = read(file)
    assert MAPPER.to_domain_event(row) == event


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.TOPIC)
def test_the_present_version_is_stored_byte_for_byte_as_its_sample(event: type[Event]) -> None:
    row, told = read(path(event))
    assert MAPPER.to_stored_event(told) == row


def test_bulk_reads_hand_out_the_samples_states(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)
    held = [read(path(event)) for event in CLASSES]
    log.append_batch(
        [Pending(event=msgspec.structs.replace(event, id=event.TOPIC)) for _, event in held], run=1, now=NOW
    )
    told = log.arrow().select(["topic", "occurred_at", "known_at", "state"]).to_pylist()
    assert [tuple(row.values()) for row in told] == [
        (row.topic, row.occurred_at, row.known_at, row.state.decode()) for row, _ in held
    ]
    log.close()
