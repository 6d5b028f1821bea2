"""Offers and sales calls: quiet ones, contradicting ones, and calls to people who have a problem."""

from decimal import Decimal
from typing import Any

from domain.events.contacts import ContactInitiated
from domain.events.offers import OfferAccepted, OfferDeclined, OfferPresented, OfferSuperseded
from ingestion.demo.channels import respond, turn_to_us
from ingestion.demo.draft import Draft, World
from ingestion.demo.instants import DAY, HOUR, MINUTE, local, midnight, recorded, stamp
from ingestion.demo.names import CLASSES, SALES, TEAMS
from ingestion.demo.orders import place
from ingestion.demo.plan import draft_for, finish, iso, story_in, work
from ingestion.demo.population import Customer
from ingestion.demo.recognition import phone

TERMS = ("dostawa gratis", "raty 0 %", "dłuższa gwarancja", "wniesienie w cenie")


def buyer(world: World, at: int) -> Draft | None:
    """A member who has had no live offer lately and was linked long before."""

    def free(customer: Customer) -> bool:
        until = world.people.offered_until.get(customer.label, 0)
        return customer.member and until < at - DAY and customer.linked_at < at - DAY

    return draft_for(world, at, "phone", wanted=free)


def sell(draft: Draft, at: int, agent: str) -> str:
    """A sales call that reaches the person."""
    name = f"call-{draft.world.number('thread.phone')}"
    points = phone(draft.customer, "dialled") if draft.customer else ()
    draft.ledger.totals["sales_touches"] += 1
    return draft.emit(
        ContactInitiated, "telephony", at, f"contact:{name}", known=recorded("phone", at), points=points,
        thread=name, channel="phone", direction="outbound", actor_kind="human_agent", actor=agent, queue=SALES,
        connected=True, purpose="sales", topic="offer",
    )  # fmt: skip


def present(
    draft: Draft, at: int, agent: str, *, days: int, kind: str, price: int, **fields: Any
) -> tuple[str, str]:
    """An offer on record in the CRM: its number and its event."""
    number = f"OF-{20_000 + draft.world.number('offer')}"
    label = draft.person or ""
    until = midnight(local(at).date()) + days * DAY
    draft.world.people.offered_until[label] = max(draft.world.people.offered_until.get(label, 0), until)
    draft.ledger.totals["offers"] += 1
    event = draft.emit(
        OfferPresented, "crm", at, f"customer:{label}", offer=number, actor_kind="human_agent", actor=agent,
        channel="phone", direction="outbound", product_class=kind, price=Decimal(price), currency="PLN",
        valid_from=stamp(at), valid_to=stamp(until), terms=draft.world.rng.choice(TERMS), **fields,
    )  # fmt: skip
    return number, event


def agents(world: World) -> tuple[str, str]:
    """Two different sales agents."""
    one, other = world.rng.sample(TEAMS[SALES], k=2)
    return one, other


def offered(world: World, at: int, _: str) -> bool:
    """A call, an offer, and perhaps a purchase."""
    draft = buyer(world, at)
    if draft is None:
        return False
    rng, (agent, _other) = world.rng, agents(world)
    sell(draft, at, agent)
    kind, price = rng.choice(CLASSES), rng.randint(8, 90) * 10
    number, _event = present(draft, at + 2 * MINUTE, agent, days=rng.randint(10, 28), kind=kind, price=price)
    settle(draft, at + rng.randint(4 * HOUR, 6 * DAY), number)
    draft.ledger.plant("sales_touch_quiet", {"person": draft.person, "at": iso(at)})
    return finish(draft)


def settle(draft: Draft, at: int, number: str) -> None:
    """Accepted with an order, declined, or left to lapse."""
    chance = draft.world.rng.random()
    if chance > 0.55:
        return
    accepted = chance < 0.35
    fields: dict[str, Any] = {} if accepted else {"reason": "price"}
    draft.emit(
        OfferAccepted if accepted else OfferDeclined, "crm", at, f"customer:{draft.person}", offer=number,
        actor_kind="customer", direction="inbound", **fields,
    )  # fmt: skip
    if accepted and draft.customer and draft.customer.account:
        place(draft, at + HOUR, store=False, offer=number)


def conflicting(world: World, at: int, _: str) -> bool:
    """A second author offers the same class at another price while the first offer lives."""
    draft = buyer(world, at)
    if draft is None:
        return False
    rng, (one, other), kind = world.rng, agents(world), world.rng.choice(CLASSES)
    price, late = rng.randint(20, 90) * 10, rng.random() < 0.4
    sell(draft, at, one)
    again = work(world, "phone", at + 2 * DAY, HOUR, 3 * 12 * HOUR)
    known = again + rng.randint(DAY, 3 * DAY) if late else None
    first, first_event = present(draft, at + MINUTE, one, days=28, kind=kind, price=price, known=known)
    sell(draft, again, other)
    lower = price - rng.randint(3, 12) * 10
    second, second_event = present(draft, again + MINUTE, other, days=20, kind=kind, price=lower)
    row = {"person": draft.person, "offers": [first, second], "events": [first_event, second_event]}
    draft.ledger.plant("offer_conflict", row | {"avoidable": not late})
    return finish(draft)


def superseding(world: World, at: int, _: str) -> bool:
    """A better offer that says which one it replaces: no conflict."""
    draft = buyer(world, at)
    if draft is None:
        return False
    one, other = agents(world)
    sell(draft, at, one)
    first, _event = present(draft, at + MINUTE, one, days=28, kind="coffee", price=300)
    again = work(world, "phone", at + 2 * DAY, HOUR, DAY)
    second, event = present(draft, again, other, days=20, kind="coffee", price=260, supersedes=first)
    draft.emit(
        OfferSuperseded, "crm", again + 5, f"customer:{draft.person}", offer=first, by_offer=second,
        actor_kind="human_agent", actor=other,
    )  # fmt: skip
    draft.ledger.plant(
        "offer_superseded", {"person": draft.person, "offers": [first, second], "event": event}
    )
    return finish(draft)


def sold_to_a_problem(world: World, at: int, _: str) -> bool:
    """A sales call while a complaint is open and known."""
    draft = buyer(world, at)
    if draft is None:
        return False
    story = story_in(draft, at, topic="complaint")
    answered = respond(story, turn_to_us(story, "email", at))
    touch = work(world, "phone", answered, HOUR, 12 * HOUR)
    event = sell(draft, touch, agents(world)[0])
    story.resolve(work(world, "email", touch, 2 * HOUR, 8 * HOUR))
    draft.ledger.plant(
        "sales_open_problem", {"person": draft.person, "case": story.case, "touch": event, "avoidable": True}
    )
    return finish(draft, story)
