"""One PostgreSQL transaction on a log, and the connections that it runs on."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection, Cursor, InterfaceError, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Composed, Literal
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError

from domain.keys import KeysError
from domain.log.chain import START
from domain.log.errors import LogDamaged, LogMismatch
from domain.log.session import Kept, Tip, revisions_of

# Numbers stand first in the table: after a text each would be padded to eight bytes.
TABLES = (
    """CREATE TABLE IF NOT EXISTS stored_events (
    notification_id bigserial NOT NULL,
    originator_version bigint NOT NULL,
    occurred_at bigint NOT NULL,
    known_at bigint NOT NULL,
    recorded_at bigint NOT NULL,
    run_id bigint NOT NULL,
    originator_id text COLLATE "C" NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    sealed bytea NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    payload_hash bytea NOT NULL,
    metadata text NOT NULL,
    chain bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version))
    WITH (autovacuum_vacuum_threshold = 100000000, autovacuum_vacuum_scale_factor = 0.5,
        autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.01)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS stored_events_notification_id_idx ON stored_events (notification_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS stored_events_event_id_idx ON stored_events (event_id)",
    "CREATE TABLE IF NOT EXISTS log_meta (name text PRIMARY KEY, value text NOT NULL)",
    """CREATE TABLE IF NOT EXISTS runs (
    id bigserial PRIMARY KEY,
    source text NOT NULL,
    adapter text NOT NULL,
    started_at bigint NOT NULL,
    cursor text NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS quarantine (
    id bigserial PRIMARY KEY,
    digest text NOT NULL UNIQUE,
    source text NOT NULL,
    file text NOT NULL,
    line bigint,
    reason text NOT NULL,
    sealed bytea NOT NULL,
    event_id text,
    first_at bigint NOT NULL,
    count bigint NOT NULL)""",
)

_COPY = """COPY stored_events (notification_id, originator_id, originator_version, topic, state, sealed, event_id,
    occurred_at, known_at, recorded_at, run_id, payload_hash, metadata, chain) FROM STDIN (FORMAT BINARY)"""
_TYPES = [
    "int8",
    "text",
    "int8",
    "text",
    "bytea",
    "bytea",
    "text",
    "int8",
    "int8",
    "int8",
    "int8",
    "bytea",
    "text",
    "bytea",
]
_KNOWN = "SELECT event_id, payload_hash, notification_id FROM stored_events WHERE event_id = ANY(%b::text[])"
_REVISIONS = """SELECT wanted.record, e.event_id, e.payload_hash, e.notification_id, e.originator_id
    FROM unnest(%b::text[]) AS wanted (record)
    CROSS JOIN LATERAL (SELECT event_id, payload_hash, notification_id, originator_id FROM stored_events
        WHERE event_id >= wanted.record || '|' AND event_id < wanted.record || '}') AS e"""
_HEADS = """SELECT wanted.stream, newest.originator_version FROM unnest(%b::text[]) AS wanted (stream)
    CROSS JOIN LATERAL (SELECT originator_version FROM stored_events WHERE originator_id = wanted.stream
        ORDER BY originator_version DESC LIMIT 1) AS newest"""
_TIP = "SELECT notification_id, recorded_at, chain FROM stored_events ORDER BY notification_id DESC LIMIT 1"
_RESERVE = """WITH first AS MATERIALIZED (SELECT nextval('stored_events_notification_id_seq') AS number)
    SELECT number, setval('stored_events_notification_id_seq', number + %b - 1), pg_notify('stored_events', '')
    FROM first"""
_ROWS = """SELECT notification_id, originator_id, originator_version, topic, state, sealed, event_id, occurred_at,
    known_at, recorded_at, run_id, payload_hash, metadata FROM stored_events
    WHERE notification_id = ANY(%b::bigint[]) ORDER BY notification_id"""
_COUNTS = """SELECT split_part(event_id, '|', 1) AS source, count(*) FROM stored_events
    GROUP BY source ORDER BY source"""
_TABLE_NAMES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"

_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_APPLICATION = 0x6F6D6E69
_SHUTDOWN = ("57P01", "57P02", "57P03")
"""What a server says that stops or starts."""


def lock_statement(schema: str) -> Composed:
    """Waits for the log's lock, which neither meets VACUUM nor depends on the table; tells the isolation level."""
    key = zlib.crc32(f"{schema}.stored_events".encode()) - 2**31
    lock = "SELECT pg_advisory_xact_lock({}, {}), current_setting('transaction_isolation')"
    return SQL(lock).format(Literal(_APPLICATION), Literal(key))


def lost(error: Exception) -> bool:
    """Whether the connection to a server is gone, so that nobody knows what became of the transaction."""
    cause = error.__cause__ if isinstance(error, PersistenceError | KeysError) else error
    if isinstance(cause, DBAPIError):
        return cause.connection_invalidated
    if isinstance(cause, PoolTimeout) or not isinstance(cause, OperationalError | InterfaceError):
        return False
    state = cause.sqlstate
    return state is None or state.startswith("08") or state in _SHUTDOWN


class LogDatastore(PostgresDatastore):
    """Connections to one log by its URL, with every setting of that URL."""

    def __init__(self, conninfo: str, *, schema: str, patience: int = 60) -> None:
        super().__init__(
            dbname="",
            host="",
            port="",
            user="",
            password="",
            schema=schema,
            lock_timeout=patience,
            idle_in_transaction_session_timeout=patience,
            originator_id_type="text",
        )
        self.pool = ConnectionPool(
            conninfo,
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=4,
            open=False,
            configure=self.after_connect_func(),
            check=ConnectionPool.check_connection,
            timeout=patience,
        )

    def after_connect_func(self) -> Callable[[Connection[Any]], None]:
        settle = super().after_connect_func()

        def after_connect(connection: Connection[Any]) -> None:
            settle(connection)
            connection.execute("SET default_transaction_isolation = 'read committed'")
            connection.execute(SQL("SET lock_timeout = {}").format(Literal(f"{self.lock_timeout}s")))
            connection.execute(_DURABLE)

        return after_connect

    def register_type_adapters(self) -> None:
        """Our insert needs no composite types."""


class PostgresSession:
    """A transaction on a PostgreSQL log."""

    def __init__(self, cursor: Cursor[Any], shown: str) -> None:
        self._cursor = cursor
        self._shown = shown

    def lock(self, statement: Composed) -> None:
        """Take the log's lock; a snapshot older than it would hide what the last writer stored."""
        self._cursor.execute(statement)
        _, level = self._cursor.fetchall()[0]
        if level != "read committed":
            raise LogMismatch(
                f"The log {self._shown} runs at {level!r}: set its isolation to 'read committed'."
            )

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        self._cursor.execute(statement.replace("?", "%s"), values)
        return self._cursor.fetchall() if self._cursor.description else []

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._cursor.executemany(statement.replace("?", "%s"), rows)

    def tables(self) -> set[str]:
        return {name for (name,) in self.run(_TABLE_NAMES)}

    def known(self, event_ids: Sequence[str]) -> dict[str, tuple[bytes, int]]:
        return {key: (found, at) for key, found, at in self.run(_KNOWN, [list(event_ids)])}

    def revisions(self, records: Sequence[str]) -> dict[str, list[Kept]]:
        return revisions_of(self.run(_REVISIONS, [list(records)]))

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        return dict(self.run(_HEADS, [list(streams)]))

    def tip(self) -> Tip:
        found = self.run(_TIP)
        return Tip(*found[0]) if found else Tip(0, 0, START)

    def reserve(self, count: int, *, tip: Tip) -> int:
        """The commit wakes whoever waits."""
        first, last, _ = self.run(_RESERVE, [count])[0]
        if last - first + 1 != count or first <= tip.position:
            raise LogDamaged(
                f"Something else takes positions of the log {self._shown}: revoke its rights on the table."
            )
        return int(first)

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        with self._cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                copy.write_row(row)

    def rows(self, positions: Sequence[int]) -> Iterable[tuple[Any, ...]]:
        return self.run(_ROWS, [list(positions)])

    def counts(self) -> dict[str, int]:
        return dict(self.run(_COUNTS))
