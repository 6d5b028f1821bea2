"""Processes that open a log at the same instant: python -m tests.domain.log.starting URL KEYS MASTER COUNT.

Each stores a mail of its own and tells what it opened, in a line of JSON.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from domain.keys import read_master
from domain.log import open_log
from tests.domain.log.making import append, mail


def main(url: str, keys: str, master: str, count: str) -> None:
    """Let all go at once that wait at the gate; `MASTER` is empty where the master key lies beside the keys."""
    gate, opener = os.pipe()
    started = []
    for number in range(int(count)):
        process = os.fork()
        if not process:
            os.close(opener)
            os.read(gate, 1)
            leave(partial(opened, url, keys, master, number))
        started.append(process)
    os.close(gate)
    os.close(opener)
    codes = [os.waitpid(process, 0)[1] for process in started]
    sys.exit(any(codes))


def leave(job: Callable[[], None]) -> None:
    """End this process with what becomes of a job."""
    try:
        job()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def opened(url: str, keys: str, master: str, number: int) -> None:
    """Make the log or find it made, use it, and tell of it."""
    place = keys if "://" in keys else Path(keys)
    log = open_log(url, keys=place, master=read_master(Path(master)) if master else None, create=True)
    (receipt,) = append(log, mail(number))
    told = json.dumps([log.epoch, log.keys.mark(log.epoch), receipt.outcome])
    os.write(1, f"{told}\n".encode())
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
