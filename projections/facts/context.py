"""One row per human contact with earlier items: was everything already recorded and linked? (context_available)

An item is a turn, a missed call, an outbound attempt, an offer, an order or a note of the last 365 days. It is
missing at an instant if it was not yet recorded then (late_recording) or not yet linked (identity_not_linked).
"""

from datetime import datetime, timedelta

import polars as pl

from projections.known import Known
from projections.nearest import preceding
from projections.reach import newest, reach
from projections.tables import conform, table

VERSION = 2
VIEW = table(
    "context",
    "contact",
    contact=str,
    person=str,
    case=str,
    channel=str,
    topic=str,
    group=str,
    start_at=datetime,
    good=bool,
    good_at_answer=bool,
    cause=str,
)

ITEMS = (
    "contact.received", "contact.initiated", "contact.answered", "contact.missed", "note.added",
    "offer.presented", "offer.accepted", "offer.declined", "order.placed", "order.cancelled", "order.returned",
)  # fmt: skip
YEAR = timedelta(days=365)
HISTORY = timedelta(days=1)
"""A contact that was itself recorded later than this is loaded history: what was known then cannot be told."""


def build(known: Known) -> pl.DataFrame:
    """Contacts to be assessed, with the verdict at their start and at the first human turn."""
    items = _items(known)
    contacts = known.facts["contacts"].filter(
        pl.col("human"), pl.col("identified"), pl.col("known_at") - pl.col("start_at") <= HISTORY
    )
    before = preceding(
        contacts, items.select("person", "item_at"), before="start_at", at="item_at", by="person"
    )
    contacts = before.filter(pl.col("start_at") - pl.col("item_at") <= YEAR).drop("item_at")
    start = _missing(known, contacts, items)
    answered = contacts.with_columns(start_at=pl.coalesce("first_human_at", "start_at"))
    later = _missing(known, answered, items, first=contacts).select("contact", missing_at_answer="cause")
    return conform(
        VIEW,
        contacts.join(start, on="contact", how="left")
        .join(later, on="contact", how="left")
        .with_columns(good=pl.col("cause").is_null(), good_at_answer=pl.col("missing_at_answer").is_null()),
    )


def _items(known: Known) -> pl.DataFrame:
    """Items with the last instant, at most a year on, at which each was still missing for either cause."""
    tied = known.identity.assignments.select("subject", "identifier", "asserted_at")
    items = known.events.filter(pl.col("kind").is_in(ITEMS)).join(tied, on="subject", how="left")
    far = pl.col("occurred_at") + YEAR
    return (
        items.select(
            "person", "identifier", item_at="occurred_at",
            unrecorded_until=pl.min_horizontal("known_at", far),
            untied_until=pl.min_horizontal("asserted_at", far),
        )
        .sort("person", "item_at")
    )  # fmt: skip


def _missing(
    known: Known, contacts: pl.DataFrame, items: pl.DataFrame, first: pl.DataFrame | None = None
) -> pl.DataFrame:
    """contact, cause of those that missed anything at start_at; items are those before their true start."""
    began = (first if first is not None else contacts).select("contact", began_at="start_at")
    asked = contacts.join(began, on="contact")
    running = items.with_columns(pl.col("unrecorded_until").cum_max().over("person"))
    late = preceding(
        asked,
        running.select("person", "item_at", "unrecorded_until"),
        before="began_at",
        at="item_at",
        by="person",
    ).filter(pl.col("unrecorded_until") > pl.col("start_at"))
    unlinked = _unlinked(known, asked, items)
    return pl.concat(
        [
            late.select("contact", cause=pl.lit("late_recording")),
            unlinked.select("contact", cause=pl.lit("identity_not_linked")),
        ]
    ).unique("contact", keep="first", maintain_order=True)


def _unlinked(known: Known, asked: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Contacts before which an item lay under an identifier that was not yet linked to the contact's own.

    Of a person with very many identifiers the newest are looked at (`reach.KEYS`).
    """
    tied = items.filter(pl.col("identifier").is_not_null()).with_columns(
        untied_until=pl.col("untied_until").cum_max().over("person", "identifier")
    )
    reached = reach(known.identity, asked.select("contact", "person", "subject", "start_at", "known_at"))
    held = tied.select("person", "identifier").unique()
    held = held.join(newest(known.identity), on=["person", "identifier"], how="semi")
    grid = (
        asked.select("contact", "person", "start_at", "began_at")
        .join(held, on="person")
        .join(reached.select("contact", "identifier", "linked_at"), on=["contact", "identifier"], how="left")
        .with_columns(key=pl.concat_list("person", "identifier").list.join("\x1f"))
    )
    tied = tied.with_columns(key=pl.concat_list("person", "identifier").list.join("\x1f"))
    grid = preceding(
        grid, tied.select("key", "item_at", "untied_until"), before="began_at", at="item_at", by="key"
    )
    near = pl.col("began_at") - pl.col("item_at") <= YEAR
    far = pl.col("linked_at").is_null() | (pl.col("linked_at") > pl.col("start_at"))
    return grid.filter((near & far) | (pl.col("untied_until") > pl.col("start_at")))
