"""The demo's time: one instant is a whole second since the epoch; days are days of Warsaw."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")
MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800


def instant(*clock: int) -> int:
    """The instant of a local time: year, month, day, then hour, minute and second where they matter."""
    year, month, day, *rest = clock
    hour, minute, second = (*rest, 0, 0, 0)[:3]
    return int(datetime(year, month, day, hour, minute, second, tzinfo=WARSAW).timestamp())


def stamp(at: int) -> datetime:
    """An instant as events carry it."""
    return datetime.fromtimestamp(at, UTC)


def local(at: int) -> datetime:
    """An instant on the clocks of Warsaw."""
    return datetime.fromtimestamp(at, WARSAW)


def midnight(day: date) -> int:
    """The instant at which a local day begins."""
    return instant(day.year, day.month, day.day)


START = instant(2025, 10, 20)
UNTIL = instant(2026, 11, 21, 21)
FIRST_DAY, LAST_DAY = date(2025, 10, 20), date(2026, 11, 21)
"""The history; its last year ends on the last day, the five weeks before are the baseline."""

PLANNED_ON = {
    "email": date(2025, 10, 20),
    "chat": date(2025, 11, 24),
    "messenger": date(2026, 3, 2),
    "phone": date(2026, 5, 18),
    "web_form": date(2027, 1, 11),
}
LIVE_ON = {
    "email": date(2025, 10, 20),
    "chat": date(2025, 12, 1),
    "messenger": date(2026, 3, 2),
    "phone": date(2026, 6, 1),
}
LIVE_AT = {channel: midnight(day) for channel, day in LIVE_ON.items()}


def is_live(channel: str, at: int) -> bool:
    """Whether the channel is connected; others than the four reported at once from the beginning."""
    return at >= LIVE_AT.get(channel, START)


def recorded(channel: str, at: int) -> int:
    """When something on a channel is known centrally: seconds later, before go-live by the file of the night."""
    if is_live(channel, at):
        return at + 10
    clock = local(at)
    tonight = instant(clock.year, clock.month, clock.day, 3)
    return tonight if tonight > at else tonight + DAY
