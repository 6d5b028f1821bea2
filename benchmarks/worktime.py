"""One line is one way to compute business time: ns a row, and whether it agrees with the others to the microsecond.

Run: `python -m benchmarks.worktime [rows]`.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from domain.calendar import Calendar
from domain.policy import Policies, policies_from, shipped_policy
from projections.worktime import INSTANT, Worktime

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
CALENDARS = ["office", "always", "channel:email", "channel:phone", "channel:chat", "channel:store"]
WALKED = 300
MINUTE = timedelta(minutes=1)
BUDGET = 6 * 3600 * 1_000_000


def spans(rows: int) -> pl.DataFrame:
    """Starts over three years, each up to ten days long, calendars mixed; the same every time."""
    chance = np.random.default_rng(20261025)
    low, high = (int(instant.timestamp()) * 1_000_000 for instant in (FIRST, LAST - timedelta(days=11)))
    start = chance.integers(low, high, rows)
    stop = start + chance.integers(0, 10 * 86_400_000_000, rows)
    calendar = pl.Series(CALENDARS).gather(chance.integers(0, len(CALENDARS), rows))
    return pl.DataFrame({"start": start, "stop": stop, "calendar": calendar}).with_columns(
        pl.col("start", "stop").cast(INSTANT)
    )


def as_of_joins(policies: Policies, frame: pl.DataFrame) -> pl.Series:
    """The same by two as-of joins against the windows with their running sum."""
    length = pl.col("closes") - pl.col("opens")
    parts = []
    for name in CALENDARS:
        opened = policies.windows(name, date(2023, 12, 1), date(2027, 1, 15))
        bounds = pl.DataFrame(opened, schema={"opens": pl.Int64, "closes": pl.Int64}, orient="row")
        parts.append(bounds.with_columns(before=length.cum_sum() - length, calendar=pl.lit(name)))
    windows = pl.concat(parts).sort("opens").with_columns(at="opens")
    passed = pl.col("before") + pl.min_horizontal("at", "closes") - pl.col("opens")
    counted = []
    for end in ("stop", "start"):
        asked = frame.select("calendar", at=pl.col(end).to_physical()).with_row_index("row").sort("at")
        met = asked.join_asof(windows, on="at", by="calendar", check_sortedness=False)
        counted.append(met.select("row", passed=passed).sort("row")["passed"])
    return counted[0] - counted[1]


def walk(calendars: dict[str, Calendar], start: datetime, stop: datetime, name: str) -> int:
    """The same minute by minute, as one would by hand."""
    calendar, total = calendars[name], timedelta()
    zone, minute = ZoneInfo(calendar.zone), start.replace(second=0, microsecond=0)
    while minute < stop:
        here = minute.astimezone(zone)
        if any(low <= 60 * here.hour + here.minute < high for low, high in calendar.intervals(here.date())):
            total += min(stop, minute + MINUTE) - max(start, minute)
        minute += MINUTE
    return total // timedelta(microseconds=1)


def timed(run: Callable[[], pl.Series], rows: int, repeats: int = 5) -> tuple[pl.Series, float]:
    """The result, and the least of several times in ns a row."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - began)
    return result, min(times) / rows * 1e9


def main(rows: int = 2_000_000) -> None:
    """Print the table."""
    policies, frame = policies_from([]), spans(rows)
    columns = frame["start"], frame["stop"], frame["calendar"]
    began = time.perf_counter()
    worktime = Worktime(policies, FIRST, LAST)
    worktime.elapsed(*(column.head(100) for column in columns))
    built = time.perf_counter() - began
    grid, grid_ns = timed(lambda: worktime.elapsed(*columns), rows)
    budget = pl.repeat(BUDGET, rows, dtype=pl.Int64, eager=True)
    due, due_ns = timed(lambda: worktime.due(columns[0], budget, columns[2]), rows)
    _, opening_ns = timed(lambda: worktime.opening(columns[0], columns[2]), rows)
    joined, joined_ns = timed(lambda: as_of_joins(policies, frame), rows, repeats=3)
    calendars = {name: policies.calendar(shipped_policy(), name) for name in CALENDARS}
    few = frame.head(WALKED)
    walked, walked_ns = timed(
        lambda: pl.Series([walk(calendars, *row) for row in few.rows()]), WALKED, repeats=1
    )
    late = (grid > BUDGET) == (columns[1] > due)
    print(
        f"business time, {rows:,} rows, {len(CALENDARS)} calendars, built in {built * 1e3:.0f} ms; ns a row:"
    )
    print(f"  elapsed, ours    {grid_ns:12,.1f}")
    print(f"  due, ours        {due_ns:12,.1f}   says late on the same rows: {late.all()}")
    print(f"  opening, ours    {opening_ns:12,.1f}")
    same = (joined == grid).all()
    print(f"  join_asof twice  {joined_ns:12,.1f}   {joined_ns / grid_ns:8,.1f} x ours, equal: {same}")
    same = (walked == grid.head(WALKED)).all()
    print(
        f"  minute walker    {walked_ns:12,.1f}   {walked_ns / grid_ns:8,.0f} x ours, equal on {WALKED} rows: {same}"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
