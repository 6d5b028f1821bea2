"""One `Policies` is the history of what we promised: every adopted version and the time it is in force.

The shipped version counts as adopted before all time; at an instant the newest `starts_at` up to it holds.
Opening hours are composed over versions, so that a span across a change counts each version's own hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from domain.calendar import Calendar, Window, joined, microseconds, read_calendar, windows
from domain.events.decisions import CalendarAdopted, PolicyAdopted
from domain.policy_file import digest_of, load, parse_policy, shipped_policy
from domain.promises import Channel, Policy, Promise, SourceTrust
from domain.strict import PolicyError, Table

__all__ = [
    "Channel",
    "Policies",
    "Policy",
    "PolicyError",
    "Promise",
    "SourceTrust",
    "always",
    "parse_policy",
    "policies_from",
    "shipped_policy",
]

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Policies:
    """Versions by the instant from which they hold, oldest first; the first holds from the beginning."""

    adopted: tuple[tuple[datetime, Policy], ...]

    @property
    def latest(self) -> Policy:
        """The version adopted with the newest start."""
        return self.adopted[-1][1]

    @property
    def spans(self) -> list[tuple[datetime, datetime, Policy]]:
        """Every version with the half-open span in which it holds."""
        starts = [starts_at for starts_at, _ in self.adopted]
        return [
            (start, end, policy)
            for (start, policy), end in zip(self.adopted, [*starts[1:], END], strict=True)
        ]

    @property
    def digest(self) -> str:
        """Tells this history from any other."""
        return digest_of([[starts_at.isoformat(), policy.digest] for starts_at, policy in self.adopted])

    def at(self, instant: datetime) -> Policy:
        """The version in force at an instant."""
        return next(policy for starts_at, policy in reversed(self.adopted) if starts_at <= instant)

    def hours(self, channel: str | None, queue: str | None = None) -> str:
        """The name under which a channel's, or a queue's own, opening hours are composed over versions."""
        if queue is not None and any(queue in policy.queue_calendars for _, policy in self.adopted):
            return f"channel:{channel or ''} queue:{queue}"
        return f"channel:{channel or ''}"

    def calendar(self, policy: Policy, hours: str) -> Calendar:
        """What `hours` means in one version: a calendar's name, or what the method `hours` returned."""
        named = [version for _, version in self.adopted if hours in version.calendars]
        if named:
            return policy.calendars.get(hours, policy.calendars[policy.calendar])
        if not hours.startswith("channel:"):
            known = ", ".join(sorted({name for _, version in self.adopted for name in version.calendars}))
            raise PolicyError(f'No policy has a calendar "{hours}"; name one of: {known}.')
        channel, _, queue = hours.removeprefix("channel:").partition(" queue:")
        return policy.calendar_of(channel or None, queue or None)

    def windows(self, hours: str, from_day: date, to_day: date) -> list[Window]:
        """The opening windows of the UTC days [from_day, to_day), each version's own while it is in force."""
        first, last = _midnight(from_day), _midnight(to_day)
        result: list[Window] = []
        for starts_at, ends_at, policy in self.spans:
            start, end = max(first, starts_at), min(last, ends_at)
            if start < end:
                calendar = self.calendar(policy, hours)
                opened = windows(calendar, start.date() - DAY, end.date() + 2 * DAY)
                low, high = microseconds(start), microseconds(end)
                result += [(max(low, opens), min(high, closes)) for opens, closes in opened]
        return joined(result)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def always(policy: Policy) -> Policies:
    """The history in which one policy has held all along: what if."""
    return Policies(adopted=((BEGINNING, policy),))


def policies_from(
    adoptions: Iterable[PolicyAdopted | CalendarAdopted], *, shipped: Policy | None = None
) -> Policies:
    """The history that adoptions make, in any order; of one `starts_at` the latest decision wins."""
    history = {BEGINNING: shipped or shipped_policy()}
    for event in sorted(adoptions, key=_decided):
        previous = history[max(starts_at for starts_at in history if starts_at <= event.starts_at)]
        history[event.starts_at] = _adopted(event, previous)
    return Policies(adopted=tuple(sorted(history.items(), key=lambda version: version[0])))


def _decided(event: PolicyAdopted | CalendarAdopted) -> tuple[datetime, datetime, bool, int, str]:
    return event.starts_at, event.occurred_at, event.seq is not None, event.seq or 0, event.event_id


def _adopted(event: PolicyAdopted | CalendarAdopted, previous: Policy) -> Policy:
    if isinstance(event, PolicyAdopted):
        return parse_policy(event.content, where=f"policy {event.version} ({event.event_id})")
    where = f"calendar {event.calendar} ({event.event_id})"
    document = load(event.content, where=where)
    calendar = read_calendar(event.calendar, Table(document, where=where))
    note = "\n".join(f"# {line}" for line in event.content.splitlines())
    return replace(
        previous,
        version=f"{previous.version}+{event.calendar}:{event.digest[:8]}",
        calendars={**previous.calendars, event.calendar: calendar},
        digest=digest_of([previous.digest, event.calendar, document]),
        content=f"{previous.content}\n# {event.calendar} replaced by:\n{note}\n",
    )
