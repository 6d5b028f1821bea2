"""Catching up: what one run over the new events computes, and what it writes in its transaction."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.asof import AsOf
from domain.events.decisions import CalendarAdopted, IdentifierFlagged, PolicyAdopted
from domain.log import Log
from domain.policy import Policies, Policy
from projections import persons, pins
from projections.building import Built, Reading, Ready, build_facts, known_by, known_of, reading_of
from projections.evidence import DECISIONS, OPENED, Evidence, assertions, evidence, references, rulings
from projections.frames import ORDER, TIMELINE, decode, effective, unread
from projections.identity import resolve
from projections.known import Known
from projections.parts import only
from projections.persons import Rows
from projections.trust import Trust
from projections.unread import passed_over
from projections.writing import Writer

FEW = 20_000
"""Subjects that are read by stream; above, the whole log is read."""
MANY = 5_000
"""New events, a quarter of the log or more, that make reading the whole log the shorter way."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One look at the log: up to `head`, judged at `instant`."""

    log: Log
    as_of: AsOf
    shipped: Policy | Policies | None
    facts: Sequence[ModuleType]
    pinned: bool = False

    @property
    def head(self) -> int:
        """The position up to which this run reads."""
        return self.as_of.position or 0

    @property
    def opened(self) -> frozenset[str]:
        """The topics whose personal fields are read: who is who, and what the facts say they look into."""
        return frozenset(OPENED).union(*(getattr(fact, "OPENED", ()) for fact in self.facts))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run computed: of how many persons and subjects; what it passed over of the subjects read, or of all."""

    built: Built
    persons: int
    subjects: int
    passed: pl.DataFrame
    read: Collection[str] | None = None
    identity: Rows = field(default_factory=dict)


def whole_log(run: Run) -> pl.DataFrame:
    """Every event up to the head."""
    pages = (decode(page) for page in run.log.batches(upto=run.head, opened=run.opened))
    return pl.concat([TIMELINE.to_frame(), *pages])


def everything(run: Run) -> tuple[Known, Built]:
    """All that is known, and all facts."""
    known = known_by(whole_log(run), run.as_of, run.shipped, run.log.blind)
    return known, build_facts(run.facts, known)


def compute_all(
    run: Run, resolved: Callable[[Rows], None] | None = None, ready: Ready | None = None
) -> Outcome:
    """Compute everybody anew; who is who and each fact are handed out as soon as they are there."""
    frame = whole_log(run)
    passed = passed_over(frame, frame)
    known = known_by(frame, run.as_of, run.shipped, run.log.blind)
    del frame
    deciders = known.events.filter(pl.col("kind").is_in(DECISIONS))["subject"]
    rows = persons.resolved_rows(known.identity, references(known.events), deciders)
    if resolved is not None:
        resolved(rows)
    built = build_facts(run.facts, known, ready)
    assigned = known.identity.assignments
    return Outcome(
        built=built,
        persons=assigned["person"].n_unique(),
        subjects=assigned.height,
        passed=passed,
        identity=rows,
    )


def rebuild_all(run: Run, connection: Connection, writer: Writer) -> Outcome:
    """Compute everybody anew, and write it."""
    return compute_all(
        run,
        lambda rows: writer.identity(_stored(run, connection, None, rows), rows),
        lambda fact, rows: writer.fact(fact, rows, None),
    )


def catch_up(
    run: Run, connection: Connection, writer: Writer, base: int, also: Collection[str] = ()
) -> Outcome:
    """Compute whom the events after `base` touch, and these subjects; after 0 that is everybody."""
    stored = persons.Stored(connection=connection)
    new = run.head - base
    if base == 0 or (new > MANY and new * 4 >= run.head):
        return rebuild_all(run, connection, writer)
    news = decode(run.log.arrow(after=base, upto=run.head))
    if news["kind"].is_in([PolicyAdopted.TOPIC, CalendarAdopted.TOPIC]).any():
        return rebuild_all(run, connection, writer)
    said = decided(run, connection, news)
    reading = reading_of(said, run.as_of, run.shipped)
    dirty = {*news["subject"], *also}
    if news["kind"].is_in(DECISIONS).any():
        before = reading_of(said.filter(pl.col("position") <= base), run.as_of, run.shipped)
        dirty |= _ruled(news)
        for source in _believed_otherwise(before.trust, reading.trust):
            dirty |= stored.of_source(source)
    streams = _Streams(run, reading, said)
    reached = persons.closure(stored, dirty, reading.rulings, streams.evidence_of, limit=FEW)
    if reached is None:
        return rebuild_all(run, connection, writer)
    return _touched(run, connection, writer, streams, news=news, dirty=dirty, reached=reached)


class _Streams:
    """The events of the subjects reached so far, read from the log once each."""

    def __init__(self, run: Run, reading: Reading, decided: pl.DataFrame) -> None:
        self.deciders = decided["subject"]
        self._run = run
        self.reading = reading
        self.unread = [TIMELINE.to_frame()]
        self._frames = [TIMELINE.to_frame()]
        self._found = [evidence(self._frames[0], reading.trust, run.log.blind)]

    def evidence_of(self, subjects: set[str]) -> Evidence:
        """Read these too, and say what they assert."""
        self._frames.append(self._read(subjects))
        self._found.append(evidence(self._frames[-1], self.reading.trust, self._run.log.blind))
        return self._found[-1]

    def events(self) -> pl.DataFrame:
        """All effective events read, in total order."""
        return pl.concat(self._frames).sort(ORDER, nulls_last=False)

    def evidence(self, events: pl.DataFrame) -> Evidence:
        """All that was asserted in them."""
        return Evidence(
            assertions=pl.concat([found.assertions for found in self._found]),
            references=pl.concat([found.references for found in self._found]),
            subjects=events.select("subject").unique(maintain_order=True),
        )

    def flagging(self, reached: set[str]) -> pl.DataFrame:
        """What those assert whose identifiers were flagged, so far as they are not among the reached."""
        flagged = self.reading.rulings.filter(pl.col("kind") == IdentifierFlagged.TOPIC)
        return assertions(self._read(set(flagged["one"]) - reached), self.reading.trust, self._run.log.blind)

    def _read(self, subjects: set[str]) -> pl.DataFrame:
        frame = decode(self._run.log.arrow_of(sorted(subjects), upto=self._run.head, opened=self._run.opened))
        self.unread.append(unread(frame))
        return effective(frame, self._run.as_of, self.reading.trust)


def decided(
    run: Run,
    connection: Connection,
    news: pl.DataFrame | None = None,
    *,
    known: sa.Table | None = persons.DECIDED,
) -> pl.DataFrame:
    """Every decision up to the head: those of `known` streams, and those among the new events."""
    streams: set[str] = set()
    if known is not None:
        streams |= set(connection.execute(sa.select(known.c.subject)).scalars())
    if news is not None:
        streams |= set(news.filter(pl.col("kind").is_in(DECISIONS))["subject"])
    frame = decode(run.log.arrow_of(sorted(streams), upto=run.head))
    return frame.filter(pl.col("kind").is_in(DECISIONS))


def _ruled(news: pl.DataFrame) -> set[str]:
    """The subjects that new rulings are about."""
    pairs = rulings(news).select("one", "other").rows()
    return {subject for pair in pairs for subject in pair if subject is not None}


def _believed_otherwise(before: Trust, after: Trust) -> Iterable[str]:
    sources = before.pairs.keys() | after.pairs.keys() | before.known_at | after.known_at
    for source in sources:
        same = dict(before.pairs.get(source, {})) == dict(after.pairs.get(source, {}))
        if not same or (source in before.known_at) != (source in after.known_at):
            yield source


def _stored(run: Run, connection: Connection, subjects: Collection[str] | None, found: Rows) -> Rows:
    """What is stored about these subjects and their persons, or about all, before what is found replaces it."""
    old = persons.stored_rows(connection, subjects)
    if not run.pinned:
        pins.check(old, found)
    return old


def _touched(
    run: Run,
    connection: Connection,
    writer: Writer,
    streams: _Streams,
    *,
    news: pl.DataFrame,
    dirty: set[str],
    reached: set[str],
) -> Outcome:
    """Resolve the reached subjects; build the facts of those persons whom anything new concerns."""
    events, reading = streams.events(), streams.reading
    found = streams.evidence(events)
    asserted = pl.concat([found.assertions, streams.flagging(reached)])
    identity = resolve(asserted, found.references, reading.rulings, found.subjects)
    new = persons.resolved_rows(identity, found.references, streams.deciders)
    old = _stored(run, connection, reached, new)
    touched = persons.changed(old, new)
    for rows in (old[persons.ASSIGNED.name], identity.assignments):
        touched |= set(rows.filter(pl.col("subject").is_in(dirty))["person"])
    writer.identity(old, new)
    whose = sorted(touched)
    known = known_of(events, identity, reading.policies, run.as_of.instant)
    mine = only(known, pl.Series(whose, dtype=pl.String))
    built = build_facts(run.facts, mine, lambda fact, rows: writer.fact(fact, rows, whose))
    return Outcome(
        built=built,
        persons=len(whose),
        subjects=len(reached),
        passed=passed_over(pl.concat(streams.unread), news),
        read=reached,
    )
