"""Shares: numerators, denominators and their Wilson interval, never an average of averages."""

from collections.abc import Sequence

import polars as pl

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: a 95 % interval."""


def shares(
    counted: pl.DataFrame,
    good: pl.Expr,
    provisional: pl.Expr | None,
    *,
    shows: str,
    by: Sequence[str],
) -> pl.DataFrame:
    """One row per group: of, good, bad, provisional, value, low, high.

    `good` null is not assessable: outside the rate. Zero rows give value null, never 0.
    """
    frame = counted.with_columns(
        is_good=good, is_provisional=pl.lit(False) if provisional is None else provisional.fill_null(False)
    )
    firm = ~pl.col("is_provisional") & pl.col("is_good").is_not_null()
    aggregates = [
        firm.sum().cast(pl.Int64).alias("of"),
        (firm & pl.col("is_good")).sum().cast(pl.Int64).alias("good"),
        (firm & ~pl.col("is_good")).sum().cast(pl.Int64).alias("bad"),
        pl.col("is_provisional").sum().cast(pl.Int64).alias("provisional"),
    ]
    table = frame.group_by(*by).agg(aggregates).sort(*by, nulls_last=True) if by else frame.select(aggregates)
    of, shown = pl.col("of"), pl.col(shows)
    return table.with_columns(
        value=pl.when(of > 0).then(shown / of),
        low=pl.when(of > 0).then(_wilson(shown, of, -1)),
        high=pl.when(of > 0).then(_wilson(shown, of, +1)),
    )


def _wilson(shown: pl.Expr, of: pl.Expr, side: int) -> pl.Expr:
    share = shown / of
    middle = share + Z**2 / (2 * of)
    width = Z * (share * (1 - share) / of + Z**2 / (4 * of * of)).sqrt()
    return ((middle + side * width) / (1 + Z**2 / of)).clip(0.0, 1.0)
