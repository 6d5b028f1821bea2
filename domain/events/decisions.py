"""Decisions: what people ruled here, about links, policies and sources."""

from datetime import datetime
from typing import ClassVar

from msgspec import field

from domain.events.envelope import Content, Event, Open


class LinkConfirmed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Two subjects (stream ids) belong to one person."""

    TOPIC: ClassVar[str] = "link.confirmed"
    one: Open
    other: Open
    reason: Content | None = None


class LinkDenied(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Two subjects do not belong to one person; with `ns`, the assertion of `one` in it is cut instead."""

    TOPIC: ClassVar[str] = "link.denied"
    one: Open
    other: Open | None = None
    ns: Open | None = None
    reason: Content | None = None


class LinkCleared(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The newest ruling on this pair, or on this assertion, is withdrawn."""

    TOPIC: ClassVar[str] = "link.cleared"
    one: Open
    other: Open | None = None
    ns: Open | None = None
    reason: Content | None = None


class IdentifierFlagged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The subject's identifier in this namespace is shared and links nobody."""

    TOPIC: ClassVar[str] = "identifier.flagged"
    one: Open
    ns: Open
    reason: Content | None = None


class IdentifierCleared(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The flag on the subject's identifier is withdrawn."""

    TOPIC: ClassVar[str] = "identifier.cleared"
    one: Open
    ns: Open
    reason: Content | None = None


class SourceDeclared(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What a mapping says its source may assert: trust by `namespace.obtained`, and of recording times."""

    TOPIC: ClassVar[str] = "source.declared"
    trust: dict[Open, int] = field(default_factory=dict)
    known_at_trusted: bool = False
    digest: Open


class PolicyAdopted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A policy is in force for clocks starting at `starts_at` or later; `content` is its whole TOML."""

    TOPIC: ClassVar[str] = "policy.adopted"
    version: Open
    starts_at: datetime
    digest: Open
    content: Open


class CalendarAdopted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """One calendar of the policy is replaced from `starts_at`; `content` is its TOML table."""

    TOPIC: ClassVar[str] = "calendar.adopted"
    calendar: Open
    starts_at: datetime
    digest: Open
    content: Open
