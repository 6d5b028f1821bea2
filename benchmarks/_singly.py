"""One event at a time through the library: what it does with each, and how many a second it handles."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, cast

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.sqlite import SQLiteProcessRecorder
from eventsourcing.system import Follower

from benchmarks._figures import seconds
from domain.log import Log
from projections.engine import Engine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STEPS = 20
"""Events for which all our views are brought up to date one at a time."""


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


class Until:
    """A log that ends at `position`, which grows by one with each event handled."""

    def __init__(self, log: Log, position: int) -> None:
        self._log = log
        self.position = position

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def head(self) -> int:
        """Where the log ends for now."""
        return self.position


class Step:
    """Brings all our views up to the next event."""

    def __init__(self, log: Log, views: str, *, back: int) -> None:
        self._log = Until(log, log.head() - back)
        self.engine = Engine(cast(Log, self._log), views)
        self.engine.catch_up(now=NOW)

    def __call__(self) -> None:
        self._log.position += 1
        assert self.engine.catch_up(now=NOW).events == 1


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


class OurViews(Projection[Any]):
    """Derives all that we keep."""

    step: Step

    def process_event(self, domain_event: Any, tracking: Any) -> None:
        assert domain_event.stream
        self.step()
        self.view.insert_tracking(tracking)


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


class OurViewsOneByOne(OneByOne):
    """All that we keep."""

    step: Step

    def policy(self, domain_event: Any, processing_event: Any) -> None:
        self.step()
        super().policy(domain_event, processing_event)


def stored(log: Log, count: int) -> list[StoredEvent]:
    """The first rows of a log in the library's form."""
    rows = log.arrow(upto=count).select(["originator_id", "topic", "state"]).to_pylist()
    return [
        StoredEvent(row["originator_id"], version, row["topic"], row["state"].encode())
        for version, row in enumerate(rows, 1)
    ]


def followed(env: dict[str, str], events: Sequence[StoredEvent], step: Step) -> list[float]:
    """Events a second that process applications handle, on SQLite."""
    source = Source({**env, "SQLITE_DBNAME": f"{env['FOLDER']}/library.db"})
    fill_library(source, events)
    OurViewsOneByOne.step = step
    rates = []
    for kind, stop in ((OneByOne, len(events)), (LinesOneByOne, len(events)), (OurViewsOneByOne, STEPS)):
        follower = kind({**env, "SQLITE_DBNAME": f"{env['FOLDER']}/{kind.__name__}.db"})
        follower.follow("Source", source.notification_log)
        rates.append(stop / seconds(partial(follower.pull_and_process, "Source", stop=stop)))
        follower.close()
    source.close()
    return rates


def subscribed(env: dict[str, str], events: Sequence[StoredEvent], step: Step) -> list[float]:
    """Events a second that projection runners handle, on PostgreSQL."""
    source = Source(env)
    fill_library(source, events[:STEPS])
    with cast(Any, source.recorder).datastore.transaction(commit=True) as cursor:
        for statement in ROWS:
            cursor.execute(in_postgres(statement))
    OurViews.step = step

    def run(projection: Any, view: Any, count: int) -> None:
        with ProjectionRunner(
            application_class=Source, projection_class=projection, view_class=view, env=env
        ) as runner:
            runner.wait(count, timeout=600)

    ours = seconds(partial(run, OurViews, PostgresTrackingRecorder, STEPS))
    fill_library(source, events[STEPS:])
    source.close()
    tracking = seconds(partial(run, Tracking, PostgresTrackingRecorder, len(events)))
    lines = seconds(partial(run, Lines, PostgresLines, len(events)))
    return [len(events) / tracking, len(events) / lines, STEPS / ours]


def fill_library(source: Source, events: Sequence[StoredEvent]) -> None:
    """The events, in transactions small enough for the library's pipeline."""
    for start in range(0, len(events), 200):
        source.recorder.insert_events(events[start : start + 200])
