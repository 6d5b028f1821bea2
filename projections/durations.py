"""Durations with unanswered rows as right-censored: Kaplan–Meier quantiles, which may be "not reached" (null)."""

from collections.abc import Sequence

import polars as pl

ALL = "__all"


def durations(
    counted: pl.DataFrame, *, spent: str | None, elapsed: str | None, since: str | None, by: Sequence[str]
) -> pl.DataFrame:
    """One row per group: n, waiting, oldest_s, median_s, p90_s (business), the same by calendar, share_in_target.

    `spent` and `elapsed` name business and calendar microseconds, null while running since `since`; a running
    row counts with `spent_us`, what it has spent by the instant of the question.
    """
    assert spent
    assert elapsed
    assert since
    frame = counted.with_columns(pl.lit(0).alias(ALL))
    running = pl.col(elapsed).is_null()
    age = (pl.col("as_of") - pl.col(since)).dt.total_microseconds()
    frame = frame.with_columns(
        done=~running,
        business=pl.coalesce(spent, "spent_us"),
        wall=pl.coalesce(elapsed, age),
    )
    groups = [*by] or [ALL]
    judged, met = _judged(frame.columns)
    table = frame.group_by(*groups).agg(
        pl.len().cast(pl.Int64).alias("n"),
        running.sum().cast(pl.Int64).alias("waiting"),
        (age.filter(running).max() / 1_000_000).alias("oldest_s"),
        pl.when(judged.sum() > 0).then((judged & met).sum() / judged.sum()).alias("share_in_target"),
    )
    for column, suffix in (("business", ""), ("wall", "_calendar")):
        table = table.join(_quantiles(frame, column, suffix, groups), on=groups, how="left", nulls_equal=True)
    if by:
        return table.drop(ALL, strict=False).sort(*by, nulls_last=True)
    whole = pl.DataFrame({ALL: [0]}, schema={ALL: pl.Int32}).join(table, on=ALL, how="left")
    return whole.drop(ALL).with_columns(pl.col("n", "waiting").fill_null(0))


def with_median(table: pl.DataFrame, clocks: pl.DataFrame, *, by: Sequence[str]) -> pl.DataFrame:
    """The table with `median_s` in business time; a clock that was never stopped waits, whatever ended it."""
    frame = clocks.with_columns(
        pl.lit(0).alias(ALL), done=pl.col("stopped_at").is_not_null(), business="spent_us"
    )
    groups = [*by] or [ALL]
    medians = _quantiles(frame, "business", "", groups).drop("p90_s")
    if by:
        return table.join(medians, on=groups, how="left", nulls_equal=True, maintain_order="left")
    return table.with_columns(
        median_s=medians["median_s"].first() if medians.height else pl.lit(None, pl.Float64)
    )


def _judged(columns: Sequence[str]) -> tuple[pl.Expr, pl.Expr]:
    if "due_at" not in columns:
        return pl.lit(False), pl.lit(False)
    return (pl.col("due_at") <= pl.col("as_of")).fill_null(False), (
        pl.col("stopped_at") <= pl.col("due_at")
    ).fill_null(False)


def _quantiles(frame: pl.DataFrame, column: str, suffix: str, groups: list[str]) -> pl.DataFrame:
    """Median and p90: the first time at which survival has fallen to the rest or below."""
    ordered = frame.filter(pl.col(column).is_not_null()).sort(
        *groups, column, "done", descending=[*(False for _ in groups), False, True]
    )
    at_risk = pl.len().over(groups) - pl.int_range(pl.len()).over(groups)
    survival = (1.0 - pl.col("done").cast(pl.Float64) / at_risk).cum_prod().over(groups)
    curve = ordered.with_columns(survival=survival)
    seconds = pl.col(column) / 1_000_000
    return curve.group_by(*groups).agg(
        seconds.filter(pl.col("done"), pl.col("survival") <= 0.5 + 1e-12).first().alias(f"median{suffix}_s"),
        seconds.filter(pl.col("done"), pl.col("survival") <= 0.1 + 1e-12).first().alias(f"p90{suffix}_s"),
    )
