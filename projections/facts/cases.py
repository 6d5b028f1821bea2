"""One row per case: the customer's matter over all its channels and cycles, in its newest state."""

from datetime import datetime

import polars as pl

from domain.events.cases import StateReported
from projections.facts.cycles import SOLVED
from projections.frames import of
from projections.known import Known
from projections.tables import conform, table

VERSION = 2
VIEW = table(
    "cases",
    "case",
    case=str,
    person=str,
    channel=str,
    topic=str,
    group=str,
    priority=str,
    state=str,
    source_state=str,
    source_verdict=bool,
    opened_at=datetime,
    first_customer_at=datetime,
    second_customer_at=datetime,
    resolved_at=datetime,
    customer_turns=int,
    switches=int,
    cycles=int,
    effort_us=int,
    idle_us=int,
    paused_since=datetime,
    final_us=int,
    final_calendar_us=int,
    calendar=str,
)

CASE = ("person", "case")


def build(known: Known) -> pl.DataFrame:
    """Cases with what their reports, turns and cycles add up to."""
    cycles = _idle(known, known.facts["cycles"].sort(*CASE, "number"))
    newest = cycles.group_by(*CASE, maintain_order=True).agg(
        pl.col("calendar", "opened_at").first(),
        pl.col("resolved_at").last(),
        pl.len().cast(pl.Int64).alias("cycles"),
        pl.col("topic").drop_nulls().last().alias("cycle_topic"),
        pl.col("group").drop_nulls().last().alias("cycle_group"),
        pl.when(pl.col("effort_us").is_not_null().all()).then(pl.col("effort_us").sum()).alias("effort_us"),
        pl.col("idle_us").sum(),
        pl.col("paused_since").last(),
    )
    cases = (
        newest.join(_turns(known.turns), on=CASE, how="left")
        .join(_reports(known.events), on=CASE, how="left")
        .with_columns(
            channel=pl.coalesce("channel", "reported_channel"),
            topic=pl.coalesce("reported_topic", "cycle_topic"),
            group=pl.coalesce("reported_group", "cycle_group"),
            state=_state(),
            final_calendar_us=(pl.col("resolved_at") - pl.col("first_customer_at")).dt.total_microseconds(),
        )
        .with_columns(pl.col("customer_turns", "switches").fill_null(0))
    )
    final = known.worktime.elapsed(cases["first_customer_at"], cases["resolved_at"], cases["calendar"])
    return conform(VIEW, cases.with_columns(final_us=final))


def _idle(known: Known, cycles: pl.DataFrame) -> pl.DataFrame:
    """`idle_us`: business time of a case that is no effort, its pauses and the quiet after each solved cycle."""
    begins = pl.coalesce("customer_at", "opened_at").shift(-1).over(CASE, order_by="number")
    cycles = cycles.with_columns(begins=begins)
    quiet = known.worktime.elapsed(cycles["resolved_at"], cycles["begins"], cycles["calendar"])
    return cycles.with_columns(idle_us=pl.col("paused_us") + quiet.fill_null(0))


def _state() -> pl.Expr:
    """The reported state, unless a turn or a resolution after the report says otherwise."""
    solved = pl.col("resolved_at").is_not_null()
    came_since = (pl.col("newest_customer_at") > pl.col("reported_at")).fill_null(False)
    answered = (pl.col("state") == "awaiting_customer") & came_since
    stands = (pl.col("state").is_in(SOLVED) == solved) & ~answered
    return pl.when(stands).then("state").when(solved).then(pl.lit("resolved")).otherwise(pl.lit("open"))


def _turns(spoken: pl.DataFrame) -> pl.DataFrame:
    came = spoken.filter(pl.col("role") == "customer").sort("person", "case_key", "rank")
    named = pl.col("channel").drop_nulls()
    moved = named != named.shift()
    return came.group_by("person", case="case_key", maintain_order=True).agg(
        named.first(),
        pl.col("occurred_at").first().alias("first_customer_at"),
        pl.col("occurred_at").get(1, null_on_oob=True).alias("second_customer_at"),
        pl.col("occurred_at").last().alias("newest_customer_at"),
        pl.len().cast(pl.Int64).alias("customer_turns"),
        moved.sum().cast(pl.Int64).alias("switches"),
    )


def _reports(events: pl.DataFrame) -> pl.DataFrame:
    """The newest report's words; the source's verdict is the last one it gave."""
    return (
        of(events, StateReported)
        .sort("occurred_at", "seq", "event_id", nulls_last=False)
        .group_by("person", case="case_key", maintain_order=True)
        .agg(
            pl.col("channel").drop_nulls().last().alias("reported_channel"),
            pl.col("topic").drop_nulls().last().alias("reported_topic"),
            pl.col("group").drop_nulls().last().alias("reported_group"),
            pl.col("priority").drop_nulls().last(),
            pl.col("state", "source_state").drop_nulls().last(),
            pl.col("occurred_at").filter(pl.col("state").is_not_null()).last().alias("reported_at"),
            pl.col("source_verdict").drop_nulls().last(),
        )
    )
