"""One row per order document that is known: placed, cancelled or returned."""

from datetime import datetime

import polars as pl

from domain.events.orders import OrderCancelled, OrderPlaced, OrderReturned
from projections.frames import of
from projections.known import Known
from projections.tables import conform, table

VERSION = 1
VIEW = table(
    "orders",
    "document",
    document=str,
    person=str,
    order=str,
    kind=str,
    channel=str,
    currency=str,
    total=float,
    at=datetime,
)
KINDS = ((OrderPlaced, "placed"), (OrderCancelled, "cancelled"), (OrderReturned, "returned"))


def build(known: Known) -> pl.DataFrame:
    """Order documents; totals as the source states them, in major units of `currency`."""
    rows = [
        of(known.events, event).select(
            "person", "channel", "currency", "total",
            document="event_id", order=pl.coalesce("order", "subject"), kind=pl.lit(kind), at="occurred_at",
        )
        for event, kind in KINDS
    ]  # fmt: skip
    return conform(VIEW, pl.concat(rows))
