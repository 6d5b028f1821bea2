"""One row per cycle of a case: from the turn or report that opens it to its resolution (KPI dictionary M2)."""

from datetime import datetime

import polars as pl

from domain.events.bot import BotAnswered, BotHandedOff
from domain.events.cases import CaseReopened, CaseResolved, StateReported
from projections.frames import of
from projections.known import Known
from projections.tables import conform, table

VERSION = 2
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
    paused_since=datetime,
    effort_us=int,
    resolution_us=int,
    resolution_calendar_us=int,
)

SOLVED = ("resolved", "closed")
CASE = ("person", "case_key")
"""A case belongs to one person: two sources may use one number for two persons' matters."""
CYCLE = ("person", "cycle")


def build(known: Known) -> pl.DataFrame:
    """Cycles with the instants that response and resolution clocks start and stop at."""
    moments = cycle_moments(known)
    cycles = _spans(moments).sort("person", "case", "number")
    spoken = known.turns.join(moments.select("rank", "cycle"), on="rank", how="left")
    cycles = (
        cycles.join(_first_turns(spoken), on=CYCLE, how="left", maintain_order="left")
        .join(_human_starts(moments, spoken), on=CYCLE, how="left", maintain_order="left")
        .with_columns(
            channel=pl.coalesce("channel", "named_channel").forward_fill().over("person", "case"),
            human_start_at=pl.coalesce(
                "bot_start_at", pl.when(~pl.col("by_bot").fill_null(False)).then("customer_at")
            ),
        )
    )
    cycles = cycles.join(_stops(cycles, spoken), on=CYCLE, how="left")
    return conform(VIEW, _resolutions(known, cycles, moments))


def cycle_moments(known: Known) -> pl.DataFrame:
    """Every event of a case with the cycle it falls into (null before the first opening).

    Opening moments are customer turns, reopenings and reports of an unsolved state; solving moments are
    resolutions and reports of a solved one. A cycle begins at an opening that follows a solving, or nothing.
    """
    events = known.ranked
    spoken = known.turns.filter(pl.col("role") == "customer").select("rank", mark=pl.lit("open"))
    reported = of(events, StateReported).filter(pl.col("state").is_not_null())
    solved = pl.col("state").is_in(SOLVED)
    reports = reported.select(
        "rank", mark=pl.when(solved).then(pl.lit("solved")).otherwise(pl.lit("open")), told="state"
    )
    solving = of(events, CaseResolved).select("rank", mark=pl.lit("solved"))
    opening = of(events, CaseReopened).select("rank", mark=pl.lit("open"))
    marks = pl.concat([spoken, reports, solving, opening], how="diagonal")
    frame = events.join(marks, on="rank", how="left").sort(*CASE, "rank")
    before = pl.col("mark").forward_fill().shift().over(*CASE)
    starts = (pl.col("mark") == "open") & before.ne_missing("open")
    frame = frame.with_columns(number=starts.fill_null(False).cast(pl.Int64).cum_sum().over(*CASE))
    named = pl.format("{}|{}", "case_key", "number")
    return frame.with_columns(cycle=pl.when(pl.col("number") > 0).then(named))


def _spans(moments: pl.DataFrame) -> pl.DataFrame:
    inside = moments.filter(pl.col("cycle").is_not_null())
    cycles = inside.group_by(*CYCLE).agg(
        pl.col("number").first(),
        pl.col("case_key").first().alias("case"),
        pl.col("occurred_at").first().alias("opened_at"),
        pl.col("actor_kind").first().alias("opened_by"),
        pl.col("channel").drop_nulls().first().alias("named_channel"),
        pl.col("occurred_at").filter(pl.col("mark") == "solved").first().alias("resolved_at"),
    )
    again = cycles.select(
        "person",
        "case",
        number=pl.col("number") - 1,
        reopened_at="opened_at",
        reopened_by=pl.col("opened_by").fill_null("unknown"),
    )
    return cycles.join(again, on=["person", "case", "number"], how="left")


def _first_turns(spoken: pl.DataFrame) -> pl.DataFrame:
    came = spoken.filter(pl.col("role") == "customer", pl.col("cycle").is_not_null())
    return came.group_by(*CYCLE, maintain_order=True).agg(
        pl.col("occurred_at").first().alias("customer_at"),
        pl.col("event_id").first().alias("opening_turn"),
        pl.col("subject").first(),
        pl.col("channel").first(),
        pl.col("topic").drop_nulls().first(),
        pl.col("queue").drop_nulls().first(),
    )


def _human_starts(moments: pl.DataFrame, spoken: pl.DataFrame) -> pl.DataFrame:
    """Where a bot took the opening turn, people's clock starts at the hand-off or the next customer turn."""
    first = _first_turns(spoken).select(*CYCLE, "subject", "customer_at")
    bots = pl.concat(
        [
            of(moments, BotAnswered).select(*CYCLE, "subject", "occurred_at", handed=pl.lit(False)),
            of(moments, BotHandedOff).select(*CYCLE, "subject", "occurred_at", handed=pl.lit(True)),
        ]
    )
    people = (
        spoken.filter(pl.col("role").is_in(["human", "initiated"]))
        .join(first.select(*CYCLE, "customer_at"), on=CYCLE)
        .filter(pl.col("occurred_at") >= pl.col("customer_at"))
        .group_by(*CYCLE)
        .agg(met_at=pl.col("occurred_at").min())
    )
    took = (
        first.join(people, on=CYCLE, how="left")
        .join(bots, on=[*CYCLE, "subject"])
        .filter(
            pl.col("occurred_at") >= pl.col("customer_at"),
            pl.col("met_at").is_null() | (pl.col("occurred_at") <= pl.col("met_at")),
        )
    )
    handed = took.group_by(*CYCLE).agg(
        bot_at=pl.col("occurred_at").min(), handed_at=pl.col("occurred_at").filter(pl.col("handed")).min()
    )
    again = (
        spoken.filter(pl.col("role") == "customer")
        .join(handed, on=CYCLE)
        .filter(pl.col("occurred_at") > pl.col("bot_at"))
        .group_by(*CYCLE)
        .agg(again_at=pl.col("occurred_at").min())
    )
    return handed.join(again, on=CYCLE, how="left").select(
        *CYCLE, by_bot=pl.lit(True), bot_start_at=pl.min_horizontal("handed_at", "again_at")
    )


def _stops(cycles: pl.DataFrame, spoken: pl.DataFrame) -> pl.DataFrame:
    said = spoken.filter(pl.col("role") != "customer", pl.col("cycle").is_not_null())
    said = said.select(*CYCLE, "role", "actor", "occurred_at", "rank").join(
        cycles.select(*CYCLE, "customer_at", "human_start_at"), on=CYCLE
    )
    by_people = pl.col("role") != "bot"
    useful = pl.col("occurred_at") >= pl.col("customer_at")
    counted = by_people & (pl.col("occurred_at") >= pl.col("human_start_at"))
    return (
        said.sort("rank")
        .group_by(*CYCLE)
        .agg(
            pl.col("occurred_at").filter(useful).first().alias("useful_at"),
            pl.col("occurred_at").filter(counted).first().alias("human_at"),
            pl.col("actor").filter(counted).first().alias("agent"),
        )
    )


def _resolutions(known: Known, cycles: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Business time from the opening customer turn to the resolution, less the time we waited for the customer.

    A cycle that no customer opened has no resolution time, but took effort from its opening on.
    """
    cycles = cycles.with_columns(
        calendar=known.worktime.hours(cycles["channel"], cycles["queue"]),
        began_at=pl.coalesce("customer_at", "opened_at"),
    )
    newest = (
        of(moments, StateReported)
        .sort("rank")
        .group_by(*CYCLE, maintain_order=True)
        .agg(
            reported_topic=pl.col("topic").drop_nulls().last(),
            group=pl.col("group").drop_nulls().last(),
        )
    )
    whole = known.worktime.elapsed(cycles["began_at"], cycles["resolved_at"], cycles["calendar"])
    by_customer = pl.when(pl.col("customer_at").is_not_null())
    return (
        cycles.with_columns(whole=whole)
        .join(_paused(known, cycles, moments), on=CYCLE, how="left")
        .join(newest, on=CYCLE, how="left")
        .with_columns(
            pl.col("paused_us").fill_null(0),
            topic=pl.coalesce("topic", "reported_topic"),
            group=pl.coalesce("queue", "group"),
        )
        .with_columns(effort_us=pl.col("whole") - pl.col("paused_us"))
        .with_columns(
            resolution_us=by_customer.then("effort_us"),
            resolution_calendar_us=(pl.col("resolved_at") - pl.col("customer_at")).dt.total_microseconds(),
        )
    )


def _paused(known: Known, cycles: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Business time of the pauses inside a cycle that are over, and since when one goes on."""
    pauses = (
        _pauses(moments)
        .join(cycles.select(*CYCLE, "calendar", "began_at", "resolved_at"), on=CYCLE)
        .with_columns(since=pl.max_horizontal("since", "began_at"))
        .filter(pl.col("until").is_null() | (pl.col("until") > pl.col("since")))
    )
    paused = known.worktime.elapsed(pauses["since"], pauses["until"], pauses["calendar"])
    return (
        pauses.with_columns(paused_us=paused)
        .group_by(*CYCLE)
        .agg(
            pl.col("paused_us").sum(),
            paused_since=pl.col("since").filter(pl.col("until").is_null()).last(),
        )
    )


def _pauses(moments: pl.DataFrame) -> pl.DataFrame:
    """From a report of awaiting_customer to the next opening or solving moment of the same cycle, if there is one."""
    marked = moments.filter(pl.col("mark").is_not_null(), pl.col("cycle").is_not_null()).sort(*CYCLE, "rank")
    same = pl.struct(CYCLE) == pl.struct(CYCLE).shift(-1)
    until = pl.when(same).then(pl.col("occurred_at").shift(-1))
    return (
        marked.with_columns(until=until)
        .filter(pl.col("told") == "awaiting_customer")
        .select(*CYCLE, since="occurred_at", until="until")
    )
