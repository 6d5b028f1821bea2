"""Building: from events and persons to the rows of every fact, a bucket of whole persons at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import ModuleType

import polars as pl

from domain.asof import AsOf
from domain.policy import Policies, Policy
from projections.evidence import DECISIONS, Blind, evidence, policies_of, rulings, trust_of
from projections.frames import effective, with_case_key
from projections.identity import Identity, resolve
from projections.known import Known
from projections.parts import buckets
from projections.poison import RAISED, unbuilt
from projections.tables import TableError, conform
from projections.trust import Trust
from projections.worktime import Worktime

Ready = Callable[[ModuleType, pl.DataFrame], None]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What holds for everybody: whom we trust, what was promised, what was ruled."""

    trust: Trust
    policies: Policies
    rulings: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class Built:
    """The rows of every fact that could be built, one sentence for each that could not, and who reads which."""

    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)


def reading_of(decided: pl.DataFrame, as_of: AsOf, shipped: Policy | Policies | None) -> Reading:
    """What the decisions up to a position say.

    Trust is how we read today, so it does not depend on when it was declared; promises and rulings count from
    when they were known.
    """
    said = effective(decided, replace(as_of, known=False), Trust())
    trust = trust_of(said, policies_of(said, shipped).latest)
    admitted = effective(decided, as_of, trust)
    return Reading(trust=trust, policies=policies_of(admitted, shipped), rulings=rulings(admitted))


def known_by(frame: pl.DataFrame, as_of: AsOf, shipped: Policy | Policies | None, blind: Blind) -> Known:
    """Everything known from a frame of whole streams, which holds all decisions; no facts yet."""
    reading = reading_of(frame.filter(pl.col("kind").is_in(DECISIONS)), as_of, shipped)
    events = effective(frame, as_of, reading.trust)
    found = evidence(events, reading.trust, blind)
    identity = resolve(found.assertions, found.references, reading.rulings, found.subjects)
    return known_of(events, identity, reading.policies, as_of.instant)


def known_of(events: pl.DataFrame, identity: Identity, policies: Policies, instant: datetime) -> Known:
    """Effective events of whole persons with their persons and cases; no facts yet."""
    persons = identity.assignments.select("subject", "person")
    return Known(
        events=with_case_key(events).join(persons, on="subject", how="inner", maintain_order="left"),
        identity=identity,
        policies=policies,
        worktime=worktime_of(events, policies, instant),
    )


def worktime_of(events: pl.DataFrame, policies: Policies, instant: datetime) -> Worktime:
    """Business time, fastest over the years of these events."""
    first, last = events["occurred_at"].min(), events["occurred_at"].max()
    begins = first if isinstance(first, datetime) else instant
    ends = last if isinstance(last, datetime) else instant
    return Worktime(policies, begins.astimezone(UTC), ends.astimezone(UTC))


def build_facts(facts: Sequence[ModuleType], known: Known, ready: Ready | None = None) -> Built:
    """Every fact's rows, in their order; one that raises stops alone, with those that read it.

    `ready` is told of each fact as soon as all its rows are there.
    """
    built = Built(reads={fact.VIEW.name: set() for fact in facts})
    parts: dict[str, list[pl.DataFrame]] = {fact.VIEW.name: [] for fact in facts}
    for whole, last in buckets(known):
        shelf = Shelf(built.reads)
        bucket = replace(whole, facts=shelf)
        for fact in facts:
            name = fact.VIEW.name
            if name in built.errors:
                continue
            shelf.reader = name
            try:
                rows = _own(conform(fact.VIEW, fact.build(bucket)), bucket)
            except RAISED as error:
                built.errors[name] = unbuilt(fact, bucket, error, built.errors)
                continue
            shelf[name] = rows
            parts[name].append(rows)
            if last:
                built.rows[name] = pl.concat(parts.pop(name))
                if ready is not None:
                    ready(fact, built.rows[name])
    return built


class Shelf(dict[str, pl.DataFrame]):
    """The facts built before; it notes who reads which."""

    def __init__(self, reads: dict[str, set[str]]) -> None:
        super().__init__()
        self.reader = ""
        self._reads = reads

    def __getitem__(self, name: str) -> pl.DataFrame:
        self._reads[self.reader].add(name)
        return super().__getitem__(name)


def _own(rows: pl.DataFrame, known: Known) -> pl.DataFrame:
    foreign = rows.join(known.identity.assignments, on="person", how="anti")["person"]
    if foreign.len():
        raise TableError(f"it returned rows of {foreign[0]}, whom it was not asked about")
    return rows
