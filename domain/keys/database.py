"""The database of a key store: where it lies, its transactions, and its failures told to people."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.keys.errors import KeysBusy, KeysError

_PRAGMAS = ("synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")
_BUSY = ("database is locked", "lock timeout", "database table is locked")


class Database:
    """One key store's database; threads may share it."""

    def __init__(self, url: str, *, patience: int) -> None:
        try:
            address = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise KeysError(
                "The address of the key store is no URL: write sqlite:///path/keys.db or postgresql://…."
            ) from error
        backend = address.get_backend_name()
        self.path = _path(address) if backend == "sqlite" else None
        if self.path is not None:
            self.shown = str(self.path)
            self._engine = _sqlite(self.path, patience)
        elif backend in ("postgresql", "postgres"):
            self.shown = f"postgresql://{address.host or 'localhost'}/{address.database or ''}"
            self._engine = _postgresql(address, patience)
        else:
            raise KeysError(
                f"The key store's address names {backend!r}: only sqlite and postgresql are known."
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that looks."""
        with self.told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite the only one."""
        with self.told(), self._engine.execution_options(writing=True).begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection without a transaction."""
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.told(), engine.connect() as connection:
            yield connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn the failures of the driver into sentences."""
        try:
            yield
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._sentence(error) from error

    def _sentence(self, error: Exception) -> KeysError:
        cause = " ".join(str(getattr(error, "orig", error)).split())
        if any(word in cause for word in _BUSY) or isinstance(error, sa.exc.TimeoutError):
            return KeysBusy(f"The key store {self.shown} is busy: another process is writing; try again.")
        if "not a database" in cause or "malformed" in cause:
            return KeysError(f"{self.shown} is no intact key store: put back the one made with the log.")
        if self.path is None and isinstance(error, sa.exc.OperationalError):
            return KeysBusy(
                f"The key store {self.shown} cannot be reached ({cause}): try again, or check it."
            )
        return KeysError(f"The key store {self.shown} cannot be used: {cause}.")

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def _path(address: sa.URL) -> Path:
    if not address.database or address.database.startswith((":memory:", "file:")):
        raise KeysError("The key store's address names no file: write sqlite:///path/keys.db.")
    return Path(address.database).absolute()


def _sqlite(path: Path, patience: int) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path.as_uri(), query={"mode": "rw", "uri": "true"}),
        connect_args={"timeout": patience},
        pool_timeout=max(1, patience),
    )

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")

    return engine


def _postgresql(address: sa.URL, patience: int) -> sa.Engine:
    engine = sa.create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=max(1, patience),
        isolation_level="READ COMMITTED",
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing"):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, patience * 1000)}")

    return engine
