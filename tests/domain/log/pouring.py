"""A process that pours mails into a log: python -m tests.domain.log.pouring URL KEYS FIRST COUNT BATCH."""

import sys
from pathlib import Path

from domain.log import open_log
from tests.domain.log.making import NOW, mail


def main(url: str, keys: str, first: str, count: str, batch: str) -> None:
    """Append so many mails from a number on, a batch at a time; print how many were stored."""
    log = open_log(url, keys=Path(keys))
    run, end, stored = (
        log.begin_run(source="crm1", adapter=f"from {first}", now=NOW),
        int(first) + int(count),
        0,
    )
    for start in range(int(first), end, int(batch)):
        mails = [mail(number) for number in range(start, min(start + int(batch), end))]
        receipts = log.append_batch(mails, run=run, now=NOW)
        stored += [one.outcome for one in receipts].count("stored")
    log.close()
    print(stored)


if __name__ == "__main__":
    main(*sys.argv[1:])
