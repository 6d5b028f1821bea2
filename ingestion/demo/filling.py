"""One call puts the demo's history into a log, exactly once however often it is begun, and the truth beside it."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from domain.events.envelope import Event
from domain.events.identity import IdentifierAsserted
from domain.log import Log, Pending
from ingestion.demo import history

BATCH = 2_000
"""Records in one transaction."""


def fill(log: Log, *, truth: Path, progress: Callable[[int], None] | None = None) -> datetime:
    """Append what the log does not hold yet, recorded at the history's end; that end is returned."""
    demo = history(surrogate=log.surrogate)
    run = log.begin_run(source="demo", adapter="demo", now=demo.until)
    for start in range(0, len(demo.records), BATCH):
        part = demo.records[start : start + BATCH]
        log.append_batch([_pending(event) for record in part for event in record], run=run, now=demo.until)
        if progress:
            progress(start + len(part))
    partial = truth.with_suffix(".partial")
    partial.write_text(json.dumps(demo.truth, ensure_ascii=False), "utf-8")
    partial.replace(truth)
    return demo.until


def _pending(event: Event) -> Pending:
    return Pending(event=event, once=isinstance(event, IdentifierAsserted))
