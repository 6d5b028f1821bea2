"""Bulk reading: rows of the log as Arrow tables through ADBC, by position or by stream."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from domain.events import EVENTS
from domain.log.address import Address
from domain.log.errors import LogMismatch
from domain.log.gate import gate_of
from domain.log.mapper import VERSIONED, upcast

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
CHUNK = 5_000
"""Streams looked up by one statement."""

_TAKE = {
    "sqlite": """SELECT rowid AS position, originator_id, topic, event_id, occurred_at, known_at, recorded_at,
        CAST(state AS TEXT) AS state FROM stored_events WHERE {where} ORDER BY rowid""",
    "postgresql": """SELECT notification_id AS position, originator_id, topic, event_id, occurred_at, known_at,
        recorded_at, convert_from(state, 'UTF8') AS state FROM stored_events WHERE {where}
        ORDER BY notification_id""",
}
_RANGE = {
    "sqlite": "rowid > ? AND rowid <= ?",
    "postgresql": "notification_id > $1 AND notification_id <= $2",
}
_TOPICS = {
    "sqlite": " AND topic IN (SELECT value FROM json_each(?))",
    "postgresql": " AND topic IN (SELECT jsonb_array_elements_text($3::text::jsonb))",
}
_STREAMS = {
    "sqlite": "originator_id IN (SELECT value FROM json_each(?)) AND rowid <= ?",
    "postgresql": """originator_id = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))
        AND notification_id <= $2""",
}


class BulkReader:
    """Reads one log through a connection per page, so that no long snapshot holds back the write-ahead log."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def page(self, after: int, upto: int, topics: Sequence[str] | None = None) -> pa.Table:
        """Rows after one position and up to another, of these topics or of all."""
        dialect = self._address.dialect
        where, values = _RANGE[dialect], [after, upto]
        if topics is None:
            return self._read(where, values)
        return self._read(where + _TOPICS[dialect], [*values, _texts(topics)])

    def pages(
        self, after: int, upto: int, size: int, topics: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """Consecutive pages of `size` positions each."""
        for start in range(after, upto, size):
            yield self.page(start, min(start + size, upto), topics)

    def streams(self, streams: Sequence[str], upto: int) -> pa.Table:
        """Rows of these streams up to a position, by position."""
        where = _STREAMS[self._address.dialect]
        names = list(dict.fromkeys(streams))
        chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
        tables = [self._read(where, [_texts(chunk), upto]) for chunk in chunks]
        table = pa.concat_tables([SCHEMA.empty_table(), *tables])
        return table.sort_by("position") if len(tables) > 1 else table

    def _read(self, where: str, values: list[Any]) -> pa.Table:
        statement = _TAKE[self._address.dialect].format(where=where)
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            table = cursor.fetch_arrow_table()
        if not table.num_rows:
            return SCHEMA.empty_table()
        return present(table.cast(SCHEMA))

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        address = self._address
        if address.dialect == "postgresql":
            with adbc_driver_postgresql.dbapi.connect(address.conninfo) as connection:
                yield connection
            return
        with gate_of(address.path).bulk(), adbc_driver_sqlite.dbapi.connect(address.uri()) as connection:
            yield connection


def _texts(values: Sequence[str]) -> str:
    return msgspec.json.encode(list(values)).decode()


def present(table: pa.Table) -> pa.Table:
    """The table with every state as its present class writes it; refuses classes newer than ours."""
    versioned = pc.starts_with(table["state"], VERSIONED.decode())
    moved = [topic for topic, event in EVENTS.items() if event.class_version > 1]
    if moved:
        versioned = pc.or_(versioned, pc.is_in(table["topic"], value_set=pa.array(moved)))
    if not pc.any(versioned).as_py():
        return table
    rows = zip(table["topic"].to_pylist(), table["state"].to_pylist(), versioned.to_pylist(), strict=True)
    try:
        states = [upcast(topic, state) if old else state for topic, state, old in rows]
    except ValueError as error:
        raise LogMismatch(
            f"The log holds an event that this Omniline cannot read ({error}): update it."
        ) from error
    return table.set_column(SCHEMA.get_field_index("state"), "state", pa.array(states, pa.string()))
