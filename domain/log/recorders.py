"""The library's recorders over our table: the same lock, fingerprints, chain and positions as every batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from eventsourcing.sqlite import SQLiteApplicationRecorder
from eventsourcing.utils import retry
from psycopg.rows import tuple_row
from psycopg.sql import SQL

from domain.log import postgres, sqlite
from domain.log.append import Rows
from domain.log.records import Draft, LogEvent
from domain.log.session import Session


class SQLiteLogRecorder(SQLiteApplicationRecorder):
    """The log in a SQLite file."""

    datastore: sqlite.LogDatastore

    def construct_create_table_statements(self) -> list[str]:
        return list(sqlite.TABLES)

    @contextmanager
    def session(self, *, commit: bool = False) -> Iterator[Session]:
        """A transaction; a writing one holds the log's lock from its start."""
        with self.datastore.transaction(commit=commit) as cursor:
            yield sqlite.SQLiteSession(cursor.sqlite_cursor, self.datastore.path)

    def recovers(self, _error: Exception) -> bool:
        """A file has no connection to lose."""
        return False

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return insert_events(self, stored_events, **kwargs)


class PostgresLogRecorder(PostgresApplicationRecorder):
    """The log in a PostgreSQL schema."""

    datastore: postgres.LogDatastore

    def __init__(self, datastore: postgres.LogDatastore, *, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name="stored_events")
        self.sql_create_statements = [SQL(table).format() for table in postgres.TABLES]
        self._lock = postgres.lock_statement(datastore.schema)
        self.lock_table_statements = [self._lock]
        self.shown = f"{events_table_name} in schema {datastore.schema}"

    @property
    def create_table_statements(self) -> Sequence[str]:
        """What makes the log's tables."""
        return postgres.TABLES

    @contextmanager
    def session(self, *, commit: bool = False) -> Iterator[Session]:
        """A transaction; a writing one holds the log's lock from its start."""
        with (
            self.datastore.get_connection() as connection,
            connection.transaction(force_rollback=not commit),
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            session = postgres.PostgresSession(cursor, self.shown)
            if commit:
                session.lock(self._lock)
            yield session

    def recovers(self, error: Exception) -> bool:
        """Whether the connection was lost; if so, the others that are lost too are replaced."""
        if not postgres.lost(error):
            return False
        with suppress(psycopg.Error):
            self.datastore.pool.check()
        return True

    @retry((InterfaceError, OperationalError), max_attempts=3, wait=0.2)
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return insert_events(self, stored_events, **kwargs)


def insert_events(
    recorder: Any,
    stored_events: Sequence[StoredEvent],
    *,
    run: int = 0,
    now: datetime | None = None,
    **_: Any,
) -> Sequence[int] | None:
    """Store events under the versions that they bear; the same attempt again returns its positions."""
    if not stored_events:
        return None
    drafts = [draft_of(event) for event in stored_events]
    try:
        with recorder.session(commit=True) as session:
            return list(Rows(drafts, run=run, now=now).store(session))
    except IntegrityError:
        if not all(isinstance(event, LogEvent) for event in stored_events):
            raise
        with recorder.session() as session:
            known = session.known([draft.event_id for draft in drafts])
        before = [known.get(draft.event_id, (b"", 0)) for draft in drafts]
        if any(found[0] != draft.payload_hash for found, draft in zip(before, drafts, strict=True)):
            raise
        return [position for _, position in before]


def draft_of(event: StoredEvent) -> Draft:
    """The row-to-be of a stored event; the library's own gets its id and fingerprint from what it bears."""
    stream, version = str(event.originator_id), event.originator_version
    if isinstance(event, LogEvent):
        key, occurred_at, known_at = event.event_id, event.occurred_at, event.known_at
        fingerprint, metadata, sealed = event.payload_hash, event.metadata, event.sealed
    else:
        key, occurred_at, known_at = f"{stream}|{version}", 0, None
        fingerprint, metadata, sealed = sha256(event.state).digest()[:16], "{}", b""
    return Draft(
        originator_id=stream,
        topic=event.topic,
        state=event.state,
        event_id=key,
        revision=0,
        occurred_at=occurred_at,
        known_at=known_at,
        payload_hash=fingerprint,
        sealed=sealed,
        metadata=metadata,
        version=version,
    )
