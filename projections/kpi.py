"""A KPI is a declared row; one call of `compute` answers it for a fact frame at an instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import polars as pl

from projections.durations import durations, with_median
from projections.shares import shares

AS_OF = pl.col("as_of")
"""The instant of the question, at which running clocks and windows are judged."""
SPENT = pl.col("spent_us")
"""Business microseconds from a clock's start to its stop, or to AS_OF while it runs."""

Kind = Literal["share", "duration", "count", "stock", "score"]
Level = Literal["contact", "person", "text"]
"""On what a row's verdict rests: its own contact, case, clock or document; whom we know, and since when it was linked;
what was said. Where a contact's keys were destroyed, only the first is sure to stay as it was: the contact keeps its
instants, its case and the contacts that it belongs with, but neither its words nor the history of its links."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """Rows of the fact (absent columns are null) and the value that must come out at `as_of`."""

    rows: Sequence[Mapping[str, Any]]
    value: float | None
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class KPI:
    """One definition.

    `of` selects the rows that count; a share divides `good` (or, for shows="bad", its complement) by them and
    leaves out `provisional` rows, counted beside; one of clocks that names `spent` also tells their median. A
    duration reads `spent` and `elapsed` (business and calendar microseconds, null while running since `since`; of
    a running row's business time the column `idle` and what passed since `paused_since` are left out). `at` is the
    instant that puts a row into a period.
    """

    key: str
    title: str
    question: str
    kind: Kind
    fact: str
    source: str
    definition: str
    at: str | None = None
    of: pl.Expr = field(default_factory=lambda: pl.lit(True))
    good: pl.Expr | None = None
    shows: Literal["good", "bad"] = "good"
    provisional: pl.Expr | None = None
    spent: str | None = None
    elapsed: str | None = None
    since: str | None = None
    idle: str | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    unit: str = "%"
    better: Literal["higher", "lower"] | None = None
    target: float | None = None
    level: Level = "contact"
    version: int = 1
    examples: tuple[Example, ...] = ()


STANDARD = ("channel", "topic", "group", "agent", "priority", "kind", "source", "state", "cause")


def dimensions(kpi: KPI, columns: Sequence[str]) -> dict[str, str]:
    """What `--by` may name, and the column it means; `team` and `queue` are the group."""
    plain = {name: name for name in STANDARD if name in columns}
    also = {"team": "group", "queue": "group"} if "group" in columns else {}
    return {**plain, **also, **kpi.dimensions}


def compute(kpi: KPI, facts: pl.DataFrame, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """The KPI's rows over facts that carry `as_of` and `spent_us`, one per combination of the columns `by`."""
    counted = facts.filter(kpi.of)
    if kpi.kind == "share":
        assert kpi.good is not None
        table = shares(counted, kpi.good, kpi.provisional, shows=kpi.shows, by=by)
        return with_median(table, counted, by=by) if kpi.spent else table
    if kpi.kind == "duration":
        return durations(counted, spent=kpi.spent, elapsed=kpi.elapsed, since=kpi.since, by=by)
    return _counts(counted, kpi, by)


def _counts(counted: pl.DataFrame, kpi: KPI, by: Sequence[str]) -> pl.DataFrame:
    cases = pl.lit(None)
    if "case" in counted.columns:
        cases = pl.struct("person", "case").filter(pl.col("case").is_not_null()).n_unique()
    aggregates = [
        pl.len().cast(pl.Int64).alias("events"),
        cases.cast(pl.Int64).alias("cases"),
        pl.col("person").drop_nulls().n_unique().cast(pl.Int64).alias("persons"),
    ]
    if kpi.since:
        age = (AS_OF - pl.col(kpi.since)).dt.total_microseconds() / 1_000_000
        aggregates += [
            age.median().alias("median_s"),
            age.quantile(0.9, "higher").alias("p90_s"),
            age.max().alias("oldest_s"),
        ]
    if by:
        return counted.group_by(*by).agg(aggregates).sort(*by, nulls_last=True)
    return counted.select(aggregates)
