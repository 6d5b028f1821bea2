"""One SQLite transaction on a log, and the connections that it runs on."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import msgspec
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from domain.log.chain import START
from domain.log.errors import LogBusy, LogDamaged
from domain.log.gate import gate_of
from domain.log.session import Kept, Tip, revisions_of
from domain.log.turns import turn

TABLES = (
    """CREATE TABLE IF NOT EXISTS stored_events (
    rowid INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    sealed BLOB NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    occurred_at INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    payload_hash BLOB NOT NULL,
    metadata TEXT NOT NULL,
    chain BLOB NOT NULL,
    UNIQUE (originator_id, originator_version))""",
    "CREATE TABLE IF NOT EXISTS log_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    adapter TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    cursor TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER,
    reason TEXT NOT NULL,
    sealed BLOB NOT NULL,
    event_id TEXT,
    first_at INTEGER NOT NULL,
    count INTEGER NOT NULL)""",
)

INSERT = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, sealed, event_id, occurred_at,"
    " known_at, recorded_at, run_id, payload_hash, metadata, chain) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
SETTINGS = ("page_size = 8192", "journal_mode = WAL", "synchronous = FULL")
"""The page size is settled when a file is made: where a row takes an eighth of a page, less of it stays empty."""
TOGETHER = 250
"""Rows that one statement inserts: each statement looks up and writes the sequence of positions anew."""
_MANY = INSERT + f",{INSERT[INSERT.rindex('(') :]}" * (TOGETHER - 1)
_KNOWN = """SELECT j.key, e.payload_hash, e.rowid FROM json_each(?) j
    CROSS JOIN stored_events e ON e.event_id = j.value"""
_REVISIONS = """SELECT j.value, e.event_id, e.payload_hash, e.rowid, e.originator_id FROM json_each(?) j
    CROSS JOIN stored_events e ON e.event_id >= j.value || '|' AND e.event_id < j.value || '}'"""
_HEADS = """SELECT originator_id, max(originator_version) FROM stored_events
    WHERE originator_id IN (SELECT value FROM json_each(?)) GROUP BY originator_id"""
_TIP = "SELECT rowid, recorded_at, chain FROM stored_events ORDER BY rowid DESC LIMIT 1"
_ISSUED = "SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'"

_ROWS = """SELECT rowid, originator_id, originator_version, topic, state, sealed, event_id, occurred_at, known_at,
    recorded_at, run_id, payload_hash, metadata FROM stored_events
    WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY rowid"""
_COUNTS = """WITH RECURSIVE firsts(id) AS (SELECT min(event_id) FROM stored_events UNION ALL
    SELECT (SELECT min(event_id) FROM stored_events WHERE event_id > substr(id, 1, instr(id, '|') - 1) || '}')
    FROM firsts WHERE id IS NOT NULL),
    sources(name) AS (SELECT substr(id, 1, instr(id, '|') - 1) FROM firsts WHERE id IS NOT NULL)
    SELECT name, (SELECT count(*) FROM stored_events WHERE event_id >= name || '|' AND event_id < name || '}')
    FROM sources ORDER BY name"""
"""Leaps through the index of event ids from source to source: 10 x faster than to group all."""

_texts = msgspec.json.Encoder().encode


class LogTransaction(SQLiteTransaction):
    """The library's transaction; a writing one takes the lock before it looks at anything."""

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        return cursor


class LogConnection(SQLiteConnection):
    """A connection whose transactions are ours."""

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with LogTransaction(self, commit=commit) as cursor, cursor:
            yield cursor


class LogPool(SQLiteConnectionPool):
    """Idle connections, which bulk reads may close; whatever is acknowledged is on the disk."""

    def _create_connection(self) -> SQLiteConnection:
        """Ours remembers more than one statement; the library's compiles each anew."""
        made = sqlite3.connect(
            self.db_name,
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            timeout=self.lock_timeout or 0,
        )
        made.row_factory = sqlite3.Row
        for setting in SETTINGS:
            made.execute(f"PRAGMA {setting}")
        return LogConnection(made, self.max_age)

    def put_connection(self, conn: SQLiteConnection) -> None:
        with self._put_condition:
            if not self._closed:
                super().put_connection(conn)
                return
            self._in_use.pop(id(conn), None)
            conn.close()

    def close_idle(self) -> None:
        """Close the connections that no transaction holds."""
        with self._put_condition:
            while self._pool:
                self._pool.popleft().close()

    def close(self) -> None:
        """Close the pool; whoever still holds a connection closes it when done, as SQLite demands."""
        with self._put_condition:
            self._closed = True
            self.close_idle()


class LogDatastore(SQLiteDatastore):
    """Connections to one log file: behind its gate, one writer of this process at a time."""

    def __init__(
        self,
        db_name: str,
        *,
        path: Path,
        lock_timeout: int = 60,
        originator_id_type: Literal["uuid", "text"] = "text",
    ) -> None:
        self.pool = LogPool(db_name=db_name, lock_timeout=lock_timeout, pool_timeout=lock_timeout)
        self.single_row_tracking = True
        self.originator_id_type = originator_id_type
        self._writer = Lock()
        self._gate = gate_of(path)
        self._gate.pools.add(self.pool)
        self._patience = lock_timeout
        self.path = path

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        if commit and not self._writer.acquire(timeout=self._patience):
            raise LogBusy(
                f"The log {self.path} is busy: this process is writing already; try again in a moment."
            )
        try:
            queued = turn(self.path, patience=self._patience) if commit else nullcontext()
            with self._gate.transaction(), queued:
                connection = self.pool.get_connection()
                try:
                    yield connection
                finally:
                    self.pool.put_connection(connection)
        finally:
            if commit:
                self._writer.release()


class SQLiteSession:
    """A transaction on a SQLite log."""

    def __init__(self, cursor: sqlite3.Cursor, path: Path) -> None:
        cursor.row_factory = None
        self._cursor = cursor
        self._path = path

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._cursor.execute(statement, values).fetchall()

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._cursor.executemany(statement, rows)

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def known(self, event_ids: Sequence[str]) -> dict[str, tuple[bytes, int]]:
        ordered = sorted(event_ids)
        found = self._cursor.execute(_KNOWN, (_texts(ordered),))
        return {ordered[number]: (payload_hash, at) for number, payload_hash, at in found}

    def revisions(self, records: Sequence[str]) -> dict[str, list[Kept]]:
        return revisions_of(self._cursor.execute(_REVISIONS, (_texts(records),)))

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        return dict(self._cursor.execute(_HEADS, (_texts(streams),)))

    def tip(self) -> Tip:
        found = self._cursor.execute(_TIP).fetchone()
        tip = Tip(*found) if found else Tip(0, 0, START)
        issued = self._cursor.execute(_ISSUED).fetchone()
        if (issued[0] if issued else 0) != tip.position:
            raise LogDamaged(
                f"The log {self._path} was written up to position {issued[0] if issued else 0}, but its newest event"
                f" is {tip.position}: rows were cut off; restore it from a backup."
            )
        return tip

    def reserve(self, count: int, *, tip: Tip) -> int:
        assert count > 0
        return tip.position + 1

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        coming = iter(rows)
        while len(part := list(islice(coming, TOGETHER))) == TOGETHER:
            self._cursor.execute(_MANY, list(chain.from_iterable(part)))
        self._cursor.executemany(INSERT, part)

    def rows(self, positions: Sequence[int]) -> Iterable[tuple[Any, ...]]:
        return self.run(_ROWS, (_texts(positions),))

    def counts(self) -> dict[str, int]:
        return dict(self.run(_COUNTS))
