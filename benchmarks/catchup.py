"""How fast all views catch up with a year of the demo, beside the library handling one event at a time.

The library's work is the least that it can be: it decodes an event with our decoder and commits its tracking, and
derives nothing. On PostgreSQL that is `ProjectionRunner`; SQLite has no subscriptions, so there it is `Follower`,
the process application. Run: python -m benchmarks.catchup [--events N] [--store sqlite|postgresql]
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.system import Follower

from benchmarks.append import embedded_server
from domain.events import EVENTS
from domain.events.contacts import ContactReceived
from domain.log import Log, Pending, open_log
from domain.log.mapper import upcast
from ingestion.demo.filling import fill
from projections.engine import Engine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SOME = 1_000
"""Events that come later, each about another customer's contact."""


class OurMapper(Mapper[str]):
    """Checks the topic and hands on the stored JSON: less work than any decoding."""

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The stored row itself, its topic known."""
        assert stored_event.topic in EVENTS
        return upcast(stored_event.topic, stored_event.state.decode())


class Source(Application[str]):
    """The library's application over the same stored rows."""

    def construct_mapper(self) -> Mapper[str]:
        return OurMapper(JSONTranscoder())


class Tracked(Projection[Any]):
    """Derives nothing; each event costs the transaction of its tracking."""

    def process_event(self, domain_event: Any, tracking: Any) -> None:
        assert domain_event is not None
        self.view.insert_tracking(tracking)


class OneByOne(Follower[str]):
    """The same as a process application."""

    def follow(self, name: str, log: Any) -> None:
        super().follow(name, log)
        self.mappers[name] = OurMapper(JSONTranscoder())

    def policy(self, domain_event: Any, processing_event: Any) -> None:
        assert (domain_event, processing_event) != (None, None)


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


def library(env: dict[str, str], events: Sequence[StoredEvent], *, subscribes: bool) -> float:
    """Seconds in which the library handles these events one by one."""
    env = {"ORIGINATOR_ID_TYPE": "text", **env}
    source = Source({**env, "SQLITE_DBNAME": env.get("LOG", "")})
    for start in range(0, len(events), 500):
        source.recorder.insert_events(events[start : start + 500])
    if subscribes:
        source.close()

        def follow() -> None:
            with ProjectionRunner(
                application_class=Source,
                projection_class=Tracked,
                view_class=PostgresTrackingRecorder,
                env=env,
            ) as runner:
                runner.wait(len(events), timeout=600)

        return seconds(follow)
    follower = OneByOne({**env, "SQLITE_DBNAME": env["VIEWS"]})
    follower.follow("Source", source.notification_log)
    took = seconds(lambda: follower.pull_and_process("Source"))
    source.close()
    follower.close()
    return took


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
    replay = log.head() / seconds(lambda: engine.rebuild(now=NOW))
    events = stored(log, count)
    single = count / library(env, events, subscribes=name == "postgresql")
    engine.close()
    log.close()
    print(
        f"{name:<11}{log_size(whole):>14}{log_size(replay):>10}{some * 1000:>16.0f}{log_size(single):>18}"
        f"{whole / single:>12.1f}{os.getloadavg()[0]:>8.2f}",
        flush=True,
    )


def log_size(rate: float) -> str:
    """Events a second, in thousands."""
    return f"{rate / 1000:.1f}"


def main() -> None:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=3_000, help="handled by the library")
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="omni", dir="/tmp"))
    folder.chmod(0o755)
    print("catch-up of all views, k events/s; the library's with tracking alone")
    print("store       from nothing   rebuild  1,000 more, ms  library, singly  ours/theirs    load")
    try:
        if arguments.store != "postgresql":
            env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
            env |= {"LOG": f"{folder}/library.db", "VIEWS": f"{folder}/follower.db"}
            urls = (f"sqlite:///{folder}/log.db", f"sqlite:///{folder}/views.db")
            measure("sqlite", urls, folder, env, arguments.events)
        if arguments.store != "sqlite":
            (folder / "pg").mkdir()
            with embedded_server(folder) as server:
                parts = psycopg.conninfo.conninfo_to_dict(server)
                env = {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_PASSWORD": "unused"}
                env |= {f"POSTGRES_{name.upper()}": str(parts[name]) for name in ("dbname", "host", "user")}
                env["POSTGRES_SCHEMA"] = "library"
                with psycopg.connect(server, autocommit=True) as connection:
                    for schema in ("ours", "library"):
                        connection.execute(f"CREATE SCHEMA {schema}")
                url = f"{server}&options=-csearch_path%3Dours"
                measure("postgresql", (url, url), folder / "pg", env, arguments.events)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
