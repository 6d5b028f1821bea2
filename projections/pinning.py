"""Pinning: a run that would lose links because keys were destroyed first writes them to the log."""

from collections.abc import Callable, Collection
from dataclasses import replace

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.log import Log, Pending
from projections import persons
from projections.building import known_by, reading_of
from projections.catchup import Outcome, Run, whole_log
from projections.evidence import DECISIONS
from projections.identity_rulings import read_rulings
from projections.pins import SOURCE, Bereft, pins


def pinned(
    run: Run, connection: Connection, base: int, compute: Callable[[Run], Outcome]
) -> tuple[Run, Outcome]:
    """Compute; where links of the views at `base` would get lost, write them to the log and compute up to there."""
    try:
        return run, compute(run)
    except Bereft:
        before = replace(run, as_of=replace(run.as_of, position=base))
        frame, now = whole_log(before), run.as_of.instant
        found = known_by(frame, before.as_of, run.shipped, run.log.blind).identity
        said = reading_of(frame.filter(pl.col("kind").is_in(DECISIONS)), before.as_of, run.shipped)
        stored = persons.stored_rows(connection, None)
        decided = pins(stored, found, read_rulings(said.rulings), now=now)
        number = run.log.begin_run(source=SOURCE, adapter="pins", now=now)
        run.log.append_batch([Pending(event=one, once=True) for one in decided], run=number, now=now)
        again = replace(run, as_of=replace(run.as_of, position=run.log.head()), pinned=True)
        return again, compute(again)


def destroyed(connection: Connection, log: Log) -> Collection[str]:
    """The stored subjects whose keys are no more."""
    gone = log.keys.destroyed()
    if not gone:
        return ()
    known = connection.execute(sa.select(persons.ASSIGNED.c.subject)).scalars()
    return [subject for subject in known if subject in gone]
