"""Upkeep: which views of a database can be used, and how their tables and marks are made, set and cleared."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import ModuleType

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.log import Log
from domain.log.scan import chain_at
from projections import persons
from projections.standing import Standing, holds, refusal
from projections.tables import microseconds, shown, versioned
from projections.unread import UNREAD
from projections.views import POSITIONS, Mark, columns_of, make_anew, marks, record, stored_columns
from projections.writing import IDENTITY

OWN = (POSITIONS, UNREAD)


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """The views as this program knows them; `epoch` names the log and the shipped policy they follow."""

    log: Log
    facts: Sequence[ModuleType]
    epoch: str
    address: str
    _proven: dict[int, str] = field(default_factory=dict)

    @property
    def versions(self) -> dict[str, int]:
        """Every view with the version of its build, identity first."""
        return {IDENTITY: persons.VERSION, **{fact.VIEW.name: fact.VERSION for fact in self.facts}}

    def tables(self, view: str, version: int | None = None) -> list[sa.Table]:
        """The tables of a view as our version of its build keeps them, or another."""
        own = (
            persons.TABLES
            if view == IDENTITY
            else [fact.VIEW for fact in self.facts if fact.VIEW.name == view]
        )
        return [versioned(table, self.versions[view] if version is None else version) for table in own]

    def standing(self, connection: Connection, *, anew: bool = False) -> Standing:
        """One look; `anew` asks the log again what it was asked before."""
        if anew:
            self._proven.clear()
        head, versions, stored = self.log.head(), self.versions, stored_columns(connection)
        marked = marks(connection) if holds(stored, POSITIONS, self._columns(connection, POSITIONS)) else {}
        found = {name: marked[name] for name in versions if name in marked}
        refused = {
            name: f"The views {self.address} {why}"
            for name, mark in found.items()
            if (why := refusal(mark, version=versions[name], epoch=self.epoch, head=head, chain=self._chain))
        }
        serving = {
            name for name, mark in found.items() if self._holds(connection, stored, name, mark.version)
        }
        whole = {
            name
            for name in serving - refused.keys()
            if found[name].version == versions[name] and found[name].epoch == self.epoch
        }
        return Standing(
            head=head,
            versions=versions,
            marks=marked,
            tables=stored,
            whole=frozenset(whole),
            serving=frozenset(serving - refused.keys()),
            refused=refused,
        )

    def tidy(self, connection: Connection, standing: Standing) -> None:
        """Make our own tables where they are missing; drop what belongs to views that we do not know."""
        for table in OWN:
            if not holds(standing.tables, table, self._columns(connection, table)):
                make_anew(connection, [table])
        forgotten = [name for name in standing.marks if name not in self.versions]
        self._drop(connection, standing.tables, forgotten)
        connection.execute(sa.delete(POSITIONS).where(POSITIONS.c.view.in_(forgotten)))

    def clear(self, connection: Connection, standing: Standing) -> None:
        """Make every view's tables empty and forget all marks."""
        self.tidy(connection, standing)
        connection.execute(sa.delete(POSITIONS))
        for name in self.versions:
            make_anew(connection, self.tables(name))

    def make(self, connection: Connection, standing: Standing, views: Collection[str]) -> None:
        """Make the tables of these views where they do not stand whole."""
        for name in views:
            if not self._holds(connection, standing.tables, name, self.versions[name]):
                make_anew(connection, self.tables(name))

    def sweep(self, connection: Connection, views: Collection[str]) -> None:
        """Drop the tables that other versions of the builds of these views left."""
        own = [table for name in views for table in self.tables(name)]
        others = stored_columns(connection).keys() - {table.name for table in own}
        self._drop(connection, others, [shown(table) for table in own])

    def mark(
        self,
        connection: Connection,
        done: Collection[str],
        errors: Mapping[str, str],
        *,
        position: int,
        now: datetime,
    ) -> None:
        """Note up to where these views are true, and which others could not be built: those stay where they were."""
        stood, chain, at = marks(connection), self._chain(position), microseconds(now)
        news = []
        for name in self.versions:
            mark = self._made(name, position, chain, at)
            if name in errors:
                left = stood.get(name) or self._made(name, 0, "", at)
                mark = replace(left, state="failed", error=errors[name], updated_at=at)
            if name in {*done, *errors}:
                news.append(mark)
        record(connection, news)

    def _made(self, view: str, position: int, chain: str, at: int) -> Mark:
        return Mark(
            view=view,
            version=self.versions[view],
            position=position,
            epoch=self.epoch,
            chain=chain,
            state="ok",
            error=None,
            updated_at=at,
        )

    def _chain(self, position: int) -> str:
        """The log's chain value there, as last asked."""
        found = self._proven.get(position) if position else ""
        if found is None:
            found = self._proven[position] = (chain_at(self.log, position) or b"").hex()
        return found

    def _holds(
        self, connection: Connection, stored: Mapping[str, Mapping[str, str]], view: str, version: int
    ) -> bool:
        tables = self.tables(view, version)
        return all(holds(stored, table, self._columns(connection, table)) for table in tables)

    @staticmethod
    def _columns(connection: Connection, table: sa.Table) -> dict[str, str]:
        return columns_of(table, connection.dialect)

    @staticmethod
    def _drop(connection: Connection, stored: Iterable[str], names: Collection[str]) -> None:
        """Drop those of the stored tables that are of these names in any version."""
        if names:
            forms = re.compile(rf"({'|'.join(map(re.escape, names))})_v\d+")
            for name in filter(forms.fullmatch, stored):
                sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)
