"""A process that appends: python -m tests.domain.log.appending URL KEYS SEED COUNT; prints one line per batch."""

import random
import sys
from pathlib import Path

from domain.log import open_log
from tests.domain.log.making import NOW, mail

BATCH = 40


def main(url: str, keys: str, seed: str, count: str) -> None:
    """Append all events of 0…count in an order of its own, in batches that overlap by half."""
    log = open_log(url, keys=Path(keys), create=True)
    run = log.begin_run(source="crm1", adapter=f"process {seed}", now=NOW)
    numbers = list(range(int(count)))
    random.Random(int(seed)).shuffle(numbers)
    for start in range(0, len(numbers), BATCH // 2):
        receipts = log.append_batch([mail(n) for n in numbers[start : start + BATCH]], run=run, now=NOW)
        print(len([one for one in receipts if one.outcome == "stored"]), flush=True)
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
