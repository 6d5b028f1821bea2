"""How fast a batch enters the log, deduplicated and chained, beside the quickest bare insert of the very same rows.

Every round stores one batch each way: ours without personal fields; ours with them; the library's insert; the bare
rows (SQLite: executemany, PostgreSQL: COPY BINARY); and ours once more, when all of it is there already.
Run: python -m benchmarks.append [SIZE ...] [--batches N] [--store sqlite|postgresql]
"""

import argparse
from functools import partial

from eventsourcing.persistence import StoredEvent

from benchmarks._events import START, events, mail, reply
from benchmarks._figures import Times, figure, rate, ratio, seconds, told
from benchmarks._stores import Store, stores

WAYS = ("ours", "sealed", "library", "bare", "again")
LEAST = {"sqlite": 0.5, "postgresql": 0.4}
"""Of the rate of the bare insert."""


def measure(store: Store, size: int, batches: int) -> Times:
    """Seconds of each batch, each way."""
    times: Times = {way: [] for way in WAYS}
    run = store.log.begin_run(source="crm1", adapter="benchmark", now=START)
    for first in range(0, size * batches, size):
        head = store.log.head()
        again = partial(store.log.append_batch, events(reply, first, size), run=run, now=START)
        personal = partial(store.personal.append_batch, events(mail, first, size), run=run, now=START)
        times["ours"].append(seconds(again))
        rows = store.rows(head)
        kept = [StoredEvent(row[1], row[2], row[3], bytes(row[4])) for row in rows]
        times["sealed"].append(seconds(personal))
        times["library"].append(seconds(partial(store.library, kept)))
        times["bare"].append(seconds(partial(store.bare, rows)))
        times["again"].append(seconds(again))
        assert store.log.head() == store.personal.head() == head + len(rows) == head + size
    return times


def report(name: str, size: int, times: Times) -> None:
    """The rates of one store at one size, and what they amount to."""
    rates = ", ".join(f"{way} {rate(times, way, size):.1f}" for way in WAYS)
    told(f"{name}, {size:,} events a transaction, thousand events a second: {rates}")
    figure("ours of the bare insert (stretch 0.6)", ratio(times, "ours", "bare"), least=LEAST[name])
    figure("ours of the library's insert", ratio(times, "ours", "library"))
    figure("with personal fields of without", ratio(times, "sealed", "ours"), least=0.7)
    figure("redelivered of stored", ratio(times, "again", "ours"), least=3)


def main() -> None:
    """Measure each store at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 5000])
    parser.add_argument("--batches", type=int, default=15)
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    for size in arguments.sizes:
        for store in stores(arguments.store):
            report(store.name, size, measure(store, size, arguments.batches))


if __name__ == "__main__":
    main()
