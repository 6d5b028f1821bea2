"""Offers: what was promised for sale to one customer."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from domain.events.envelope import Content, Event, Open


class OfferPresented(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An offer was made; the actor is its author. Validity is [valid_from, valid_to)."""

    TOPIC: ClassVar[str] = "offer.presented"
    product_class: Open | None = None
    price: Decimal | None = None
    discount: Decimal | None = None
    currency: Open | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    terms: Content | None = None
    supersedes: Open | None = None


class OfferAccepted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The customer took the offer."""

    TOPIC: ClassVar[str] = "offer.accepted"


class OfferDeclined(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The customer said no."""

    TOPIC: ClassVar[str] = "offer.declined"
    reason: Open | None = None


class OfferSuperseded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Another offer took the place of this one."""

    TOPIC: ClassVar[str] = "offer.superseded"
    by_offer: Open
