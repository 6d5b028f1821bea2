"""How long a live writer takes for one event on SQLite while other processes append jobs of 1,000 without a pause.

The whole append is measured, the writer's own commit included: an upper bound of its wait for the lock.
Run: python -m benchmarks.locking [--live N] [--job N] [--writers N ...]
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks._events import START, events, mail, reply
from benchmarks._figures import figure, quantile, seconds, told
from benchmarks._places import workplace
from domain.log import Log, open_log

REST = 0.003
"""Seconds between two live events."""
APART = 10_000_000
"""Events that no other writer numbers."""


def opened(folder: Path) -> Log:
    """The log of this folder, made where there is none."""
    return open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)


def jobs(folder: Path, first: int, size: int, over: Event) -> None:
    """Append one job after the other until it is over."""
    with closing(opened(folder)) as log:
        while not over.is_set():
            log.append_batch(events(mail, first, size), run=1, now=START)
            first += size


@contextmanager
def busy(folder: Path, writers: int, size: int) -> Iterator[None]:
    """So many processes append jobs, each its own events."""
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    working = [
        context.Process(target=jobs, args=(folder, APART * number, size, over))
        for number in range(1, writers + 1)
    ]
    for process in working:
        process.start()
    try:
        yield
    finally:
        over.set()
        for process in working:
            process.join()
    assert not any(process.exitcode for process in working)


def waits(log: Log, first: int, live: int) -> list[float]:
    """Seconds that each of so many live events took."""
    spent = []
    for number in range(first, first + live):
        spent.append(seconds(partial(log.append_batch, events(reply, number, 1), run=1, now=START)))
        time.sleep(REST)
    return spent


def measure(writers: int, size: int, live: int) -> None:
    """The live writer's times beside so many others."""
    with workplace() as folder, closing(opened(folder)) as log, busy(folder, writers, size):
        while log.head() < writers * size:
            time.sleep(REST)
        before, began = log.head(), time.perf_counter()
        spent = waits(log, 0, live)
        rate = (log.head() - before - live) / (time.perf_counter() - began) / 1000
    told(f"{writers} processes append {rate:.1f} thousand events a second in jobs of {size:,}")
    figure("live writer's ms, half of all", quantile(spent, 0.5) * 1000)
    figure("live writer's ms, 99 of 100", quantile(spent, 0.99) * 1000, most=150)
    figure("live writer's ms, the longest", max(spent) * 1000)


def main() -> None:
    """Measure beside few writers and beside several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=500)
    parser.add_argument("--job", type=int, default=1_000)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 2, 4])
    arguments = parser.parse_args()
    for writers in arguments.writers:
        measure(writers, arguments.job, arguments.live)


if __name__ == "__main__":
    main()
