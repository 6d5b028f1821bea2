"""Opening hours of one calendar: local intervals per weekday, holidays, dated exceptions, as UTC windows.

A window is a half-open pair of UTC microseconds since the epoch; each end is converted by itself, so a
window across a clock change has its true length.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays as national

from domain.strict import Table

Interval = tuple[int, int]
"""Minutes after local midnight, half-open: 09:00-17:00 is (540, 1020)."""
Window = tuple[int, int]
"""UTC microseconds since the epoch, half-open."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WRITTEN = re.compile(r"(\d\d):(\d\d)\s*[-–]\s*(\d\d):(\d\d)")


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When work is done: `week` holds the hours of Monday to Sunday, `exceptions` those of single days."""

    name: str
    zone: str
    week: tuple[tuple[Interval, ...], ...]
    holidays: str | None
    exceptions: Mapping[date, tuple[Interval, ...]]

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
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 local by intent, zone attached below
    local = (midnight + timedelta(minutes=minute)).replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    early, late = local.replace(fold=1).astimezone(UTC), instant
    after = late.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (early, middle) if middle.astimezone(zone).utcoffset() == after else (middle, late)
    return late


def windows(calendar: Calendar, from_day: date, to_day: date) -> list[Window]:
    """The windows of the local days [from_day, to_day), in order, adjacent ones joined."""
    return joined(_opened(calendar, from_day, to_day))


def _opened(calendar: Calendar, from_day: date, to_day: date) -> Iterator[Window]:
    zone = ZoneInfo(calendar.zone)
    for offset in range((to_day - from_day).days):
        day = from_day + timedelta(days=offset)
        for start, stop in calendar.intervals(day):
            yield microseconds(instant_of(zone, day, start)), microseconds(instant_of(zone, day, stop))


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
