"""How the history reaches us: in the order of becoming known, some records twice, some corrected later."""

from decimal import Decimal
from itertools import chain

from msgspec.structs import replace

from domain.events.envelope import Event
from domain.events.notes import NoteAdded
from domain.events.orders import OrderPlaced
from ingestion.demo.draft import Record, World
from ingestion.demo.instants import DAY, MINUTE, UNTIL, stamp

TWICE, CORRECTED = 0.006, 0.03
"""Shares of all records, and of the orders and notes."""
LEAST = 5


def deliver(world: World) -> list[Record]:
    """All records in order; the truth counts what a log must make of them."""
    world.records.sort(key=lambda entry: entry[0])
    early = [
        entry for entry in world.records if entry[0] < UNTIL - DAY and entry[1][0].source != "management"
    ]
    corrected = [entry for entry in early if isinstance(entry[1][0], OrderPlaced | NoteAdded)]
    late = [correct(world, *entry) for entry in chosen(world, corrected, CORRECTED)]
    first = {record[0].event_id.rpartition("|")[0] for _, record in late}
    plain = [entry for entry in early if entry[1][0].event_id.rpartition("|")[0] not in first]
    again = [redeliver(world, *entry) for entry in chosen(world, plain, TWICE)]
    totals = world.ledger.totals
    totals["records"] = len(world.records) + len(late) + len(again)
    totals["events"] = sum(len(record) for _, record in chain(world.records, late))
    totals["duplicates.records"] = len(again)
    totals["duplicates.events"] = sum(len(record) for _, record in again)
    totals["revisions"] = len(late)
    merged = sorted([*world.records, *late, *again], key=lambda entry: entry[0])
    return [record for _, record in merged]


def chosen(world: World, entries: list[tuple[int, Record]], share: float) -> list[tuple[int, Record]]:
    """A few of the records."""
    return world.rng.sample(entries, k=min(len(entries), max(LEAST, round(share * len(entries)))))


def later(world: World, known: int) -> int:
    """Minutes or days after it first became known."""
    return min(known + world.rng.randint(MINUTE, 3 * DAY), UNTIL - MINUTE)


def redeliver(world: World, known: int, record: Record) -> tuple[int, Record]:
    """The same record once more; only the time of telling differs."""
    at = later(world, known)
    world.ledger.plant(
        "duplicate", {"events": [event.event_id for event in record], "first": record[0].event_id}
    )
    return at, tuple(replace(event, known_at=stamp(at)) for event in record)


def correct(world: World, known: int, record: Record) -> tuple[int, Record]:
    """The next revision of a record: another total, or other words."""
    at, event = later(world, known), record[0]
    made: Event
    if isinstance(event, OrderPlaced):
        made = replace(event, revision=2, known_at=stamp(at), total=(event.total or Decimal(0)) - Decimal(10))
    else:
        made = replace(event, revision=2, known_at=stamp(at), text=f"{event.text} (poprawione)")
    world.ledger.plant("revision", {"first": event.event_id, "revised": made.event_id})
    return at, (made,)
