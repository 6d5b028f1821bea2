"""One shape per event class: which fields are stored in the clear, and which in which sealed fragment.

The state of a row holds an event's fields without those that have columns of their own and without the personal
ones; `class_version` stands first in it once a class has passed version 1. The personal fields of one retention
class make one fragment, the inside of a JSON object.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from domain.events import EVENTS
from domain.events.envelope import CLEAR, COLUMNS, Event, retentions
from domain.keys import CLASSES
from domain.log.errors import LogError

Split = tuple[bytes, tuple[tuple[int, bytes], ...]]
"""A state, and the fragments that belong to it with the codes of their classes, ascending."""
Values = tuple[Any, ...]
"""All values of an event, in the order of its fields."""
Part = tuple[Callable[[Values], Values], Callable[..., msgspec.Struct], Values]
"""How some of an event's values become one JSON object: which, the struct that encodes them, and their defaults."""
EMPTY = b"{}"

encode = msgspec.json.Encoder(order="deterministic", decimal_format="string").encode


class Shape(msgspec.Struct, frozen=True):
    """How events of one class are divided; `required` are the personal fields that none of them lacks."""

    split: Callable[[Values], Split]
    required: tuple[str, ...]


@cache
def shape_of(event: type[Event]) -> Shape:
    """The shape of a class; refuses a class that the catalogue does not know."""
    if EVENTS.get(event.TOPIC) is not event:
        raise LogError(
            f"{event.__name__} is not in the event catalogue under {event.TOPIC!r}: list it there."
        )
    assert event.__struct_fields__[: len(COLUMNS)] == COLUMNS, "the columns are the first fields"
    kept, classes = retentions(event), fields(event)
    clear = _part(event, [info for info in classes if info.name not in COLUMNS and kept[info.name] == CLEAR])
    sealed = {
        code: _part(event, [info for info in classes if kept[info.name] == name])
        for code, name in sorted(CLASSES.items())
        if name in kept.values()
    }
    personal = [info for info in classes if kept[info.name] != CLEAR]
    return Shape(
        split=_splitter(clear, tuple(sealed.items()), event.class_version),
        required=tuple(info.name for info in personal if info.required),
    )


def _part(event: type[Event], infos: Sequence[FieldInfo]) -> Part:
    places = [event.__struct_fields__.index(info.name) for info in infos]
    struct = msgspec.defstruct(event.__name__, [_field(info) for info in infos], omit_defaults=True)
    defaults = tuple(info.default for info in infos)
    if len(places) > 1:
        return itemgetter(*places), struct, defaults
    return lambda values: tuple([values[place] for place in places]), struct, defaults


def _field(info: FieldInfo) -> tuple[str, Any, Any]:
    if info.default_factory is not msgspec.NODEFAULT:
        return info.name, Any, msgspec.field(default_factory=info.default_factory)
    default = msgspec.UNSET if info.default is msgspec.NODEFAULT else info.default
    return info.name, Any, msgspec.field(default=default)


def _splitter(clear: Part, sealed: Sequence[tuple[int, Part]], version: int) -> Callable[[Values], Split]:
    pick, struct, _ = clear
    prefix = b'{"class_version":%d' % version

    def split(values: Values) -> Split:
        state = encode(struct(*pick(values)))
        if version > 1:
            state = prefix + (b"}" if state == EMPTY else b"," + state[1:])
        parts: tuple[tuple[int, bytes], ...] = ()
        for code, (own, personal, nothing) in sealed:
            told = own(values)
            if told != nothing and (fragment := encode(personal(*told))) != EMPTY:
                parts = (*parts, (code, fragment[1:-1]))
        return state, parts

    return split
