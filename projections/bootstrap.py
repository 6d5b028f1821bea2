"""Intervals by resampling persons: a contact of one person says little about another's (kpis.md M8)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from projections.kpi import KPI

DRAWS = 1_000
SEED = 498
"""Fixed, so that the same facts always give the same interval."""
CHUNK = 100
MEDIAN = 0.5 + 1e-12

Weights = npt.NDArray[np.float64]
Estimate = Callable[[Weights], Weights]
"""From weights (persons × draws) to one value per draw; not a number where there is nothing to measure."""


def interval(
    kpi: KPI, before: pl.DataFrame, after: pl.DataFrame, *, weeks: int
) -> tuple[float | None, float | None]:
    """The middle 95 % of after − before over Poisson draws of persons; None where draws leave nothing to measure."""
    chance = np.random.default_rng(SEED)
    sides = [_resampled(kpi, side, chance, weeks) for side in (before, after)]
    differences = sides[1] - sides[0]
    firm = differences[np.isfinite(differences)]
    if len(firm) < DRAWS // 2:
        return None, None
    low, high = np.quantile(firm, [0.025, 0.975])
    return float(low), float(high)


def _resampled(kpi: KPI, side: pl.DataFrame, chance: np.random.Generator, weeks: int) -> Weights:
    counted = side.filter(kpi.of).filter(pl.col("person").is_not_null())
    persons, estimate = _estimate(kpi, counted, weeks)
    drawn = [
        estimate(chance.poisson(1.0, (persons, CHUNK)).astype(np.float64)) for _ in range(DRAWS // CHUNK)
    ]
    return np.concatenate(drawn)


def _estimate(kpi: KPI, counted: pl.DataFrame, weeks: int) -> tuple[int, Estimate]:
    if kpi.kind == "share":
        return _share(kpi, counted)
    if kpi.kind == "duration":
        return _median(kpi, counted)
    per_person = counted.group_by("person", maintain_order=True).len()["len"].to_numpy().astype(np.float64)
    return len(per_person), lambda weights: (per_person @ weights) / weeks


def _share(kpi: KPI, counted: pl.DataFrame) -> tuple[int, Estimate]:
    assert kpi.good is not None
    shown = kpi.good if kpi.shows == "good" else ~kpi.good
    firm = kpi.good.is_not_null() & ~(
        pl.lit(False) if kpi.provisional is None else kpi.provisional.fill_null(False)
    )
    sums = counted.group_by("person", maintain_order=True).agg(of=firm.sum(), shown=(firm & shown).sum())
    of, hits = (sums[name].to_numpy().astype(np.float64) for name in ("of", "shown"))

    def estimate(weights: Weights) -> Weights:
        total = of @ weights
        return np.divide(hits @ weights, total, out=np.full_like(total, np.nan), where=total > 0)

    return len(of), estimate


def _median(kpi: KPI, counted: pl.DataFrame) -> tuple[int, Estimate]:
    """The Kaplan–Meier median, in seconds, under each draw's weights."""
    done = pl.col(kpi.elapsed or "").is_not_null()
    codes = counted.with_columns(
        code=pl.col("person").rank("dense") - 1, done=done, length=pl.coalesce(kpi.spent, "spent_us")
    )
    rows = codes.filter(pl.col("length").is_not_null()).sort("length", "done", descending=[False, True])
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

    return int(codes["person"].n_unique()), estimate
