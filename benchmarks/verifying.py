"""How fast a signed log is verified as a whole, and how soon one event's proof is at hand and checked.

Run: python -m benchmarks.verifying [--events N] [--proofs N] [--store sqlite|postgresql]
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks._events import START, events, mail
from benchmarks._figures import figure, quantile, seconds, told
from benchmarks._places import workplace
from benchmarks._stores import Store, stores
from domain.log.checkpoints import sign
from domain.log.held import origin_of
from domain.log.proofs import prove
from domain.log.signing import create_key, read_key
from domain.log.verification import verify

BATCH = 5_000


def measure(store: Store, folder: Path, count: int, proofs: int) -> None:
    """Fill, sign, verify, prove."""
    log, copy = store.personal, folder / "checkpoints.txt"
    for first in range(0, count, BATCH):
        log.append_batch(events(mail, first, BATCH), run=1, now=START)
    public = create_key(folder / "signing.key", origin=origin_of(log))
    signing = seconds(partial(sign, log, key=read_key(folder / "signing.key"), copy=copy, now=START))
    check = partial(verify, log, keys=[public], copies=[copy])
    verifying = min(seconds(check) for _ in range(3))
    assert check().ok
    spent = []
    for number in range(0, count, count // proofs):
        key = mail(number).event.event_id
        assert prove(log, key, keys=[public], copies=[copy]).holds
        spent.append(seconds(partial(prove, log, key, keys=[public], copies=[copy])))
    told(
        f"{store.name}, {count:,} events under {count // 1000:,} checkpoints, signed at {count / signing / 1000:.0f}k/s"
    )
    figure("thousand events verified a second", count / verifying / 1000, least=50)
    figure("ms for one proof, median", quantile(spent, 0.5) * 1000)
    figure("ms for one proof, 99 of 100", quantile(spent, 0.99) * 1000)


def main() -> None:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--proofs", type=int, default=100)
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    for store in stores(arguments.store):
        with workplace() as folder:
            measure(store, folder, arguments.events, arguments.proofs)


if __name__ == "__main__":
    main()
