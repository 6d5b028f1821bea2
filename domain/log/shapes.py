"""One shape per event class: how its events become JSON, and which fields of it are sealed.

The body of an event is everything but what has columns of its own: first what is clear, then what is personal, one
retention class after the other. Where nothing is personal the body is the state of the row; else it is divided into
the state and one fragment per class, the inside of a JSON object each. In the state of a class beyond version 1
`class_version` comes first.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from domain.events import EVENTS
from domain.events.envelope import CLEAR, COLUMNS, Event, retentions
from domain.keys import CLASSES
from domain.log.errors import LogError

Parts = tuple[tuple[int, bytes], ...]
"""JSON fragments with the codes of their classes, ascending."""
Values = tuple[Any, ...]
"""All values of an event, in the order of its fields."""

EMPTY = b"{}"

encode = msgspec.json.Encoder(order="deterministic", decimal_format="string").encode


class Shape(msgspec.Struct, frozen=True):
    """How events of one class are written and divided.

    `codes` are the retention classes of which an event has fields; `state` is how what is clear is stored. `silent`
    are by class the personal fields, as an event has them that lacks them; `required` are those that none lacks.
    """

    body: Callable[[Values], bytes]
    codes: Callable[[Values], tuple[int, ...]]
    split: Callable[[Event, bytes], tuple[bytes, Parts]]
    state: Callable[[bytes], bytes]
    silent: dict[int, dict[str, Any]]
    required: tuple[str, ...]


@cache
def shape_of(event: type[Event]) -> Shape:
    """The shape of a class; refuses a class that the catalogue does not know."""
    if EVENTS.get(event.TOPIC) is not event:
        raise LogError(
            f"{event.__name__} is not in the event catalogue under {event.TOPIC!r}: list it there."
        )
    assert event.__struct_fields__[: len(COLUMNS)] == COLUMNS, "the columns are the first fields"
    kept, infos = retentions(event), fields(event)
    clear = [info for info in infos if info.name not in COLUMNS and kept[info.name] == CLEAR]
    sealed = {
        code: [info for info in infos if kept[info.name] == name] for code, name in sorted(CLASSES.items())
    }
    sealed = {code: own for code, own in sealed.items() if own}
    personal = [info for own in sealed.values() for info in own]
    state = _stated(event.class_version)
    return Shape(
        body=_body(event, [*clear, *personal]),
        codes=_codes(event, sealed),
        split=_splitter(sealed, state),
        state=state,
        silent={code: {info.name: _default(info) for info in own} for code, own in sealed.items()},
        required=tuple(info.name for info in personal if info.required),
    )


def _body(event: type[Event], infos: Sequence[FieldInfo]) -> Callable[[Values], bytes]:
    """What writes a body: the values of an event, put into a struct of these fields in this order."""
    told = _getter(event, infos)
    struct = msgspec.defstruct(event.__name__, map(_field, infos), omit_defaults=True, gc=False)
    return lambda values: encode(struct(*told(values)))


def _getter(event: type[Event], infos: Sequence[FieldInfo]) -> Callable[[Values], Any]:
    return itemgetter(*(event.__struct_fields__.index(info.name) for info in infos))


def _field(info: FieldInfo) -> tuple[str, Any, Any]:
    if info.default_factory is not msgspec.NODEFAULT:
        return info.name, Any, msgspec.field(default_factory=info.default_factory)
    return info.name, Any, msgspec.field(default=_default(info))


def _default(info: FieldInfo) -> Any:
    return msgspec.UNSET if info.default is msgspec.NODEFAULT else info.default


def _codes(event: type[Event], sealed: dict[int, list[FieldInfo]]) -> Callable[[Values], tuple[int, ...]]:
    """Which classes an event has fields of: those whose fields are not all as by default."""
    told = []
    for code, own in sealed.items():
        silent = tuple(map(_default, own))
        told.append((code, _getter(event, own), silent if len(own) > 1 else silent[0]))
    if len(told) > 1:
        return lambda values: tuple([code for code, personal, silent in told if personal(values) != silent])
    ((code, personal, silent),) = told
    present = (code,)
    return lambda values: () if personal(values) == silent else present


def _splitter(
    sealed: dict[int, list[FieldInfo]], state: Callable[[bytes], bytes]
) -> Callable[[Event, bytes], tuple[bytes, Parts]]:
    """What divides a body: each class begins at its first field that is there.

    No text in JSON holds a quote without a backslash before it, so what is found from the end is that field.
    """
    marks = [
        (code, [(b'"%b":' % info.name.encode(), attrgetter(info.name), _default(info)) for info in own])
        for code, own in reversed(sealed.items())
    ]

    def split(event: Event, body: bytes) -> tuple[bytes, Parts]:
        end = len(body) - 1
        parts: Parts = ()
        for code, own in marks:
            for key, value, silent in own:
                if value(event) != silent:
                    start = body.rindex(key, 0, end)
                    parts = ((code, body[start:end]), *parts)
                    end = max(start - 1, 1)
                    break
        return state(body[:end] + b"}"), parts

    return split


def _stated(version: int) -> Callable[[bytes], bytes]:
    """How what is clear in a body of this version is stored."""
    prefix = b'{"class_version":%d' % version
    if version == 1:
        return lambda clear: clear
    return lambda clear: prefix + (b"}" if clear == EMPTY else b"," + clear[1:])
