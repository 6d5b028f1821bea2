"""The event catalogue: every class that the log may hold, by its stored topic."""

from domain.events import bot, cases, contacts, decisions, followups, identity, notes, offers, orders, rollout
from domain.events.envelope import Event

CLASSES: tuple[type[Event], ...] = (
    contacts.ContactReceived,
    contacts.ContactInitiated,
    contacts.ContactAnswered,
    contacts.ContactMissed,
    contacts.RedirectedToChannel,
    contacts.ExplanationRepeated,
    cases.StateReported,
    cases.HandedOver,
    cases.CaseResolved,
    cases.CaseReopened,
    cases.CaseLinked,
    orders.OrderPlaced,
    orders.OrderCancelled,
    orders.OrderReturned,
    offers.OfferPresented,
    offers.OfferAccepted,
    offers.OfferDeclined,
    offers.OfferSuperseded,
    notes.NoteAdded,
    followups.FollowUpPlanned,
    followups.FollowUpDone,
    followups.FollowUpCancelled,
    identity.IdentifierAsserted,
    bot.BotAnswered,
    bot.BotHandedOff,
    bot.BotAbandoned,
    decisions.LinkConfirmed,
    decisions.LinkDenied,
    decisions.LinkCleared,
    decisions.IdentifierFlagged,
    decisions.IdentifierCleared,
    decisions.SourceDeclared,
    decisions.PolicyAdopted,
    decisions.CalendarAdopted,
    rollout.RolloutPlanned,
    rollout.WentLive,
    rollout.GoalSet,
    rollout.GoalChanged,
)

EVENTS: dict[str, type[Event]] = {event.TOPIC: event for event in CLASSES}
"""Stored topic to class."""
NAMES: dict[str, type[Event]] = {event.__name__: event for event in CLASSES}
"""Class name, as canonical records write it, to class."""
