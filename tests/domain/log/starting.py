"""Processes that open a log at the same instant: python -m tests.domain.log.starting URL KEYS MASTER COUNT.

Each stores a mail of its own and tells what it opened, in a line of JSON.
"""

import json
import sys
from functools import partial
from pathlib import Path

from domain.keys import read_master
from domain.log import open_log
from tests.domain.log.forking import tell, together
from tests.domain.log.making import append, mail


def main(url: str, keys: str, master: str, count: str) -> None:
    """So many processes; `MASTER` is empty where the master key lies beside the keys."""
    sys.exit(not together(partial(opened, url, keys, master, number) for number in range(int(count))))


def opened(url: str, keys: str, master: str, number: int) -> None:
    """Make the log or find it made, use it, and tell of it."""
    place = keys if "://" in keys else Path(keys)
    log = open_log(url, keys=place, master=read_master(Path(master)) if master else None, create=True)
    (receipt,) = append(log, mail(number))
    tell(json.dumps([log.epoch, log.keys.mark(log.epoch), receipt.outcome]))
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
