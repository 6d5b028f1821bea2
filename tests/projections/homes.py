"""Homes for the engine's own tests: a log, its views, and a small fact that shows all that a build is handed."""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import sqlalchemy as sa

from domain.asof import AsOf
from domain.events import EVENTS, NAMES
from domain.events.envelope import Event
from domain.log import Log, open_log
from domain.policy import Policy, parse_policy
from projections.engine import Engine, Progress
from projections.known import Known
from projections.tables import table
from tests.given import FAR, POLICY, append, asserted

OPENED: list[Log | Engine] = []
"""What a test opened; it is closed when the test has ended."""
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
SHIPPED: Policy = parse_policy(POLICY, where="the test's policy")
SEEN = table(
    "seen",
    "event",
    event=str,
    person=str,
    case=str,
    text=str,
    known_at="instant",
    identifier=str,
    linked="instant",
    policy=str,
)


def see(known: Known) -> pl.DataFrame:
    """One row per event: whose it is, of which case, and since when its identifier is linked to any other."""
    linked = known.identity.links.group_by("person", identifier="one").agg(linked=pl.col("known_at").min())
    assigned = known.identity.assignments.select("subject", "identifier")
    rows = known.events.join(assigned, on="subject").join(linked, on=["person", "identifier"], how="left")
    promised = pl.lit(known.policies.latest.version)
    return pl.DataFrame(rows.with_columns(event="event_id", case="case_key", policy=promised))


def fact(view: Any = SEEN, build: Any = see, version: int = 1) -> ModuleType:
    """A fact as the files of `projections/facts` are."""
    made = ModuleType(view.name)
    made.__dict__.update(VIEW=view, VERSION=version, build=build, OPENED=tuple(EVENTS))
    return made


def log_of(folder: Path, *, create: bool = False) -> Log:
    """The log in a folder."""
    OPENED.append(log := open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=create))
    return log


def engine_of(log: Log, views: str, facts: Sequence[ModuleType] = (), **options: Any) -> Engine:
    """An engine over a log; the small fact is its only one unless others are given."""
    OPENED.append(engine := Engine(log, views, facts or [fact()], **{"shipped": SHIPPED, **options}))
    return engine


@dataclass(frozen=True, kw_only=True)
class Home:
    """A log and its views, which may lie elsewhere."""

    folder: Path
    log: Log
    views: str
    facts: Sequence[ModuleType] = ()

    @cached_property
    def engine(self) -> Engine:
        """The engine that the test asks."""
        return engine_of(self.log, self.views, self.facts)

    def more(self, *events: Event) -> Progress:
        """Append and catch up."""
        append(self.log, events)
        return self.engine.catch_up(now=FAR)

    def persons(self) -> dict[str, str]:
        """The person of every subject."""
        return dict(self.engine.facts("assignments").select("subject", "person").iter_rows())

    def seen(self, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of the small fact."""
        return self.engine.facts("seen").select(*columns).rows()

    def rows(self, name: str = "seen") -> list[tuple[Any, ...]]:
        """What a view shows as stored."""
        return self.engine.facts(name).rows()

    def whole(self, name: str = "seen") -> list[tuple[Any, ...]]:
        """What it shows when everything is computed at once."""
        return list(self.engine.replay(AsOf(instant=FAR)).facts[name].rows())

    def reopened(self, facts: Sequence[ModuleType], **options: Any) -> Engine:
        """Another engine over the same log and views."""
        return engine_of(self.log, self.views, facts, **options)

    def drop_views(self) -> None:
        """Delete the views database."""
        for file in self.folder.glob("views.db*"):
            file.unlink()

    def restored(self, folder: Path) -> "Home":
        """The same views beside a copy of the log as it is now."""
        folder.mkdir()
        for file in (*self.folder.glob("log.db*"), *self.folder.glob("keys.db*"), self.folder / "master.key"):
            shutil.copy(file, folder / file.name)
        return Home(folder=folder, log=log_of(folder), views=self.views)

    def forge(self, *statements: str) -> None:
        """Run statements on the views."""
        with self._database() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def tables(self) -> set[str]:
        """The tables of the views database."""
        with self._database() as connection:
            return set(sa.inspect(connection).get_table_names())

    def alter(self, position: int, **columns: str | bytes) -> dict[str, str | bytes]:
        """Put other values into a stored event's row, behind the log's back; the former ones are returned."""
        shown, sets = ", ".join(columns), ", ".join(f"{name} = ?" for name in columns)
        with closing(sqlite3.connect(self.folder / "log.db", isolation_level=None)) as connection:
            (former,) = connection.execute(
                f"SELECT {shown} FROM stored_events WHERE rowid = {position}"  # noqa: S608
            )
            connection.execute(
                f"UPDATE stored_events SET {sets} WHERE rowid = {position}",  # noqa: S608
                list(columns.values()),
            )
        return dict(zip(columns, former, strict=True))

    @contextmanager
    def _database(self) -> Iterator[sa.Connection]:
        url = sa.make_url(self.views)
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        database = sa.create_engine(url)
        try:
            with database.begin() as connection:
                yield connection
        finally:
            database.dispose()


def home(
    folder: Path, events: Iterable[Event] = (), *, facts: Sequence[ModuleType] | None = None, views: str = ""
) -> Home:
    """A home with some events, caught up."""
    log = log_of(folder, create=True)
    made = Home(folder=folder, log=log, views=views or f"sqlite:///{folder}/views.db", facts=facts or ())
    made.more(*events)
    return made


def at(hours: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def said(kind: str, subject: str, hours: float, **fields: Any) -> Event:
    """An event about `source:subject`, known at once."""
    source, _, name = subject.partition(":")
    fields.setdefault("known_at", at(hours))
    return NAMES[kind](
        source=source,
        id=fields.pop("id", f"{kind}-{name}-{hours}"),
        subject=f"contact:{name}",
        occurred_at=at(hours),
        **fields,
    )


def bears(subject: str, ns: str, value: str, hours: float, obtained: str = "typed", **fields: Any) -> Event:
    """An identifier of `source:subject`, known at once."""
    source, _, name = subject.partition(":")
    fields.setdefault("known_at", at(hours))
    return asserted(f"contact:{name}", ns, value, at(hours), obtained, source=source, **fields)


def ruled(kind: str, hours: float, *, one: str, **fields: Any) -> Event:
    """A ruling."""
    fields.setdefault("known_at", at(hours))
    return NAMES[kind](
        source="shop", id=f"{kind}-{hours}", subject=f"link:{hours}", occurred_at=at(hours), one=one, **fields
    )
