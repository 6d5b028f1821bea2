"""What every event carries: who said it, about what, when it happened and when it was known."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

Open = Annotated[str, Meta(extra={"pii": "none"})]
"""A word of the service itself: a code, a state, a channel, a reference."""
Contact = Annotated[str, Meta(extra={"pii": "contact"})]
"""Reaches or names a person: an address, a number, an account."""
Content = Annotated[str, Meta(extra={"pii": "content"})]
"""What people wrote or said."""

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
