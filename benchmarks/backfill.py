"""Whether a long backfill keeps its rate, what it costs to bring it again, and how many bytes an event takes.

Run: python -m benchmarks.backfill [--events N] [--weighed N] [--store sqlite|postgresql]
"""

import argparse
from collections.abc import Callable
from contextlib import closing
from functools import partial

from eventsourcing.persistence import StoredEvent

from benchmarks._events import START, events, mail, reply
from benchmarks._figures import figure, seconds, told
from benchmarks._places import workplace
from benchmarks._stores import Store, stores
from domain.log import Log, Pending, open_log

BATCH = 5_000
SLICE = 250_000
MILLION = 1_000_000


def stored(log: Log, first: int, count: int) -> float:
    """Seconds spent in storing so many mails, whose making is not counted."""
    run, spent = log.begin_run(source="crm1", adapter="benchmark", now=START), 0.0
    for start in range(first, first + count, BATCH):
        batch = events(mail, start, min(BATCH, first + count - start))
        spent += seconds(partial(log.append_batch, batch, run=run, now=START))
    return spent


def fill(count: int) -> None:
    """One log on SQLite from nothing to `count` events, then a million of them once more."""
    with workplace() as folder:
        url = f"sqlite:///{folder}/log.db"
        with closing(open_log(url, keys=folder / "keys.db", create=True)) as log:
            spent = []
            for first in range(0, count, SLICE):
                spent.append(stored(log, first, SLICE))
                told(f"sqlite, events to {first + SLICE:,}: {SLICE / spent[-1] / 1000:.1f} thousand a second")
            assert log.head() == SLICE * len(spent)
            part = min(MILLION // SLICE, len(spent))
            again = stored(log, 0, part * SLICE)
            assert log.head() == SLICE * len(spent)
    figure("rate of the last million of the first", sum(spent[:part]) / sum(spent[-part:]), least=0.8)
    figure("redelivered million of the mean rate", sum(spent) / len(spent) * part / again, least=3)


def weigh(store: Store, made: Callable[[int], Pending], count: int) -> None:
    """Bytes of the same events, as they are stored, in our table and in the library's, each with its indexes."""
    run = store.log.begin_run(source="crm1", adapter="benchmark", now=START)
    for first in range(0, count, 1000):
        head = store.log.head()
        store.log.append_batch(events(made, first, 1000), run=run, now=START)
        rows = store.rows(head)
        store.library([StoredEvent(row[1], row[2], row[3], bytes(row[4]) + bytes(row[5])) for row in rows])
    ours, library = store.sizes()
    each = f"{ours / count:.0f} bytes each, the library's {library / count:.0f}"
    told(f"{store.name}, {count:,} times {made.__name__}: {each}")
    figure("bytes of an event of the library's", ours / library, most=1.25)


def main() -> None:
    """Fill, then weigh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=3 * MILLION, help="in the backfill; 0 for none")
    parser.add_argument("--weighed", type=int, default=200_000)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], help="that is weighed")
    arguments = parser.parse_args()
    if arguments.events:
        fill(arguments.events)
    for made in (reply, mail):
        for store in stores(arguments.store):
            weigh(store, made, arguments.weighed)


if __name__ == "__main__":
    main()
