"""The database of a key store: where it lies, its transactions, and its failures told to people."""

import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys.errors import FULL, KeysBusy, KeysError
from domain.keys.tables import POSTGRESQL, SQLITE

CONNECT_TIMEOUT = "10"
"""Seconds to wait for a server, where the address does not say."""
_PRAGMAS = ("synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
)
_FAILURES = (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error, psycopg.Error)
_texts = msgspec.json.Encoder().encode


class Database:
    """One key store's database; threads may share it. `path` is its file on SQLite, None on PostgreSQL."""

    def __init__(self, where: str | Path, *, patience: int) -> None:
        self._patience = patience
        address = _address(where)
        self.path = _path(address) if address.get_backend_name() == "sqlite" else None
        if self.path is not None:
            self.shown = str(self.path)
            self.sql = SQLITE
            self._engine = _sqlite(self.path, patience)
        else:
            self.shown = f"postgresql://{address.host or 'localhost'}/{address.database or ''}"
            self.sql = POSTGRESQL
            self._engine = _postgresql(address, patience)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that looks."""
        with self.told(), self._transaction("reading") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite the only one."""
        with self.told(), self._transaction("writing") as connection:
            yield connection

    def _transaction(self, purpose: str) -> Any:
        level = {} if self.path else {"isolation_level": "READ COMMITTED"}
        return self._engine.execution_options(purpose=purpose, **level).begin()

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection without a transaction."""
        with (
            self.told(),
            self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
        ):
            yield connection

    def rows(self, statement: str, streams: Collection[str]) -> list[Any]:
        """The rows that a statement returns for many streams, past all layers above the driver."""
        with self.told():
            pooled = self._engine.raw_connection()
            driver: Any = pooled.driver_connection
            form = {} if self.path is not None else {"binary": True}
            try:
                found: list[Any] = driver.execute(statement, (self.listed(streams),), **form).fetchall()
            except BaseException:
                pooled.invalidate()
                raise
            pooled.close()
            return found

    def listed(self, values: Collection[str]) -> Any:
        """Many values as the one that a statement takes."""
        return _texts(list(values)).decode() if self.path is not None else list(values)

    def many(self, connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run `insert` or `rewrap` on rows; how many it touched."""
        values: Any = list(rows) if self.path is not None else tuple(map(list, zip(*rows, strict=True)))
        return connection.exec_driver_sql(statement, values).rowcount

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn the failures of the driver into sentences."""
        try:
            yield
        except _FAILURES as error:
            raise self._sentence(error) from error

    def _sentence(self, error: Exception) -> KeysError:
        cause = getattr(error, "orig", None) or error
        text = " ".join(str(cause).split())
        low = text.lower()
        if isinstance(cause, (psycopg.errors.LockNotAvailable, sa.exc.TimeoutError)) or "locked" in low:
            return KeysBusy(f"The key store {self.shown} is busy: another process is writing; try again.")
        if "not a database" in low or "malformed" in low:
            return KeysError(f"{self.shown} is no intact key store: put back the one made with the log.")
        if isinstance(cause, psycopg.errors.DiskFull) or any(word in low for word in FULL):
            return KeysError(
                f"The disk of the key store {self.shown} is full or fails: free space and try again; "
                "nothing was lost."
            )
        if isinstance(cause, psycopg.OperationalError):
            return KeysBusy(f"The key store {self.shown} cannot be reached ({text}): try again, or check it.")
        return KeysError(f"The key store {self.shown} cannot be used ({text}): check it.")

    def scrub(self, table: str) -> None:
        """Leave nothing of what was overwritten in the files; of two who do it at once, SQLite makes one ask again."""
        with self.alone() as connection:
            if self.path is None:
                connection.exec_driver_sql(f"VACUUM {table}")
                return
            until = time.monotonic() + self._patience
            while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
                if time.monotonic() >= until:
                    raise KeysBusy(
                        f"The key store {self.shown} is being read by another process, so bytes of destroyed keys may "
                        "still lie in its files: try again."
                    )
                time.sleep(0.01)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def _address(where: str | Path) -> sa.URL:
    if isinstance(where, Path):
        return sa.URL.create("sqlite", database=str(where))
    try:
        address = sa.make_url(where)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise KeysError(
            "The address of the key store is no URL: write sqlite:///path/keys.db or postgresql://…."
        ) from error
    if address.get_backend_name() not in ("sqlite", "postgresql", "postgres"):
        raise KeysError(
            f"The address of the key store names {address.get_backend_name()!r}: only sqlite and postgresql are known."
        )
    return address


def _path(address: sa.URL) -> Path:
    if not address.database or address.database.startswith((":memory:", "file:")):
        raise KeysError("The address of the key store names no file: write sqlite:///path/keys.db.")
    return Path(address.database).absolute()


def _sqlite(path: Path, patience: int) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path.as_uri(), query={"mode": "rw", "uri": "true"}),
        connect_args={"timeout": patience},
        pool_timeout=max(1, patience),
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        purpose = connection.get_execution_options().get("purpose")
        if purpose:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if purpose == "writing" else "BEGIN")

    return engine


def _postgresql(address: sa.URL, patience: int) -> sa.Engine:
    if "connect_timeout" not in address.query:
        address = address.update_query_dict({"connect_timeout": CONNECT_TIMEOUT})
    engine = sa.create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=max(1, patience),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("purpose") == "writing":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, patience * 1000)}")
            connection.exec_driver_sql(_DURABLE)

    return engine
