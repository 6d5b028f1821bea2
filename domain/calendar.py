"""Opening hours of one calendar: local intervals per weekday, holidays, dated exceptions, as UTC windows.

A window is a half-open pair of UTC microseconds since the epoch; each end is converted by itself, so a
window across a clock change has its true length.
"""

import re
from calendar import isleap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

import holidays as national

from domain.strict import Table

Interval = tuple[int, int]
"""Minutes after local midnight, half-open: 09:00-17:00 is (540, 1020)."""
Window = tuple[int, int]
"""UTC microseconds since the epoch, half-open."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NONE, SECOND, MICROSECOND = timedelta(), timedelta(seconds=1), timedelta(microseconds=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WRITTEN = re.compile(r"(\d\d):(\d\d)\s*[-–]\s*(\d\d):(\d\d)")


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When work is done: `week` holds the hours of Monday to Sunday, `exceptions` those of single days."""

    name: str
    zone: str
    week: tuple[tuple[Interval, ...], ...]
    holidays: str | None
    exceptions: Mapping[date, tuple[Interval, ...]] = field(hash=False)

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """The local opening intervals of a day: its exception, else none on a holiday, else the weekday's."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.holidays and day in holidays_of(self.holidays, day.year):
            return ()
        return self.week[day.weekday()]


def microseconds(instant: datetime) -> int:
    """An aware instant as UTC microseconds since the epoch, exactly."""
    return (instant - EPOCH) // MICROSECOND


@lru_cache(maxsize=4096)
def holidays_of(code: str, year: int) -> frozenset[date]:
    """The public holidays of a country, or of its part (`DE-BY`), in a year."""
    country, _, part = code.partition("-")
    return frozenset(national.country_holidays(country, subdiv=part or None, years=year, expand=False))


def instant_of(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The UTC instant of a local time: the first of two, or the end of the gap for one that never was."""
    local = datetime.combine(day, time.min, tzinfo=zone) + timedelta(minutes=minute)
    before, after = local.utcoffset() or NONE, local.replace(fold=1).utcoffset() or NONE
    wall = local.replace(tzinfo=UTC)
    if before >= after:
        return wall - before
    early, late = wall - after, wall - before
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        early, late = (early, middle) if middle.astimezone(zone).utcoffset() == after else (middle, late)
    return late


def windows(calendar: Calendar, from_day: date, to_day: date) -> list[Window]:
    """The windows of the local days [from_day, to_day), in order, adjacent ones joined."""
    years = range(from_day.year, to_day.year + 1)
    opened = chain.from_iterable(_opened(calendar, year) for year in years)
    return joined(window for day, window in opened if from_day <= day < to_day)


@lru_cache(maxsize=1024)
def _opened(calendar: Calendar, year: int) -> tuple[tuple[date, Window], ...]:
    zone, first = ZoneInfo(calendar.zone), date(year, 1, 1)
    days = [first + timedelta(days=offset) for offset in range(366 if isleap(year) else 365)]
    return tuple(
        (day, (microseconds(instant_of(zone, day, start)), microseconds(instant_of(zone, day, stop))))
        for day in days
        for start, stop in calendar.intervals(day)
    )


def joined(ordered: Iterable[Window]) -> list[Window]:
    """Ordered windows without empty ones, touching or overlapping ones made one."""
    result: list[Window] = []
    for start, stop in ordered:
        if start >= stop:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return result


def read_calendar(name: str, table: Table) -> Calendar:
    """A calendar from its TOML table, every key checked."""
    zone = table.text("zone")
    check_zone(table, zone)
    every = _intervals(table, "every_day")
    week = tuple(_intervals(table, day) for day in WEEKDAYS)
    if every and any(week):
        raise table.error("every_day", "stands beside single weekdays; write one or the other")
    if not every and not any(week):
        raise table.error("monday", 'to sunday hold no opening hours; write some, such as ["09:00-17:00"]')
    code = table.text("holidays", None)
    _check_country(table, code)
    exceptions = _exceptions(table.table("exceptions"))
    table.done()
    days = (every,) * 7 if every else week
    return Calendar(name=name, zone=zone, week=days, holidays=code, exceptions=exceptions)


def check_zone(table: Table, zone: str) -> None:
    """The zone of a table is one that the time zone database knows."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise table.error(
            "zone", f'is "{zone}", which is no time zone; write one such as Europe/Warsaw'
        ) from None


def _check_country(table: Table, code: str | None) -> None:
    if code is None:
        return
    country, _, part = code.partition("-")
    supported = national.list_supported_countries()
    if country not in supported:
        raise table.error("holidays", f'is "{code}", which is no country code; write one such as PL')
    if part and part not in supported[country]:
        known = ", ".join(supported[country]) or "none"
        raise table.error(
            "holidays", f'names the part "{part}" of {country}, which is unknown; known: {known}'
        )


def _exceptions(table: Table) -> dict[date, tuple[Interval, ...]]:
    exceptions = {}
    for key in table.values:
        try:
            day = date.fromisoformat(key)
        except ValueError:
            raise table.error(key, "is no day; write year-month-day such as 2026-12-24") from None
        exceptions[day] = _intervals(table, key)
    return exceptions


def _intervals(table: Table, key: str) -> tuple[Interval, ...]:
    intervals = sorted(_interval(table, key, text) for text in table.texts(key))
    for (start, stop), (following, _) in pairwise(intervals):
        if following < stop:
            first, second = _clock(start, stop), _clock(following, stop)[:5]
            raise table.error(key, f"has overlapping intervals: {first} is not over at {second}")
    return tuple(intervals)


def _interval(table: Table, key: str, text: str) -> Interval:
    match = WRITTEN.fullmatch(text.strip())
    if not match:
        raise table.error(key, f'holds "{text}", which is no interval; write it as 09:00-17:00')
    hour, minute, to_hour, to_minute = map(int, match.groups())
    start, stop = 60 * hour + minute, 60 * to_hour + to_minute
    if minute > 59 or to_minute > 59 or stop > 1440:
        raise table.error(key, f'holds "{text}", which is no time of day; a day runs from 00:00 to 24:00')
    if start >= stop:
        split = "a night is written as two, to 24:00 and from 00:00"
        raise table.error(key, f'holds "{text}", which does not end after it starts; {split}')
    return start, stop


def _clock(start: int, stop: int) -> str:
    return f"{start // 60:02}:{start % 60:02}-{stop // 60:02}:{stop % 60:02}"
