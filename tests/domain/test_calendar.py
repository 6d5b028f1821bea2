"""Calendars: what may be written, the local day it means, and its windows in UTC."""

import tomllib
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.calendar import Calendar, instant_of, joined, microseconds, read_calendar, windows
from domain.policy import PolicyError
from domain.strict import Table

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = """
zone = "Europe/Warsaw"
holidays = "PL"
monday = ["13:00-17:00", "09:00-12:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
sunday = ["10:00 – 14:00"]
[exceptions]
2026-10-27 = []
2026-11-11 = ["10:00-11:00"]
"""


def calendar(text: str) -> Calendar:
    return read_calendar("office", Table(tomllib.loads(text), where="policy.toml", path="calendars.office"))


def utc(*parts: int) -> int:
    return microseconds(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("day", "intervals"),
    [
        (date(2026, 10, 26), ((540, 720), (780, 1020))),
        (date(2026, 10, 27), ()),
        (date(2026, 10, 29), ()),
        (date(2026, 11, 1), ()),
        (date(2026, 11, 8), ((600, 840),)),
        (date(2026, 11, 11), ((600, 660),)),
        (date(2024, 12, 24), ((540, 1020),)),
        (date(2025, 12, 24), ()),
    ],
)
def test_a_day_has_its_exceptions_hours_else_none_on_a_holiday_else_its_weekdays(
    day: date, intervals: tuple[tuple[int, int], ...]
) -> None:
    assert calendar(OFFICE).intervals(day) == intervals


def test_windows_are_the_local_hours_in_utc_on_both_sides_of_the_clock_change() -> None:
    plain = calendar('zone = "Europe/Warsaw"\nevery_day = ["09:00-17:00"]')
    assert windows(plain, date(2026, 10, 24), date(2026, 10, 27)) == [
        (utc(2026, 10, 24, 7), utc(2026, 10, 24, 15)),
        (utc(2026, 10, 25, 8), utc(2026, 10, 25, 16)),
        (utc(2026, 10, 26, 8), utc(2026, 10, 26, 16)),
    ]


def test_round_the_clock_is_one_window_without_gaps() -> None:
    always = calendar('zone = "Europe/Warsaw"\nevery_day = ["00:00-24:00"]')
    assert windows(always, date(2026, 1, 1), date(2027, 1, 1)) == [
        (utc(2025, 12, 31, 23), utc(2026, 12, 31, 23))
    ]


def test_no_days_have_no_windows() -> None:
    assert windows(calendar(OFFICE), date(2026, 1, 5), date(2026, 1, 5)) == []


def test_holidays_of_a_part_of_a_country_are_its_own() -> None:
    bavaria = calendar('zone = "Europe/Berlin"\nholidays = "DE-BY"\nevery_day = ["09:00-17:00"]')
    germany = calendar('zone = "Europe/Berlin"\nholidays = "DE"\nevery_day = ["09:00-17:00"]')
    epiphany = date(2026, 1, 6)
    assert (bavaria.intervals(epiphany), germany.intervals(epiphany)) == ((), ((540, 1020),))


@pytest.mark.parametrize(
    ("zone", "day", "minute", "expected"),
    [
        ("Europe/Warsaw", date(2026, 3, 29), 119, datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 3, 29), 120, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 3, 29), 150, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 3, 29), 179, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 3, 29), 180, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 10, 25), 120, datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 10, 25), 179, datetime(2026, 10, 25, 0, 59, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 10, 25), 180, datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        ("Europe/Warsaw", date(2026, 10, 24), 1440, datetime(2026, 10, 24, 22, 0, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 30), 720, datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),
        ("Asia/Kolkata", date(2026, 6, 1), 540, datetime(2026, 6, 1, 3, 30, tzinfo=UTC)),
    ],
)
def test_a_doubled_local_time_is_the_first_and_a_missing_one_the_end_of_the_gap(
    zone: str, day: date, minute: int, expected: datetime
) -> None:
    assert instant_of(ZoneInfo(zone), day, minute) == expected


def test_touching_windows_are_joined_and_empty_ones_dropped() -> None:
    assert joined([(0, 5), (5, 9), (10, 10), (12, 20), (15, 18)]) == [(0, 9), (12, 20)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'zone = "Europe/Varsovia"\nmonday = ["09:00-17:00"]',
            'policy.toml: calendars.office.zone is "Europe/Varsovia", which is no time zone; '
            "write one such as Europe/Warsaw.",
        ),
        (
            'zone = "../etc/passwd"\nmonday = ["09:00-17:00"]',
            'policy.toml: calendars.office.zone is "../etc/passwd", which is no time zone; '
            "write one such as Europe/Warsaw.",
        ),
        ('monday = ["09:00-17:00"]', "policy.toml: calendars.office.zone is missing; write text."),
        (
            'zone = "Europe/Warsaw"\nmonday = ["09:00-13:00", "12:30-17:00"]',
            "policy.toml: calendars.office.monday has overlapping intervals: 09:00-13:00 is not over at 12:30.",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["22:00-06:00"]',
            'policy.toml: calendars.office.monday holds "22:00-06:00", which does not end after it starts; '
            "a night is written as two, to 24:00 and from 00:00.",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["09:00-24:30"]',
            'policy.toml: calendars.office.monday holds "09:00-24:30", which is no time of day; '
            "a day runs from 00:00 to 24:00.",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["9-17"]',
            'policy.toml: calendars.office.monday holds "9-17", which is no interval; write it as 09:00-17:00.',
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = "09:00-17:00"',
            "policy.toml: calendars.office.monday must be a list, not '09:00-17:00'.",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = [9]',
            "policy.toml: calendars.office.monday must be a list of texts, but holds 9.",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["09:00-17:00"]\nevery_day = ["00:00-24:00"]',
            "policy.toml: calendars.office.every_day stands beside single weekdays; write one or the other.",
        ),
        (
            'zone = "Europe/Warsaw"',
            "policy.toml: calendars.office.monday to sunday hold no opening hours; "
            'write some, such as ["09:00-17:00"].',
        ),
        (
            'zone = "Europe/Warsaw"\nmoday = ["09:00-17:00"]\ntuesday = ["09:00-17:00"]',
            "policy.toml: calendars.office.moday is not a known key; did you mean monday?",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["09:00-17:00"]\nholidays = "POLSKA"',
            'policy.toml: calendars.office.holidays is "POLSKA", which is no country code; write one such as PL.',
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["09:00-17:00"]\nholidays = "AT-XX"',
            'policy.toml: calendars.office.holidays names the part "XX" of AT, which is unknown; '
            "known: 1, 2, 3, 4, 5, 6, 7, 8, 9.",
        ),
        (
            'zone = "Europe/Warsaw"\nmonday = ["09:00-17:00"]\n[exceptions]\n2026-02-30 = []',
            "policy.toml: calendars.office.exceptions.2026-02-30 is no day; "
            "write year-month-day such as 2026-12-24.",
        ),
    ],
)
def test_a_wrong_calendar_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        calendar(text)
    assert str(refusal.value) == sentence
