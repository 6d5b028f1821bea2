"""One row per contact: whom we saw when it began, and whom we see now (KPI dictionary id_stage)."""

from datetime import datetime

import polars as pl

from projections.facts.context import HISTORY
from projections.known import Known
from projections.reach import reach
from projections.tables import conform, table

VERSION = 2
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
    """Stages: anonymous, transactional (an order number only), profile (one source), omnichannel (two or verified).

    Of loaded history nobody can tell what was seen then: `stage_then` is null.
    """
    contacts = known.facts["contacts"]
    reached = reach(known.identity, contacts.select("contact", "person", "subject", "start_at", "known_at"))
    trusted = known.identity.identifiers.filter(pl.col("trust") > 0).with_columns(
        verified=pl.col("verified_by").is_not_null()
    )
    seen = pl.concat([_told(reached, trusted), _brought(reached, contacts, trusted)])
    now = _stage(trusted, "stage_now", "person")
    present = pl.col("known_at") - pl.col("start_at") <= HISTORY
    return conform(
        VIEW,
        contacts.join(_stage(seen, "stage_then", "contact"), on="contact", how="left")
        .join(now, on="person", how="left")
        .with_columns(
            stage_then=pl.when(present).then(pl.col("stage_then").fill_null("anonymous")),
            stage_now=pl.when("identified").then("stage_now").fill_null("anonymous"),
        ),
    )


def _told(reached: pl.DataFrame, trusted: pl.DataFrame) -> pl.DataFrame:
    """What had been told, by anybody, about the identifiers that the contact led to when it began.

    One row per source of an identifier, not per assertion: a person may have told one thousands of times.
    """
    told = trusted.group_by("person", "identifier", "ns", "source", "verified").agg(
        told_at=pl.col("known_at").min()
    )
    return (
        reached.filter(pl.col("linked_at") <= pl.col("start_at"))
        .join(told, on=["person", "identifier"])
        .filter(pl.col("told_at") <= pl.col("start_at"))
        .select("contact", "ns", "source", "verified")
    )


def _brought(reached: pl.DataFrame, contacts: pl.DataFrame, trusted: pl.DataFrame) -> pl.DataFrame:
    """What the contact's own subject tells, whenever it was recorded."""
    linked = reached.filter(pl.col("linked_at") <= pl.col("start_at")).select("contact", "identifier")
    return (
        linked.join(contacts.select("contact", "subject"), on="contact")
        .join(
            trusted.select("subject", "identifier", "ns", "source", "verified"), on=["subject", "identifier"]
        )
        .select("contact", "ns", "source", "verified")
    )


def _stage(seen: pl.DataFrame, name: str, of: str) -> pl.DataFrame:
    person = pl.col("ns") != "order"
    stage = (
        pl.when(~pl.col("personal")).then(pl.lit("transactional"))
        .when((pl.col("sources") >= 2) | pl.col("verified")).then(pl.lit("omnichannel"))
        .otherwise(pl.lit("profile"))
    )  # fmt: skip
    return (
        seen.group_by(of)
        .agg(
            personal=person.any(),
            sources=pl.col("source").filter(person).n_unique(),
            verified=pl.col("verified").filter(person).any(),
        )
        .select(of, stage.alias(name))
    )
