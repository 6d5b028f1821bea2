"""One row per distinct refusal: kept beside the log, in the transaction of the batch that it came with."""

import hmac
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from domain.events.envelope import Event
from domain.log.append import Verdict
from domain.log.errors import LogError
from domain.log.records import Pending, QuarantineEntry, Refused, instant
from domain.log.session import Session

_KEEP = """INSERT INTO quarantine (digest, source, file, line, reason, detail, record, event_id, first_at, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (digest) DO UPDATE SET count = quarantine.count + 1"""
_COLUMNS = "id, source, file, line, reason, detail, record, event_id, first_at, count"

CONFLICT = "conflict"
"""Why an event whose id is stored with other content lies in the quarantine."""


def conflicting(pending: Pending, verdict: Verdict) -> Refused:
    """The refusal of an event whose id is taken by other content."""
    event = pending.event
    return Refused(
        source=event.source,
        file=pending.file,
        line=pending.line,
        reason=CONFLICT,
        detail=f"{verdict.draft.event_id} is stored already with other content",
        record=canonical(event),
        event_id=verdict.draft.event_id,
    )


def canonical(event: Event) -> str:
    """An event as the canonical record that would bring it in again."""
    return msgspec.json.encode({"type": type(event).__name__} | msgspec.to_builtins(event)).decode()


def keep(session: Session, secret: bytes, refused: Iterable[Refused], *, first_at: int) -> None:
    """Store refusals; content that lies there already is only counted."""
    rows = [_row(secret, one, first_at) for one in refused]
    if rows:
        session.run_many(_KEEP, rows)


def _row(secret: bytes, one: Refused, first_at: int) -> tuple[Any, ...]:
    source, file, reason, detail, record = map(
        _clean, (one.source, one.file, one.reason, one.detail, one.record)
    )
    event_id = None if one.event_id is None else _clean(one.event_id)
    content = "\0".join((source, reason, event_id or "", record or f"{file}\0{detail}"))
    digest = hmac.digest(secret, content.encode(), "sha256").hex()
    return digest, source, file, one.line, reason, detail, record, event_id, first_at


def _clean(text: str) -> str:
    """Text that every database takes: stray surrogates and NUL as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def entries(session: Session, *, source: str | None, limit: int) -> list[QuarantineEntry]:
    """The newest refusals first."""
    where, values = ("WHERE source = ?", [source]) if source is not None else ("", [])
    statement = f"SELECT {_COLUMNS} FROM quarantine {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
    return [_entry(row) for row in session.run(statement, [*values, limit])]


def entry(session: Session, number: int) -> QuarantineEntry:
    """One refusal by its number."""
    found = session.run(f"SELECT {_COLUMNS} FROM quarantine WHERE id = ?", [number])  # noqa: S608
    if not found:
        raise LogError(f"The quarantine holds no entry {number}: see `omniline quarantine list`.")
    return _entry(found[0])


def counts(session: Session) -> dict[str, int]:
    """How many distinct refusals lie there, per source."""
    return dict(session.run("SELECT source, count(*) FROM quarantine GROUP BY source ORDER BY source"))


def _entry(row: Sequence[Any]) -> QuarantineEntry:
    number, source, file, line, reason, detail, record, event_id, first_at, count = row
    return QuarantineEntry(
        id=number,
        source=source,
        file=file,
        line=line,
        reason=reason,
        detail=detail,
        record=record,
        event_id=event_id,
        first_at=instant(first_at),
        count=count,
    )
