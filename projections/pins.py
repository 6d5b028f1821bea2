"""Pins: where keys were destroyed, the decisions that keep together whom only the views still know to be one person.

A contact whose identifiers nobody can open any more would fall off its person at the next computation, and with it
its case's channels, its calls back, its numbers. Before that happens the views' last word on it is written to the
log, in the names of contacts alone: no value, no token, nothing that outlives what was erased.
"""

from datetime import datetime
from typing import Any

import polars as pl

from domain.events.decisions import IdentifierFlagged, LinkConfirmed
from domain.events.envelope import Event
from projections.identity import Identity
from projections.identity_rulings import Rulings
from projections.persons import ASSIGNED, IDENTIFIED, Rows

SOURCE = "omniline"
KEY = ["subject", "ns"]


class Bereft(Exception):
    """Keys were destroyed, and the views hold links that nobody can compute any more."""


def check(stored: Rows, found: Rows) -> None:
    """Refuse to go on where identifiers of stored subjects are found erased that were not."""
    told, erased = stored[IDENTIFIED.name].filter("erased"), found[IDENTIFIED.name].filter("erased")
    gone = erased.join(told, on=KEY, how="anti")
    if gone.join(stored[ASSIGNED.name], on="subject", how="semi").height:
        raise Bereft


def pins(stored: Rows, found: Identity, rulings: Rulings, *, now: datetime) -> list[Event]:
    """The decisions that make of what is found at the views' position what is stored there."""
    told = stored[IDENTIFIED.name]
    gone = found.identifiers.filter("erased").join(told.filter("erased"), on=KEY, how="anti")
    lost = gone.join(told.filter(pl.col("trust") > 0), on=KEY, how="semi").select("subject").unique()
    parted = pl.Series([subject for pair in rulings.denied for subject in pair], dtype=pl.String)
    lost = lost.with_columns(lost=pl.lit(True), parted=pl.col("subject").is_in(parted.implode()))
    return [*_links(stored[ASSIGNED.name], found, lost, now), *_flags(told, found, now)]


def _links(assigned: pl.DataFrame, found: Identity, lost: pl.DataFrame, now: datetime) -> list[LinkConfirmed]:
    """Each lost subject, and each part that its person falls into, tied to one of them that can still be named.

    Who alone was a person stays alone, tied to itself. Where a denied link kept others away from a lost subject, and
    so from all that is tied to it, every part is a single subject.
    """
    whose = assigned.join(lost, on="subject", how="semi").select("person").unique()
    rows = (
        assigned.join(whose, on="person", how="semi")
        .filter(pl.col("identifier").is_not_null())
        .join(found.assignments.select("subject", part="person"), on="subject")
        .join(lost, on="subject", how="left")
        .with_columns(pl.col("lost").fill_null(False))
        .with_columns(part=pl.when(pl.col("parted").any().over("person")).then("subject").otherwise("part"))
        .sort("person", "lost", "subject")
    )
    parts = rows.filter(~pl.col("lost")).unique(["person", "part"], keep="first", maintain_order=True)
    anchors = rows.group_by("person", maintain_order=True).agg(anchor=pl.col("subject").first())
    members = pl.concat([parts, rows.filter("lost")]).join(anchors, on="person")
    alone = pl.len().over("person") == 1
    pairs = members.filter((pl.col("subject") != pl.col("anchor")) | alone).sort("anchor", "subject")
    return [
        LinkConfirmed(**_envelope(f"pin/{one}/{other}", now), one=one, other=other)
        for one, other in pairs.select("anchor", "subject").rows()
    ]


def _flags(told: pl.DataFrame, found: Identity, now: datetime) -> list[IdentifierFlagged]:
    """What linked nobody and now would: an erased value that was shared or blocked, a key whose flag went with it."""
    before = told.select(*KEY, held="trust")
    freed = found.identifiers.join(before, on=KEY, how="left").filter(
        pl.col("trust") > 0, pl.col("held").fill_null(0) == 0
    )
    rows = freed.sort(KEY).unique("identifier", keep="first", maintain_order=True)
    return [
        IdentifierFlagged(**_envelope(f"pin/{one}/{ns}", now), one=one, ns=ns)
        for one, ns in rows.select(KEY).rows()
    ]


def _envelope(id: str, now: datetime) -> dict[str, Any]:
    return {"source": SOURCE, "id": id, "subject": "link:pins", "occurred_at": now, "actor_kind": "system"}
