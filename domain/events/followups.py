"""Follow-ups: the next step we promised."""

from datetime import datetime
from typing import ClassVar

from domain.events.envelope import Content, Event, Open


class FollowUpPlanned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """We promised to come back by `due_at`; `follow_up` names the promise."""

    TOPIC: ClassVar[str] = "follow_up.planned"
    follow_up: Open
    due_at: datetime
    what: Content | None = None
    owner: Open | None = None
    reason: Open | None = None


class FollowUpDone(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The promise was kept."""

    TOPIC: ClassVar[str] = "follow_up.done"
    follow_up: Open


class FollowUpCancelled(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The promise was withdrawn, with a reason."""

    TOPIC: ClassVar[str] = "follow_up.cancelled"
    follow_up: Open
    reason: Open | None = None
