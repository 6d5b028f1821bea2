"""What was stored once can be read for ever, and is stored today byte for byte as then."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.events import CLASSES, EVENTS
from domain.events.contacts import ContactReceived
from domain.events.envelope import Event
from domain.log import EVERY, Log, Pending, open_log
from domain.log.mapper import draft_of, event_of
from domain.log.sealed import fingerprint, mac_of, seal
from tests.domain.log.golden import FOLDER, SECRET, path, read, stored
from tests.domain.log.making import NOW, event_at

FILES = sorted(FOLDER.glob("*.v*.json"))


def test_every_class_has_its_sample() -> None:
    assert {path(event) for event in CLASSES} <= set(FILES)
    assert {file.name.partition(".v")[0] for file in FILES} <= set(EVENTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_stored_sample_is_read_as_its_event(file: Path) -> None:
    sample = read(file)
    assert event_of(sample.row, sample.keys) == sample.event


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.TOPIC)
def test_the_present_version_is_stored_byte_for_byte_as_its_sample(event: type[Event]) -> None:
    sample = read(path(event))
    assert stored(sample.event, sample.keys, sample.nonces()) == sample.row


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_sample_tells_in_the_clear_what_is_sealed(file: Path) -> None:
    sample = read(file)
    told = msgspec.json.decode(b"{%b}" % sample.fragment())
    assert told
    assert not set(told) & set(msgspec.json.decode(sample.row.state))


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.TOPIC)
@pytest.mark.parametrize("known_at", [NOW, None])
def test_without_its_personal_fields_a_sample_is_stored_as_its_state_alone(
    event: type[Event], known_at: datetime | None
) -> None:
    sample = read(path(event))
    gone = dict.fromkeys(sample.keys)
    row = stored(msgspec.structs.replace(sample.event, known_at=known_at), gone, sample.nonces())
    assert (row.state, row.sealed) == (sample.row.state, b"")
    draft = draft_of(msgspec.structs.replace(sample.event, known_at=known_at), mac_of(SECRET))
    fingerprint([draft], gone, SECRET)
    seal([draft], gone)
    assert (draft.state, draft.sealed, draft.payload_hash) == (sample.row.state, b"", row.payload_hash)


def filled(folder: Path) -> Log:
    """A log of all samples."""
    log = open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)
    events = [msgspec.structs.replace(read(path(event)).event, id=event.TOPIC) for event in CLASSES]
    log.append_batch([Pending(event=event) for event in events], run=1, now=NOW)
    return log


def test_bulk_reads_hand_out_the_samples_states_closed_and_opened(tmp_path: Path) -> None:
    log, samples = filled(tmp_path), [read(path(event)) for event in CLASSES]
    closed = log.arrow().select(["topic", "occurred_at", "known_at", "state"]).to_pylist()
    assert [tuple(row.values()) for row in closed] == [
        (one.row.topic, one.row.occurred_at, one.row.known_at, one.row.state.decode()) for one in samples
    ]
    opened = log.arrow(opened=EVERY)["state"].to_pylist()
    assert opened == [
        f"{state[:-1]}{',' if state != '{}' else ''}{one.fragment().decode()}}}"
        for one in samples
        if (state := one.row.state.decode())
    ]
    log.close()


class Second(ContactReceived, frozen=True, kw_only=True):
    """What contact.received might become: the queue is a list, the title is part of the text."""

    class_version = 2
    queues: tuple[str, ...] = ()

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Personal fields may be missing: nobody opened them, or their key is destroyed."""
        state["queues"] = [state.pop("queue")]
        if "title" in state:
            state["text"] = f"{state.pop('title')}: {state.pop('text')}"


def test_a_sample_of_an_older_version_is_upcast_by_row_and_in_bulk_opened_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, sample = filled(tmp_path), read(FOLDER / "contact.received.v1.json")
    position = CLASSES.index(ContactReceived) + 1
    monkeypatch.setitem(EVENTS, "contact.received", Second)
    before = msgspec.json.decode(sample.row.state)
    assert before.pop("queue") == "queue żółć"
    moved = before | {"queues": ["queue żółć"]}
    told = {"text": "title żółć: text żółć"}
    for opened, expected in (((), moved), (EVERY, moved | told)):
        (state,) = log.arrow(after=position - 1, upto=position, opened=opened)["state"].to_pylist()
        assert msgspec.json.decode(state) == expected
    for row, keys in ((sample.row, sample.keys), (sample.row, {})):
        event = event_of(row, keys)
        assert isinstance(event, Second)
        assert (event.queues, event.text) == (("queue żółć",), "title żółć: text żółć" if keys else None)
    assert isinstance(event_at(log, position), Second)
    log.close()
