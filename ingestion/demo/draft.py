"""One draft collects the records and the planned truth of one story; only a draft that fits is kept."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from domain.events.envelope import Event
from domain.events.identity import IdentifierAsserted
from ingestion.assertions import assertion_id
from ingestion.demo.instants import MINUTE, START, UNTIL, stamp
from ingestion.demo.population import Customer, People
from ingestion.demo.recognition import Point
from ingestion.demo.seasons import attained
from ingestion.demo.truth import Ledger

Surrogate = Callable[[str, str], str]
Record = tuple[Event, ...]


@dataclass(kw_only=True)
class World:
    """Everything the stories share."""

    rng: Random
    surrogate: Surrogate
    people: People
    ledger: Ledger = field(default_factory=Ledger)
    records: list[tuple[int, Record]] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    luck: dict[str, float] = field(default_factory=dict)
    orders: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    said: dict[str, set[int]] = field(default_factory=dict)
    persons: set[str] = field(default_factory=set)

    def number(self, series: str) -> int:
        """The next number of a series."""
        self.numbers[series] += 1
        return self.numbers[series]

    def keeps(self, channel: str, at: int) -> bool:
        """Whether the next promise of a channel is kept."""
        return self.happens(channel, attained(channel, at))

    def happens(self, what: str, share: float) -> bool:
        """Whether the next of many cases is one of a share of them, evenly."""
        self.luck[what] = self.luck.get(what, 0.5) + share
        if self.luck[what] < 1.0:
            return False
        self.luck[what] -= 1.0
        return True


@dataclass(kw_only=True)
class Draft:
    """Records in the making; `last` is the latest instant at which anything of them happened or was known."""

    world: World
    customer: Customer | None
    index: int | None = None
    guest: str | None = None
    points: tuple[Point, ...] = ()
    records: list[tuple[int, Record]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    asserted: set[tuple[str, str, str]] = field(default_factory=set)
    last: int = 0

    @property
    def person(self) -> str | None:
        """The label of the person in the truth; a visitor whom nothing identifies has none."""
        return self.customer.label if self.customer else self.guest

    def emit(
        self,
        event: type[Event],
        source: str,
        at: int,
        subject: str,
        *,
        known: int | None = None,
        points: tuple[Point, ...] = (),
        **fields: Any,
    ) -> str:
        """Add one record: the event and the identifiers that its source tells with it; the event's id."""
        known = at + 10 if known is None else known
        number = self.world.number(f"event.{source}")
        made = event(
            source=source,
            id=f"{number}",
            subject=subject,
            occurred_at=stamp(at),
            known_at=stamp(known),
            **{name: value for name, value in fields.items() if value is not None},
        )
        self.records.append((known, (made, *self._asserted(source, subject, points, at, known))))
        self.last = max(self.last, known, at)
        return made.event_id

    def identify(
        self, source: str, subject: str, points: tuple[Point, ...], at: int, known: int | None = None
    ) -> None:
        """Add a record of identifiers alone."""
        known = at + 10 if known is None else known
        told = self._asserted(source, subject, points, at, known)
        if told:
            self.records.append((known, told))
            self.last = max(self.last, known)

    def _asserted(
        self, source: str, subject: str, points: tuple[Point, ...], at: int, known: int
    ) -> tuple[IdentifierAsserted, ...]:
        fresh = [point for point in points if (source, subject, point.ns) not in self.asserted]
        self.asserted.update((source, subject, point.ns) for point in fresh)
        return tuple(
            IdentifierAsserted(
                source=source,
                id=assertion_id(subject, point.ns, point.key, self.world.surrogate),
                subject=subject,
                occurred_at=stamp(at),
                known_at=stamp(known),
                ns=point.ns,
                value=point.value,
                obtained=point.obtained,
            )
            for point in fresh
        )

    def fits(self) -> bool:
        """Whether everything happened and was known inside the history."""
        return self.last <= UNTIL - MINUTE and all(known >= START for known, _ in self.records)

    def keep(self) -> None:
        """Make the draft part of the history; its person stays quiet for a while."""
        if self.index is not None:
            self.world.people.occupy(self.index, self.last)
        self.world.records.extend(self.records)
        self.world.ledger.add(self.ledger)
        if self.person is not None:
            self.world.persons.add(self.person)
