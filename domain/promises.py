"""What one version of the policy holds: channels, promises, opening hours, and whom we believe in what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.calendar import Calendar

LANGUAGES = ("en", "pl")
LAST = 1000
"""The order of channels that name none: after those that do."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way to reach us; `label` is by language, `order` the place in lists."""

    code: str
    label: Mapping[str, str]
    calendar: str
    kind: Literal["synchronous", "asynchronous"]
    order: int


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A clock started in this channel stops within `target` of business time."""

    clock: str
    channel: str
    priority: str | None
    tier: str | None
    target: timedelta


@dataclass(frozen=True, kw_only=True)
class SourceTrust:
    """What a source is believed: its recording time, and identifiers by `namespace.obtained`."""

    known_at: bool
    pairs: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Everything that judges, in one version; `digest` tells apart what `version` may confuse."""

    version: str
    zone: str
    calendar: str
    channels: Mapping[str, Channel]
    promises: tuple[Promise, ...]
    calendars: Mapping[str, Calendar]
    queue_calendars: Mapping[str, str]
    trust: Mapping[str, SourceTrust]
    blocked: tuple[str, ...]
    digest: str
    content: str

    def channel(self, code: str) -> Channel:
        """The channel of a code; one the policy does not know has its code as label and default hours."""
        plain = dict.fromkeys(LANGUAGES, code)
        unknown = Channel(code=code, label=plain, calendar=self.calendar, kind="asynchronous", order=LAST)
        return self.channels.get(code, unknown)

    def ordered(self) -> list[Channel]:
        """The channels as lists show them."""
        return sorted(self.channels.values(), key=lambda channel: (channel.order, channel.code))

    def calendar_of(self, channel: str | None, queue: str | None = None) -> Calendar:
        """The opening hours that hold: the queue's own, else the channel's, else the default."""
        if queue is not None and queue in self.queue_calendars:
            return self.calendars[self.queue_calendars[queue]]
        return self.calendars[self.channel(channel).calendar if channel else self.calendar]

    def promise(
        self, clock: str, channel: str, priority: str | None = None, tier: str | None = None
    ) -> Promise | None:
        """The most specific promise that fits; priority weighs more than tier."""
        fitting = [
            promise
            for promise in self.promises
            if (promise.clock, promise.channel) == (clock, channel)
            and promise.priority in (None, priority)
            and promise.tier in (None, tier)
        ]
        return max(
            fitting, key=lambda found: (found.priority is not None, found.tier is not None), default=None
        )
