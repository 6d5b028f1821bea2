"""View tables: one `table()` is what a fact's rows look like in the views database and as a frame.

Instants are integer microseconds and days integer days since 1970, UTC, in the database alone: they are
converted here and nowhere else. A row belongs to a person; of a table only the difference is ever written.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from projections.annotations import INSTANT

Kind = str | type
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: dict[Kind, tuple[type[sa.types.TypeEngine[Any]], pl.DataType]] = {
    "str": (sa.Text, pl.String()),
    "int": (sa.BigInteger, pl.Int64()),
    "float": (sa.Double, pl.Float64()),
    "bool": (sa.Boolean, pl.Boolean()),
    "instant": (sa.BigInteger, INSTANT),
    "date": (sa.Integer, pl.Date()),
}
_KINDS.update({str: _KINDS["str"], int: _KINDS["int"], float: _KINDS["float"], bool: _KINDS["bool"]})
_KINDS.update({datetime: _KINDS["instant"], date: _KINDS["date"]})


class TableError(Exception):
    """Rows that do not fit their table; the message is one sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a replacement changed: a changed row counts as removed and added."""

    added: int = 0
    removed: int = 0


def table(name: str, key: str | Sequence[str], *, indexed: Sequence[str] = (), **columns: Kind) -> sa.Table:
    """A table of the views; kinds are str, int, float, bool, instant (datetime) and date.

    Rows are identified by their person and `key`; look-ups by another column want it `indexed`.
    """
    keys = [key] if isinstance(key, str) else list(key)
    first = ["person"] if "person" in columns and "person" not in keys else []
    ordered = [*first, *keys, *(column for column in columns if column not in (*first, *keys))]
    return sa.Table(
        name,
        sa.MetaData(),
        *(_column(column, columns[column], primary=column in (*first, *keys)) for column in ordered),
        *(sa.Index(f"{name}_by_{column}", column) for column in indexed),
        sqlite_with_rowid=False,
    )


@cache
def versioned(table: sa.Table, version: int, only: tuple[str, ...] = ()) -> sa.Table:
    """The table as one version of its build keeps it, beside those of others: `clocks_v3`; all its columns or some."""
    name = f"{shown(table)}_v{version}"
    columns = [column for column in table.c if not only or column.name in only]
    kept = sa.Table(
        name,
        sa.MetaData(),
        *(
            sa.Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False, info=c.info)
            for c in columns
        ),
        *(
            sa.Index(f"{name}_by_{c.name}", c.name)
            for index in table.indexes
            for c in index.columns
            if c in columns
        ),
        sqlite_with_rowid=False,
    )
    kept.info["shown"] = shown(table)
    return kept


def shown(table: sa.Table) -> str:
    """The table's name without its version."""
    return str(table.info.get("shown", table.name))


def _column(name: str, kind: Kind, *, primary: bool) -> sa.Column[Any]:
    stored, typed = _KINDS[kind]
    return sa.Column(name, stored, primary_key=primary, autoincrement=False, info={"typed": typed})


def schema(table: sa.Table) -> pl.Schema:
    """The frame that the table's rows make."""
    return pl.Schema({column.name: column.info["typed"] for column in table.c})


def keys(table: sa.Table) -> list[str]:
    """The columns that identify a row."""
    return [column.name for column in table.primary_key]


def conform(table: sa.Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame in the table's columns, kinds and order; refused where it cannot be."""
    wanted = schema(table)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise TableError(f"The build of {table.name} returned no column {', '.join(missing)}: add it.")
    try:
        rows = frame.select(pl.col(name).cast(kind) for name, kind in wanted.items())
    except pl.exceptions.PolarsError as error:
        raise TableError(f"The build of {table.name} returned another kind of column: {error}.") from error
    rows = rows.sort(keys(table))
    same = rows.select(pl.struct(keys(table)).is_duplicated().sum()).item() if rows.height else 0
    empty = rows.select(pl.any_horizontal(pl.col(keys(table)).is_null()).sum()).item() if rows.height else 0
    if same or empty:
        raise TableError(
            f"The build of {table.name} returned {same} rows with the key of another row and {empty} without "
            f"a key: make {', '.join(keys(table))} unique."
        )
    return rows


def read(connection: Connection, table: sa.Table, persons: Iterable[str] | None = None) -> pl.DataFrame:
    """The stored rows, of some persons or of all, in the order of their keys."""
    return read_where(connection, table, "person", persons)


def read_where(
    connection: Connection, table: sa.Table, column: str, values: Iterable[str] | None
) -> pl.DataFrame:
    """The stored rows that have one of the values in a column, in the order of their keys."""
    statement = sa.select(*table.c)
    if values is not None:
        statement = statement.where(among(connection, table.c[column], list(values)))
    cursor = connection.execute(statement).cursor
    assert cursor is not None
    return _loaded(table, cursor.fetchall()).sort(keys(table))


def among(connection: Connection, column: sa.Column[Any], values: list[str]) -> sa.ColumnElement[bool]:
    """Membership in a list of any length, as one parameter."""
    if connection.dialect.name == "sqlite":
        each = sa.func.json_each(json.dumps(values, ensure_ascii=False)).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(sa.bindparam("among", values, type_=sa.ARRAY(sa.Text)))


def _loaded(table: sa.Table, rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    kinds = schema(table)
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    stored = {
        name: pl.Series(name, values, dtype=_stored(kind), strict=kind != pl.Boolean())
        for (name, kind), values in zip(kinds.items(), columns, strict=True)
    }
    return pl.DataFrame(stored).with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())


def _stored(kind: pl.DataType) -> pl.DataType:
    if kind == INSTANT:
        return pl.Int64()
    if kind == pl.Date():
        return pl.Int32()
    return kind


def replace_persons(
    connection: Connection, table: sa.Table, frame: pl.DataFrame, persons: Iterable[str] | None
) -> Written:
    """Make the stored rows of these persons, or of all, exactly `frame`, whose rows conform to the table."""
    listed = None if persons is None else list(persons)
    return write_difference(connection, table, read(connection, table, listed), frame)


def write_difference(
    connection: Connection, table: sa.Table, old: pl.DataFrame, new: pl.DataFrame
) -> Written:
    """Delete the rows of `old` that `new` does not hold, insert those that are new."""
    if not old.height:
        insert(connection, table, new)
        return Written(added=new.height)
    columns = new.columns
    gone = old.join(new, on=columns, how="anti", nulls_equal=True)
    fresh = new.join(old, on=columns, how="anti", nulls_equal=True)
    _delete(connection, table, gone)
    insert(connection, table, fresh.sort(keys(table)))
    return Written(added=fresh.height, removed=gone.height)


def _delete(connection: Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    if not rows.height:
        return
    own, old = [table.c[name] for name in keys(table)], _storable(rows.select(keys(table)))
    if connection.dialect.name == "sqlite":
        match = (column == sa.bindparam(column.name) for column in own)
        statement = str(sa.delete(table).where(*match).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement, old.rows())
        return
    lists = [sa.bindparam(c.name, old[c.name].to_list(), type_=sa.ARRAY(c.type)) for c in own]
    gone = sa.func.unnest(*lists).table_valued(*keys(table)).render_derived()
    connection.execute(sa.delete(table).where(sa.tuple_(*own).in_(sa.select(*gone.c))))


def insert(connection: Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """Insert rows in the table's columns: many at once on SQLite, by COPY on PostgreSQL."""
    if not rows.height:
        return
    if connection.dialect.name == "sqlite":
        statement = str(sa.insert(table).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement, _storable(rows).rows())
        return
    lines = io.BytesIO()
    _storable(rows).write_csv(lines, include_header=False)
    raw = connection.connection.driver_connection
    assert raw is not None
    with raw.cursor().copy(f"COPY {table.name} FROM STDIN (FORMAT csv)") as copy:
        copy.write(lines.getvalue())


def microseconds(instant: datetime) -> int:
    """An aware instant as the database keeps it."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def _storable(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        pl.col(name).cast(_stored(kind)) for name, kind in rows.schema.items() if _stored(kind) != kind
    )
