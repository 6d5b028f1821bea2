"""One database under test, and beside it the two references: the library's own table, and a bare table like ours.

Every method stores one batch in one transaction.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.persistence import StoredEvent

from benchmarks._places import embedded_server, postgres_library, schema, sqlite_library, workplace
from domain.log import Log, open_log, postgres, sqlite
from domain.log.chain import COLUMNS

REST = ", ".join((*COLUMNS[1:], "chain"))
ROWS = f"SELECT {{0}}, {REST} FROM stored_events WHERE {{0}} > ? ORDER BY {{0}}"  # noqa: S608
COPY = f"COPY stored_events (notification_id, {REST}) FROM STDIN (FORMAT BINARY)"

Row = Sequence[Any]


class Store(ABC):
    """Two logs, so that one may hold personal fields and the other none, and the references."""

    name: str
    position: str

    def __init__(self, folder: Path) -> None:
        self._keys = folder / "keys"
        self.log = self.open("ours")
        self.personal = self.open("personal")

    def open(self, name: str) -> Log:
        """A new log beside the others."""
        return open_log(self.address(name), keys=self._keys / f"{name}.db", create=True)

    @abstractmethod
    def address(self, name: str) -> str:
        """Where a new log shall lie."""

    @abstractmethod
    def library(self, events: Sequence[StoredEvent]) -> None:
        """Through the library's own recorder, into its own table, unchecked."""

    @abstractmethod
    def bare(self, rows: Sequence[Row]) -> None:
        """The quickest way of the driver into a table like ours."""

    @abstractmethod
    def sizes(self) -> tuple[int, int]:
        """Bytes of our table with its indexes, and of the library's."""

    def rows(self, after: int) -> list[Row]:
        """Every stored column after a position."""
        with self.log.recorder.session() as session:
            return list(session.run(ROWS.format(self.position), [after]))

    def close(self) -> None:
        """Close both logs."""
        self.log.close()
        self.personal.close()


class SQLiteStore(Store):
    """Files on one disk, write-ahead log, synchronous=FULL."""

    name, position = "sqlite", "rowid"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__(folder)
        self._recorder = sqlite_library(folder / "library.db")
        self._bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
        for statement in (*(f"PRAGMA {setting}" for setting in sqlite.SETTINGS), *sqlite.TABLES):
            self._bare.execute(statement)

    def address(self, name: str) -> str:
        return f"sqlite:///{self._folder}/{name}.db"

    def library(self, events: Sequence[StoredEvent]) -> None:
        self._recorder.insert_events(events)

    def bare(self, rows: Sequence[Row]) -> None:
        self._bare.execute("BEGIN IMMEDIATE")
        self._bare.executemany(sqlite.INSERT, rows)
        self._bare.execute("COMMIT")

    def sizes(self) -> tuple[int, int]:
        ours, library = (self._checkpointed(f"{name}.db") for name in ("ours", "library"))
        return ours, library

    def _checkpointed(self, name: str) -> int:
        with sqlite3.connect(self._folder / name) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return (self._folder / name).stat().st_size


class PostgresStore(Store):
    """Schemas of one embedded server, its settings untouched."""

    name, position = "postgresql", "notification_id"

    def __init__(self, folder: Path, server: str) -> None:
        self._server = server
        super().__init__(folder)
        self._recorder = postgres_library(server, "library")
        self._bare = psycopg.connect(self.address("bare"), autocommit=True)
        for table in postgres.TABLES:
            self._bare.execute(table)

    def address(self, name: str) -> str:
        return schema(self._server, name)

    def library(self, events: Sequence[StoredEvent]) -> None:
        """What `insert_events` does but for psycopg's pipeline, which hangs on more than about 1 MB."""
        with self._recorder.datastore.transaction(commit=True) as cursor:
            self._recorder._insert_stored_events(cursor, events)

    def bare(self, rows: Sequence[Row]) -> None:
        with self._bare.transaction(), self._bare.cursor().copy(COPY) as copy:
            copy.set_types(postgres._TYPES)
            for row in rows:
                copy.write_row(row)

    def sizes(self) -> tuple[int, int]:
        total = "SELECT pg_total_relation_size(%s)"
        with psycopg.connect(self._server) as connection:
            found = [
                connection.execute(total, [f"{name}.stored_events"]).fetchone()
                for name in ("ours", "library")
            ]
        ours, library = (int(row[0]) for row in found if row)
        return ours, library

    def close(self) -> None:
        super().close()
        self._bare.close()


def stores(only: str | None = None) -> Iterator[Store]:
    """Both stores one after the other, or one of them, each in a folder that is gone afterwards."""
    with workplace() as folder:
        if only != "postgresql":
            with closing(SQLiteStore(folder)) as store:
                yield store
        if only != "sqlite":
            with embedded_server(folder) as server, closing(PostgresStore(folder / "pg", server)) as store:
                yield store
