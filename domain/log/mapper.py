"""Events to stored rows and back: explicit topics, deterministic JSON, class versions and their upcasters.

The state of a row holds an event's fields without those that have columns of their own; `class_version` stands
first in it once a class has passed version 1.
"""

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import blake2b
from typing import Any, cast

import msgspec
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent
from msgspec.structs import FieldInfo, astuple, fields

from domain.events import EVENTS
from domain.events.envelope import COLUMNS, Event
from domain.log.errors import LogError
from domain.log.records import Draft, LogEvent, instant, microseconds

VERSIONED = b'{"class_version":'
"""How the state of a class beyond version 1 begins."""

UNSTORABLE = ("Cc", "Cs")
"""Unicode categories that ids may not hold: control characters and stray surrogates."""

_encode = msgspec.json.Encoder(order="deterministic", decimal_format="string").encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class LogMapper(Mapper[str]):
    """The library's mapper over our events: what it stores is a `LogEvent`, what it reads is checked."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(JSONTranscoder())
        self._mac = blake2b(key=secret, digest_size=16)

    def to_stored_event(self, domain_event: Any) -> LogEvent:
        """The row of an event, still without a version in its stream."""
        event = cast(Event, domain_event)
        draft = self.draft(event)
        return LogEvent(
            originator_id=draft.originator_id,
            originator_version=0,
            topic=draft.topic,
            state=draft.state,
            event_id=draft.event_id,
            occurred_at=draft.occurred_at,
            known_at=draft.known_at,
            payload_hash=draft.payload_hash,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a row that carries our columns."""
        assert isinstance(stored_event, LogEvent)
        return event_of(stored_event)

    def drafts(self, events: Iterable[tuple[Event, bool]]) -> list[Draft]:
        """The rows-to-be of a batch of events, each with whether it is kept once; names what it cannot take."""
        events = list(events)
        try:
            drafts = [self.draft(event, once=once) for event, once in events]
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            raise LogError(_culprit(events) or f"The batch cannot be stored: {error}.") from error
        plain = (
            "".join([draft.event_id for draft in drafts]).isprintable()
            and "".join([draft.originator_id for draft in drafts]).isprintable()
            and not any(set(":|") & set(source) for source in {event.source for event, _ in events})
        )
        if not plain and (fault := _culprit(events)):
            raise LogError(fault)
        return drafts

    def draft(self, event: Event, *, once: bool = False) -> Draft:
        """The row-to-be of an event; its payload hash leaves out the revision and when it became known."""
        shape = shape_of(type(event))
        state = _encode(shape.state(*shape.values(event)))
        kind, _, name = event.subject.partition(":")
        if not (kind and name and event.id and event.source):
            raise ValueError(event.subject)
        stream = f"{kind}:{event.source}:{name}"
        revision = 1 if once else event.revision
        occurred_at = microseconds(event.occurred_at)
        mac = self._mac.copy()
        mac.update(b"%b\0%d\0%b\0%b" % (stream.encode(), occurred_at, shape.topic, state))
        return Draft(
            stream,
            type(event).TOPIC,
            state,
            f"{event.source}|{event.id}|{revision}",
            revision,
            occurred_at,
            None if event.known_at is None else microseconds(event.known_at),
            mac.digest(),
            once,
        )


def flaw(event: Event) -> str | None:
    """Why the log cannot take an event, None if it can."""
    kind, _, name = event.subject.partition(":")
    if not event.source or set(":|") & set(event.source):
        return f"its source {event.source!r} is empty or holds ':' or '|'"
    if not event.id or not kind or not name:
        return f"its id {event.id!r} is empty or its subject {event.subject!r} is not type:id"
    if any(unicodedata.category(sign) in UNSTORABLE for sign in event.source + event.id + event.subject):
        return "its id or subject holds control characters"
    if event.occurred_at.tzinfo is None or (event.known_at and event.known_at.tzinfo is None):
        return "its instants bear no zone"
    try:
        _encode(event)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        return f"it cannot be written as JSON ({error})"
    return None


def _culprit(events: Iterable[tuple[Event, bool]]) -> str | None:
    for event, _ in events:
        if reason := flaw(event):
            return f"The log cannot take the event {event.event_id!r}: {reason}."
    return None


class Shape(msgspec.Struct, frozen=True):
    """How events of one class become state: the fields' getter and the struct that encodes them."""

    topic: bytes
    state: Callable[..., msgspec.Struct]
    values: Callable[[Event], tuple[Any, ...]]


@cache
def shape_of(event: type[Event]) -> Shape:
    """The shape of a class; refuses a class that the catalogue does not know."""
    if EVENTS.get(event.TOPIC) is not event:
        raise LogError(
            f"{event.__name__} is not in the event catalogue under {event.TOPIC!r}: list it there."
        )
    kept = [info for info in fields(event) if info.name not in COLUMNS]
    state = msgspec.defstruct(event.__name__, [_field(info) for info in kept], omit_defaults=True)
    assert event.__struct_fields__[: len(COLUMNS)] == COLUMNS, "the columns are the first fields"
    if event.class_version == 1:
        return Shape(event.TOPIC.encode(), state, lambda one: astuple(one)[len(COLUMNS) :])
    versioned = msgspec.defstruct(
        event.__name__, [("class_version", int), *(_field(info) for info in kept)], omit_defaults=True
    )
    version = event.class_version
    return Shape(event.TOPIC.encode(), versioned, lambda one: (version, *astuple(one)[len(COLUMNS) :]))


def _field(info: FieldInfo) -> tuple[str, Any, Any]:
    if info.default_factory is not msgspec.NODEFAULT:
        return info.name, Any, msgspec.field(default_factory=info.default_factory)
    default = msgspec.UNSET if info.default is msgspec.NODEFAULT else info.default
    return info.name, Any, msgspec.field(default=default)


def event_of(row: LogEvent) -> Event:
    """The event that a row stores."""
    try:
        state = current_state(row.topic, row.state)
        source, _, rest = row.event_id.partition("|")
        name, _, revision = rest.rpartition("|")
        kind, _, subject = str(row.originator_id).partition(":")
        state |= {
            "source": source,
            "id": name,
            "revision": int(revision),
            "subject": f"{kind}:{subject.removeprefix(source + ':')}",
            "occurred_at": instant(row.occurred_at),
            "known_at": None if row.known_at is None else instant(row.known_at),
        }
        return msgspec.convert(state, EVENTS[row.topic])
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        raise MapperDeserialisationError(
            f"Event {row.event_id!r} of topic {row.topic!r} in stream {row.originator_id!r} cannot be read: {error}"
        ) from error


def current_state(topic: str, state: bytes) -> dict[str, Any]:
    """The state as the present class knows it: newer versions are refused, older ones are upcast."""
    event = EVENTS.get(topic)
    if event is None:
        raise ValueError(f"topic {topic!r} is unknown to this version of Omniline")
    fields_by_name = _decode(state)
    have = fields_by_name.pop("class_version", 1)
    if have > event.class_version:
        raise ValueError(f"version {have} is newer than {event.class_version}, which this Omniline knows")
    for version in range(have, event.class_version):
        getattr(event, f"upcast_v{version}_v{version + 1}")(fields_by_name)
    return fields_by_name


def upcast(topic: str, state: str) -> str:
    """The state rewritten as the present class would have stored it, without its version."""
    return _encode(current_state(topic, state.encode())).decode()
