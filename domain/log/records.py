"""What goes into the log and what comes back: one event to append, one refusal, one receipt, one kept refusal."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from eventsourcing.persistence import StoredEvent
from msgspec import Struct

from domain.events.envelope import Event

Outcome = Literal["stored", "duplicate", "conflict"]
Changed = Literal["conflict", "revise"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(microseconds: int) -> datetime:
    """The instant that the log stores as UTC microseconds."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    """The stored form of an aware instant."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class Pending(Struct, frozen=True, kw_only=True, gc=False):
    """An event to append; `once` keeps the first per record, whatever comes later is a duplicate.

    `file` and `line` tell where it was read; they are kept only if it ends in the quarantine.
    """

    event: Event
    once: bool = False
    file: str = ""
    line: int | None = None


class Receipt(Struct, frozen=True, kw_only=True, gc=False):
    """What became of one event; `position` is where its content stands in the log, None if it does not."""

    event_id: str
    outcome: Outcome
    position: int | None


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A record that never became an event, and why."""

    source: str
    file: str
    line: int | None
    reason: str
    detail: str
    record: str
    event_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class QuarantineEntry:
    """A refusal as the log keeps it; the same content refused again raises `count`."""

    id: int
    source: str
    file: str
    line: int | None
    reason: str
    detail: str
    record: str
    event_id: str | None
    first_at: datetime
    count: int


@dataclass(frozen=True)
class LogEvent(StoredEvent):
    """A stored event with the columns that ours has beyond the library's; instants in microseconds."""

    event_id: str
    occurred_at: int
    known_at: int | None
    payload_hash: bytes
    metadata: str = "{}"
    sealed: bytes = b""


class Draft(Struct, gc=False):
    """One row on its way into the table; the lock fills in revision, version, position and recording time.

    `body` is what its event says, `codes` are the retention classes of what is personal in that. State and sealed
    column are made only for what is new, for the event id `sealed_as`.
    """

    originator_id: str
    topic: str
    event_id: str
    revision: int
    occurred_at: int
    event: Event | None = None
    body: bytes = b""
    codes: tuple[int, ...] = ()
    once: bool = False
    known_at: int | None = None
    payload_hash: bytes = b""
    state: bytes = b""
    sealed: bytes = b""
    sealed_as: str = ""
    metadata: str = "{}"
    version: int | None = None

    @property
    def record(self) -> str:
        """The event id without its revision."""
        return self.event_id.rpartition("|")[0]

    def revise(self, revision: int) -> None:
        """Become another revision of the same record."""
        self.event_id = f"{self.record}|{revision}"
        self.revision = revision
