"""Cases: the customer's matter, as the source reports its state or its transitions."""

from typing import ClassVar

from domain.events.envelope import Event, Open


class StateReported(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The source told a state; transitions are derived from consecutive reports.

    `state` is one of open, awaiting_customer, awaiting_third_party, resolved, closed;
    `source_state` keeps the source's word and `source_verdict` its own opinion of its promise.
    """

    TOPIC: ClassVar[str] = "case.state_reported"
    state: Open | None = None
    source_state: Open | None = None
    priority: Open | None = None
    tier: Open | None = None
    group: Open | None = None
    agent: Open | None = None
    source_verdict: bool | None = None


class HandedOver(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Responsibility moved from one agent, team or bot to another."""

    TOPIC: ClassVar[str] = "case.handed_over"
    from_agent: Open | None = None
    to_agent: Open | None = None
    from_group: Open | None = None
    to_group: Open | None = None
    warm: bool | None = None
    context_passed: bool | None = None


class CaseResolved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The matter was declared solved."""

    TOPIC: ClassVar[str] = "case.resolved"
    reason: Open | None = None


class CaseReopened(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A solved matter was opened again by the event's actor."""

    TOPIC: ClassVar[str] = "case.reopened"
    reason: Open | None = None


class CaseLinked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The subject belongs to `case`; `provenance` tells how we know: reply header, order, agent or rule."""

    TOPIC: ClassVar[str] = "case.linked"
    provenance: Open | None = None
