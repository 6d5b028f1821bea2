"""How fast the log is read in bulk, beside bare ADBC reading the same columns, and what opening personal fields costs.

Run: python -m benchmarks.reading [--events N] [--rounds N] [--store sqlite|postgresql]
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa

from benchmarks._events import START, events, mail, reply
from benchmarks._figures import Times, figure, rate, ratio, seconds, told
from benchmarks._stores import Store, stores
from domain.log import EVERY
from domain.log.address import Address, parse

BATCH = 5_000
COLUMNS = "originator_id, topic, event_id, occurred_at, known_at, recorded_at, state"
SQLITE = f"SELECT rowid, {COLUMNS} FROM stored_events ORDER BY rowid"  # noqa: S608
POSTGRESQL = f"SELECT notification_id, {COLUMNS} FROM stored_events ORDER BY notification_id"  # noqa: S608


def bare(address: Address) -> pa.Table:
    """The same columns of all rows through the driver alone."""
    if address.dialect == "sqlite":
        connected, statement = adbc_driver_sqlite.dbapi.connect(address.uri()), SQLITE
    else:
        connected, statement = adbc_driver_postgresql.dbapi.connect(address.conninfo), POSTGRESQL
    with connected as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetch_arrow_table()


def measure(store: Store, count: int, rounds: int) -> Times:
    """Seconds of each round, each way."""
    for first in range(0, count, BATCH):
        store.log.append_batch(events(reply, first, BATCH), run=1, now=START)
        store.personal.append_batch(events(mail, first, BATCH), run=1, now=START)
    assert bare(parse(store.log.url)).num_rows == store.log.arrow().num_rows == count
    assert '"text":' in store.personal.arrow(upto=1, opened=EVERY)["state"][0].as_py()
    ways: dict[str, Callable[[], pa.Table]] = {
        "bare": partial(bare, parse(store.log.url)),
        "ours": store.log.arrow,
        "personal": store.personal.arrow,
        "opened": partial(store.personal.arrow, opened=EVERY),
    }
    times: Times = {way: [] for way in ways}
    for _ in range(rounds):
        for way, read in ways.items():
            times[way].append(seconds(read))
    return times


def report(name: str, count: int, times: Times) -> None:
    """The rates of one store, and what they amount to."""
    rates = ", ".join(f"{way} {rate(times, way, count):.0f}" for way in times)
    told(f"{name}, {count:,} events, thousand a second: {rates}")
    figure("ours of bare ADBC", ratio(times, "ours", "bare"), least=0.8)
    opening = [opened - shut for opened, shut in zip(times["opened"], times["personal"], strict=True)]
    figure("microseconds an event more for opening it", statistics.median(opening) / count * 1e6, most=6)


def main() -> None:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    for store in stores(arguments.store):
        report(store.name, arguments.events, measure(store, arguments.events, arguments.rounds))


if __name__ == "__main__":
    main()
