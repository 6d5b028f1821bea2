"""A process that works on a big log: python -m tests.soak.scaling fill|read|prove FOLDER URL COUNT; figures as JSON."""

import json
import resource
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from domain.log import EVERY, Log, open_log
from domain.log.checkpoints import sign
from domain.log.held import origin_of
from domain.log.signing import create_key, read_key
from domain.log.verification import verify
from tests.domain.log.making import NOW, mail

BATCH = 5_000
WORDS = "Dzień dobry, zamówienie nadal nie dotarło, a termin minął w piątek. "


def fill(log: Log, count: int) -> dict[str, Any]:
    """Append so many mails; the seconds that the log took for each tenth."""
    run, tenths = log.begin_run(source="crm1", adapter="scale", now=NOW), [0.0] * 10
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        mails = [mail(number, text=WORDS * (1 + number % 5)) for number in numbers]
        began = time.monotonic()
        receipts = log.append_batch(mails, run=run, now=NOW)
        tenths[10 * first // count] += time.monotonic() - began
        assert {receipt.outcome for receipt in receipts} == {"stored"}
    return {"tenths": tenths}


def read(log: Log) -> dict[str, Any]:
    """Page through the log, its personal fields opened."""
    rows = opened = 0
    for page in log.batches(opened=EVERY):
        rows += page.num_rows
        opened += pc.sum(pc.match_substring(page["state"], '"text":"Dzi')).as_py()
    return {"rows": rows, "opened": opened, "head": log.head()}


def prove(log: Log, folder: Path) -> dict[str, Any]:
    """Sign the log, then verify all of it."""
    copy, public = folder / "checkpoints.txt", create_key(folder / "signing.key", origin=origin_of(log))
    notes = sign(log, key=read_key(folder / "signing.key"), copy=copy, now=NOW)
    report = verify(log, keys=[public], copies=[copy])
    return {"notes": len(notes), "verified": report.events, "signed": report.signed, "ok": report.ok}


def main(work: str, folder: str, url: str, count: str) -> None:
    """Do it, and tell how long it took and how much memory at most."""
    began = time.monotonic()
    with closing(open_log(url, keys=Path(folder) / "keys.db", create=work == "fill")) as log:
        match work:
            case "fill":
                told = fill(log, int(count))
            case "read":
                told = read(log)
            case _:
                told = prove(log, Path(folder))
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(told | {"seconds": time.monotonic() - began, "gibibytes": gibibytes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
