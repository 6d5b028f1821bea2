"""How fast all views catch up with a year of the demo, beside the library handling one event at a time.

Three kinds of library work: the tracking of each event alone, which derives nothing; with it the rows that one
event costs at least (find its person, note its subject, store its line); and the very views that we keep,
brought up to each event in turn. An event's work is one transaction. On PostgreSQL that is `ProjectionRunner`;
SQLite has no subscriptions, so there it is `Follower`, the process application.
Run: python -m benchmarks.catchup [--events N] [--store sqlite|postgresql]
"""

import argparse
import os
from datetime import timedelta
from pathlib import Path

import psycopg

from benchmarks._figures import seconds
from benchmarks._places import embedded_server, schema, workplace
from benchmarks._singly import NOW, STEPS, Step, followed, stored, subscribed
from domain.events.contacts import ContactReceived
from domain.log import Log, Pending, open_log
from ingestion.demo.filling import fill
from projections.engine import Engine

SOME = 1_000
"""Events that come later, each about another customer's contact."""


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


def measure(name: str, urls: tuple[str, str, str], folder: Path, env: dict[str, str], count: int) -> None:
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
    step = Step(log, urls[2], back=STEPS)
    single = library(env, stored(log, count), step)
    step.engine.close()
    engine.close()
    log.close()
    print(
        f"{name:<11}{whole / 1000:>8.1f}{rebuilt / 1000:>9.1f}{some * 1000:>11.0f}"
        + "".join(f"{rate:>11.0f}{whole / rate:>9.1f} x" for rate in single)
        + f"{os.getloadavg()[0]:>8.2f}",
        flush=True,
    )


def main() -> None:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=3_000, help="handled by the library")
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    print(
        "catch-up of all views, k events/s; the library's events/s, one at a time, and how much faster ours are"
    )
    print(
        "store          ours  rebuild  +1,000 ms  library: tracking      ours  and its rows      ours    load"
    )
    with workplace() as folder:
        if arguments.store != "postgresql":
            env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
            env |= {"ORIGINATOR_ID_TYPE": "text", "FOLDER": str(folder)}
            log, views, singly = (f"sqlite:///{folder}/{file}.db" for file in ("log", "views", "singly"))
            measure("sqlite", (log, views, singly), folder, env, arguments.events)
        if arguments.store != "sqlite":
            (folder / "pg").mkdir()
            with embedded_server(folder) as server:
                parts = psycopg.conninfo.conninfo_to_dict(server)
                env = {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_PASSWORD": "unused"}
                env |= {f"POSTGRES_{name.upper()}": str(parts[name]) for name in ("dbname", "host", "user")}
                env |= {"POSTGRES_SCHEMA": "library", "ORIGINATOR_ID_TYPE": "text"}
                ours, singly, _ = (schema(server, name) for name in ("ours", "singly", "library"))
                measure("postgresql", (ours, ours, singly), folder / "pg", env, arguments.events)


if __name__ == "__main__":
    main()
