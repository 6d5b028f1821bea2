"""Processes that pour mails into a log: python -m tests.domain.log.pouring URL KEYS COUNT BATCH FIRST…"""

import sys
from functools import partial
from pathlib import Path

from domain.log import open_log
from tests.domain.log.forking import tell, together
from tests.domain.log.making import NOW, mail


def pour(url: str, keys: Path, numbers: range, batch: int) -> None:
    """Append these mails, a batch at a time; tell how many were stored."""
    log = open_log(url, keys=keys)
    run, stored = log.begin_run(source="crm1", adapter=f"from {numbers[0]}", now=NOW), 0
    for start in range(0, len(numbers), batch):
        mails = [mail(number) for number in numbers[start : start + batch]]
        receipts = log.append_batch(mails, run=run, now=NOW)
        stored += [one.outcome for one in receipts].count("stored")
    log.close()
    tell(str(stored))


def main(url: str, keys: str, count: str, batch: str, *firsts: str) -> None:
    """One process from each first number on."""
    ranges = [range(int(first), int(first) + int(count)) for first in firsts]
    sys.exit(not together(partial(pour, url, Path(keys), numbers, int(batch)) for numbers in ranges))


if __name__ == "__main__":
    main(*sys.argv[1:])
