"""Clocks at an instant: what was breached, what waits now, and which queue is too long."""

from datetime import datetime, timedelta

import polars as pl

from projections.kpi import AS_OF, SPENT
from projections.kpis.promises import IN_DANGER, IN_TIME, PROMISED, REMAINING, STOPPED
from projections.worktime import Worktime

RECENT_US = 2 * 3600 * 1_000_000
"""A queue's pace is what it answered in the last two business hours."""
LOOK_BACK = timedelta(days=5)
SECOND = 1_000_000


def queue_risk(clocks: pl.DataFrame, worktime: Worktime, instant: datetime) -> pl.DataFrame:
    """The clocks with `queue_risk`: more items wait ahead than its pace can answer in the time that remains.

    A queue that answered nobody in the last two business hours has no pace, and the rule says nothing.
    """
    recent = clocks.filter(
        PROMISED, pl.col("stopped_at") <= pl.lit(instant), pl.col("stopped_at") > pl.lit(instant - LOOK_BACK)
    )
    ends = pl.repeat(instant, recent.height, dtype=pl.Datetime("us", "UTC"), eager=True)
    ago = worktime.elapsed(recent["stopped_at"], ends, recent["calendar"])
    pace = (
        recent.with_columns(ago=ago)
        .filter(pl.col("ago") <= RECENT_US)
        .group_by("kind", "channel")
        .agg(per_us=pl.len() / RECENT_US)
    )
    running = clocks.filter(PROMISED & ~STOPPED & pl.col("outcome").is_null())
    ahead = running.with_columns(ahead=pl.col("started_at").rank("min").over("kind", "channel") - 1)
    slow = (
        ahead.join(pace, on=["kind", "channel"], how="left", nulls_equal=True)
        .with_columns(needed=pl.col("ahead") / pl.col("per_us"))
        .select("clock", queue_risk=(pl.col("ahead") > 0) & (pl.col("needed") > REMAINING))
    )
    return clocks.join(slow, on="clock", how="left")


def breaches(clocks: pl.DataFrame) -> pl.DataFrame:
    """Promises broken by AS_OF, newest first; `breached_at` is the due instant, times in business seconds."""
    late = clocks.filter(PROMISED & (pl.col("due_at") <= AS_OF) & ~IN_TIME)
    return late.select(
        "clock", "started_at", "person", "case", "channel", "group", "agent", "kind", "topic", "started_by",
        breached_at="due_at",
        answered=STOPPED.fill_null(False),
        elapsed_s=SPENT / SECOND,
        target_s=pl.col("target_us") / SECOND,
        ratio=SPENT / pl.col("target_us"),
    ).sort("breached_at", "clock", descending=[True, False])  # fmt: skip


def waiting(clocks: pl.DataFrame) -> pl.DataFrame:
    """One row per channel with customers waiting: how many, the oldest in business seconds, and its state.

    A channel without a promise has no target and no state.
    """
    running = clocks.filter(
        pl.col("kind").is_in(["frt_human", "callback_kept"])
        & ~STOPPED.fill_null(False)
        & pl.col("outcome").is_null()
    )
    used = SPENT / pl.col("target_us")
    table = running.group_by("channel").agg(
        pl.len().cast(pl.Int64).alias("waiting"),
        (SPENT.max() / SECOND).alias("oldest_s"),
        (pl.col("target_us").filter(used == used.max()).first() / SECOND).alias("target_s"),
        used.max().alias("used"),
        (used > 1.0).sum().cast(pl.Int64).alias("late"),
        IN_DANGER.sum().cast(pl.Int64).alias("at_risk"),
    )
    state = (
        pl.when(pl.col("target_s").is_null())
        .then(None)
        .when(pl.col("late") > 0)
        .then(pl.lit("late"))
        .when(pl.col("at_risk") > 0)
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("in_time"))
    )
    return table.with_columns(state=state).sort("channel")


def verdicts(clocks: pl.DataFrame) -> pl.DataFrame:
    """What each clock's first event shows: started_by, verdict, elapsed_s, target_s."""
    verdict = (
        pl.when(pl.col("due_at").is_null()).then(None)
        .when(IN_TIME).then(pl.lit("met"))
        .when(pl.col("due_at") <= AS_OF).then(pl.lit("breached"))
        .otherwise(pl.lit("running"))
    )  # fmt: skip
    return (
        clocks.filter(pl.col("kind").is_in(["frt_human", "callback_kept"]))
        .select(
            "started_by", verdict=verdict, elapsed_s=SPENT / SECOND, target_s=pl.col("target_us") / SECOND
        )
        .unique("started_by", keep="first", maintain_order=True)
    )
