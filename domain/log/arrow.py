"""Bulk reading: rows of the log as Arrow tables through ADBC, by position or by stream."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql
import adbc_driver_sqlite
import msgspec
import pyarrow as pa
from psycopg.sql import SQL, Literal

from domain.events import EVENTS
from domain.keys import KeyStore
from domain.log.address import Address
from domain.log.gate import gate_of
from domain.log.reading import SEALED, opened_states, present_states, text_states

SCHEMA = pa.schema(
    [
        ("position", pa.int64()),
        ("originator_id", pa.string()),
        ("topic", pa.string()),
        ("event_id", pa.string()),
        ("occurred_at", pa.int64()),
        ("known_at", pa.int64()),
        ("recorded_at", pa.int64()),
        ("state", pa.string()),
    ]
)
EVERY = frozenset(EVENTS)
"""Every topic, for readers that need the personal fields of all."""
PATIENCE = "PRAGMA busy_timeout = 60000"
UNSORTED = "SET enable_sort = off"
"""Rows lie in the order of their positions; PostgreSQL would sort those of a table that it has not analysed yet."""
CHUNK = 5_000
"""Streams looked up by one statement."""

_COLUMNS = " AS position, originator_id, topic, event_id, occurred_at, known_at, recorded_at, state"
_TAKE = {"sqlite": f"SELECT rowid{_COLUMNS}", "postgresql": f"SELECT notification_id{_COLUMNS}"}
_FROM = " FROM stored_events WHERE "
_SEALED = {
    "sqlite": ", CASE WHEN topic IN (SELECT value FROM json_each({})) THEN sealed ELSE x'' END AS sealed",
    "postgresql": """, CASE WHEN topic IN (SELECT jsonb_array_elements_text({}::jsonb)) THEN sealed
        ELSE ''::bytea END AS sealed""",
}
_RANGE = {
    "sqlite": "rowid > {} AND rowid <= {}",
    "postgresql": "notification_id > {} AND notification_id <= {}",
}
_ORDER = {"sqlite": " ORDER BY rowid", "postgresql": " ORDER BY notification_id"}
_TOPICS = {
    "sqlite": " AND topic IN (SELECT value FROM json_each({}))",
    "postgresql": " AND topic IN (SELECT jsonb_array_elements_text({}::jsonb))",
}
_STREAMS = {
    "sqlite": "originator_id IN (SELECT value FROM json_each({})) AND +rowid <= {}",
    "postgresql": """originator_id = ANY (ARRAY(SELECT jsonb_array_elements_text({}::jsonb)))
        AND notification_id + 0 <= {}""",
}


class BulkReader:
    """Reads one log page by page: a connection per page on SQLite, kept ones on PostgreSQL, where they are dear."""

    def __init__(self, address: Address, store: KeyStore) -> None:
        self._address = address
        self._dialect = address.dialect
        self._store = store
        self._idle: list[Opened] = []

    def page(
        self, after: int, upto: int, topics: Sequence[str] | None = None, *, opened: Collection[str] = ()
    ) -> pa.Table:
        """Rows after one position and up to another, of these topics or of all."""
        where, values = _RANGE[self._dialect], list[Any]((after, upto))
        if topics is not None:
            where, values = where + _TOPICS[self._dialect], [*values, _texts(topics)]
        return self._read(where + _ORDER[self._dialect], values, opened)

    def pages(
        self,
        after: int,
        upto: int,
        size: int,
        topics: Sequence[str] | None = None,
        *,
        opened: Collection[str] = (),
    ) -> Iterator[pa.Table]:
        """Consecutive pages of `size` positions each."""
        for start in range(after, upto, size):
            yield self.page(start, min(start + size, upto), topics, opened=opened)

    def streams(self, streams: Sequence[str], upto: int, *, opened: Collection[str] = ()) -> pa.Table:
        """Rows of these streams up to a position, by position."""
        names = list(dict.fromkeys(streams))
        chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
        tables = [self._read(_STREAMS[self._dialect], [_texts(chunk), upto], opened) for chunk in chunks]
        return pa.concat_tables([SCHEMA.empty_table(), *tables]).sort_by("position")

    def _read(self, where: str, values: list[Any], opened: Collection[str]) -> pa.Table:
        query = f"{_TAKE[self._dialect]}{_FROM}{where}"
        if opened:
            query = f"{_TAKE[self._dialect]}{_SEALED[self._dialect]}{_FROM}{where}"
            values = [_texts(sorted(opened)), *values]
        table = text_states(self._asked(query, values))
        if not table.num_rows:
            return SCHEMA.empty_table()
        if opened:
            table = opened_states(table.cast(SCHEMA.append(SEALED)), self._store)
        return present_states(table.cast(SCHEMA))

    def _asked(self, query: str, values: list[Any]) -> pa.Table:
        """What the database answers; a kept connection that has gone stale is no reason to fail."""
        kept = bool(self._idle)
        try:
            return self._fetch(query, values)
        except adbc_driver_manager.Error:
            if not kept:
                raise
            self.close()
            return self._fetch(query, values)

    def _fetch(self, query: str, values: list[Any]) -> pa.Table:
        """PostgreSQL copies out only statements without marks, three times as fast."""
        with self._statement() as statement:
            if self._dialect == "postgresql":
                statement.set_sql_query(SQL(query).format(*map(Literal, values)).as_string(None))
            else:
                statement.set_sql_query(query.replace("{}", "?"))
                marked = [pa.array([value]) for value in values]
                statement.bind(pa.RecordBatch.from_arrays(marked, [str(mark) for mark in range(len(marked))]))
            return pa.RecordBatchReader.from_stream(statement.execute_query()[0]).read_all()

    @contextmanager
    def _statement(self) -> Iterator[Any]:
        if self._dialect == "sqlite":
            with (
                gate_of(self._address.path).bulk(),
                Opened(adbc_driver_sqlite, self._address.uri(), PATIENCE) as opened,
                opened.statement() as statement,
            ):
                yield statement
            return
        try:
            opened = self._idle.pop()
        except IndexError:
            opened = Opened(adbc_driver_postgresql, self._address.conninfo, UNSORTED)
        with ExitStack() as failing, opened.statement() as statement:
            failing.push(opened)
            yield statement
            failing.pop_all()
        self._idle.append(opened)

    def close(self) -> None:
        """Close the connections kept for later reads."""
        while self._idle:
            self._idle.pop().close()


class Opened(ExitStack):
    """One ADBC connection with a setting; leaving it closes it."""

    def __init__(self, driver: Any, address: str, setting: str) -> None:
        super().__init__()
        with ExitStack() as failing:
            failing.push(self)
            database = self.enter_context(driver.connect(address))
            self._connection = self.enter_context(adbc_driver_manager.AdbcConnection(database))
            with self.statement() as statement:
                statement.set_sql_query(setting)
                statement.execute_update()
            failing.pop_all()

    def statement(self) -> Any:
        """A new statement on it."""
        return adbc_driver_manager.AdbcStatement(self._connection)


def _texts(values: Sequence[str]) -> str:
    return msgspec.json.encode(list(values)).decode()
