"""One row per change of channel between two consecutive customer turns of a case (KPI dictionary 2.2)."""

from datetime import datetime

import polars as pl

from domain.events.contacts import RedirectedToChannel
from projections.frames import of
from projections.known import Known
from projections.nearest import preceding
from projections.tables import conform, table

VERSION = 2
VIEW = table(
    "switches",
    "switch",
    switch=str,
    person=str,
    case=str,
    topic=str,
    from_channel=str,
    to_channel=str,
    from_at=datetime,
    at=datetime,
    chosen_by=str,
)


def build(known: Known) -> pl.DataFrame:
    """Switches; chosen_by is company_forced after a redirection there, company_offered where we wrote there first."""
    spoken = known.turns.filter(pl.col("channel").is_not_null())
    came = spoken.filter(pl.col("role") == "customer").sort("person", "case_key", "rank")
    same = pl.struct("person", "case_key") == pl.struct("person", "case_key").shift()
    moved = came.with_columns(
        from_channel=pl.col("channel").shift(), from_at=pl.col("occurred_at").shift()
    ).filter(same & (pl.col("channel") != pl.col("from_channel")))
    pairs = moved.select(
        "person",
        "topic",
        "from_channel",
        "from_at",
        switch="event_id",
        case="case_key",
        to_channel="channel",
        at="occurred_at",
    )
    ours = spoken.filter(pl.col("role").is_in(["human", "initiated"])).select(
        "person", case="case_key", to_channel="channel", then="occurred_at"
    )
    sent = of(known.events, RedirectedToChannel).select(
        "person", case="case_key", to_channel="to_channel", then="occurred_at"
    )
    forced, offered = _between(pairs, sent, "forced"), _between(pairs, ours, "offered")
    return conform(
        VIEW,
        pairs.join(forced, on="switch", how="left")
        .join(offered, on="switch", how="left")
        .with_columns(
            chosen_by=pl.when("forced")
            .then(pl.lit("company_forced"))
            .when("offered")
            .then(pl.lit("company_offered"))
            .otherwise(pl.lit("customer_chosen"))
        ),
    )


def _between(pairs: pl.DataFrame, ours: pl.DataFrame, name: str) -> pl.DataFrame:
    """Switches before which we did something in the channel that the customer came to."""
    newest = preceding(pairs, ours, before="at", at="then", by=["person", "case", "to_channel"])
    return newest.filter(pl.col("then") >= pl.col("from_at")).select("switch", pl.lit(True).alias(name))
