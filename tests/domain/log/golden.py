"""Stored samples, one file per topic and version, never edited once they are there.

`python -m tests.domain.log.golden` writes the missing ones.
"""

import json
import sys
import types
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from domain.events import CLASSES
from domain.events.envelope import Event
from domain.log.mapper import LogMapper

FOLDER = Path(__file__).parents[2] / "golden"
AT = datetime(2026, 3, 29, 1, 30, 0, 123_456, tzinfo=UTC)
MAPPER = LogMapper(bytes(32))


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


def stored(event: Event) -> dict[str, Any]:
    """The row of an event and, beside it, the event itself as a canonical record."""
    row = MAPPER.to_stored_event(event)
    return {
        "topic": row.topic,
        "originator_id": row.originator_id,
        "event_id": row.event_id,
        "occurred_at": row.occurred_at,
        "known_at": row.known_at,
        "payload_hash": row.payload_hash.hex(),
        "state": row.state.decode(),
        "event": {"type": type(event).__name__} | msgspec.to_builtins(event),
    }


def path(event: type[Event]) -> Path:
    """The file of a class at its present version."""
    return FOLDER / f"{event.TOPIC}.v{event.class_version}.json"


def main() -> None:
    """Write the files that are missing; those that are there stay."""
    FOLDER.mkdir(exist_ok=True)
    for event in CLASSES:
        if not path(event).exists():
            text = json.dumps(stored(made(event)), indent=1, ensure_ascii=False)
            path(event).write_text(text + "\n", encoding="utf-8")
            sys.stdout.write(f"{path(event).name}\n")


if __name__ == "__main__":
    main()
