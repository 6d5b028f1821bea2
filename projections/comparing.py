"""Comparing: what a view built anew holds against the one that serves, row by row."""

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

LISTED = 100
"""Differing rows of one table that are told one by one; all are counted."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value of one row: `old` is what serves, `new` what the log gives; of a whole row only its key is told."""

    table: str
    key: str
    kind: Literal["changed", "only old", "only new"]
    column: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How two forms of a table differ: a changed row counts once in `rows`, in `added` and in `removed`."""

    rows: int = 0
    added: int = 0
    removed: int = 0
    listed: tuple[Difference, ...] = ()

    def __add__(self, other: "Compared") -> "Compared":
        return Compared(
            rows=self.rows + other.rows,
            added=self.added + other.added,
            removed=self.removed + other.removed,
            listed=self.listed + other.listed,
        )


def compare(table: str, old: pl.DataFrame, new: pl.DataFrame, keys: list[str]) -> Compared:
    """Both in the same columns; `keys` identify a row in each."""
    gone = old.join(new, on=old.columns, how="anti", nulls_equal=True)
    fresh = new.join(old, on=old.columns, how="anti", nulls_equal=True)
    changed = gone.join(fresh, on=keys, how="semi")
    met = gone.with_columns(in_old=True).join(
        fresh.with_columns(in_new=True), on=keys, how="full", suffix=" new", coalesce=True
    )
    rest = [name for name in old.columns if name not in keys]
    listed = [
        told
        for row in met.sort(keys).head(LISTED).rows(named=True)
        for told in _told(table, ", ".join(str(row[key]) for key in keys), row, rest)
    ]
    return Compared(
        rows=gone.height + fresh.height - changed.height,
        added=fresh.height,
        removed=gone.height,
        listed=tuple(listed),
    )


def _told(table: str, key: str, row: dict[str, Any], columns: list[str]) -> list[Difference]:
    if not (row["in_old"] and row["in_new"]):
        return [Difference(table=table, key=key, kind="only old" if row["in_old"] else "only new")]
    return [
        Difference(
            table=table,
            key=key,
            kind="changed",
            column=name,
            old=_text(row[name]),
            new=_text(row[f"{name} new"]),
        )
        for name in columns
        if row[name] != row[f"{name} new"]
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
