"""Opening hours as the generator plans by them: when people work, and how much working time lies between.

Written apart from `domain.calendar` on purpose: the truth beside the history must not share its faults.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays

from ingestion.demo.instants import FIRST_DAY, LAST_DAY, instant

OFFICE = dict.fromkeys(range(5), (9, 17))
CARE = dict.fromkeys(range(5), (8, 20)) | {5: (9, 15)}
WEEKS = {"email": OFFICE, "web_form": OFFICE, "chat": CARE, "messenger": CARE, "phone": CARE}


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Open spans in order; `before` holds the open seconds that lie before each."""

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    before: tuple[int, ...]

    def spent(self, at: int) -> int:
        """Open seconds from the beginning up to an instant."""
        span = bisect_right(self.opens, at) - 1
        return 0 if span < 0 else self.before[span] + min(at, self.closes[span]) - self.opens[span]

    def elapsed(self, start: int, stop: int) -> int:
        """Open seconds between two instants."""
        return self.spent(stop) - self.spent(start)

    def is_open(self, at: int) -> bool:
        """Whether somebody works at the instant."""
        span = bisect_right(self.opens, at) - 1
        return span >= 0 and at < self.closes[span]

    def after(self, start: int, seconds: int) -> int:
        """The instant at which so many open seconds have passed since `start`, always an open one."""
        aim = self.spent(start) + seconds
        span = bisect_right(self.before, aim) - 1
        return self.opens[span] + aim - self.before[span]


@cache
def free_days() -> frozenset[date]:
    """Polish public holidays."""
    return frozenset(holidays.country_holidays("PL", years=range(FIRST_DAY.year, LAST_DAY.year + 2)))


@cache
def hours_of(channel: str) -> Hours:
    """The hours of a channel, from a fortnight before the history to two months after it."""
    week = WEEKS.get(channel, CARE)
    day, end = FIRST_DAY - timedelta(days=14), LAST_DAY + timedelta(days=60)
    opens, closes, before, spent = [], [], [], 0
    while day < end:
        if day.weekday() in week and day not in free_days():
            first, last = week[day.weekday()]
            opens.append(instant(day.year, day.month, day.day, first))
            closes.append(instant(day.year, day.month, day.day, last))
            before.append(spent)
            spent += closes[-1] - opens[-1]
        day += timedelta(days=1)
    return Hours(opens=tuple(opens), closes=tuple(closes), before=tuple(before))
