"""Nearest neighbours in time: as-of joins that sort first, because the library does not check the order."""

from collections.abc import Sequence

import polars as pl


def following(
    left: pl.DataFrame,
    right: pl.DataFrame,
    *,
    after: str,
    at: str,
    by: str | Sequence[str],
    equal: bool = False,
) -> pl.DataFrame:
    """Each row of `left` with the first row of `right` of the same `by` whose `at` is later than `after`.

    Later means strictly, or not before with `equal`. Of several rows at one instant the first in the order
    of `right` is taken. All rows of `left` stay, in their order; without a neighbour the columns are null.
    """
    return _nearest(left, right, on=after, at=at, by=by, equal=equal, strategy="forward")


def preceding(
    left: pl.DataFrame,
    right: pl.DataFrame,
    *,
    before: str,
    at: str,
    by: str | Sequence[str],
    equal: bool = False,
) -> pl.DataFrame:
    """Each row of `left` with the last row of `right` of the same `by` whose `at` is before `before`."""
    return _nearest(left, right, on=before, at=at, by=by, equal=equal, strategy="backward")


def _nearest(
    left: pl.DataFrame,
    right: pl.DataFrame,
    *,
    on: str,
    at: str,
    by: str | Sequence[str],
    equal: bool,
    strategy: str,
) -> pl.DataFrame:
    keys = [by] if isinstance(by, str) else list(by)
    rows = left.with_row_index("_row")
    found = (
        rows.select("_row", *keys, _on=pl.col(on))
        .drop_nulls()
        .sort("_on", maintain_order=True)
        .join_asof(
            right.filter(pl.col(at).is_not_null()).sort(at, maintain_order=True),
            left_on="_on",
            right_on=at,
            by=keys,
            strategy=strategy,  # type: ignore[arg-type]
            allow_exact_matches=equal,
            check_sortedness=False,
            coalesce=False,
        )
        .drop("_on", *keys)
    )
    return rows.join(found, on="_row", how="left", maintain_order="left").drop("_row")
