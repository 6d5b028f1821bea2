"""Orders: what was bought, cancelled and sent back."""

from decimal import Decimal
from typing import ClassVar, Literal

from msgspec import Struct

from domain.events.envelope import Event, Open


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an order, as the source wrote it."""

    sku: Open | None = None
    category: Open | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    discount: Decimal | None = None


class OrderPlaced(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An order was placed; money in `currency` major units."""

    TOPIC: ClassVar[str] = "order.placed"
    lines: tuple[Line, ...] = ()
    total: Decimal | None = None
    currency: Open | None = None
    place: Literal["web", "store"] | None = None


class OrderCancelled(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An order, or lines of it, were cancelled."""

    TOPIC: ClassVar[str] = "order.cancelled"
    lines: tuple[Line, ...] = ()
    total: Decimal | None = None
    currency: Open | None = None


class OrderReturned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of an order came back."""

    TOPIC: ClassVar[str] = "order.returned"
    lines: tuple[Line, ...] = ()
    total: Decimal | None = None
    currency: Open | None = None
