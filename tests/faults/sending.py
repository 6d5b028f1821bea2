"""A process that appends: python -m tests.faults.sending LOG KEYS PLAN FIRST.

One line of JSON per batch, written after its receipts came. What fails is told and sent again, as a sender does.
"""

import json
import os
import select
import sys
from itertools import count
from pathlib import Path

from domain.log import Log, open_log
from tests.faults.batches import NOW, Plan

PAUSE = 0.05


def main(url: str, keys: str, plan: str, first: str) -> None:
    """Append one batch after another until somebody ends it."""
    told(ready=True)
    sent = Plan.of(plan)
    log = open_log(url, keys=Path(keys), create=True)
    for number in count(int(first)):
        deliver(log, sent, number)
        select.select([], [], [], sent.pause)


def deliver(log: Log, plan: Plan, number: int) -> None:
    """Store one batch, however often that takes, and acknowledge it."""
    while True:
        try:
            receipts = log.append_batch(plan.batch(number), run=plan.seed, now=NOW)
        except Exception as error:
            trouble(error)
        else:
            outcomes = sorted({receipt.outcome for receipt in receipts})
            told(batch=number, outcomes=outcomes, positions=[receipts[0].position, receipts[-1].position])
            return


def trouble(error: Exception) -> None:
    """Tell an error that has a sentence for people, and wait a little; any other ends the process."""
    if not type(error).__module__.startswith(("domain.", "projections.")):
        raise error
    told(trouble=str(error))
    select.select([], [], [], PAUSE)


def told(**fact: object) -> None:
    """One line for whoever watches, whole or not at all."""
    os.write(sys.stdout.fileno(), f"{json.dumps(fact)}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
