"""Contacts: what customers and we said to each other, on any channel."""

from typing import ClassVar, Literal

from domain.events.envelope import Content, Event, Open


class ContactReceived(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A turn of the customer: a mail, a chat message, a call that reached our lines."""

    TOPIC: ClassVar[str] = "contact.received"
    title: Content | None = None
    language: Open | None = None
    length: int | None = None
    attachments: int | None = None
    queue: Open | None = None


class ContactInitiated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An outbound first touch; `connected` tells for calls whether the person was reached."""

    TOPIC: ClassVar[str] = "contact.initiated"
    title: Content | None = None
    language: Open | None = None
    length: int | None = None
    queue: Open | None = None
    connected: bool | None = None
    purpose: Literal["service", "sales", "callback", "survey", "campaign"] | None = None


class ContactAnswered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An outbound turn in answer to the customer, or an inbound call that an agent took.

    `substantive` is False for a mere acknowledgement; `fired_by` tells who sent a template or macro.
    """

    TOPIC: ClassVar[str] = "contact.answered"
    in_answer_to: Open | None = None
    substantive: bool = True
    template: Open | None = None
    fired_by: Literal["person", "rule"] | None = None
    queue: Open | None = None
    public: bool = True
    reaction: bool = False


class ContactMissed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An inbound call that reached no human; it began at `occurred_at` and rang `rang_for_s` seconds."""

    TOPIC: ClassVar[str] = "contact.missed"
    rang_for_s: float | None = None
    why: Literal["hung_up", "time_out", "closed", "voicemail"] | None = None
    queue: Open | None = None


class RedirectedToChannel(Event, frozen=True, kw_only=True, omit_defaults=True):
    """We asked the customer to continue elsewhere."""

    TOPIC: ClassVar[str] = "contact.redirected"
    to_channel: Open
    why: Literal["law", "identity_check", "capacity", "unspecified"] = "unspecified"


class ExplanationRepeated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody stated that the customer had to tell the matter again."""

    TOPIC: ClassVar[str] = "explanation.repeated"
    stated_by: Literal["agent", "survey", "customer"]
    what: Content | None = None
