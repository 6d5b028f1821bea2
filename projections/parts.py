"""Parts: what is known, in buckets of whole persons."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from projections.known import Known

BUCKET = 200_000
"""Events that one build sees at most, save those of a single person."""


def buckets(known: Known) -> Iterator[tuple[Known, bool]]:
    """The same knowledge in parts of whole persons, and whether each is the last."""
    if known.events.height <= BUCKET:
        yield known, True
        return
    sizes = known.events.group_by("person").len().sort("person")
    numbered = sizes.select("person", bucket=(pl.col("len").cast(pl.Int64).cum_sum() // BUCKET))
    parts = sorted(numbered.partition_by("bucket", as_dict=True).items())
    for (number,), persons in parts:
        yield only(known, persons["person"]), number == parts[-1][0][0]


def only(known: Known, persons: pl.Series) -> Known:
    """The same knowledge about some persons."""
    mine = persons.to_frame("person")

    def of(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(mine, on="person", how="semi", maintain_order="left")

    return replace(
        known,
        events=of(known.events),
        identity=known.identity.of(persons),
        facts={name: of(rows) for name, rows in known.facts.items()},
    )
