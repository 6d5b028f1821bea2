"""Events to stored rows and back, as the library wants them and as a batch does; what cannot be stored is named."""

import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, cast

import msgspec
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent
from msgspec.structs import astuple

from domain.events.envelope import Event
from domain.keys import Keys, KeysError, KeyStore, open_one, pairs_in
from domain.log.errors import LogError
from domain.log.records import Draft, LogEvent, Pending, instant, microseconds
from domain.log.sealed import digest_of, fingerprint, mac_of, pairs, seal
from domain.log.shapes import encode, shape_of
from domain.log.states import class_of, current_state, joined

UNSTORABLE = ("Cc", "Cs")
"""Unicode categories that ids may not hold: control characters and stray surrogates."""


class LogMapper(Mapper[str]):
    """The library's mapper over our events: what it stores is a `LogEvent`, what it reads is checked."""

    def __init__(self, store: KeyStore) -> None:
        super().__init__(JSONTranscoder())
        self._store = store

    def to_stored_event(self, domain_event: Any) -> LogEvent:
        """The row of an event, sealed, still without a version in its stream."""
        secret = self._store.secret("log")
        draft = draft_of(cast(Event, domain_event), mac_of(secret))
        keys = self._store.provide(pairs([draft]))
        fingerprint([draft], keys, secret)
        seal([draft], keys)
        return LogEvent(
            originator_id=draft.originator_id,
            originator_version=0,
            topic=draft.topic,
            state=draft.state,
            event_id=draft.event_id,
            occurred_at=draft.occurred_at,
            known_at=draft.known_at,
            payload_hash=draft.payload_hash,
            sealed=draft.sealed,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a row that carries our columns, with what is personal in it while its keys exist."""
        assert isinstance(stored_event, LogEvent)
        return event_of(stored_event, self._store.fetch(pairs_in([_sealed(stored_event)])))


def drafts_of(pending: Sequence[Pending], secret: bytes) -> list[Draft]:
    """The rows-to-be of a batch of events; names what it cannot take."""
    mac = mac_of(secret)
    try:
        drafts = [draft_of(one.event, mac, one.once) for one in pending]
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise LogError(_culprit(pending) or f"The batch cannot be stored: {error}.") from error
    plain = (
        "".join([draft.event_id for draft in drafts]).isprintable()
        and "".join([draft.originator_id for draft in drafts]).isprintable()
        and not any(set(":|") & set(source) for source in {one.event.source for one in pending})
    )
    if not plain and (fault := _culprit(pending)):
        raise LogError(fault)
    return drafts


def draft_of(event: Event, mac: blake2b, once: bool = False) -> Draft:
    """The row-to-be of an event, without its state; its fingerprint waits for keys if something in it is personal."""
    values = astuple(event)
    source, key, revision, subject, occurred_at, known_at = values[:6]
    kind, _, name = subject.partition(":")
    if not (kind and name and key and source) or (known_at is not None and known_at.tzinfo is None):
        raise ValueError(subject)
    if once:
        revision = 1
    shape = shape_of(type(event))
    stream, at, topic = f"{kind}:{source}:{name}", microseconds(occurred_at), event.TOPIC
    body, codes = shape.body(values), shape.codes(values)
    return Draft(
        stream,
        topic,
        f"{source}|{key}|{revision}",
        revision,
        at,
        event,
        body,
        codes,
        once,
        None,
        b"" if codes else digest_of(mac.copy(), stream, at, topic, body),
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
        encode(event)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        return f"it cannot be written as JSON ({error})"
    return None


def _culprit(pending: Sequence[Pending]) -> str | None:
    for one in pending:
        if reason := flaw(one.event):
            return f"The log cannot take the event {one.event.event_id!r}: {reason}."
    return None


def event_of(row: LogEvent, keys: Keys) -> Event:
    """The event that a row stores; where a key is gone its fields are empty, and a required one is ""."""
    try:
        source, _, rest = row.event_id.partition("|")
        name, _, revision = rest.rpartition("|")
        kind, _, subject = str(row.originator_id).partition(":")
        columns = {
            "source": source,
            "id": name,
            "revision": int(revision),
            "subject": f"{kind}:{subject.removeprefix(source + ':')}",
            "occurred_at": instant(row.occurred_at),
            "known_at": None if row.known_at is None else instant(row.known_at),
        }
        event = class_of(row.topic)
        blank = dict.fromkeys(shape_of(event).required, "")
        state = current_state(row.topic, joined(row.state, open_one(_sealed(row), keys=keys)))
        return msgspec.convert(blank | state | columns, event)
    except (ValueError, KeyError, msgspec.MsgspecError, KeysError) as error:
        raise MapperDeserialisationError(
            f"Event {row.event_id!r} of topic {row.topic!r} in stream {row.originator_id!r} cannot be read: {error}"
        ) from error


def _sealed(row: LogEvent) -> tuple[str, str, str, bytes]:
    return str(row.originator_id), row.event_id, row.topic, row.sealed
