"""Stored states brought to the present: joined with what was sealed of them, and upcast to their present class.

An upcaster is a static method `upcast_vN_vN+1(state)` on a dict. It must do without personal fields: a state that
is not opened, or whose key is destroyed, lacks them.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from domain.events import EVENTS
from domain.events.envelope import Event
from domain.log.shapes import EMPTY, encode

VERSIONED = '{"class_version":'
"""How a state begins that is not what the present class would write: it is, or it names its version for whoever
chokes on it."""

UNOPENED = b'"unopened":true'
"""Stands in an opened state for what is sealed of it and does not open with its key; no text in JSON holds it."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def joined(state: bytes, fragment: bytes) -> bytes:
    """A state with a fragment at its end."""
    if not fragment:
        return state
    return b"{%b}" % fragment if state == EMPTY else b"%b,%b}" % (state[:-1], fragment)


def class_of(topic: str) -> type[Event]:
    """The class of a stored topic."""
    event = EVENTS.get(topic)
    if event is None:
        raise ValueError(f"topic {topic!r} is unknown to this version of Omniline")
    return event


def current_state(topic: str, state: bytes) -> dict[str, Any]:
    """The state as the present class knows it: newer versions are refused, older ones are upcast."""
    event = class_of(topic)
    fields_by_name = _decode(state)
    have = fields_by_name.pop("class_version", 1)
    if have > event.class_version:
        raise ValueError(f"version {have} is newer than {event.class_version}, which this Omniline knows")
    for version in range(have, event.class_version):
        getattr(event, f"upcast_v{version}_v{version + 1}")(fields_by_name)
    return fields_by_name


def moved() -> Sequence[str]:
    """The topics whose classes have passed version 1."""
    return [topic for topic, event in EVENTS.items() if event.class_version > 1]


def present(topic: str, state: str) -> str:
    """The state as the present class would write it, without its version; one that cannot be brought there,
    because it is of a newer version, of an unknown topic or broken, stays as it is and names its version first."""
    event = EVENTS.get(topic)
    version = event.class_version if event else 0
    own = f"{VERSIONED}{version}"
    if state.startswith(f"{own},"):
        return f"{{{state[len(own) + 1 :]}"
    if state == f"{own}}}":
        return EMPTY.decode()
    try:
        return encode(current_state(topic, state.encode())).decode()
    except Exception:
        return (
            state if state.startswith(VERSIONED) else f"{VERSIONED}1{',' if state != '{}' else ''}{state[1:]}"
        )
