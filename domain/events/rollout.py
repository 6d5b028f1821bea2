"""Roll-out: what was planned, what went live, and the goals set for it."""

from datetime import date
from typing import ClassVar, Literal

from domain.events.envelope import Event, Open

Stage = Literal["transactional", "profile", "omnichannel"]


class RolloutPlanned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A unit (channel, team or location) is to reach a stage on a day."""

    TOPIC: ClassVar[str] = "rollout.planned"
    unit: Open
    unit_kind: Literal["channel", "team", "location"] = "channel"
    stage: Stage = "omnichannel"
    planned_on: date


class WentLive(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A unit reached a stage on a day."""

    TOPIC: ClassVar[str] = "rollout.went_live"
    unit: Open
    unit_kind: Literal["channel", "team", "location"] = "channel"
    stage: Stage = "omnichannel"
    live_on: date


class GoalSet(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A KPI is to reach `target` by `due_on`; a share is a fraction, a duration business seconds."""

    TOPIC: ClassVar[str] = "goal.set"
    goal: Open
    kpi: Open
    target: float
    channel_is: Open | None = None
    baseline_from: date | None = None
    baseline_to: date | None = None
    due_on: date | None = None
    owner: Open | None = None
    primary: bool = False
    smallest_change: float | None = None


class GoalChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A goal's target or deadline was changed; earlier versions stay readable."""

    TOPIC: ClassVar[str] = "goal.changed"
    goal: Open
    target: float
    due_on: date | None = None
    owner: Open | None = None
