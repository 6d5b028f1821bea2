"""Business time of one calendar: how much of it lies before an instant, and the instant a quantity reaches.

`Openings` is exact for any boundary and extends itself by years; `Grid` answers the same from dense cells.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from math import gcd

import numpy as np
from numpy.typing import NDArray

from domain.calendar import EPOCH, microseconds
from domain.policy import Policies

Micros = NDArray[np.int64]
Codes = NDArray[np.unsignedinteger]

MINUTE = 60_000_000
YEAR = 366 * 24 * 60 * MINUTE
CELLS = 8_000_000
"""How many cells a grid may hold, 64 MB; earlier years are then answered without it."""
CHUNK = 16_384
"""Rows worked on at once: their columns stay in the processor's cache."""
NEAR = 20
"""Years before the last that a grid may cover; uneven boundaries of older times do not disturb it."""
FIRST, LAST = 1900, 2100
"""The years that are answered: those of readable records, up to the last whose holidays are known."""


class WorktimeError(Exception):
    """Business time was asked for that no calendar can tell."""


def year_start(year: int) -> int:
    """UTC microseconds of the first instant of a year."""
    return microseconds(datetime(year, 1, 1, tzinfo=UTC))


def _year(instant: int) -> int:
    return (EPOCH + timedelta(microseconds=instant)).year


class Openings:
    """The windows of one calendar, composed over all policies; business time is counted from `origin`."""

    def __init__(self, policies: Policies, hours: str, *, first: int, last: int) -> None:
        self.policies, self.hours = policies, hours
        self.origin = year_start(max(first, last + 1 - NEAR))
        self._cover(first, last)

    def _cover(self, first: int, last: int) -> None:
        if first < FIRST or last > LAST:
            raise WorktimeError(
                f'Business time of "{self.hours}" is known from {FIRST} to {LAST} only; '
                "correct the date or the budget that lies outside."
            )
        self.first, self.last = first, last
        opened = self.policies.windows(self.hours, date(first, 1, 1), date(last + 1, 1, 1))
        bounds = np.array(opened, dtype=np.int64).reshape(-1, 2)
        self.starts, self.stops = bounds[:, 0].copy(), bounds[:, 1].copy()
        self.sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.stops - self.starts)])
        passed = self._counted(np.array([self.origin], np.int64))[0] if len(opened) else 0
        self.sums = self.sums - passed

    def _counted(self, instants: Micros) -> Micros:
        index = np.searchsorted(self.starts, instants, side="right") - 1
        held = np.clip(index, 0, None)
        inside = np.minimum(instants, self.stops[held]) - self.starts[held]
        counted: Micros = self.sums[held] + np.where(index < 0, 0, inside)
        return counted

    def before(self, instants: Micros) -> Micros:
        """Business microseconds between the origin and each instant, negative before it."""
        if not len(instants):
            return instants
        first, last = _year(int(instants.min())), _year(int(instants.max()))
        if first < self.first or last > self.last:
            self._cover(min(first, self.first), max(last, self.last))
        return self._counted(instants) if len(self.starts) else np.zeros_like(instants)

    def reached(self, counts: Micros) -> Micros:
        """The latest instant with no more than each count passed: the next opening where a window is used."""
        if not len(counts):
            return counts
        while int(counts.min()) < self.sums[0]:
            self._cover(self.first - self._more(self.first - FIRST), self.last)
        while int(counts.max()) >= self.sums[-1]:
            self._cover(self.first, self.last + self._more(LAST - self.last))
        index = np.searchsorted(self.sums, counts, side="right") - 1
        instants: Micros = self.starts[index] + counts - self.sums[index]
        return instants

    def _more(self, left: int) -> int:
        return max(1, min(left, self.last - self.first + 1))

    def step(self) -> int:
        """The widest cell, 15 minutes at most, on whose edges every boundary lies; in microseconds."""
        edges = np.clip(np.concatenate([self.starts, self.stops]) - self.origin, 0, None)
        return gcd(15 * MINUTE, int(np.gcd.reduce(edges))) if len(edges) else 15 * MINUTE


class Grid:
    """Dense cells of several calendars: business time before each, its lowest bit set where it is open.

    Calendars are told apart by their place in `openings`; those equal to an earlier one share its cells.
    """

    def __init__(self, openings: Sequence[Openings], *, last: int) -> None:
        distinct = list(dict.fromkeys(openings))
        self.step = gcd(*(one.step() for one in distinct if one.step() >= MINUTE)) or 15 * MINUTE
        years = max(1, CELLS * self.step // (len(distinct) * YEAR))
        first = max(last + 1 - min(years, NEAR), *(one.first for one in distinct))
        self.start, self.end = year_start(first), year_start(last + 1)
        width = (self.end - self.start) // self.step
        flags = [self._open_cells(one, width) for one in distinct]
        base = [int(one.before(np.array([self.start]))[0]) for one in distinct]
        sums = [start + (np.cumsum(flag) - flag) * self.step for start, flag in zip(base, flags, strict=True)]
        self.cells = np.concatenate([passed | flag for passed, flag in zip(sums, flags, strict=True)])
        self.opened = np.concatenate([np.flatnonzero(flag) for flag in flags]) * self.step + self.start
        open_cells = np.array([int(flag.sum()) for flag in flags])
        self.exact = np.array([one.step() < MINUTE for one in openings])
        row = np.array([distinct.index(one) for one in openings])
        self.offsets, self.low = row * width, np.array(base)[row]
        self.high = self.low + open_cells[row] * self.step
        self.places = (np.cumsum(open_cells) - open_cells)[row] - self.low // self.step

    def _open_cells(self, one: Openings, width: int) -> Micros:
        edges = np.zeros(width + 1, np.int64)
        if one.step() >= MINUTE:
            starts, stops = np.clip([one.starts, one.stops], self.start, self.end) - self.start
            if np.any(starts % self.step) or np.any(stops % self.step):
                raise AssertionError(f"a boundary of {one.hours} lies inside a cell of {self.step} µs")
            np.add.at(edges, starts // self.step, 1)
            np.add.at(edges, stops // self.step, -1)
        return np.cumsum(edges[:-1])

    def before(self, instants: Micros, codes: Codes) -> Micros:
        """As `Openings.before`, for instants from `start` to `end`; `codes` are places in `openings`."""
        passed = np.empty_like(instants)
        for start in range(0, len(instants), CHUNK):
            part = slice(start, start + CHUNK)
            inside = instants[part] - self.start
            cell = inside // self.step
            inside -= cell * self.step
            found = self.cells[cell + self.offsets[codes[part]]]
            inside *= found & 1
            passed[part] = inside + (found & -2)
        return passed

    def reached(self, counts: Micros, codes: Codes) -> Micros:
        """As `Openings.reached`, for counts from `low` to `high` of their calendar."""
        instants = np.empty_like(counts)
        for start in range(0, len(counts), CHUNK):
            part = slice(start, start + CHUNK)
            place = counts[part] // self.step
            instants[part] = self.opened[self.places[codes[part]] + place] + counts[part] - place * self.step
        return instants
