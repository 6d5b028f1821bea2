"""One call reads one canonical record, a JSON object as `docs/events.md` describes it, and its identifiers' events."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from domain.events import NAMES
from domain.events.envelope import ActorKind, Direction, Event, Precision
from domain.log import Pending, Refused
from ingestion.assertions import Assertions
from ingestion.canonical_data import Unfit, check_number, own_data, unfit
from ingestion.jsonl_rows import objects
from ingestion.mapping_events import DECISIONS
from ingestion.source import LONGEST_ID, Bad, Translated, excerpt

ID = re.compile(r"[%|\x00-\x1f\x7f]")
PLACEHOLDER = re.compile(r"<[^<>]*>|\{\{.*\}\}|\$\{.*\}")
SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]*")
NAMESPACE = re.compile(r"[a-z][a-z0-9_]*")


class Actor(Struct, frozen=True, forbid_unknown_fields=True):
    """Who did it."""

    kind: ActorKind | None = None
    id: str | None = None


class Identifier(Struct, frozen=True, forbid_unknown_fields=True):
    """What the subject is asserted to bear."""

    ns: str
    value: str
    obtained: str
    verified_by: str | None = None


class CanonicalRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One event as a source writes it; absent keys are null."""

    type: str
    subject: str | None = None
    id: str | None = None
    source: str | None = None
    revision: int = 1
    occurred_at: str | None = None
    known_at: str | None = None
    precision: Precision = "second"
    seq: int | None = None
    actor: Actor | None = None
    channel: str | None = None
    direction: Direction | None = None
    identifiers: tuple[Identifier, ...] | None = None
    case: str | None = None
    thread: str | None = None
    order: str | None = None
    offer: str | None = None
    topic: str | None = None
    text: str | None = None
    data: msgspec.Raw = msgspec.Raw()


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """One canonical file on its way; `zone` is that of times written without one, if any is declared."""

    path: Path
    source: str
    channels: Collection[str]
    latest: datetime
    assertions: Assertions
    zone: str | None = None

    def records(self) -> Iterator[Translated]:
        """All records of the file in its order."""
        for found, bad in objects(self.path, _decode):
            done = Translated(rows=len(found) + len(bad), refused=[self._refused(one) for one in bad])
            before = self.assertions.refused.copy()
            for line, raw, record in found:
                try:
                    done.records.append(list(self._pending(line, record, done.flagged)))
                except Unfit as error:
                    refusal = Bad(line=line, reason=error.reason, detail=error.detail, record=excerpt(raw))
                    done.refused.append(self._refused(refusal))
            done.flagged += self.assertions.refused - before
            yield done

    def _refused(self, bad: Bad) -> Refused:
        return Refused(
            source=self.source, file=str(self.path), line=bad.line,
            reason=bad.reason, detail=bad.detail, record=bad.record,
        )  # fmt: skip

    def _pending(
        self, line: int, record: CanonicalRecord | Unfit, flagged: Counter[str]
    ) -> Iterator[Pending]:
        if isinstance(record, Unfit):
            raise record
        event = self._event(record, flagged)
        asserted = [
            fact for one in record.identifiers or () for fact in _asserted(event, one, self.assertions)
        ]
        yield Pending(event=event, file=str(self.path), line=line)
        for fact in {fact.id: fact for fact in asserted}.values():
            yield Pending(event=fact, once=True, file=str(self.path), line=line)

    def _event(self, record: CanonicalRecord, flagged: Counter[str]) -> Event:
        cls = _class(record.type)
        source = record.source or self.source
        if not SOURCE.fullmatch(source):
            raise Unfit(
                "unknown_value", f'source is "{source}"; a name is of small letters, digits, _ . and -'
            )
        if record.channel is not None and record.channel not in self.channels:
            raise Unfit("unknown_value", f'channel is "{record.channel}", which the policy does not know')
        if record.revision < 1:
            raise Unfit("unknown_value", f"revision is {record.revision}; revisions are counted from 1")
        check_number("seq", record.seq or 0)
        check_number("revision", record.revision)
        occurred_at = self._instant("occurred_at", record.occurred_at, flagged)
        if occurred_at is None:
            raise Unfit("missing_time", "occurred_at is missing")
        envelope = {name: getattr(record, name) for name in PLAIN}
        actor = record.actor or Actor()
        event = cls(
            **envelope,
            **own_data(cls, record.data),
            source=source,
            id=_named(record.id, "id"),
            subject=_subject(record.subject),
            occurred_at=occurred_at,
            known_at=self._instant("known_at", record.known_at, flagged),
            actor_kind=actor.kind,
            actor=actor.id,
        )
        _check_span(event)
        return event

    def _instant(self, name: str, written: str | None, flagged: Counter[str]) -> datetime | None:
        if written is None:
            return None
        try:
            at = datetime.fromisoformat(written)
            if at.tzinfo is None:
                at = self._placed(name, written, at, flagged)
            at = at.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Unfit("bad_time", f'{name} is "{written[:80]}", which is no time by ISO 8601') from None
        if at > self.latest:
            raise Unfit("clock_skew", f"{name} is {written}, more than 5 minutes from now")
        if at.year < 1900:
            raise Unfit("bad_time", f'{name} is "{written[:80]}", which is before 1900')
        return at

    def _placed(self, name: str, written: str, at: datetime, flagged: Counter[str]) -> datetime:
        if self.zone is None:
            raise Unfit(
                "bad_time", f'{name} is "{written[:80]}", which has no zone; write +01:00 or Z after it'
            )
        placed = at.replace(tzinfo=ZoneInfo(self.zone))
        if placed.astimezone(UTC).astimezone(placed.tzinfo).replace(tzinfo=None) != at:
            raise Unfit("bad_time", f'{name} is "{written[:80]}", which did not occur in {self.zone}')
        if placed.utcoffset() != placed.replace(fold=1).utcoffset():
            flagged["ambiguous_time"] += 1
        return placed


PLAIN = (
    "revision", "precision", "seq", "channel", "direction", "case", "thread", "order", "offer", "topic", "text",
)  # fmt: skip
RECORD = msgspec.json.Decoder(CanonicalRecord)


def _decode(raw: bytes) -> CanonicalRecord | Unfit:
    try:
        return RECORD.decode(raw)
    except msgspec.ValidationError as error:
        return unfit(error, "")


def _class(name: str) -> type[Event]:
    if name in DECISIONS:
        raise Unfit("unknown_value", f'type is "{name}", which no source may write; use the command for it')
    if name not in NAMES:
        raise Unfit("unknown_value", f'type is "{name}", which is no event')
    return NAMES[name]


def _named(name: str | None, key: str) -> str:
    if not name or not name.strip():
        raise Unfit("missing_id", f"{key} is missing")
    if PLACEHOLDER.fullmatch(name):
        raise Unfit("placeholder_id", f'{key} is the placeholder "{name}"')
    if len(name.encode()) > LONGEST_ID:
        raise Unfit("too_large", f"{key} is longer than {LONGEST_ID} bytes")
    return ID.sub(lambda sign: f"%{ord(sign[0]):02X}", name)


def _subject(subject: str | None) -> str:
    named = _named(subject, "subject")
    kind, _, name = named.partition(":")
    if not re.fullmatch(r"[a-z_]+", kind) or not name:
        raise Unfit("missing_id", f'subject is "{named}"; write what it is and its id, as in contact:88120')
    return named


def _check_span(event: Event) -> None:
    starts, ends = getattr(event, "valid_from", None), getattr(event, "valid_to", None)
    if starts is not None and ends is not None and ends < starts:
        raise Unfit("ends_before_start", "valid_to is before valid_from")


def _asserted(event: Event, one: Identifier, assertions: Assertions) -> Iterator[Event]:
    if not NAMESPACE.fullmatch(one.ns):
        raise Unfit("unknown_namespace", f'identifiers: "{one.ns}" is no namespace')
    return assertions.events(
        source=event.source,
        subject=event.subject,
        ns=one.ns,
        value=one.value,
        obtained=one.obtained,
        occurred_at=event.occurred_at,
        known_at=event.known_at,
        precision=event.precision,
        seq=event.seq,
        verified_by=one.verified_by,
    )
