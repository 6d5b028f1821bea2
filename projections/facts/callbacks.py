"""One row per obligation to ring back: from the first hang-up to the call that reached the customer (kpis.md 2.1)."""

from datetime import timedelta

import polars as pl

from domain.events.contacts import ContactAnswered, ContactInitiated, ContactMissed
from projections.frames import of

SHORTEST_RING_S = 5.0
APART = timedelta(minutes=30)
ENDS = {"connected": "kept", "second_attempt": "kept", "self_recovered": "self_recovered"}


def obligations(events: pl.DataFrame) -> pl.DataFrame:
    """Clocks callback_attempted and callback_kept; later misses before the call back join the obligation.

    Self-recovered means that the customer got through first: the obligation ends, but it was not kept.
    """
    misses, calls = _misses(events), _calls(events)
    rounds: list[pl.DataFrame] = []
    while misses.height or not rounds:
        begun = misses.sort("person", "hung_up_at", "event_id").unique(
            "person", keep="first", maintain_order=True
        )
        ended = _end(begun, calls)
        rounds.append(ended)
        over = ended.filter(pl.col("ended_at").is_not_null()).select("person", "ended_at")
        misses = (
            misses.join(over, on="person").filter(pl.col("hung_up_at") > pl.col("ended_at")).drop("ended_at")
        )
    return _clocks(pl.concat(rounds))


def _misses(events: pl.DataFrame) -> pl.DataFrame:
    rang = pl.col("rang_for_s").fill_null(0.0)
    return (
        of(events, ContactMissed)
        .filter(pl.col("rang_for_s").is_null() | (rang > SHORTEST_RING_S))
        .select(
            "person", "event_id", "channel", "topic", "queue", "case_key",
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
            ours.select("person", "channel", "actor", at="occurred_at", connected="connected"),
            theirs.select("person", "channel", "actor", at="occurred_at", connected=pl.lit(None, pl.Boolean)),
        ]
    )


def _end(begun: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    after = begun.join(calls, on=["person", "channel"], how="left").filter(
        pl.col("at") >= pl.col("hung_up_at")
    )
    attempt = after.filter(pl.col("connected").is_not_null())
    first = attempt.group_by("person").agg(attempted_at=pl.col("at").min())
    second = (
        attempt.join(first, on="person")
        .filter(pl.col("at") >= pl.col("attempted_at") + APART)
        .select("person", "at", "actor", how=pl.lit("second_attempt"))
    )
    reached = after.filter(pl.col("connected")).select("person", "at", "actor", how=pl.lit("connected"))
    came = after.filter(pl.col("connected").is_null()).select(
        "person", "at", "actor", how=pl.lit("self_recovered")
    )
    ends = (
        pl.concat([reached, second, came])
        .sort("person", "at", "how")
        .unique("person", keep="first", maintain_order=True)
    )
    return (
        begun.join(first, on="person", how="left")
        .join(ends.rename({"at": "ended_at", "actor": "agent"}), on="person", how="left")
        .with_columns(outcome=pl.col("how").replace_strict(ENDS, default=None, return_dtype=pl.String))
        .with_columns(
            attempted_at=pl.when(
                pl.col("attempted_at") <= pl.col("ended_at").fill_null(pl.col("attempted_at"))
            ).then("attempted_at")
        )
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
