"""One row per contact: whom we saw when it began, and whom we see now (kpis.md id_stage)."""

from datetime import datetime

import polars as pl

from projections.known import Known
from projections.reach import reach
from projections.tables import conform, table

VERSION = 1
VIEW = table(
    "stages",
    "contact",
    contact=str,
    person=str,
    case=str,
    channel=str,
    topic=str,
    start_at=datetime,
    stage_then=str,
    stage_now=str,
)


def build(known: Known) -> pl.DataFrame:
    """Stages: anonymous, transactional (an order number only), profile (one source), omnichannel (two or verified)."""
    contacts = known.facts["contacts"]
    reached = reach(known.identity, contacts.select("contact", "person", "subject", "start_at", "known_at"))
    trusted = known.identity.identifiers.filter(pl.col("trust") > 0).with_columns(
        verified=pl.col("verified_by").is_not_null()
    )
    told = trusted.select(
        "person", "identifier", "ns", "source", "verified", told_at="known_at", by="subject"
    )
    seen = reached.join(told, on=["person", "identifier"]).join(
        contacts.select("contact", "subject"), on="contact"
    )
    own = pl.col("by") == pl.col("subject")
    then = (pl.col("linked_at") <= pl.col("start_at")) & (own | (pl.col("told_at") <= pl.col("start_at")))
    now = contacts.select("contact", "person", "identified").filter("identified").join(trusted, on="person")
    return conform(
        VIEW,
        contacts.join(_stage(seen.filter(then), "stage_then"), on="contact", how="left")
        .join(_stage(now, "stage_now"), on="contact", how="left")
        .with_columns(pl.col("stage_then", "stage_now").fill_null("anonymous")),
    )


def _stage(seen: pl.DataFrame, name: str) -> pl.DataFrame:
    person = pl.col("ns") != "order"
    stage = (
        pl.when(~pl.col("personal")).then(pl.lit("transactional"))
        .when((pl.col("sources") >= 2) | pl.col("verified")).then(pl.lit("omnichannel"))
        .otherwise(pl.lit("profile"))
    )  # fmt: skip
    return (
        seen.group_by("contact")
        .agg(
            personal=person.any(),
            sources=pl.col("source").filter(person).n_unique(),
            verified=pl.col("verified").filter(person).any(),
        )
        .select("contact", stage.alias(name))
    )
