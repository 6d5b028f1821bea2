"""Binds a promise to every clock by the policy at its start, and again while it is not yet due (KPI dictionary M6)."""

import polars as pl

from domain.events.cases import StateReported
from projections.frames import of
from projections.known import Known
from projections.nearest import preceding
from projections.promises import with_target


def rebound(known: Known, clocks: pl.DataFrame) -> pl.DataFrame:
    """The clocks with priority, tier, target_us and due_at; a change of priority or tier before the due
    instant replaces the target and keeps start and elapsed; a verdict already breached stays."""
    reports = _reports(known.events)
    clocks = preceding(
        clocks, reports, before="started_at", at="changed_at", by=["person", "case"], equal=True
    )
    clocks = _bind(known, clocks)
    changes = (
        reports.join(
            clocks.select("clock", "person", "case", "started_at", "stopped_at"), on=["person", "case"]
        )
        .filter(pl.col("changed_at") > pl.col("started_at"))
        .filter(pl.col("stopped_at").is_null() | (pl.col("changed_at") < pl.col("stopped_at")))
        .with_columns(turn=pl.col("changed_at").rank("ordinal").over("clock"))
    )
    most = int(changes["turn"].max() or 0)  # type: ignore[arg-type]
    for turn in range(1, most + 1):
        step = changes.filter(pl.col("turn") == turn).select(
            "clock", new_priority="priority", new_tier="tier", switched_at="changed_at"
        )
        clocks = _switch(known, clocks.join(step, on="clock", how="left"))
    return clocks.drop("changed_at", strict=False)


def _reports(events: pl.DataFrame) -> pl.DataFrame:
    """Priority and tier of a case from the report on; only reports that change either."""
    told = (
        of(events, StateReported)
        .filter(pl.col("priority").is_not_null() | pl.col("tier").is_not_null())
        .sort("person", "case_key", "occurred_at", "seq", "event_id", nulls_last=False)
        .with_columns(pl.col("priority", "tier").forward_fill().over("person", "case_key"))
        .select("person", "priority", "tier", case="case_key", changed_at="occurred_at")
    )
    same = (pl.struct("person", "case") == pl.struct("person", "case").shift()).fill_null(False)
    kept = pl.col("priority").eq_missing(pl.col("priority").shift()) & pl.col("tier").eq_missing(
        pl.col("tier").shift()
    )
    return told.filter(~(same & kept)).unique(
        ["person", "case", "changed_at"], keep="last", maintain_order=True
    )


def _bind(known: Known, clocks: pl.DataFrame) -> pl.DataFrame:
    clocks = with_target(known.policies, clocks.drop("target_us", "due_at", strict=False))
    due = known.worktime.due(clocks["started_at"], clocks["target_us"], clocks["calendar"])
    return clocks.with_columns(due_at=due)


def _switch(known: Known, clocks: pl.DataFrame) -> pl.DataFrame:
    open_then = pl.col("switched_at").is_not_null() & (
        pl.col("due_at").is_null() | (pl.col("switched_at") < pl.col("due_at"))
    )
    moved = clocks.filter(open_then).with_columns(priority="new_priority", tier="new_tier")
    kept = clocks.filter(~open_then.fill_null(False))
    columns = ["new_priority", "new_tier", "switched_at"]
    return pl.concat(
        [kept.drop(columns), _bind(known, moved.drop(columns)).select(kept.drop(columns).columns)]
    )
