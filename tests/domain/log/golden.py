"""Stored samples, one file per topic and version, sealed under a key of their own, never edited once they are there.

`python -m tests.domain.log.golden` writes the missing ones.
"""

import json
import secrets
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from domain.events import CLASSES, NAMES
from domain.events.envelope import Event
from domain.keys import CLASSES as RETENTION
from domain.keys import Keys, open_one, seal_one
from domain.log.mapper import draft_of
from domain.log.records import LogEvent, microseconds
from domain.log.sealed import NONCE, fingerprint, mac_of
from domain.log.shapes import shape_of

FOLDER = Path(__file__).parents[2] / "golden"
AT = datetime(2026, 3, 29, 1, 30, 0, 123_456, tzinfo=UTC)
SECRET = b"golden".rjust(32)
"""The log's secret behind every sample's fingerprint."""
HEAD = 5
"""Bytes before the nonce of a sealed part: class and length."""


def sample(hint: Any, name: str, default: Any = None) -> Any:
    """A telling value of a type: every field is filled, none as its default."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Annotated, Union, types.UnionType):
        return sample(next(one for one in arguments if one is not type(None)), name, default)
    if origin is tuple:
        return (sample(arguments[0], name), sample(arguments[0], name))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint(**{key: sample(kind, key) for key, kind in hints_of(hint).items()})
    told = {
        bool: default is not True,
        int: 3,
        float: 1.5,
        str: f"{name} żółć",
        Decimal: Decimal("19.90"),
        datetime: AT,
        date: AT.date(),
        dict: {"phone.caller_id": 1, "email.login": 2},
        Literal: next((one for one in reversed(arguments) if one != default), None),
    }
    return told[origin or hint]


def hints_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of a struct's fields."""
    return get_type_hints(struct, include_extras=True)


def made(event: type[Event]) -> Event:
    """The sample of a class."""
    hints = hints_of(event)
    fields = msgspec.structs.fields(event)
    values = {field.name: sample(hints[field.name], field.name, field.default) for field in fields}
    return event(**values | {"source": "golden", "id": "88120-3", "subject": "contact:88120"})


def stored(event: Event, keys: Keys, nonces: Sequence[bytes]) -> LogEvent:
    """The row of an event, sealed with these keys and nonces."""
    draft = draft_of(event, mac_of(SECRET))
    fingerprint([draft], keys, SECRET)
    left = draft.event or event
    state, parts = shape_of(type(event)).split(left, draft.body)
    told = draft.originator_id, draft.event_id, draft.topic, parts
    return LogEvent(
        originator_id=draft.originator_id,
        originator_version=0,
        topic=draft.topic,
        state=state,
        event_id=draft.event_id,
        occurred_at=draft.occurred_at,
        known_at=None if event.known_at is None else microseconds(event.known_at),
        payload_hash=draft.payload_hash,
        sealed=seal_one(told, keys=keys, nonces=b"".join(nonces)),
    )


def written(event: Event) -> dict[str, Any]:
    """A sample as its file holds it: the row, the keys that open it, and the event as a canonical record."""
    _, parts = shape_of(type(event)).split(event, draft_of(event, mac_of(SECRET)).body)
    keys = {(event.stream, code): secrets.token_bytes(32) for code, _ in parts}
    row = stored(event, keys, [secrets.token_bytes(NONCE) for _ in parts])
    return {
        "topic": row.topic,
        "originator_id": row.originator_id,
        "event_id": row.event_id,
        "occurred_at": row.occurred_at,
        "known_at": row.known_at,
        "payload_hash": row.payload_hash.hex(),
        "state": row.state.decode(),
        "sealed": row.sealed.hex(),
        "keys": {RETENTION[code]: key.hex() for (_, code), key in keys.items() if key},
        "event": {"type": type(event).__name__} | msgspec.to_builtins(event),
    }


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One file: the stored row, the keys that open it, and the event that it must be."""

    row: LogEvent
    keys: Keys
    event: Event

    def nonces(self) -> list[bytes]:
        """The nonces in the sealed column, in its order."""
        column, found = self.row.sealed, []
        while column:
            end = HEAD + int.from_bytes(column[1:HEAD])
            found.append(column[HEAD : HEAD + NONCE])
            column = column[end:]
        return found

    def fragment(self) -> bytes:
        """What is sealed in the row."""
        sealed = str(self.row.originator_id), self.row.event_id, self.row.topic, self.row.sealed
        return open_one(sealed, keys=self.keys)


def read(file: Path) -> Sample:
    """The sample in a file."""
    held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    told, named = held.pop("event"), held.pop("keys")
    held |= {name: bytes.fromhex(held[name]) for name in ("payload_hash", "sealed")}
    row = LogEvent(originator_version=0, **held | {"state": held["state"].encode()})
    codes = {name: code for code, name in RETENTION.items()}
    return Sample(
        row=row,
        keys={(str(row.originator_id), codes[name]): bytes.fromhex(key) for name, key in named.items()},
        event=msgspec.convert(told, NAMES[told.pop("type")]),
    )


def path(event: type[Event]) -> Path:
    """The file of a class at its present version."""
    return FOLDER / f"{event.TOPIC}.v{event.class_version}.json"


def main() -> None:
    """Write the files that are missing; those that are there stay."""
    FOLDER.mkdir(exist_ok=True)
    for event in CLASSES:
        if not path(event).exists():
            text = json.dumps(written(made(event)), indent=1, ensure_ascii=False)
            path(event).write_text(text + "\n", encoding="utf-8")
            sys.stdout.write(f"{path(event).name}\n")


if __name__ == "__main__":
    main()
