"""Upkeep: which views of a database can be trusted, and how a run's rows and marks are written together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.log import Log
from projections import persons
from projections.tables import microseconds
from projections.views import POSITIONS, Mark, is_present, make_anew, marks, record
from projections.writing import IDENTITY


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """The views as this program knows them; `epoch` names the log and the shipped policy they follow."""

    log: Log
    facts: Sequence[ModuleType]
    epoch: str

    @property
    def versions(self) -> dict[str, int]:
        """Every view with the version of its build, identity first."""
        return {IDENTITY: persons.VERSION, **{fact.VIEW.name: fact.VERSION for fact in self.facts}}

    @property
    def tables(self) -> dict[str, list[sa.Table]]:
        """The tables of every view."""
        return {IDENTITY: list(persons.TABLES), **{fact.VIEW.name: [fact.VIEW] for fact in self.facts}}

    def standing(self, connection: Connection, head: int) -> dict[str, Mark]:
        """The marks of those views that are ours, of this version, and not beyond the log's head."""
        versions = self.versions
        found = {
            name: mark
            for name, mark in marks(connection).items()
            if versions.get(name) == mark.version and mark.epoch == self.epoch and mark.position <= head
        }
        return found if IDENTITY in found else {}

    def prepare(self, connection: Connection, head: int) -> tuple[dict[str, Mark], tuple[str, ...]]:
        """Make empty what is missing or cannot be trusted; the marks left standing, and what was dropped."""
        present = set(sa.inspect(connection).get_table_names())
        if not is_present(connection):
            make_anew(connection, [POSITIONS])
        stored = marks(connection)
        stood = self._followed(self.standing(connection, head))
        tables = self.tables
        complete = {name for name, own in tables.items() if present.issuperset(table.name for table in own)}
        kept = {name: mark for name, mark in stood.items() if name in complete and IDENTITY in complete}
        for name, own in tables.items():
            if name not in kept:
                make_anew(connection, own)
        forgotten = [name for name in stored if name not in tables]
        for name in forgotten:
            sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)
        connection.execute(sa.delete(POSITIONS).where(POSITIONS.c.view.not_in(list(kept))))
        dropped = [self._why(name, mark, head) for name, mark in stored.items() if name not in kept]
        return kept, tuple(dropped)

    def _followed(self, stood: dict[str, Mark]) -> dict[str, Mark]:
        """Those that the log as it is now has led to where they are; persons decide over all."""
        digests = self.log.digests(sorted({mark.position for mark in stood.values() if mark.position}))
        found = {name: mark for name, mark in stood.items() if mark.digest == digests.get(mark.position, "")}
        return found if IDENTITY in found else {}

    def _why(self, name: str, mark: Mark, head: int) -> str:
        if mark.epoch != self.epoch:
            return f"{name} followed another log or shipped policy: built anew."
        if mark.position > head:
            return f"{name} was at position {mark.position}, beyond the log's head {head}: built anew."
        if self.versions.get(name) != mark.version:
            return f"{name} was built by another version of Omniline: built anew."
        if mark.digest != self._digest(mark.position):
            return f"{name} followed events that the log no longer holds at {mark.position}: built anew."
        return f"{name} was incomplete: built anew."

    def _digest(self, position: int) -> str:
        return self.log.digests([position]).get(position, "") if position else ""

    def mark(
        self,
        connection: Connection,
        errors: Mapping[str, str],
        written: Collection[str],
        *,
        head: int,
        now: datetime,
    ) -> dict[str, Mark]:
        """Note up to where identity and the written facts are true, and which could not be built."""
        stood = marks(connection)
        digest = self._digest(head)
        news = [
            Mark(
                view=name,
                version=version,
                position=head if name not in errors else self._left(stood.get(name))[0],
                epoch=self.epoch,
                digest=digest if name not in errors else self._left(stood.get(name))[1],
                state="failed" if name in errors else "ok",
                error=errors.get(name),
                updated_at=microseconds(now),
            )
            for name, version in self.versions.items()
            if name in written or name in errors
        ]
        record(connection, news)
        return marks(connection)

    @staticmethod
    def _left(mark: Mark | None) -> tuple[int, str]:
        return (mark.position, mark.digest) if mark else (0, "")
