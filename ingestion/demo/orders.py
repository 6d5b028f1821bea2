"""What people buy: web orders under their account, store orders under their card or under nothing."""

from decimal import Decimal

from domain.events.orders import Line, OrderCancelled, OrderPlaced, OrderReturned
from ingestion.demo.draft import Draft, World
from ingestion.demo.instants import DAY, HOUR
from ingestion.demo.names import PRODUCTS
from ingestion.demo.population import Customer
from ingestion.demo.recognition import own
from ingestion.demo.seasons import starts


def basket(world: World) -> tuple[tuple[Line, ...], Decimal]:
    """One to three lines and their sum."""
    chosen = world.rng.choices(PRODUCTS, k=world.rng.choice((1, 1, 1, 2, 2, 3)))
    lines = tuple(
        Line(sku=product.sku, category=product.category, quantity=Decimal(1), price=Decimal(product.price))
        for product in chosen
    )
    return lines, Decimal(sum(product.price for product in chosen))


def place(draft: Draft, at: int, *, store: bool, offer: str | None = None, number_told: bool = False) -> str:
    """Place an order for the draft's person; its number."""
    world, customer = draft.world, draft.customer
    number = str(310_000 + world.number("order"))
    lines, total = basket(world)
    points = own("order", number, "issued") if number_told else ()
    if customer is not None:
        card = customer.label if customer.member else None
        points += own("crm", card, "observed") if store else own("shop", customer.account, "login")
    draft.emit(
        OrderPlaced, "till" if store else "shop", at, f"order:{number}", points=points, order=number, offer=offer,
        actor_kind="customer", channel="store" if store else "web", lines=lines, total=total, currency="PLN",
        place="store" if store else "web",
    )  # fmt: skip
    draft.ledger.totals["orders.placed"] += 1
    undo(draft, at, number, lines, total, store=store)
    return number


def undo(draft: Draft, at: int, number: str, lines: tuple[Line, ...], total: Decimal, *, store: bool) -> None:
    """Some orders are cancelled within hours, some come back after days."""
    chance = draft.world.rng.random()
    event, after = (OrderCancelled, 5 * HOUR) if chance < 0.02 else (OrderReturned, 9 * DAY)
    if chance > 0.055:
        return
    draft.ledger.totals["orders.cancelled" if event is OrderCancelled else "orders.returned"] += 1
    draft.emit(
        event, "till" if store else "shop", at + after, f"order:{number}", order=number, actor_kind="customer",
        channel="store" if store else "web", lines=lines, total=total, currency="PLN",
    )  # fmt: skip


def shop(world: World, total: int) -> None:
    """The year's orders, of people in the pool and of strangers at the till."""
    for at in starts(world.rng, "orders", total):
        found = next((one for one in world.rng.choices(world.people.pool, k=8) if buys(world, one, at)), None)
        store = world.rng.random() < 0.35
        customer = world.people.customers[found] if found is not None else None
        if customer is not None and not customer.account:
            store = True
        if customer is not None and not customer.member:
            store = False
        if store and world.rng.random() < 0.25:
            customer = None
        if customer is None and not store:
            continue
        draft = Draft(world=world, customer=customer)
        number = place(draft, at, store=store)
        if draft.fits():
            draft.keep()
            if customer is not None:
                world.orders.setdefault(customer.label, []).append((at, number))


def buys(world: World, number: int, at: int) -> bool:
    """Whether the person can be recognised when buying, and is with us already."""
    customer: Customer = world.people.customers[number]
    return customer.since + HOUR < at and (customer.member or customer.account is not None)
