"""One row per distinct refusal: kept beside the log, in the transaction of the batch that it came with.

What was refused may be all that somebody wrote: it is sealed under a key of its source's quarantine.
"""

import hmac
import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from domain.events.envelope import Event
from domain.keys import Keys, KeyStore, Pair, fingerprint_key, seal_all
from domain.log.errors import LogError
from domain.log.judging import Verdict
from domain.log.records import Pending, QuarantineEntry, Refused, instant
from domain.log.session import Session

_KEEP = """INSERT INTO quarantine (digest, source, file, line, reason, sealed, event_id, first_at, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (digest) DO UPDATE SET count = quarantine.count + 1"""
_COLUMNS = "id, digest, source, file, line, reason, sealed, event_id, first_at, count"

CONFLICT = "conflict"
"""Why an event whose id is stored with other content lies in the quarantine."""
TOPIC = "quarantine"
"""Stands for the stored topic in what a refusal is sealed for, as its digest stands for the event id."""
CONTENT = 2
"""The retention class of refusals: what people wrote."""
NONCE = 12
SHUT = msgspec.json.encode({"detail": "it does not open with its key: run `omniline verify`"})[1:-1]
"""Stands for a refusal whose key is another one, or that was altered."""


def conflicting(pending: Sequence[Pending], verdicts: Sequence[Verdict]) -> Iterator[Refused]:
    """The refusals of those events whose ids are taken by other content."""
    for one, verdict in zip(pending, verdicts, strict=True):
        if verdict.outcome == "conflict":
            event, event_id = one.event, verdict.draft.event_id
            yield Refused(
                source=event.source,
                file=one.file,
                line=one.line,
                reason=CONFLICT,
                detail=f"{event_id} is stored already with other content",
                record=canonical(event),
                event_id=event_id,
            )


def canonical(event: Event) -> str:
    """An event as the canonical record that would bring it in again."""
    return msgspec.json.encode({"type": type(event).__name__} | msgspec.to_builtins(event)).decode()


def pair_of(source: str) -> Pair:
    """Stream and class of the key that seals a source's refusals."""
    return f"quarantine:{source}", CONTENT


def keep(session: Session, store: KeyStore, refused: Sequence[Refused], *, first_at: int) -> None:
    """Store refusals, sealed; content that lies there already is only counted."""
    if not refused:
        return
    keys, secret = store.provide({pair_of(_clean(one.source)) for one in refused}), store.secret("log")
    nonces = os.urandom(NONCE * len(refused))
    parts = [nonces[at : at + NONCE] for at in range(0, len(nonces), NONCE)]
    rows = [_row(one, keys, secret, first_at, nonce) for one, nonce in zip(refused, parts, strict=True)]
    session.run_many(_KEEP, rows)


def _row(one: Refused, keys: Keys, secret: bytes, first_at: int, nonce: bytes) -> tuple[Any, ...]:
    source, file, reason, detail, record = map(
        _clean, (one.source, one.file, one.reason, one.detail, one.record)
    )
    event_id = None if one.event_id is None else _clean(one.event_id)
    pair = pair_of(source)
    key = keys.get(pair)
    content = "\0".join((source, reason, event_id or "", record or f"{file}\0{detail}"))
    secret = secret if key is None else fingerprint_key(secret, [(CONTENT, key)])
    digest = hmac.digest(secret, content.encode(), "sha256").hex()
    fragment = msgspec.json.encode({"detail": detail, "record": record})[1:-1]
    (sealed,) = seal_all([(pair[0], digest, TOPIC, [(CONTENT, fragment)])], keys=keys, nonces=nonce)
    return digest, source, file, one.line, reason, sealed, event_id, first_at


def _clean(text: str) -> str:
    """Text that every database takes: stray surrogates and NUL as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def entries(session: Session, store: KeyStore, *, source: str | None, limit: int) -> list[QuarantineEntry]:
    """The newest refusals first."""
    where, values = ("WHERE source = ?", [source]) if source is not None else ("", [])
    statement = f"SELECT {_COLUMNS} FROM quarantine {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
    return _opened(session.run(statement, [*values, limit]), store)


def entry(session: Session, store: KeyStore, number: int) -> QuarantineEntry:
    """One refusal by its number."""
    found = session.run(f"SELECT {_COLUMNS} FROM quarantine WHERE id = ?", [number])  # noqa: S608
    if not found:
        raise LogError(f"The quarantine holds no entry {number}: see `omniline quarantine list`.")
    return _opened(found, store)[0]


def counts(session: Session) -> dict[str, int]:
    """How many distinct refusals lie there, per source."""
    return dict(session.run("SELECT source, count(*) FROM quarantine GROUP BY source ORDER BY source"))


def _opened(rows: Sequence[Sequence[Any]], store: KeyStore) -> list[QuarantineEntry]:
    """Rows as entries; what was sealed under a key that is gone is empty, what does not open says so."""
    sealed = [(pair_of(row[2])[0], row[1], TOPIC, row[6]) for row in rows]
    unfit: list[str] = []
    opened = store.open(sealed, unfit=unfit)
    return [_entry(row, SHUT if row[1] in unfit else told) for row, told in zip(rows, opened, strict=True)]


def _entry(row: Sequence[Any], told: bytes) -> QuarantineEntry:
    number, _, source, file, line, reason, _, event_id, first_at, count = row
    texts = {"detail": "", "record": ""} | msgspec.json.decode(b"{%b}" % told)
    return QuarantineEntry(
        id=number,
        source=source,
        file=file,
        line=line,
        reason=reason,
        detail=texts["detail"],
        record=texts["record"],
        event_id=event_id,
        first_at=instant(first_at),
        count=count,
    )
