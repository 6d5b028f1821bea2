"""The views database: disposable tables, and beside them one row per view that says up to where it is true."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys.errors import FULL
from projections.tables import table

State = Literal["ok", "behind", "failed", "missing", "refused"]
POSITIONS = table(
    "view_position",
    "view",
    view=str,
    version=int,
    position=int,
    epoch=str,
    chain=str,
    state=str,
    error=str,
    updated_at=datetime,
)


class ViewsError(Exception):
    """The views database cannot be used; the message is one sentence for people."""


class ViewsBusy(ViewsError):
    """Another process is writing the views."""


class ViewsRefused(ViewsError):
    """The views do not follow from this log as it is, or a newer Omniline keeps them."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Up to where one view is true, under which version of its build and of which log.

    `chain` is the log's chain value at the position: a log put back from a backup may hold another one there.
    """

    view: str
    version: int
    position: int
    epoch: str
    chain: str
    state: State
    error: str | None
    updated_at: int


class Views:
    """One views database; threads may share it."""

    def __init__(self, url: str, *, patience: int) -> None:
        try:
            address = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise ViewsError(
                f"The views address {url!r} is no URL: write sqlite:///path/views.db or postgresql://…."
            ) from error
        self.shown = address.render_as_string(hide_password=True)
        self._sqlite = address.get_backend_name() == "sqlite"
        self._patience = patience
        if self._sqlite:
            self._make_folder(address)
            self._engine = sa.create_engine(
                address, isolation_level="AUTOCOMMIT", connect_args={"timeout": patience}
            )
        else:
            self._engine = sa.create_engine(address.set(drivername="postgresql+psycopg"))
            sa.event.listen(self._engine, "connect", _unhurried)

    @staticmethod
    def _make_folder(address: sa.URL) -> None:
        if address.database and not address.database.startswith("file:"):
            folder = Path(address.database).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ViewsError(
                    f"The folder {folder} of the views cannot be made ({error.strerror})."
                ) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the only right to write, and whose reads nobody else can outdate."""
        with self._told(), self._engine.connect() as connection:
            if self._sqlite:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
                with self._sqlite_transaction(connection, "BEGIN IMMEDIATE"):
                    yield connection
                return
            with connection.begin():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, self._patience * 1000)}")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(crc32(b"omniline views"))))
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent look."""
        with self._told(), self._engine.connect() as connection:
            if self._sqlite:
                with self._sqlite_transaction(connection, "BEGIN"):
                    yield connection
                return
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def _sqlite_transaction(self, connection: Connection, begin: str) -> Iterator[None]:
        connection.exec_driver_sql(begin)
        try:
            yield
        except BaseException:
            if getattr(connection.connection.driver_connection, "in_transaction", False):
                connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            cause = " ".join(str(error.orig).split())
            if "database is locked" in cause or "lock timeout" in cause:
                raise ViewsBusy(
                    f"The views {self.shown} are being written by another process: try again in a moment."
                ) from error
            if "no such table" in cause or ("relation" in cause and "does not exist" in cause):
                raise ViewsBusy(
                    f"The views {self.shown} were built anew by another process meanwhile: try again."
                ) from error
            if any(word in cause.lower() for word in FULL):
                raise ViewsError(
                    f"The disk of the views {self.shown} is full or fails: free space and try again; "
                    "they stand where they stood."
                ) from error
            if not self._sqlite and isinstance(error, sa.exc.OperationalError):
                raise ViewsError(
                    f"The views {self.shown} cannot be reached ({cause}): try again, or check the address."
                ) from error
            raise ViewsError(
                f"The views {self.shown} cannot be used ({cause}): check the address, or delete them and run "
                "`omniline project`, which builds them anew."
            ) from error

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def _unhurried(connection: Any, _record: Any) -> None:
    """A view may take its time to be computed between two statements of one transaction."""
    connection.autocommit = True
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    connection.autocommit = False


def marks(connection: Connection) -> dict[str, Mark]:
    """Every view's mark."""
    rows = connection.execute(sa.select(POSITIONS)).mappings()
    return {row["view"]: Mark(**row) for row in rows}


def record(connection: Connection, news: Sequence[Mark]) -> None:
    """Set the marks of some views, in the transaction of their rows."""
    if news:
        connection.execute(sa.delete(POSITIONS).where(POSITIONS.c.view.in_([mark.view for mark in news])))
        connection.execute(sa.insert(POSITIONS), [vars(mark) for mark in news])


def stored_columns(connection: Connection) -> dict[str, dict[str, str]]:
    """Every table that stands in the database: its columns and their types."""
    found: dict[str, dict[str, str]] = {}
    for name, column, kind in connection.exec_driver_sql(_COLUMNS[connection.dialect.name]):
        found.setdefault(name, {})[column] = str(kind).lower()
    return found


@cache
def columns_of(table: sa.Table, dialect: sa.Dialect) -> dict[str, str]:
    """The columns that a table is to have, in the same words."""
    return {column.name: column.type.compile(dialect).lower() for column in table.c}


def make_anew(connection: Connection, tables: Sequence[sa.Table]) -> None:
    """Empty tables in their present form, whatever stood there."""
    for one in tables:
        one.drop(connection, checkfirst=True)
        one.create(connection)


_COLUMNS = {
    "sqlite": """SELECT t.name, c.name, c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table'""",
    "postgresql": """SELECT t.relname, c.attname, format_type(c.atttypid, c.atttypmod) FROM pg_class t
        JOIN pg_attribute c ON c.attrelid = t.oid WHERE t.relnamespace = current_schema()::regnamespace
        AND t.relkind = 'r' AND c.attnum > 0 AND NOT c.attisdropped""",
}
