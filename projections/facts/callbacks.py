"""One row per obligation to ring back: from the first hang-up to the call that reached the customer."""

from datetime import datetime, timedelta

import polars as pl

from domain.events.contacts import ContactAnswered, ContactInitiated, ContactMissed
from projections.frames import of
from projections.nearest import following

SHORTEST_RING_S = 5.0
APART = timedelta(minutes=30)
LINE = pl.col("channel").fill_null("").alias("line")
"""Calls of one channel, or of none named, answer each other."""
ENDS = {"connected": "kept", "second_attempt": "kept", "self_recovered": "self_recovered"}


def obligations(events: pl.DataFrame) -> pl.DataFrame:
    """Clocks callback_attempted and callback_kept; later misses before the call back join the obligation.

    Self-recovered means that the customer got through first: the obligation ends, but it was not kept.
    """
    ended = _end(_misses(events).sort("person", "hung_up_at", "event_id"), _calls(events))
    return _clocks(ended.filter(_begins(ended)))


def _begins(ended: pl.DataFrame) -> pl.Series:
    """Which misses, in order, begin an obligation of their own: those after the end of the one before."""
    begins: list[bool] = []
    over: datetime | None = None
    whose = None
    moments = (ended[name].to_list() for name in ("person", "hung_up_at", "ended_at"))
    for person, hung_up_at, ended_at in zip(*moments, strict=True):
        first = person != whose
        begins.append(first or (over is not None and hung_up_at > over))
        if begins[-1]:
            whose, over = person, ended_at
    return pl.Series(begins, dtype=pl.Boolean)


def _misses(events: pl.DataFrame) -> pl.DataFrame:
    rang = pl.col("rang_for_s").fill_null(0.0)
    return (
        of(events, ContactMissed)
        .filter(pl.col("rang_for_s").is_null() | (rang > SHORTEST_RING_S))
        .select(
            "person", "event_id", "channel", "topic", "queue", "case_key", LINE,
            hung_up_at=pl.col("occurred_at") + pl.duration(microseconds=(rang * 1_000_000).round().cast(pl.Int64)),
        )
    )  # fmt: skip


def _calls(events: pl.DataFrame) -> pl.DataFrame:
    """What can end or attempt an obligation: our calls, and the customer's own call that a person took."""
    ours = of(events, ContactInitiated).filter(
        pl.col("actor_kind") == "human_agent", pl.col("connected").is_not_null()
    )
    theirs = of(events, ContactAnswered).filter(
        pl.col("actor_kind") == "human_agent", pl.col("direction").fill_null("") == "inbound"
    )
    return pl.concat(
        [
            ours.select("person", LINE, "actor", at="occurred_at", connected="connected"),
            theirs.select("person", LINE, "actor", at="occurred_at", connected=pl.lit(None, pl.Boolean)),
        ]
    )


def _end(misses: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Each miss with the first attempt after it and what would end an obligation that it begins."""
    by = ["person", "line"]
    calls = calls.sort("at", "actor", nulls_last=True)
    ours = calls.filter(pl.col("connected").is_not_null()).select(*by, "at", "actor")
    reached = calls.filter("connected").select(*by, "at", "actor")
    came = calls.filter(pl.col("connected").is_null()).select(*by, "at", "actor")
    first = following(
        misses, ours.select(*by, attempted_at="at"), after="hung_up_at", at="attempted_at", by=by, equal=True
    )
    first = first.with_columns(again_from=pl.col("attempted_at") + APART)
    ends = [
        following(first, found, after=after, at="at", by=by, equal=True)
        .filter(pl.col("at").is_not_null())
        .select("event_id", ended_at="at", agent="actor", how=pl.lit(how))
        for how, found, after in (
            ("connected", reached, "hung_up_at"),
            ("second_attempt", ours, "again_from"),
            ("self_recovered", came, "hung_up_at"),
        )
    ]
    end = (
        pl.concat(ends)
        .sort("event_id", "ended_at", "how")
        .unique("event_id", keep="first", maintain_order=True)
    )
    before_end = pl.col("attempted_at") <= pl.col("ended_at").fill_null(pl.col("attempted_at"))
    return first.join(end, on="event_id", how="left", maintain_order="left").with_columns(
        outcome=pl.col("how").replace_strict(ENDS, default=None, return_dtype=pl.String),
        attempted_at=pl.when(before_end).then("attempted_at"),
    )


def _clocks(ended: pl.DataFrame) -> pl.DataFrame:
    named = {"case": "case_key", "group": "queue", "started_by": "event_id", "started_at": "hung_up_at"}
    renamed = [pl.col(column).alias(name) for name, column in named.items()]
    same = pl.col("person", "channel", "topic", "queue", "agent", "outcome")
    shared: list[pl.Expr] = [same, *renamed]
    kept = pl.when(pl.col("outcome") == "kept").then("ended_at")
    both = [
        ended.select(*shared, kind=pl.lit("callback_attempted"), stopped_at="attempted_at"),
        ended.select(*shared, "ended_at", kind=pl.lit("callback_kept"), stopped_at=kept),
    ]
    return pl.concat(both, how="diagonal").with_columns(clock=pl.format("{}|{}", "kind", "started_by"))
