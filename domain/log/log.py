"""The log as the rest of Omniline sees it: append a batch, read it back in bulk, look into the quarantine."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import sleep
from typing import Any

import pyarrow as pa

from domain import keys
from domain.keys import KeyStore
from domain.log import quarantine
from domain.log.address import Address, Dialect
from domain.log.append import Batch
from domain.log.arrow import SCHEMA, BulkReader
from domain.log.chain import COLUMNS, leaf
from domain.log.errors import LogReadOnly, told
from domain.log.follow import POLL, Follower, watching
from domain.log.mapper import drafts_of
from domain.log.records import Changed, Pending, QuarantineEntry, Receipt, Refused, microseconds
from domain.log.session import Session

PAGE = 250_000
"""Positions that one bulk read covers."""
PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds before each further try to append where the connection to a server was lost."""


class Log:
    """One open log; threads may share it."""

    def __init__(self, address: Address, recorder: Any, *, url: str, epoch: str, store: KeyStore) -> None:
        self.url = url
        self.epoch = epoch
        self.keys = store
        self.dialect: Dialect = address.dialect
        self.recorder = recorder
        self._shown = address.shown
        self._read_only = address.read_only
        self._bulk = BulkReader(address, store)
        self._follower = Follower(watching(address, self.head))

    def surrogate(self, ns: str, key: str) -> str:
        """32 hexadecimal characters that stand for a personal value in ids."""
        with told(self._shown):
            return keys.surrogate(self.keys.secret("log"), ns, key)

    def blind(self, key: str) -> str:
        """The token that stands for an identifier like `email:jan@example.com` in views."""
        with told(self._shown):
            return keys.blind(self.keys.secret("pepper"), key)

    def begin_run(self, *, source: str, adapter: str, now: datetime) -> int:
        """The number of a new collection run."""
        statement = "INSERT INTO runs (source, adapter, started_at) VALUES (?, ?, ?) RETURNING id"
        with self.session(commit=True) as session:
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
        """Store what is new, exactly once, and keep what is refused, in one transaction; a receipt per event.

        What is here already costs neither a key nor the log's lock.
        """
        self._check_writable()
        batch = self._batch(pending, changed)

        def attempt() -> None:
            with self.recorder.session() as session:
                if batch.landed(session):
                    return
                batch.judge(session, mint=True)
            batch.seal()
            if batch.settled and not refused:
                return
            with self.recorder.session(commit=True) as session:
                if batch.write(session, run=run, now=now):
                    refusals = [*refused, *quarantine.conflicting(pending, batch.verdicts)]
                    quarantine.keep(session, self.keys, refusals, first_at=microseconds(now))

        with told(self._shown):
            self._persistently(attempt)
        return batch.receipts()

    def _batch(self, pending: Sequence[Pending], changed: Changed) -> Batch:
        return Batch(drafts_of(pending, self.keys.secret("log")), self.keys, changed=changed)

    def _persistently(self, attempt: Callable[[], None]) -> None:
        """Do it, and do it again where the connection was lost: keys make that safe."""
        for pause in PAUSES:
            try:
                return attempt()
            except Exception as error:
                if not self.recorder.recovers(error):
                    raise
            sleep(pause)
        return attempt()

    def check_batch(self, pending: Sequence[Pending], *, changed: Changed = "conflict") -> list[Receipt]:
        """The receipts that `append_batch` would give; nothing is written, and no key is made."""
        batch = self._batch(pending, changed)
        with self.session() as session:
            batch.judge(session, mint=False)
        return batch.receipts()

    def head(self) -> int:
        """The newest position; 0 for an empty log."""
        with told(self._shown):
            return self.recorder.max_notification_id() or 0

    def wait(self, after: int, *, timeout: float, poll: float = POLL) -> int:
        """The head, as soon as it is beyond `after` or so many seconds are over."""
        with told(self._shown):
            return self._follower.wait(after, timeout=timeout, poll=poll)

    def arrow(
        self,
        *,
        after: int = 0,
        upto: int | None = None,
        topics: Sequence[str] | None = None,
        opened: Collection[str] = (),
    ) -> pa.Table:
        """The rows after one position and up to another (the head), of these topics or of all.

        In rows of the topics `opened` the state holds the personal fields too, as long as their keys exist; where
        they do not open with their key, which only a verification can judge, it says `"unopened":true`. A row
        that the present classes cannot read, being of a newer version or an unknown topic, is no reason to
        fail: its state stays as stored and begins with `class_version`, for whoever needs it to stumble over.
        """
        end = self._end(upto)
        with told(self._shown):
            pages = self._bulk.pages(after, end, PAGE, topics, opened=opened)
            return pa.concat_tables([SCHEMA.empty_table(), *pages])

    def batches(
        self, *, after: int = 0, upto: int | None = None, size: int = PAGE, opened: Collection[str] = ()
    ) -> Iterator[pa.Table]:
        """The same rows in pages of `size` positions; a page may hold fewer rows."""
        end = self._end(upto)
        for start in range(after, end, size):
            with told(self._shown):
                page = self._bulk.page(start, min(start + size, end), opened=opened)
            yield page

    def arrow_of(
        self, streams: Sequence[str], *, upto: int | None = None, opened: Collection[str] = ()
    ) -> pa.Table:
        """The rows of these streams alone, by position."""
        end = self._end(upto)
        with told(self._shown):
            return self._bulk.streams(streams, end, opened=opened)

    def stream_of(self, event_id: str) -> str | None:
        """The stream that holds an event, None where no such event is stored."""
        statement = "SELECT originator_id FROM stored_events WHERE event_id = ?"
        with self.session() as session:
            found = session.run(statement, [event_id])
        return str(found[0][0]) if found else None

    def digests(self, positions: Sequence[int]) -> dict[int, str]:
        """The leaf of each of these rows, recomputed from what is stored, in hexadecimal."""
        with self.session() as session:
            return {row[0]: leaf(row).hex() for row in session.rows(positions)}

    def erased(self, positions: Sequence[int]) -> set[int]:
        """Those of these rows of which something is sealed under a key that is no more."""
        with self.session() as session:
            rows = [dict(zip(COLUMNS, row, strict=True)) for row in session.rows(positions)]
        streams = {row["position"]: row["originator_id"] for row in rows if row["sealed"]}
        with told(self._shown):
            lacking = self.keys.lacking(set(streams.values()))
        return {position for position, stream in streams.items() if stream in lacking}

    def counts(self) -> dict[str, int]:
        """Stored events per source."""
        with self.session() as session:
            return session.counts()

    def quarantined(self, *, source: str | None = None, limit: int = 100) -> list[QuarantineEntry]:
        """The newest refusals first."""
        with self.session() as session:
            return quarantine.entries(session, self.keys, source=source, limit=limit)

    def quarantine_entry(self, id: int) -> QuarantineEntry:
        """One refusal by its number."""
        with self.session() as session:
            return quarantine.entry(session, self.keys, id)

    def quarantine_counts(self) -> dict[str, int]:
        """Distinct refusals per source."""
        with self.session() as session:
            return quarantine.counts(session)

    def close(self) -> None:
        """Give back the connections; the log can be opened again."""
        self._bulk.close()
        self._follower.close()
        self.recorder.datastore.close()
        self.keys.close()

    @contextmanager
    def session(self, *, commit: bool = False) -> Iterator[Session]:
        """A transaction on the log's database; a writing one holds the log's lock."""
        if commit:
            self._check_writable()
        with told(self._shown), self.recorder.session(commit=commit) as session:
            yield session

    def _check_writable(self) -> None:
        if self._read_only:
            raise LogReadOnly(
                f"The log {self._shown} is read-only: open it with a writable address to append."
            )

    def _end(self, upto: int | None) -> int:
        head = self.head()
        return head if upto is None else min(upto, head)
