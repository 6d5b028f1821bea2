"""What the shop and the CRM know of people apart from any contact: accounts and customer records."""

from collections.abc import Sequence
from random import Random

from ingestion.demo.draft import Draft, World
from ingestion.demo.instants import DAY, LIVE_AT, UNTIL
from ingestion.demo.population import Customer
from ingestion.demo.recognition import email, own, phone


def register(world: World, customers: Sequence[Customer]) -> None:
    """One account per shopper, one CRM record per member; contact points are added when they become linked."""
    for customer in customers:
        if customer.member or customer.account:
            draft = Draft(world=world, customer=customer)
            if customer.account:
                points = own("shop", customer.account, "issued") + email(customer, "login")
                draft.identify("shop", f"account:{customer.account}", points, customer.since + 120)
            if customer.member:
                record(draft, customer)
            draft.keep()


def record(draft: Draft, customer: Customer) -> None:
    """The card number at once; address and number when linked; Messenger once that is live."""
    subject = f"customer:{customer.label}"
    draft.identify("crm", subject, own("crm", customer.label, "issued"), customer.since)
    draft.identify(
        "crm", subject, email(customer, "typed") + phone(customer, "typed"), customer.linked_at + 60
    )
    if customer.psid:
        seen = max(customer.linked_at, psid_seen(draft.world.rng))
        draft.identify("crm", subject, own("psid", customer.psid, "typed"), min(seen, UNTIL - DAY) + 120)


def psid_seen(rng: Random) -> int:
    """When a Messenger account is tied to a card: from the go-live on, most within two months."""
    return LIVE_AT["messenger"] + int(rng.expovariate(1 / 40) * DAY)
