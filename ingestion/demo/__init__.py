"""One call makes the seeded history of a Polish retailer's roll-out year, with the truth about it beside.

The year ends on Saturday 21 November 2026, 21:00 in Warsaw; the same arguments give the same history.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from random import Random

from ingestion.demo.delivery import deliver
from ingestion.demo.draft import Record, Surrogate, World
from ingestion.demo.identities import plant_identities
from ingestion.demo.instants import UNTIL, stamp
from ingestion.demo.orders import shop
from ingestion.demo.population import settle
from ingestion.demo.registers import register
from ingestion.demo.rollout import decide
from ingestion.demo.schedule import play
from ingestion.demo.truth import Truth
from ingestion.demo.waiting import plant_waiting

__all__ = ["Demo", "Record", "Surrogate", "Truth", "history"]

ORDERS = 5_500
"""For 6,000 customers."""
FEWEST = 150


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The history: `records` in the order in which they became known, each an event with its identifiers."""

    records: list[Record]
    truth: Truth
    until: datetime
    policy: str


def history(*, surrogate: Surrogate, customers: int = 6_000, seed: int = 7) -> Demo:
    """The history of so many customers; `surrogate(ns, key)` stands for personal values inside ids."""
    if customers < FEWEST:
        raise ValueError(
            f"A demo of {customers} customers cannot hold every pattern; ask for at least {FEWEST}."
        )
    rng = Random(seed)
    policy = files("ingestion.demo").joinpath("policy.toml").read_text(encoding="utf-8")
    reserved = 60 + customers // 15
    people = settle(rng, customers, reserved=reserved)
    world = World(rng=rng, surrogate=surrogate, people=people)
    decide(world, policy)
    plant_identities(world, customers)
    plant_waiting(world, customers)
    register(world, people.customers[world.numbers["reserved"] :])
    shop(world, ORDERS * customers // 6_000)
    play(world, customers)
    records = deliver(world)
    world.ledger.totals["persons"] = len(world.persons) - world.ledger.totals["persons_merged"]
    return Demo(records=records, truth=world.ledger.told(), until=stamp(UNTIL), policy=policy)
