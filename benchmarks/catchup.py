"""How fast all views catch up with a year of the demo, beside the library handling one event at a time.

Two kinds of library work, both less than our views need: the tracking of each event alone, and with it the rows
that one event costs at least: find its person, note its subject, store its line. All of an event's work is one
transaction. On PostgreSQL that is `ProjectionRunner`; SQLite has no subscriptions, so there it is `Follower`, the
process application. Run: python -m benchmarks.catchup [--events N] [--store sqlite|postgresql]
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.sqlite import SQLiteProcessRecorder
from eventsourcing.system import Follower

from benchmarks.append import embedded_server
from domain.events.contacts import ContactReceived
from domain.log import Log, Pending, open_log
from ingestion.demo.filling import fill
from projections.engine import Engine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SOME = 1_000
"""Events that come later, each about another customer's contact."""


ROWS = (
    "CREATE TABLE IF NOT EXISTS who (subject text PRIMARY KEY, person text)",
    """CREATE TABLE IF NOT EXISTS line (event bigint PRIMARY KEY, person text, kind text, channel text, topic text,
    actor text, text text)""",
)
WHO = "SELECT person FROM who WHERE subject = ?"
NOTE = "INSERT INTO who VALUES (?, ?) ON CONFLICT DO NOTHING"
LINE = "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)"


def in_postgres(statement: str) -> str:
    """The statement as PostgreSQL's driver and our schema want it."""
    for name in ("who", "line"):
        statement = statement.replace(f" {name} ", f" library.{name} ")
    return statement.replace("?", "%s")


class Told(NamedTuple):
    """One event as the row path sees it."""

    stream: str
    kind: str
    state: dict[str, Any]

    def derive(self, cursor: Any, position: int, spoken: Callable[[str], str]) -> None:
        """Find the person, note the subject, store the line."""
        cursor.execute(spoken(WHO), (self.stream,))
        row = cursor.fetchone()
        person = self.stream if row is None else dict(row)["person"]
        cursor.execute(spoken(NOTE), (self.stream, person))
        said = [self.state.get(name) for name in ("channel", "topic", "actor", "text")]
        cursor.execute(spoken(LINE), (position, person, self.kind, *said))


class OurMapper(Mapper[str]):
    """Decodes as quickly as Python can."""

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        return Told(
            str(stored_event.originator_id), stored_event.topic, msgspec.json.decode(stored_event.state)
        )


class Source(Application[str]):
    """The library's application over the same stored rows."""

    def construct_mapper(self) -> Mapper[str]:
        return OurMapper(JSONTranscoder())


class Tracking(Projection[Any]):
    """Derives nothing: each event costs the transaction of its tracking."""

    def process_event(self, domain_event: Any, tracking: Any) -> None:
        assert domain_event.stream
        self.view.insert_tracking(tracking)


class Lines(Projection[Any]):
    """Derives the least."""

    def process_event(self, domain_event: Any, tracking: Any) -> None:
        self.view.insert(domain_event, tracking)


class PostgresLines(PostgresTrackingRecorder):
    """Stores what `Lines` derives."""

    def insert(self, told: Told, tracking: Any) -> None:
        """Rows and tracking in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            told.derive(cursor, tracking.notification_id, in_postgres)


class OneByOne(Follower[str]):
    """The tracking alone, as a process application."""

    def follow(self, name: str, log: Any) -> None:
        super().follow(name, log)
        self.mappers[name] = OurMapper(JSONTranscoder())

    def policy(self, domain_event: Any, processing_event: Any) -> None:
        processing_event.collect_events(told=domain_event)


class SQLiteLines(SQLiteProcessRecorder):
    """Stores what `LinesOneByOne` derives."""

    def _insert_events(self, c: Any, stored_events: Any, **kwargs: Any) -> Any:
        kwargs["told"].derive(c, kwargs["tracking"].notification_id, str)
        return super()._insert_events(c, stored_events, **kwargs)


class LinesOneByOne(OneByOne):
    """The rows too."""

    def construct_recorder(self) -> Any:
        recorder = SQLiteLines(cast(Any, super().construct_recorder()).datastore)
        with recorder.datastore.transaction(commit=True) as cursor:
            for statement in ROWS:
                cursor.execute(statement)
        return recorder


def seconds(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def stored(log: Log, count: int) -> list[StoredEvent]:
    """The first rows of a log in the library's form."""
    rows = log.arrow(upto=count).select(["originator_id", "topic", "state"]).to_pylist()
    return [
        StoredEvent(row["originator_id"], version, row["topic"], row["state"].encode())
        for version, row in enumerate(rows, 1)
    ]


def followed(env: dict[str, str], events: Sequence[StoredEvent]) -> list[float]:
    """Seconds in which the process applications handle these events one by one, on SQLite."""
    source = Source({**env, "SQLITE_DBNAME": f"{env['FOLDER']}/library.db"})
    fill_library(source, events)
    took = []
    for kind in (OneByOne, LinesOneByOne):
        follower = kind({**env, "SQLITE_DBNAME": f"{env['FOLDER']}/{kind.__name__}.db"})
        follower.follow("Source", source.notification_log)
        took.append(seconds(partial(follower.pull_and_process, "Source")))
        follower.close()
    source.close()
    return took


def subscribed(env: dict[str, str], events: Sequence[StoredEvent]) -> list[float]:
    """Seconds in which the projection runners handle them, on PostgreSQL."""
    source = Source(env)
    fill_library(source, events)
    with cast(Any, source.recorder).datastore.transaction(commit=True) as cursor:
        for statement in ROWS:
            cursor.execute(in_postgres(statement))
    source.close()

    def run(projection: Any, view: Any) -> None:
        with ProjectionRunner(
            application_class=Source, projection_class=projection, view_class=view, env=env
        ) as runner:
            runner.wait(len(events), timeout=600)

    return [
        seconds(lambda: run(Tracking, PostgresTrackingRecorder)),
        seconds(lambda: run(Lines, PostgresLines)),
    ]


def fill_library(source: Source, events: Sequence[StoredEvent]) -> None:
    """The events, in transactions small enough for the library's pipeline."""
    for start in range(0, len(events), 200):
        source.recorder.insert_events(events[start : start + 200])


def later(log: Log) -> None:
    """A thousand more contacts, each about a subject that the log knows."""
    subjects = log.arrow(topics=[ContactReceived.TOPIC])["originator_id"].unique().to_pylist()[::7][:SOME]
    run = log.begin_run(source="bench", adapter="benchmark", now=NOW)
    pending = [
        Pending(
            event=ContactReceived(
                source=stream.split(":", 2)[1],
                id=f"later/{number}",
                subject="{0}:{2}".format(*stream.split(":", 2)),
                occurred_at=NOW - timedelta(hours=1),
                channel="email",
                direction="inbound",
                actor_kind="customer",
            )
        )
        for number, stream in enumerate(subjects)
    ]
    log.append_batch(pending, run=run, now=NOW)


def measure(name: str, urls: tuple[str, str], folder: Path, env: dict[str, str], count: int) -> None:
    """One line for one store."""
    log = open_log(urls[0], keys=folder / "keys.db", create=True)
    fill(log, truth=folder / "truth.json")
    engine = Engine(log, urls[1])
    whole = log.head() / seconds(lambda: engine.catch_up(now=NOW))
    later(log)
    some = seconds(lambda: engine.catch_up(now=NOW))
    assert {view.state for view in engine.positions().values()} == {"ok"}
    rebuilt = log.head() / seconds(lambda: engine.rebuild(now=NOW))
    library = subscribed if name == "postgresql" else followed
    single = [count / took for took in library(env, stored(log, count))]
    engine.close()
    log.close()
    print(
        f"{name:<11}{whole / 1000:>8.1f}{rebuilt / 1000:>9.1f}{some * 1000:>11.0f}"
        + "".join(f"{rate / 1000:>14.2f}{whole / rate:>8.1f} x" for rate in single)
        + f"{os.getloadavg()[0]:>8.2f}",
        flush=True,
    )


def main() -> None:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=3_000, help="handled by the library")
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="omni", dir="/tmp"))
    folder.chmod(0o755)
    print("catch-up of all views, k events/s")
    print(
        "store          ours  rebuild  +1,000 ms  library: tracking      ours  and its rows      ours    load"
    )
    try:
        if arguments.store != "postgresql":
            env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
            env |= {"ORIGINATOR_ID_TYPE": "text", "FOLDER": str(folder)}
            urls = (f"sqlite:///{folder}/log.db", f"sqlite:///{folder}/views.db")
            measure("sqlite", urls, folder, env, arguments.events)
        if arguments.store != "sqlite":
            (folder / "pg").mkdir()
            with embedded_server(folder) as server:
                parts = psycopg.conninfo.conninfo_to_dict(server)
                env = {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_PASSWORD": "unused"}
                env |= {f"POSTGRES_{name.upper()}": str(parts[name]) for name in ("dbname", "host", "user")}
                env |= {"POSTGRES_SCHEMA": "library", "ORIGINATOR_ID_TYPE": "text"}
                with psycopg.connect(server, autocommit=True) as connection:
                    for schema in ("ours", "library"):
                        connection.execute(f"CREATE SCHEMA {schema}")
                url = f"{server}&options=-csearch_path%3Dours"
                measure("postgresql", (url, url), folder / "pg", env, arguments.events)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
