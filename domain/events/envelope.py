"""What every event carries: who said it, about what, when it happened and when it was known."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args, get_type_hints

from msgspec import Meta, Struct


def _meta(pii: str, *, purpose: str, retention: str) -> Meta:
    return Meta(extra={"pii": pii, "purpose": purpose, "retention": retention})


CLEAR = "log"
"""The retention class of what is stored in the clear: as long as the log."""

Open = Annotated[str, _meta("none", purpose="measurement", retention=CLEAR)]
"""A word of the service itself: a code, a state, a channel, a reference."""
Contact = Annotated[str, _meta("contact", purpose="recognition", retention="contact")]
"""Reaches or names a person: an address, a number, an account."""
Content = Annotated[str, _meta("content", purpose="service", retention="content")]
"""What people wrote or said."""
Special = Annotated[str, _meta("special", purpose="service", retention="special")]
"""What the law protects most: health, belief, union, origin, conviction."""

ActorKind = Literal["human_agent", "bot", "automation", "customer", "third_party", "system"]
Direction = Literal["inbound", "outbound", "internal"]
Precision = Literal["day", "minute", "second", "microsecond"]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One immutable fact as its source told it; it holds no verdict and no person.

    `subject` is `type:id` inside the source (`contact:88120`); the stream is `type:source:id` and the
    event id `source|id|revision`. Instants are UTC-aware; `known_at` is the source's own recording time,
    None where it tells none. `seq` orders events of one instant. `case`, `thread`, `order` and `offer` are
    references in the source's words; `topic` is a versioned code of what the contact is about.
    """

    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    source: Open
    id: Open
    revision: int = 1
    subject: Open
    occurred_at: datetime
    known_at: datetime | None = None
    precision: Precision = "second"
    seq: int | None = None
    actor_kind: ActorKind | None = None
    actor: Open | None = None
    channel: Open | None = None
    direction: Direction | None = None
    case: Open | None = None
    thread: Open | None = None
    order: Open | None = None
    offer: Open | None = None
    topic: Open | None = None
    text: Content | None = None

    @property
    def event_id(self) -> str:
        """The natural key that the log stores once."""
        return f"{self.source}|{self.id}|{self.revision}"

    @property
    def stream(self) -> str:
        """The stream of the source's subject: `type:source:id`."""
        kind, _, name = self.subject.partition(":")
        return f"{kind}:{self.source}:{name}"


COLUMNS = ("source", "id", "revision", "subject", "occurred_at", "known_at")
"""Envelope fields that the log keeps in columns of its own, not in the stored state."""


def own_fields(event: type[Event]) -> dict[str, Any]:
    """Annotations of the fields that an event class adds to the envelope, by name."""
    return {
        name: hint for name, hint in event.__annotations__.items() if name not in ("TOPIC", "class_version")
    }


@cache
def retentions(event: type[Event]) -> dict[str, str]:
    """The retention class of every field, by name; what says nothing of itself is a number, an instant or a choice."""
    hints = get_type_hints(event, include_extras=True)
    return {name: _retention(name, hints[name]) for name in event.__struct_fields__}


def _retention(name: str, hint: Any) -> str:
    """The one retention class of a field: it is sealed whole, whatever in it is personal."""
    found = {str(note.extra["retention"]) for note in classifications(hint)} - {CLEAR}
    if len(found) > 1:
        raise TypeError(
            f"The field {name} mixes the retention classes {', '.join(sorted(found))}: divide it."
        )
    return found.pop() if found else CLEAR


def classifications(hint: Any) -> Iterator[Any]:
    """The classifications that stand anywhere within an annotation."""
    for note in getattr(hint, "__metadata__", ()):
        if isinstance(note, Meta) and note.extra:
            yield note
    inner = get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Struct):
        inner = tuple(get_type_hints(hint, include_extras=True).values())
    for one in inner:
        yield from classifications(one)
