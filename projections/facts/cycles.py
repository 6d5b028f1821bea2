"""One row per cycle of a case: from the turn or report that opens it to its resolution (kpis.md M2)."""

from datetime import datetime

import polars as pl

from domain.events.bot import BotAnswered, BotHandedOff
from domain.events.cases import CaseReopened, CaseResolved, StateReported
from projections.facts.turns import ranked, turns
from projections.frames import of
from projections.known import Known
from projections.tables import conform, table

VERSION = 1
VIEW = table(
    "cycles",
    "cycle",
    cycle=str,
    person=str,
    case=str,
    number=int,
    channel=str,
    topic=str,
    group=str,
    queue=str,
    calendar=str,
    opened_at=datetime,
    opened_by=str,
    customer_at=datetime,
    opening_turn=str,
    human_start_at=datetime,
    human_at=datetime,
    useful_at=datetime,
    agent=str,
    resolved_at=datetime,
    reopened_at=datetime,
    reopened_by=str,
    paused_us=int,
    resolution_us=int,
    resolution_calendar_us=int,
)

SOLVED = ("resolved", "closed")


def build(known: Known) -> pl.DataFrame:
    """Cycles with the instants that response and resolution clocks start and stop at."""
    moments = cycle_moments(known.events)
    cycles = _spans(moments)
    spoken = turns(known.events).join(moments.select("rank", "cycle"), on="rank", how="left")
    cycles = (
        cycles.join(_first_turns(spoken), on="cycle", how="left")
        .join(_human_starts(known.events, spoken), on="cycle", how="left")
        .with_columns(
            human_start_at=pl.coalesce(
                "bot_start_at", pl.when(~pl.col("by_bot").fill_null(False)).then("customer_at")
            )
        )
    )
    cycles = cycles.join(_stops(cycles, spoken), on="cycle", how="left")
    return conform(VIEW, _resolutions(known, cycles, moments))


def cycle_moments(events: pl.DataFrame) -> pl.DataFrame:
    """Every event of a case with the cycle it falls into (null before the first opening).

    Opening moments are customer turns, reopenings and reports of an unsolved state; solving moments are
    resolutions and reports of a solved one. A cycle begins at an opening that follows a solving, or nothing.
    """
    events = ranked(events)
    spoken = (
        turns(events.drop("rank")).filter(pl.col("role") == "customer").select("rank", mark=pl.lit("open"))
    )
    reported = of(events, StateReported).filter(pl.col("state").is_not_null())
    solved = pl.col("state").is_in(SOLVED)
    reports = reported.select(
        "rank", mark=pl.when(solved).then(pl.lit("solved")).otherwise(pl.lit("open")), told="state"
    )
    solving = of(events, CaseResolved).select("rank", mark=pl.lit("solved"))
    opening = of(events, CaseReopened).select("rank", mark=pl.lit("open"))
    marks = pl.concat([spoken, reports, solving, opening], how="diagonal")
    frame = events.join(marks, on="rank", how="left").sort("case_key", "rank")
    before = pl.col("mark").forward_fill().shift().over("case_key")
    starts = (pl.col("mark") == "open") & before.ne_missing("open")
    frame = frame.with_columns(number=starts.fill_null(False).cast(pl.Int64).cum_sum().over("case_key"))
    named = pl.format("{}|{}", "case_key", "number")
    return frame.with_columns(cycle=pl.when(pl.col("number") > 0).then(named))


def _spans(moments: pl.DataFrame) -> pl.DataFrame:
    inside = moments.filter(pl.col("cycle").is_not_null())
    cycles = inside.group_by("cycle").agg(
        pl.col("person", "number").first(),
        pl.col("case_key").first().alias("case"),
        pl.col("occurred_at").first().alias("opened_at"),
        pl.col("actor_kind").first().alias("opened_by"),
        pl.col("occurred_at").filter(pl.col("mark") == "solved").first().alias("resolved_at"),
    )
    again = cycles.select(
        "case",
        number=pl.col("number") - 1,
        reopened_at="opened_at",
        reopened_by=pl.col("opened_by").fill_null("unknown"),
    )
    return cycles.join(again, on=["case", "number"], how="left")


def _first_turns(spoken: pl.DataFrame) -> pl.DataFrame:
    came = spoken.filter(pl.col("role") == "customer", pl.col("cycle").is_not_null())
    return came.group_by("cycle", maintain_order=True).agg(
        pl.col("occurred_at").first().alias("customer_at"),
        pl.col("event_id").first().alias("opening_turn"),
        pl.col("subject").first(),
        pl.col("channel").first(),
        pl.col("topic").drop_nulls().first(),
        pl.col("queue").drop_nulls().first(),
    )


def _human_starts(events: pl.DataFrame, spoken: pl.DataFrame) -> pl.DataFrame:
    """Where a bot took the opening turn, people's clock starts at the hand-off or the next customer turn."""
    first = _first_turns(spoken).select("cycle", "subject", "customer_at")
    bots = pl.concat(
        [
            of(events, BotAnswered).select("subject", "occurred_at", handed=pl.lit(False)),
            of(events, BotHandedOff).select("subject", "occurred_at", handed=pl.lit(True)),
        ]
    )
    people = (
        spoken.filter(pl.col("role").is_in(["human", "initiated"]))
        .group_by("cycle")
        .agg(met_at=pl.col("occurred_at").min())
    )
    took = (
        first.join(people, on="cycle", how="left")
        .join(bots, on="subject")
        .filter(
            pl.col("occurred_at") >= pl.col("customer_at"),
            pl.col("met_at").is_null() | (pl.col("occurred_at") <= pl.col("met_at")),
        )
    )
    handed = took.group_by("cycle").agg(
        bot_at=pl.col("occurred_at").min(), handed_at=pl.col("occurred_at").filter(pl.col("handed")).min()
    )
    again = (
        spoken.filter(pl.col("role") == "customer")
        .join(handed, on="cycle")
        .filter(pl.col("occurred_at") > pl.col("bot_at"))
        .group_by("cycle")
        .agg(again_at=pl.col("occurred_at").min())
    )
    return handed.join(again, on="cycle", how="left").select(
        "cycle", by_bot=pl.lit(True), bot_start_at=pl.min_horizontal("handed_at", "again_at")
    )


def _stops(cycles: pl.DataFrame, spoken: pl.DataFrame) -> pl.DataFrame:
    said = spoken.filter(pl.col("role") != "customer", pl.col("cycle").is_not_null())
    said = said.select("cycle", "role", "actor", "occurred_at", "rank").join(
        cycles.select("cycle", "customer_at", "human_start_at"), on="cycle"
    )
    by_people = pl.col("role") != "bot"
    useful = pl.col("occurred_at") >= pl.col("customer_at")
    counted = by_people & (pl.col("occurred_at") >= pl.col("human_start_at"))
    return (
        said.sort("rank")
        .group_by("cycle")
        .agg(
            pl.col("occurred_at").filter(useful).first().alias("useful_at"),
            pl.col("occurred_at").filter(counted).first().alias("human_at"),
            pl.col("actor").filter(counted).first().alias("agent"),
        )
    )


def _resolutions(known: Known, cycles: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Business time from the opening customer turn to the resolution, less the time we waited for the customer."""
    cycles = cycles.with_columns(calendar=known.worktime.hours(cycles["channel"], cycles["queue"]))
    pauses = _pauses(moments).join(cycles.select("cycle", "calendar", "resolved_at"), on="cycle")
    pauses = pauses.with_columns(until=pl.min_horizontal("until", "resolved_at"))
    pauses = pauses.with_columns(
        paused_us=known.worktime.elapsed(pauses["since"], pauses["until"], pauses["calendar"])
    )
    paused = pauses.group_by("cycle").agg(pl.col("paused_us").sum())
    newest = (
        of(moments, StateReported)
        .sort("rank")
        .group_by("cycle")
        .agg(reported_topic=pl.col("topic").last(), group=pl.col("group").drop_nulls().last())
    )
    whole = known.worktime.elapsed(cycles["customer_at"], cycles["resolved_at"], cycles["calendar"])
    return (
        cycles.with_columns(whole=whole)
        .join(paused, on="cycle", how="left")
        .join(newest, on="cycle", how="left")
        .with_columns(
            pl.col("paused_us").fill_null(0),
            topic=pl.coalesce("topic", "reported_topic"),
            group=pl.coalesce("queue", "group"),
        )
        .with_columns(
            resolution_us=pl.col("whole") - pl.col("paused_us"),
            resolution_calendar_us=(pl.col("resolved_at") - pl.col("customer_at")).dt.total_microseconds(),
        )
    )


def _pauses(moments: pl.DataFrame) -> pl.DataFrame:
    """From a report of awaiting_customer to the next opening or solving moment of the same cycle."""
    marked = moments.filter(pl.col("mark").is_not_null(), pl.col("cycle").is_not_null()).sort("cycle", "rank")
    same = pl.col("cycle") == pl.col("cycle").shift(-1)
    until = pl.when(same).then(pl.col("occurred_at").shift(-1))
    return (
        marked.with_columns(until=until)
        .filter(pl.col("told") == "awaiting_customer", pl.col("until").is_not_null())
        .select("cycle", since="occurred_at", until="until")
    )
