"""A period of whole local days [start, end), its comparison, and the grain that draws it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PRESETS = {"7d": 7, "30d": 30, "90d": 90}
CODES = (*PRESETS, "12m", "custom")
COMPARISONS = ("previous", "year", "none")
Grain = Literal["1d", "1w", "1mo"]


@dataclass(frozen=True, kw_only=True)
class Period:
    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def coarse(self) -> Grain:
        """The grain where days hold too few rows each."""
        return "1w" if self.days <= 800 else "1mo"

    @property
    def grain(self) -> Grain:
        return "1d" if self.days <= 62 else "1w" if self.days <= 800 else "1mo"


def years_back(day: date, years: int = 1) -> date:
    """The same day of an earlier year; 29 February becomes 28 February."""
    return day.replace(year=day.year - years, day=min(day.day, 28 if day.month == 2 else day.day))


def period(code: str, newest: date, custom: tuple[date, date] | None = None) -> Period:
    """A preset ends with the newest known day; a custom range holds both its days."""
    end = newest + timedelta(days=1)
    if code == "custom" and custom:
        return Period(start=min(custom), end=max(custom) + timedelta(days=1))
    if code == "12m":
        return Period(start=years_back(end), end=end)
    return Period(start=end - timedelta(days=PRESETS.get(code, 30)), end=end)


def compared(current: Period, with_: str) -> Period | None:
    """The period to compare with: the one just before, or the same days a year ago."""
    if with_ == "previous":
        return Period(start=current.start - timedelta(days=current.days), end=current.start)
    if with_ == "year":
        return Period(start=years_back(current.start), end=years_back(current.end))
    return None


def trend(current: Period) -> Period:
    """At least a year up to the period's end, so that a month stands in its context."""
    return Period(start=min(current.start, years_back(current.end)), end=current.end)
