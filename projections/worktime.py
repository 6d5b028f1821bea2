"""Business time on columns: one row is one span, or one budget, in the opening hours that `calendar` names.

A name comes from `hours` (a channel's or queue's, composed over every policy in force) or is a calendar's
own. Everything is exact to the microsecond; a null in any argument gives null.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.calendar import Calendar
from domain.policy import Policies
from projections.openings import FIRST, LAST, Codes, Grid, Micros, Openings, WorktimeError, year_start

__all__ = ["Worktime", "WorktimeError"]

Answer = Callable[[Openings, Micros], Micros]
Rows = NDArray[np.bool_]
INSTANT = pl.Datetime("us", "UTC")
WORTH_A_GRID = 5_000
"""Rows below which building a grid takes longer than doing without."""


class Worktime:
    """Business time under `policies`; fastest in the years of `first` to `last`, right beyond them too."""

    def __init__(self, policies: Policies, first: datetime, last: datetime) -> None:
        self.policies = policies
        self.first, self.last = max(FIRST, first.year), min(LAST, last.year + 1)
        self.openings: dict[str, Openings] = {}
        self.compiled: list[Openings] = []
        self.grid: Grid | None = None
        self._compile([policies.hours(None)])

    def hours(self, channel: pl.Series, queue: pl.Series | None = None) -> pl.Series:
        """The name of the opening hours of each row's channel, or of its queue where that has its own."""
        queues = queue if queue is not None else pl.repeat(None, len(channel), dtype=pl.String, eager=True)
        asked = pl.DataFrame({"channel": channel.cast(pl.String), "queue": queues.cast(pl.String)})
        pairs = asked.unique(maintain_order=True)
        names = [self.policies.hours(*pair) for pair in pairs.rows()]
        named = asked.join(
            pairs.with_columns(hours=pl.Series(names, dtype=pl.String)),
            on=["channel", "queue"],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        return named["hours"]

    def elapsed(self, start: pl.Series, stop: pl.Series, calendar: pl.Series) -> pl.Series:
        """Business microseconds from start to stop, negative where stop comes first."""
        codes = self._codes(calendar)
        passed = self._before(stop, codes) - self._before(start, codes)
        return _column(passed, start, stop, calendar)

    def due(self, start: pl.Series, budget: pl.Series, calendar: pl.Series) -> pl.Series:
        """The latest instant with elapsed <= budget (µs): the next opening if the budget ends at closing."""
        codes = self._codes(calendar)
        counts = self._before(start, codes) + budget.cast(pl.Int64).fill_null(0).to_numpy()
        return _column(self._reached(counts, codes), start, budget, calendar).cast(INSTANT)

    def opening(self, instant: pl.Series, calendar: pl.Series) -> pl.Series:
        """The instant itself where open, else the next opening."""
        codes = self._codes(calendar)
        counts = self._before(instant, codes)
        return _column(self._reached(counts, codes), instant, calendar).cast(INSTANT)

    def _codes(self, calendar: pl.Series) -> Codes:
        codes = calendar.cast(pl.String).cast(pl.Enum(list(self.openings)), strict=False)
        if codes.null_count() > calendar.null_count():
            self._compile(calendar.cast(pl.String).drop_nulls().unique().sort().to_list())
            codes = calendar.cast(pl.String).cast(pl.Enum(list(self.openings)))
        return codes.to_physical().fill_null(0).to_numpy()

    def _compile(self, names: list[str]) -> None:
        for name in names:
            if name not in self.openings:
                self.openings[name] = self._opened(name)
        self.compiled, self.grid = list(self.openings.values()), None

    def _opened(self, name: str) -> Openings:
        asked = self._calendars(name)
        same = (one for known, one in self.openings.items() if self._calendars(known) == asked)
        return next(same, None) or Openings(self.policies, name, first=self.first, last=self.last)

    def _calendars(self, name: str) -> list[Calendar]:
        return [self.policies.calendar(policy, name) for _, policy in self.policies.adopted]

    def _dense(self, rows: int) -> Grid | None:
        if self.grid is None and rows >= WORTH_A_GRID:
            self.grid = Grid(self.compiled, last=self.last)
        return self.grid

    def _before(self, column: pl.Series, codes: Codes) -> Micros:
        instants = _microseconds(column, year_start(self.first))
        grid = self._dense(len(instants))
        if grid is None:
            return self._exactly(Openings.before, instants, codes, np.zeros_like(instants), None)
        slow = (instants < grid.start) | (instants >= grid.end) | grid.exact[codes]
        if not slow.any():
            return grid.before(instants, codes)
        passed = grid.before(np.where(slow, grid.start, instants), codes)
        return self._exactly(Openings.before, instants, codes, passed, slow)

    def _reached(self, counts: Micros, codes: Codes) -> Micros:
        grid = self._dense(len(counts))
        if grid is None:
            return self._exactly(Openings.reached, counts, codes, np.zeros_like(counts), None)
        slow = (counts < grid.low[codes]) | (counts >= grid.high[codes]) | grid.exact[codes]
        if not slow.any():
            return grid.reached(counts, codes)
        instants, fast = np.zeros_like(counts), ~slow
        instants[fast] = grid.reached(counts[fast], codes[fast])
        return self._exactly(Openings.reached, counts, codes, instants, slow)

    def _exactly(
        self, answer: Answer, values: Micros, codes: Codes, answers: Micros, rows: Rows | None
    ) -> Micros:
        """The answers with those of `rows`, or of all, taken from the exact windows of each calendar."""
        for code in np.unique(codes if rows is None else codes[rows]):
            own = codes == code if rows is None else rows & (codes == code)
            answers[own] = answer(self.compiled[code], values[own])
        return answers


def _microseconds(column: pl.Series, filler: int) -> Micros:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        raise WorktimeError(f'The column "{column.name}" holds times without a zone; make them UTC first.')
    return column.cast(INSTANT).to_physical().fill_null(filler).to_numpy()


def _column(values: Micros, *arguments: pl.Series) -> pl.Series:
    column = pl.Series(values)
    for argument in arguments:
        if argument.null_count():
            column = column.zip_with(
                argument.is_not_null(), pl.repeat(None, len(column), dtype=pl.Int64, eager=True)
            )
    return column
