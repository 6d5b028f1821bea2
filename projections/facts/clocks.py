"""One row per clock: a promise started, when it falls due and when it was stopped (KPI dictionary 2.1, M3–M7).

Kinds: frt_human, frt_customer (one a cycle), callback_attempted, callback_kept (one a missed-call obligation).
A clock that ended without being kept (self_recovered) has spent its time but was never stopped.
A row holds no verdict: whether it is met, breached or running follows from the instant of the question.
"""

from datetime import datetime

import polars as pl

from projections.facts.callbacks import obligations
from projections.facts.priorities import rebound
from projections.known import Known
from projections.tables import conform, table

VERSION = 2
VIEW = table(
    "clocks",
    "clock",
    clock=str,
    kind=str,
    person=str,
    case=str,
    channel=str,
    topic=str,
    group=str,
    agent=str,
    priority=str,
    calendar=str,
    started_by=str,
    started_at=datetime,
    stopped_at=datetime,
    outcome=str,
    target_us=int,
    due_at=datetime,
    elapsed_us=int,
    calendar_us=int,
)


def build(known: Known) -> pl.DataFrame:
    """Clocks with their promise bound at the start and their due instant stored, stopped or not."""
    clocks = pl.concat([_responses(known), obligations(known.events)], how="diagonal")
    clocks = rebound(
        known, clocks.with_columns(calendar=known.worktime.hours(clocks["channel"], clocks["queue"]))
    )
    ended = clocks.select(pl.coalesce("stopped_at", "ended_at")).to_series()
    spent = known.worktime.elapsed(clocks["started_at"], ended, clocks["calendar"])
    return conform(
        VIEW,
        clocks.with_columns(
            elapsed_us=spent,
            calendar_us=(ended - pl.col("started_at")).dt.total_microseconds(),
        ),
    )


def _responses(known: Known) -> pl.DataFrame:
    cycles = known.facts["cycles"].filter(pl.col("customer_at").is_not_null())
    shared = (
        "person",
        "case",
        "channel",
        "topic",
        "group",
        "queue",
        pl.col("opening_turn").alias("started_by"),
    )
    human = cycles.filter(pl.col("human_start_at").is_not_null()).select(
        *shared, "agent", kind=pl.lit("frt_human"), started_at="human_start_at", stopped_at="human_at"
    )
    lived = cycles.select(
        *shared, "agent", kind=pl.lit("frt_customer"), started_at="customer_at", stopped_at="useful_at"
    )
    return pl.concat([human, lived]).with_columns(clock=pl.format("{}|{}", "kind", "started_by"))
