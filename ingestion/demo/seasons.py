"""How much happens when: one call spreads a year's matters of a channel over its days and hours."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from ingestion.demo.hours import free_days, hours_of
from ingestion.demo.instants import DAY, FIRST_DAY, HOUR, LAST_DAY, LIVE_AT, START, UNTIL, WEEK, midnight

WEEKDAYS = (1.24, 1.12, 1.05, 1.0, 0.96, 0.42, 0.2)
PROMOTIONS = (
    (date(2025, 11, 24), date(2025, 12, 2), 1.45),
    (date(2025, 12, 8), date(2025, 12, 23), 1.3),
    (date(2025, 12, 24), date(2026, 1, 1), 0.5),
    (date(2026, 1, 2), date(2026, 1, 18), 1.2),
    (date(2026, 4, 3), date(2026, 4, 7), 0.6),
    (date(2026, 5, 18), date(2026, 5, 31), 1.2),
    (date(2026, 7, 6), date(2026, 8, 16), 0.85),
    (date(2026, 8, 24), date(2026, 9, 6), 1.2),
    (date(2026, 11, 16), date(2026, 11, 21), 1.15),
)
"""From, to (both included), factor: sales weeks, the days between the years, summer."""

BUSINESS = (1, 1, 1, 1, 1, 2, 4, 9, 18, 26, 28, 27, 25, 24, 24, 23, 22, 17, 12, 11, 12, 10, 5, 2)
SOCIABLE = (1, 1, 0, 0, 0, 1, 2, 5, 14, 20, 22, 22, 22, 20, 20, 20, 21, 22, 23, 22, 10, 7, 4, 2)
LINES = (0, 0, 0, 0, 0, 0, 0, 3, 22, 30, 32, 30, 26, 25, 25, 25, 24, 20, 15, 9, 3, 1, 0, 0)
HOURS = {"chat": SOCIABLE, "messenger": SOCIABLE, "phone": LINES, "missed": LINES, "sales": LINES}

START_SHARE = {"chat": 0.6, "messenger": 0.6, "phone": 1.1, "missed": 1.15}
"""Volume before go-live against after it."""

ATTAINED = {
    "email": (0.905, 0.905),
    "web_form": (0.876, 0.876),
    "chat": (0.73, 0.907),
    "messenger": (0.705, 0.885),
    "phone": (0.715, 0.925),
}
"""Share of promises kept before and, seven weeks on, after go-live."""


def attained(channel: str, at: int) -> float:
    """The share of promises kept around an instant: it climbs for seven weeks from go-live."""
    before, after = ATTAINED[channel]
    climbed = (at - LIVE_AT.get(channel, START)) / (7 * WEEK)
    return before + (after - before) * min(1.0, max(0.0, climbed))


def weight(kind: str, day: date) -> float:
    """How busy a day is for a channel, 1 being an ordinary Thursday."""
    factor = WEEKDAYS[day.weekday()] * (0.25 if day in free_days() else 1.0)
    for first, last, change in PROMOTIONS:
        if first <= day <= last:
            factor *= change
    live = LIVE_AT.get({"missed": "phone"}.get(kind, kind), START)
    share = START_SHARE.get(kind, 1.0)
    grown = min(1.0, max(0.0, (midnight(day) - live) / (10 * WEEK)))
    return factor * (share + (1.0 - share) * grown)


def starts(rng: Random, kind: str, total: int) -> list[int]:
    """About `total` instants at which customers turn to a channel, in order."""
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    weights = [weight(kind, day) for day in days]
    share = total / sum(weights)
    found: list[int] = []
    for day, busy in zip(days, weights, strict=True):
        number = math.floor(busy * share + rng.random())
        found += drawn(rng, kind, midnight(day), number)
    return sorted(at for at in found if START + HOUR <= at < UNTIL - HOUR)


def drawn(rng: Random, kind: str, day_at: int, number: int) -> list[int]:
    """Instants of one day by the hours of its channel; answered and sales calls only while lines are open."""
    chosen = rng.choices(range(24), cum_weights=cumulated(HOURS.get(kind, BUSINESS)), k=number)
    found = [day_at + hour * HOUR + rng.randrange(HOUR) for hour in chosen]
    if kind not in ("phone", "sales"):
        return found
    lines = hours_of("phone")
    calls = [at if lines.is_open(at) else lines.after(at, rng.randrange(4 * HOUR)) for at in found]
    return [at for at in calls if at < day_at + DAY]


def cumulated(weights: Sequence[int]) -> list[int]:
    """Running sums, as choices wants them."""
    total, sums = 0, []
    for one in weights:
        total += one
        sums.append(total)
    return sums
