"""What could be linked when: for each contact, the identifiers of its person and the instant each was linked."""

import polars as pl

from projections.identity import Identity

ALWAYS = pl.lit(0).cast(pl.Datetime("us", "UTC"))
"""What a contact brings itself needs no link."""


KEYS = 200
"""Identifiers of a person that contacts are compared with: a merged switchboard may have thousands."""


def newest(identity: Identity) -> pl.DataFrame:
    """person, identifier: the identifiers of each person, of very many the `KEYS` told last."""
    told = identity.identifiers.group_by("person", "identifier")
    ordered = told.agg(told_at=pl.col("known_at").max()).sort(
        "person", "told_at", "identifier", descending=[False, True, False]
    )
    return ordered.filter(pl.int_range(pl.len()).over("person") < KEYS).select("person", "identifier")


def reach(identity: Identity, contacts: pl.DataFrame) -> pl.DataFrame:
    """One row per contact and identifier of its person: contact, person, start_at, identifier, linked_at.

    `contacts` has contact, person, subject, start_at, known_at. An identifier that came with the contact itself
    (asserted when it began, or recorded no later than the contact was) is linked from the beginning; of the
    others those of `newest` are looked at.
    """
    own = (
        identity.identifiers.filter(pl.col("trust") > 0)
        .select("subject", own="identifier", own_at="occurred_at", own_known="known_at")
        .join(contacts, on="subject")
        .filter((pl.col("own_at") <= pl.col("start_at")) | (pl.col("own_known") <= pl.col("known_at")))
    )
    base = ("contact", "person", "start_at")
    itself = own.select(*base, identifier="own", linked_at=ALWAYS)
    links = identity.links.select("person", own="one", identifier="other", linked_at="known_at")
    links = links.join(newest(identity), on=["person", "identifier"], how="semi")
    linked = own.join(links, on=["person", "own"]).select(*base, "identifier", "linked_at")
    return pl.concat([itself, linked]).group_by(*base, "identifier").agg(pl.col("linked_at").min())
