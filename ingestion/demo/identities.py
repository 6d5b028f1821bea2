"""Who is linked when, by plan: links that come late, records that come late, and phones that two people share."""

from dataclasses import replace

from domain.events.offers import OfferPresented
from ingestion.demo.channels import told
from ingestion.demo.draft import Draft, World
from ingestion.demo.instants import DAY, HOUR, LIVE_AT, UNTIL, stamp
from ingestion.demo.names import SALES, TEAMS
from ingestion.demo.plan import finish, iso, story_in, work
from ingestion.demo.population import Customer
from ingestion.demo.recognition import email, own, phone
from ingestion.demo.story import Story
from ingestion.demo.texts import NOTES

TOPICS = ("delivery", "invoice", "returns", "contract")


def plant_identities(world: World, customers: int) -> None:
    """All patterns of this file, so many as the population bears, spread over the year."""
    for plot, number in (
        (late_link, 4 + customers // 60),
        (late_record, 4 + customers // 60),
        (household, 3 + customers // 150),
    ):
        planted = 0
        while planted < number:
            planted += plot(world)


def taken(world: World) -> Customer:
    """The next of the members kept apart."""
    return world.people.customers[world.number("reserved") - 1]


def matter_of(draft: Draft, channel: str, at: int, topic: str) -> tuple[Story, int]:
    """One plain matter, resolved; and when it was."""
    story = story_in(draft, at, topic=topic)
    at = work(draft.world, "phone", at, 0, HOUR) if channel == "phone" else at
    end = told(story, channel, at)
    end = story.cycles[-1].resolved_at or at if end is None else end
    story.resolve(end)
    return story, end


def start_in(world: World, *, live: str, room: int) -> int:
    """Some working morning after a go-live, with room before the history ends."""
    first = LIVE_AT[live] + DAY
    return work(world, "email", first + world.rng.randrange(UNTIL - room - first), 0, 4 * HOUR)


def record_of(draft: Draft, customer: Customer, at: int) -> None:
    """The CRM ties address and number together only now."""
    subject = f"customer:{customer.label}"
    draft.identify("crm", subject, own("crm", customer.label, "issued"), customer.since)
    draft.identify("crm", subject, email(customer, "typed") + phone(customer, "typed"), at)


def late_link(world: World) -> bool:
    """A call, then a mail before anybody knew both for one person; after the link, a mail with all known."""
    customer = taken(world)
    draft = Draft(world=world, customer=customer)
    at = start_in(world, live="phone", room=70 * DAY)
    one, end = matter_of(draft, "phone", at, TOPICS[0])
    two, end = matter_of(draft, "email", end + world.rng.randint(11, 16) * DAY, TOPICS[1])
    linked = end + world.rng.randint(1, 5) * DAY
    record_of(draft, customer, linked)
    three, _ = matter_of(draft, "email", linked + world.rng.randint(11, 14) * DAY, TOPICS[2])
    row = {"person": customer.label, "linked_at": iso(linked + 10)}
    draft.ledger.plant(
        "identity_not_linked", row | {"contact": two.turns[0].event, "item": one.turns[0].event}
    )
    draft.ledger.plant("context_complete", row | {"contact": three.turns[0].event})
    return finish(draft, one, two, three)


def late_record(world: World) -> bool:
    """An offer or a note that was entered days later, after the next contact had begun."""
    customer, rng = taken(world), world.rng
    draft = Draft(world=world, customer=customer)
    record_of(draft, customer, customer.since + 60)
    at = start_in(world, live="email", room=80 * DAY)
    one, end = matter_of(draft, "email", at, TOPICS[0])
    said = work(world, "email", end + 11 * DAY, HOUR, 4 * HOUR)
    known = said + rng.randint(5 * DAY, 9 * DAY)
    item = offer(draft, said, known) if rng.random() < 0.5 else one.note(said, rng.choice(NOTES), known=known)
    two, end = matter_of(draft, "email", said + rng.randint(DAY, 2 * DAY), TOPICS[1])
    three, _ = matter_of(draft, "email", max(end, known) + rng.randint(11, 15) * DAY, TOPICS[2])
    row = {"person": customer.label, "item": item, "known_at": iso(known)}
    draft.ledger.plant("late_recording", row | {"contact": two.turns[0].event})
    draft.ledger.plant("context_complete", row | {"contact": three.turns[0].event})
    return finish(draft, one, two, three)


def offer(draft: Draft, at: int, known: int) -> str:
    """An offer made on the spot and entered later."""
    draft.ledger.totals["offers"] += 1
    return draft.emit(
        OfferPresented, "crm", at, f"customer:{draft.person}", known=known, actor_kind="human_agent",
        actor=TEAMS[SALES][0], offer=f"OF-{20_000 + draft.world.number('offer')}", channel="store",
        direction="outbound", product_class="coffee", currency="PLN",
        valid_from=stamp(at), valid_to=stamp(at + 20 * DAY),
    )  # fmt: skip


def household(world: World) -> bool:
    """Two members, two addresses, one phone in the hall: exact matching takes them for one person."""
    one = taken(world)
    other = replace(taken(world), phone=one.phone)
    at = start_in(world, live="phone", room=60 * DAY)
    calls: dict[str, str] = {}
    drafts: list[tuple[Draft, tuple[Story, ...]]] = []
    for customer, topic in ((one, TOPICS[0]), (other, TOPICS[1])):
        draft = Draft(world=world, customer=customer)
        record_of(draft, customer, customer.since + 60)
        call, end = matter_of(draft, "phone", at, topic)
        mail, end = matter_of(draft, "email", end + world.rng.randint(11, 13) * DAY, TOPICS[3])
        calls[customer.label] = call.turns[0].event
        drafts.append((draft, (call, mail)))
        at = end + world.rng.randint(11, 13) * DAY
    if not all(draft.fits() for draft, _ in drafts):
        return False
    row = {"persons": [one.label, other.label], "calls": calls, "merged_by_exact_match": True}
    drafts[0][0].ledger.plant("shared_phone", row)
    drafts[0][0].ledger.totals["persons_merged"] += 1
    return all(finish(draft, *stories) for draft, stories in drafts)
