"""Rebuilding: views computed anew at a position while the old ones serve and are followed, compared, then switched."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from projections import persons, pins, unread
from projections.catchup import Outcome, Run, catch_up, compute_all
from projections.judging import Look
from projections.poison import Choked, choking
from projections.progress import Rebuilt
from projections.standing import Standing
from projections.upkeep import Upkeep
from projections.views import Views, ViewsBusy
from projections.writing import IDENTITY, Writer


@dataclass(frozen=True, kw_only=True)
class Rebuilding:
    """How views are rebuilt; `run_at` looks at the log up to a position.

    With `accept`, rows that differ are switched though nothing was raised. With `anew`, whatever stands there is
    replaced and nothing compared. With `pinned`, links that got lost with destroyed keys are no reason to stop.
    """

    views: Views
    upkeep: Upkeep
    run_at: Callable[[int], Run]
    now: datetime
    accept: bool = False
    anew: bool = False
    pinned: bool = False

    def rebuild(self, targets: Collection[str]) -> list[Rebuilt]:
        """Compute and compare from one look at the old rows; the lock is taken for the switch alone."""
        with ExitStack() as looking:
            look = self._look(looking.enter_context(self.views.reading()))
            outcome = None
            try:
                with choking():
                    outcome = compute_all(self.run_at(look.position))
                if not self.pinned and IDENTITY in look.standing.current:
                    pins.check(persons.stored_rows(look.old, None), outcome.identity)
                found = look.judged(outcome, targets, accept=self.accept)
            except Choked as choked:
                found = look.failed(targets, str(choked))
            switched = [one.view for one in found if one.outcome in ("switched", "built")]
            level = look.standing.level
            errors = {one.view: one.error for one in found if one.error and one.view not in level}
            if outcome is None and IDENTITY in errors:
                errors = {IDENTITY: errors[IDENTITY]}
            if switched or errors:
                with self.views.writing() as connection:
                    if outcome is not None and switched:
                        self._switch(connection, look, outcome, switched)
                    self.upkeep.mark(connection, (), errors, position=look.position, now=self.now)
                    looking.close()
                    self.upkeep.sweep(connection, targets if self.anew else switched)
        return found

    def _look(self, old: Connection) -> Look:
        standing = self.upkeep.standing(old)
        if self.anew:
            standing = Standing(head=standing.head, versions=standing.versions)
        standing.check()
        position = standing.base if IDENTITY in standing.serving else standing.head
        return Look(old=old, upkeep=self.upkeep, standing=standing, position=position)

    def _switch(
        self, connection: Connection, look: Look, outcome: Outcome, switched: Collection[str]
    ) -> None:
        """Put what was computed in the place of the old rows, then bring it to where those were followed to."""
        live = self.upkeep.standing(connection, anew=True)
        if self.anew:
            self.upkeep.clear(connection, live)
        else:
            live.check()
            self._unchanged(look.standing, live, switched)
            self.upkeep.make(connection, live, switched)
        with Writer(connection, but=self._but(switched)) as writer:
            if IDENTITY in switched:
                writer.identity(persons.stored_rows(connection, None), outcome.identity)
            for fact in self.upkeep.facts:
                if fact.VIEW.name in switched:
                    writer.fact(fact, outcome.built.rows[fact.VIEW.name], None)
            writer.written()
        self.upkeep.mark(connection, switched, {}, position=look.position, now=self.now)
        if IDENTITY in switched:
            unread.note(connection, outcome.passed, read=None)
            everybody = self.upkeep.versions.keys() - outcome.built.errors.keys()
            self._follow(connection, connection, everybody, look.position, self.upkeep.log.head())
        else:
            self._follow(connection, look.old, _with_readers(switched, outcome), look.position, live.base)

    def _follow(
        self, connection: Connection, known: Connection, views: Collection[str], base: int, upto: int
    ) -> None:
        """Bring these views from one position to another; `known` tells who was who at the first."""
        if upto <= base:
            return
        with Writer(connection, but=self._but(views)) as writer, choking():
            outcome = catch_up(replace(self.run_at(upto), pinned=True), known, writer, base)
            done = writer.written()
        if IDENTITY in views:
            unread.note(connection, outcome.passed, read=outcome.read)
        errors = {name: error for name, error in outcome.built.errors.items() if name in views}
        self.upkeep.mark(connection, done, errors, position=upto, now=self.now)

    def _but(self, views: Collection[str]) -> set[str]:
        return self.upkeep.versions.keys() - set(views)

    def _unchanged(self, before: Standing, after: Standing, views: Collection[str]) -> None:
        """Others may have followed the log meanwhile, but not have built anything anew."""
        for name in {IDENTITY, *views}:
            one, other = before.marks.get(name), after.marks.get(name)
            if one is None and other is None:
                continue
            same = one and other and (one.version, one.epoch) == (other.version, other.epoch)
            if not same or (one and other and other.position < one.position):
                raise ViewsBusy(
                    f"The views {self.upkeep.address} were built anew by another process meanwhile: try again."
                )


def _with_readers(views: Collection[str], outcome: Outcome) -> set[str]:
    """These views and all that read them: others have followed the log by the old rows of what is replaced."""
    found = set(views)
    for name, read in outcome.built.reads.items():
        if read & found and name not in outcome.built.errors:
            found.add(name)
    return found
