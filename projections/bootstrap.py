"""Intervals by resampling persons: a contact of one person says little about another's (KPI dictionary M8)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from projections.kpi import KPI

DRAWS = 1_000
SEED = 498
"""Fixed, so that the same facts always give the same interval."""
CELLS = 20_000_000
"""Weights held at once: the more rows, the fewer draws together."""
MEDIAN = 0.5 + 1e-12

Weights = npt.NDArray[np.float64]
Estimate = Callable[[Weights], Weights]
"""From weights (persons × draws) to one value per draw; not a number where there is nothing to measure."""


def interval(
    kpi: KPI, before: pl.DataFrame, after: pl.DataFrame, *, weeks: tuple[float, float]
) -> tuple[float | None, float | None]:
    """The middle 95 % of after − before over Poisson draws of persons; None where draws leave nothing to measure.

    A person drawn so often counts so often on both sides. Persons are drawn in the order of their ids, so the
    interval does not depend on how the rows came.
    """
    sides = [side.filter(kpi.of).filter(pl.col("person").is_not_null()) for side in (before, after)]
    people = (
        pl.concat([side.select("person") for side in sides]).unique().sort("person").with_row_index("code")
    )
    first, second = (
        _estimate(kpi, side.join(people, on="person"), people.height, span)
        for side, span in zip(sides, weeks, strict=True)
    )
    chance = np.random.default_rng(SEED)
    together = max(1, min(100, CELLS // max(people.height, *(side.height for side in sides), 1)))
    drawn = []
    for start in range(0, DRAWS, together):
        weights = chance.poisson(1.0, (min(together, DRAWS - start), people.height)).T.astype(np.float64)
        drawn.append(second(weights) - first(weights))
    differences = np.concatenate(drawn)
    firm = differences[np.isfinite(differences)]
    if len(firm) < DRAWS // 2:
        return None, None
    low, high = np.quantile(firm, [0.025, 0.975])
    return float(low), float(high)


def _estimate(kpi: KPI, counted: pl.DataFrame, persons: int, weeks: float) -> Estimate:
    if kpi.kind == "share":
        return _share(kpi, counted, persons)
    if kpi.kind == "duration":
        return _median(kpi, counted)
    (events,) = _sums(counted, persons, pl.len())
    return lambda weights: (events @ weights) / weeks


def _sums(counted: pl.DataFrame, persons: int, *sums: pl.Expr) -> list[Weights]:
    """Each sum by person's code, zero for those with no rows."""
    found = counted.group_by("code").agg(one.alias(str(number)) for number, one in enumerate(sums))
    columns = []
    for number in range(len(sums)):
        column = np.zeros(persons)
        column[found["code"].to_numpy()] = found[str(number)].to_numpy()
        columns.append(column)
    return columns


def _share(kpi: KPI, counted: pl.DataFrame, persons: int) -> Estimate:
    assert kpi.good is not None
    shown = kpi.good if kpi.shows == "good" else ~kpi.good
    firm = kpi.good.is_not_null() & ~(
        pl.lit(False) if kpi.provisional is None else kpi.provisional.fill_null(False)
    )
    of, hits = _sums(counted, persons, firm.sum(), (firm & shown).sum())

    def estimate(weights: Weights) -> Weights:
        total = of @ weights
        return np.divide(hits @ weights, total, out=np.full_like(total, np.nan), where=total > 0)

    return estimate


def _median(kpi: KPI, counted: pl.DataFrame) -> Estimate:
    """The Kaplan–Meier median, in seconds, under each draw's weights."""
    lengths = counted.with_columns(
        done=pl.col(kpi.elapsed or "").is_not_null(), length=pl.coalesce(kpi.spent, "spent_us")
    )
    rows = lengths.filter(pl.col("length").is_not_null()).sort(
        "length", "done", "code", descending=[False, True, False]
    )
    code, ended = rows["code"].to_numpy(), rows["done"].to_numpy().astype(np.float64)[:, None]
    seconds = rows["length"].to_numpy() / 1_000_000

    def estimate(weights: Weights) -> Weights:
        if not len(seconds):
            return np.full(weights.shape[1], np.nan)
        drawn = weights[code]
        at_risk = np.cumsum(drawn[::-1], axis=0)[::-1]
        falls = np.divide(ended * drawn, at_risk, out=np.zeros_like(drawn), where=at_risk > 0)
        below = np.cumprod(1.0 - falls, axis=0) <= MEDIAN
        return np.where(below.any(axis=0), seconds[below.argmax(axis=0)], np.nan)

    return estimate
