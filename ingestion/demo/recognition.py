"""How a source recognises a person: one point is one identifier to assert, as written and as it is keyed."""

from dataclasses import dataclass

from ingestion.demo.names import spoken
from ingestion.demo.population import Customer


@dataclass(frozen=True, kw_only=True)
class Point:
    """An identifier to assert: what the source wrote, the key it comes to, and how it was obtained."""

    ns: str
    value: str
    key: str
    obtained: str


def email(customer: Customer, obtained: str) -> tuple[Point, ...]:
    """The person's address."""
    value = customer.email or ""
    return (Point(ns="email", value=value, key=f"email:{value}", obtained=obtained),) if value else ()


def phone(customer: Customer, obtained: str) -> tuple[Point, ...]:
    """The person's number, spelled in one of three ways."""
    digits = customer.phone
    if digits is None:
        return ()
    return (
        Point(ns="phone", value=spoken(digits, customer.style), key=f"phone:+48{digits}", obtained=obtained),
    )


def own(ns: str, value: str | None, obtained: str) -> tuple[Point, ...]:
    """A number that some system issued."""
    return (Point(ns=ns, value=value, key=f"{ns}:{value}", obtained=obtained),) if value else ()


def recognised(customer: Customer, channel: str) -> tuple[Point, ...]:
    """What a conversation tells about the person, by its channel."""
    signed_in = own("shop", customer.account, "issued")
    told = {
        "email": email(customer, "dkim"),
        "chat": email(customer, "login" if signed_in else "typed"),
        "messenger": own("psid", customer.psid, "issued"),
        "phone": phone(customer, "observed"),
    }
    return told.get(channel, signed_in or email(customer, "typed"))
