"""One row per identified person: what leads to them, and since when."""

from datetime import datetime

import polars as pl

from projections.known import Known
from projections.tables import conform, table

VERSION = 1
VIEW = table(
    "persons",
    "person",
    person=str,
    source=str,
    sources=int,
    identifiers=int,
    first_at=datetime,
    newest_at=datetime,
)


def build(known: Known) -> pl.DataFrame:
    """Identified persons; `source` is the one that knew them first, instants are of their events."""
    led = known.identity.assignments.filter("identified").select("person").unique()
    told = known.identity.identifiers.group_by("person").agg(
        pl.col("source").n_unique().cast(pl.Int64).alias("sources"),
        pl.col("identifier").n_unique().cast(pl.Int64).alias("identifiers"),
    )
    lived = (
        known.events.sort("occurred_at", "event_id")
        .group_by("person", maintain_order=True)
        .agg(
            pl.col("source").first(),
            pl.col("occurred_at").first().alias("first_at"),
            pl.col("occurred_at").last().alias("newest_at"),
        )
    )
    return conform(VIEW, led.join(told, on="person", how="left").join(lived, on="person", how="left"))
