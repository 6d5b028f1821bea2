"""The golden timeline of the KPI dictionary (KPI dictionary 3): eighteen moments of one person, as events."""

from datetime import timedelta
from decimal import Decimal

from domain.events.envelope import Event
from tests.given import asserted, event, local

MAIL = {"subject": "contact:mail-1", "case": "A", "topic": "problem", "channel": "email"}
CHAT = {"subject": "contact:chat-1", "case": "A", "topic": "problem", "channel": "chat"}
ADA = {"actor_kind": "human_agent", "actor": "Ada", "direction": "outbound"}
BEN = {"actor_kind": "human_agent", "actor": "Ben", "direction": "outbound"}
CYD = {"actor_kind": "human_agent", "actor": "Cyd", "direction": "outbound"}
CUSTOMER = {"actor_kind": "customer", "direction": "inbound"}
PHONE = {"source": "telephony", "channel": "phone"}
NUMBER = "+48601234567"
EMAIL = "anna@example.com"
ON_TIME = timedelta(0)


def person() -> list[Event]:
    """What the shop knew of the person before: an account and its e-mail."""
    at = local("10-01 10:00")
    return [
        asserted("customer:C1", "email", EMAIL, at, "login"),
        asserted("customer:C1", "account", "C1", at, "login"),
    ]


def mails() -> list[Event]:
    """Moments 1 to 7: case A, cycle 1."""
    at = local
    return [
        event("ContactReceived", "1", at("10-23 16:30"), **MAIL, **CUSTOMER, text="Ekspres nie działa"),
        asserted("contact:mail-1", "email", EMAIL, at("10-23 16:30"), "typed"),
        event(
            "ContactAnswered", "2", at("10-23 16:30:20"), **MAIL,
            actor_kind="automation", direction="outbound", substantive=False,
        ),
        event("ContactReceived", "3", at("10-23 16:50"), **MAIL, **CUSTOMER, text="Proszę o pilną odpowiedź"),
        event("NoteAdded", "4", at("10-26 09:05"), **MAIL, **{**ADA, "direction": "internal"}, text="Sprawdzić"),
        event("ContactAnswered", "5", at("10-26 12:40"), **MAIL, **ADA),
        event("FollowUpPlanned", "6", at("10-26 12:58"), **MAIL, **ADA, follow_up="f1", due_at=at("11-13 17:00")),
        event("CaseResolved", "7", at("10-26 13:00"), **MAIL, **ADA),
    ]  # fmt: skip


def _call(id: str, begins: str, kind: str, **fields: object) -> list[Event]:
    subject = f"contact:call-{id}"
    at = local(begins)
    return [
        event(kind, id, at, subject, **PHONE, topic=f"call-{id}", **fields),
        asserted(subject, "phone", NUMBER, at, "caller_id", source="telephony"),
    ]


def calls() -> list[Event]:
    """Moments 8 to 12: two missed calls, two attempts to ring back, an offer recorded nine days late."""
    offer = event(
        "OfferPresented", "12", local("11-02 09:55"), "contact:call-11", **PHONE, **BEN, offer="o1",
        product_class="coffee", price=Decimal(100), currency="PLN", valid_from=local("11-02 00:00"),
        valid_to=local("12-01 00:00"), known_at=local("11-11 08:00"),
    )  # fmt: skip
    return [
        *_call("8", "10-30 16:40:00", "ContactMissed", **CUSTOMER, rang_for_s=30.0),
        *_call("9", "10-30 16:55:00", "ContactMissed", **CUSTOMER, rang_for_s=20.0),
        *_call("10", "11-02 09:05", "ContactInitiated", **BEN, connected=False),
        *_call("11", "11-02 09:50", "ContactInitiated", **BEN, connected=True, purpose="callback"),
        offer,
    ]


def link() -> list[Event]:
    """Moment 13: the shop learns the phone number, recorded at once."""
    at = local("11-03 09:00")
    return [asserted("customer:C1", "phone", NUMBER, at, "typed", known_at=at + ON_TIME)]


def chat() -> list[Event]:
    """Moments 14 to 18: case A, cycle 2, and a sales call while it is open."""
    offer = event(
        "OfferPresented", "16b", local("11-12 09:30"), "contact:call-16", **PHONE, **CYD, offer="o2",
        product_class="coffee", price=Decimal(90), currency="PLN", valid_from=local("11-12 00:00"),
        valid_to=local("11-21 00:00"),
    )  # fmt: skip
    return [
        event("ContactReceived", "14", local("11-10 16:00:00"), **CHAT, **CUSTOMER, text="Nadal to samo"),
        asserted("contact:chat-1", "account", "C1", local("11-10 16:00:00"), "login"),
        event("BotHandedOff", "15", local("11-10 16:00:05"), **CHAT, actor_kind="bot", direction="internal"),
        *_call("16", "11-12 09:30", "ContactInitiated", **CYD, connected=True, purpose="sales"),
        offer,
        event("ContactAnswered", "17", local("11-12 10:00"), **CHAT, **BEN),
        event("CaseResolved", "18", local("11-12 10:30"), **CHAT, **BEN),
    ]


def timeline() -> list[Event]:
    """All of it."""
    return [*person(), *mails(), *calls(), *link(), *chat()]


def unlinking() -> list[Event]:
    """On 16 November the phone number is cut from the shop's customer."""
    at = local("11-16 09:00")
    return [event("LinkDenied", "u1", at, "link:C1-phone", one="customer:shop:C1", ns="phone", known_at=at)]
