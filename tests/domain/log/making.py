"""Events for the log's tests: `mail(3)` is the third mail of a help desk, `said("…")` the same with other words."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from domain.events.contacts import ContactReceived
from domain.events.envelope import Event
from domain.log import Log, Pending, Receipt
from domain.log.chain import COLUMNS
from domain.log.mapper import LogMapper
from domain.log.records import LogEvent

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def mail(number: int, *, once: bool = False, **fields: Any) -> Pending:
    """A mail to the help desk `crm1`; three mails share a subject."""
    defaults: dict[str, Any] = {
        "source": "crm1",
        "id": str(number),
        "subject": f"contact:{number // 3}",
        "occurred_at": NOW - timedelta(days=1) + timedelta(minutes=number),
        "channel": "email",
        "direction": "inbound",
        "text": f"mail {number}",
    }
    return Pending(event=ContactReceived(**defaults | fields), once=once, file="mails.csv", line=number + 2)


def append(
    log: Log, *pending: Pending, now: datetime = NOW, changed: Literal["conflict", "revise"] = "conflict"
) -> list[Receipt]:
    """One batch of one run."""
    return log.append_batch(pending, run=1, now=now, changed=changed)


def stored(event_id: str, position: int) -> Receipt:
    """The receipt of a new event."""
    return Receipt(event_id=event_id, outcome="stored", position=position)


def duplicate(event_id: str, position: int | None) -> Receipt:
    """The receipt of an event that is here already."""
    return Receipt(event_id=event_id, outcome="duplicate", position=position)


def conflict(event_id: str) -> Receipt:
    """The receipt of an event that contradicts a stored one."""
    return Receipt(event_id=event_id, outcome="conflict", position=None)


def columns(log: Log, *names: str) -> list[tuple[Any, ...]]:
    """These columns of all rows, by position."""
    table = log.arrow().select(list(names)).to_pydict()
    return list(zip(*table.values(), strict=True))


def rows(log: Log, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Stored columns that bulk reads leave out, by position."""
    position = "rowid" if log.dialect == "sqlite" else "notification_id"
    with log.recorder.session() as session:
        return list(session.run(f"SELECT {', '.join(names)} FROM stored_events ORDER BY {position}"))  # noqa: S608


def event_at(log: Log, position: int) -> Event:
    """The event at a position, read as the library reads it."""
    with log.session() as session:
        (row,) = session.rows([position])
    told = dict(zip(COLUMNS, row, strict=True))
    kept = {name: told[name] for name in LogEvent.__dataclass_fields__}
    event: Event = LogMapper(log.keys).to_domain_event(LogEvent(**kept))
    return event


def burn(log: Log, count: int) -> int:
    """Let a batch of so many fail after it got its positions; how many of them are lost, which are none in a file."""
    with suppress(ZeroDivisionError), log.session(commit=True) as session:
        session.reserve(count, tip=session.tip())
        raise ZeroDivisionError
    return 0 if log.dialect == "sqlite" else count
