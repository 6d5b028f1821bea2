"""The roll-out: its plan and goals, identification by month, and what differs before and after a go-live."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from domain.events.rollout import GoalChanged, GoalSet, RolloutPlanned, WentLive
from domain.log import Log
from projections.bootstrap import interval
from projections.frames import decode, of
from projections.kpi import KPI, compute

TOPICS = (RolloutPlanned.TOPIC, WentLive.TOPIC, GoalSet.TOPIC, GoalChanged.TOPIC)
LEARNING = timedelta(weeks=2)
"""Weeks after a go-live that are left out: people learn (KPI dictionary 4)."""
STAGES = ("anonymous", "transactional", "profile", "omnichannel")


def plan(log: Log, position: int, instant: datetime, *, known: bool) -> pl.DataFrame:
    """The plan's events up to a log position; with `known` only those known by the instant."""
    events = decode(log.arrow(upto=position, topics=TOPICS))
    if known:
        events = events.filter(pl.col("known_at") <= instant)
    newest = pl.col("revision") == pl.col("revision").max().over("record")
    return events.filter(newest).sort("occurred_at", "seq", "event_id", nulls_last=False)


def golives(events: pl.DataFrame) -> pl.DataFrame:
    """One row per unit and stage with its planned and its actual day, the newest word of each."""
    key = ["unit", "unit_kind", "stage"]
    planned = of(events, RolloutPlanned).group_by(key, maintain_order=True).agg(pl.col("planned_on").last())
    live = of(events, WentLive).group_by(key, maintain_order=True).agg(pl.col("live_on").last())
    both = planned.join(live, on=key, how="full", coalesce=True)
    return both.select(*key, "planned_on", "live_on").sort("live_on", "planned_on", "unit", nulls_last=True)


def goals(events: pl.DataFrame) -> pl.DataFrame:
    """One row per goal as last changed; a share's target is a fraction, a duration's business seconds."""
    edits = (
        of(events, GoalChanged)
        .group_by("goal", maintain_order=True)
        .agg(pl.col("target", "due_on", "owner").last().name.prefix("new_"))
    )
    return (
        of(events, GoalSet)
        .unique("goal", keep="last", maintain_order=True)
        .join(edits, on="goal", how="left")
        .select(
            "goal", "kpi", "primary", "baseline_from", "baseline_to", "smallest_change",
            channel="channel_is",
            target=pl.coalesce("new_target", "target"),
            due_on=pl.coalesce("new_due_on", "due_on"),
            owner=pl.coalesce("new_owner", "owner"),
        )
        .sort("kpi", "channel", "goal", nulls_last=False)
    )  # fmt: skip


def stages(facts: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Contacts by month and stage, as seen when they began and as seen now."""
    month = pl.col("start_at").dt.convert_time_zone(str(zone)).dt.truncate("1mo").dt.date()
    by = [
        facts.group_by(month=month, stage=f"stage_{name}").agg(pl.len().cast(pl.Int64).alias(name))
        for name in ("then", "now")
    ]
    months = facts.select(month=month).unique().join(pl.DataFrame({"stage": STAGES}), how="cross")
    for table in by:
        months = months.join(table, on=["month", "stage"], how="left")
    order = pl.col("stage").replace_strict(
        {stage: n for n, stage in enumerate(STAGES)}, return_dtype=pl.Int64
    )
    return months.with_columns(pl.col("then", "now").fill_null(0)).sort("month", order)


def sides(live_on: date, *, weeks: int) -> tuple[tuple[date, date], tuple[date, date]]:
    """The days compared: the weeks before the go-live, and as many after it and after two weeks of learning."""
    span = timedelta(weeks=weeks)
    begins = live_on + LEARNING
    return (live_on - span, live_on), (begins, begins + span)


def lasted(begins: datetime, ends: datetime, instant: datetime) -> float:
    """Weeks of a side that are over at an instant: what has not come yet is not there to be counted."""
    return max((min(ends, instant) - begins) / timedelta(weeks=1), 0.0)


def difference(
    kpi: KPI, before: pl.DataFrame, after: pl.DataFrame, *, weeks: tuple[float, float]
) -> pl.DataFrame:
    """Values with n on both sides (counts per week that is over), and their difference with a 95 % interval."""
    values = [_value(kpi, side, span) for side, span in zip((before, after), weeks, strict=True)]
    (before_n, before_value), (after_n, after_value) = values
    change, low, high = None, None, None
    if before_value is not None and after_value is not None:
        change = after_value - before_value
        low, high = interval(kpi, before, after, weeks=weeks)
    return pl.DataFrame(
        {
            "kpi": [kpi.key],
            "before_n": [before_n],
            "before_value": [before_value],
            "after_n": [after_n],
            "after_value": [after_value],
            "difference": [change],
            "low": [low],
            "high": [high],
        },
        schema_overrides=dict.fromkeys(
            ("before_value", "after_value", "difference", "low", "high"), pl.Float64
        ),
    )


def _value(kpi: KPI, side: pl.DataFrame, weeks: float) -> tuple[int, float | None]:
    row = compute(kpi, side).row(0, named=True)
    if kpi.kind == "share":
        return row["of"], row["value"]
    if kpi.kind == "duration":
        return row["n"], row["median_s"]
    return row["events"], row["events"] / weeks if weeks else None
