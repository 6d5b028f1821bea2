"""The log as the rest of Omniline sees it: append a batch, read it back in bulk, look into the quarantine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pyarrow as pa

from domain.log import keys as keystore
from domain.log import quarantine
from domain.log.address import Address, Dialect
from domain.log.append import Verdict, judge, write
from domain.log.arrow import SCHEMA, BulkReader
from domain.log.chain import leaf
from domain.log.errors import LogReadOnly, told
from domain.log.follow import POLL, Follower, watching
from domain.log.mapper import LogMapper
from domain.log.records import Changed, Pending, QuarantineEntry, Receipt, Refused, microseconds
from domain.log.session import Session

PAGE = 250_000
"""Positions that one bulk read covers."""


class Log:
    """One open log; threads may share it."""

    def __init__(self, address: Address, recorder: Any, *, url: str, epoch: str, secret: bytes) -> None:
        self.url = url
        self.epoch = epoch
        self.dialect: Dialect = address.dialect
        self.recorder = recorder
        self._shown = address.shown
        self._read_only = address.read_only
        self._secret = secret
        self._mapper = LogMapper(secret)
        self._bulk = BulkReader(address)
        self._follower = Follower(watching(address, self.head))

    def surrogate(self, ns: str, key: str) -> str:
        """32 hexadecimal characters that stand for a personal value in ids."""
        return keystore.surrogate(self._secret, ns, key)

    def begin_run(self, *, source: str, adapter: str, now: datetime) -> int:
        """The number of a new collection run."""
        statement = "INSERT INTO runs (source, adapter, started_at) VALUES (?, ?, ?) RETURNING id"
        with self._session(commit=True) as session:
            return int(session.run(statement, [source, adapter, microseconds(now)])[0][0])

    def append_batch(
        self,
        pending: Sequence[Pending],
        *,
        run: int,
        now: datetime,
        changed: Changed = "conflict",
        refused: Sequence[Refused] = (),
    ) -> list[Receipt]:
        """Store what is new, exactly once, and keep what is refused, in one transaction; a receipt per event."""
        drafts = self._mapper.drafts((one.event, one.once) for one in pending)
        with self._session(commit=True) as session:
            verdicts = judge(session, drafts, changed=changed)
            fresh = [verdict for verdict in verdicts if verdict.outcome == "stored"]
            positions = write(session, [verdict.draft for verdict in fresh], run=run, now=now)
            for verdict, position in zip(fresh, positions, strict=True):
                verdict.position = position
            conflicts = [
                quarantine.conflicting(one, verdict)
                for one, verdict in zip(pending, verdicts, strict=True)
                if verdict.outcome == "conflict"
            ]
            quarantine.keep(session, self._secret, [*refused, *conflicts], first_at=microseconds(now))
        return [_receipt(verdict) for verdict in verdicts]

    def check_batch(self, pending: Sequence[Pending], *, changed: Changed = "conflict") -> list[Receipt]:
        """The receipts that `append_batch` would give; nothing is written."""
        drafts = self._mapper.drafts((one.event, one.once) for one in pending)
        with self._session() as session:
            return [_receipt(verdict) for verdict in judge(session, drafts, changed=changed)]

    def head(self) -> int:
        """The newest position; 0 for an empty log."""
        with told(self._shown):
            return self.recorder.max_notification_id() or 0

    def wait(self, after: int, *, timeout: float, poll: float = POLL) -> int:
        """The head, as soon as it is beyond `after` or so many seconds are over."""
        with told(self._shown):
            return self._follower.wait(after, timeout=timeout, poll=poll)

    def arrow(
        self, *, after: int = 0, upto: int | None = None, topics: Sequence[str] | None = None
    ) -> pa.Table:
        """The rows after one position and up to another (the head), of these topics or of all."""
        end = self._end(upto)
        with told(self._shown):
            return pa.concat_tables([SCHEMA.empty_table(), *self._bulk.pages(after, end, PAGE, topics)])

    def batches(self, *, after: int = 0, upto: int | None = None, size: int = PAGE) -> Iterator[pa.Table]:
        """The same rows in pages of `size` positions; a page may hold fewer rows."""
        end = self._end(upto)
        for start in range(after, end, size):
            with told(self._shown):
                page = self._bulk.page(start, min(start + size, end))
            yield page

    def arrow_of(self, streams: Sequence[str], *, upto: int | None = None) -> pa.Table:
        """The rows of these streams alone, by position."""
        end = self._end(upto)
        with told(self._shown):
            return self._bulk.streams(streams, end)

    def stream_of(self, event_id: str) -> str | None:
        """The stream that holds an event, None where no such event is stored."""
        statement = "SELECT originator_id FROM stored_events WHERE event_id = ?"
        with self._session() as session:
            found = session.run(statement, [event_id])
        return str(found[0][0]) if found else None

    def digests(self, positions: Sequence[int]) -> dict[int, str]:
        """The leaf of each of these rows, recomputed from what is stored, in hexadecimal."""
        with self._session() as session:
            return {row[0]: leaf(row).hex() for row in session.rows(positions)}

    def counts(self) -> dict[str, int]:
        """Stored events per source."""
        with self._session() as session:
            return session.counts()

    def quarantined(self, *, source: str | None = None, limit: int = 100) -> list[QuarantineEntry]:
        """The newest refusals first."""
        with self._session() as session:
            return quarantine.entries(session, source=source, limit=limit)

    def quarantine_entry(self, id: int) -> QuarantineEntry:
        """One refusal by its number."""
        with self._session() as session:
            return quarantine.entry(session, id)

    def quarantine_counts(self) -> dict[str, int]:
        """Distinct refusals per source."""
        with self._session() as session:
            return quarantine.counts(session)

    def close(self) -> None:
        """Give back the connections; the log can be opened again."""
        self._bulk.close()
        self._follower.close()
        self.recorder.datastore.close()

    @contextmanager
    def _session(self, *, commit: bool = False) -> Iterator[Session]:
        if commit and self._read_only:
            raise LogReadOnly(
                f"The log {self._shown} is read-only: open it with a writable address to append."
            )
        with told(self._shown), self.recorder.session(commit=commit) as session:
            yield session

    def _end(self, upto: int | None) -> int:
        head = self.head()
        return head if upto is None else min(upto, head)


def _receipt(verdict: Verdict) -> Receipt:
    position = verdict.first.position if verdict.first else verdict.position
    return Receipt(event_id=verdict.draft.event_id, outcome=verdict.outcome, position=position)
