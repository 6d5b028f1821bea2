"""The tables of identity, and whom new events concern: every subject whose person may now be another.

The set is closed: it holds whole persons, and nobody outside shares a linking key, a case or thread, or a
ruling with anybody inside. Within it `resolve` gives the same persons as over all subjects.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.events.decisions import IdentifierCleared, IdentifierFlagged
from projections.evidence import Evidence
from projections.identity import Identity
from projections.tables import Written, among, conform, read, read_where, table, versioned, write_difference

VERSION = 2
"""Of these tables and of how identity is resolved; they stand beside those of another version."""
ASSIGNED = table(
    "assignments",
    "subject",
    subject=str,
    person=str,
    identified=bool,
    identifier=str,
    asserted_at="instant",
    indexed=("subject",),
)
IDENTIFIED = table(
    "identifiers",
    ("subject", "ns"),
    person=str,
    identifier=str,
    folded=str,
    ns=str,
    source=str,
    obtained=str,
    erased=bool,
    trust=int,
    occurred_at="instant",
    known_at="instant",
    verified_by=str,
    subject=str,
    asserted_by=str,
    indexed=("identifier",),
)
REFERRED = table("subject_references", ("subject", "ref"), subject=str, ref=str, indexed=("ref",))
DECIDED = table("decision_streams", "subject", subject=str)
ASSIGNED, IDENTIFIED, REFERRED, DECIDED = TABLES = tuple(
    versioned(one, VERSION) for one in (ASSIGNED, IDENTIFIED, REFERRED, DECIDED)
)
Rows = dict[str, pl.DataFrame]
"""What the tables of identity hold, by their names."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Looks up what is stored about subjects, keys, references and persons."""

    connection: Connection

    def rows(self, table: sa.Table, column: str, values: Iterable[str], *shown: str) -> list[tuple[str, ...]]:
        """Some columns of the rows that have one of the values."""
        found = sa.select(*(table.c[name] for name in shown)).distinct()
        match = among(self.connection, table.c[column], list(values))
        return [tuple(row) for row in self.connection.execute(found.where(match))]

    def of_source(self, source: str) -> set[str]:
        """Every subject of a source."""
        like = ASSIGNED.c.subject.contains(f":{source}:", autoescape=True)
        found = self.connection.execute(sa.select(ASSIGNED.c.subject).where(like)).scalars()
        return {subject for subject in found if subject.split(":", 2)[1] == source}


def stored_rows(connection: Connection, subjects: Collection[str] | None) -> Rows:
    """What is stored about these subjects and their persons, or about all."""
    assigned = read_where(connection, ASSIGNED, "subject", subjects)
    people = None if subjects is None else assigned["person"].unique()
    return {
        ASSIGNED.name: assigned,
        IDENTIFIED.name: read(connection, IDENTIFIED, people),
        REFERRED.name: read_where(connection, REFERRED, "subject", subjects),
        DECIDED.name: read_where(connection, DECIDED, "subject", None),
    }


def resolved_rows(identity: Identity, references: pl.DataFrame, deciders: pl.Series) -> Rows:
    """What the same tables are to hold."""
    return {
        ASSIGNED.name: conform(ASSIGNED, identity.assignments),
        IDENTIFIED.name: conform(IDENTIFIED, identity.identifiers),
        REFERRED.name: conform(REFERRED, _referred(references, identity.identifiers)),
        DECIDED.name: conform(DECIDED, pl.DataFrame({"subject": deciders.unique()})),
    }


def _referred(references: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The references, and of erased subjects the same cases without their source: `lost|A`."""
    lost = told.filter("erased", pl.col("trust") > 0).select("subject").unique()
    cases = references.join(lost, on="subject", how="semi").filter(pl.col("ref").str.starts_with("case|"))
    again = cases.with_columns(ref=pl.col("ref").str.replace(r"^case\|[^|]*", "lost"))
    return pl.concat([references, again]).unique()


def changed(old: Rows, new: Rows) -> set[str]:
    """Persons, former and present, of whom anything differs; links follow from identifiers and rulings."""
    people: set[str] = set()
    for name in (ASSIGNED.name, IDENTIFIED.name):
        for one, other in ((old[name], new[name]), (new[name], old[name])):
            people |= set(one.join(other, on=one.columns, how="anti", nulls_equal=True)["person"])
    return people


def write(connection: Connection, old: Rows, new: Rows) -> Written:
    """Write the difference."""
    written = [write_difference(connection, one, old[one.name], new[one.name]) for one in TABLES]
    return Written(added=sum(one.added for one in written), removed=sum(one.removed for one in written))


def closure(
    stored: Stored,
    dirty: set[str],
    rulings: pl.DataFrame,
    evidence_of: Callable[[set[str]], Evidence],
    *,
    limit: int,
) -> set[str] | None:
    """All subjects that must be resolved together with the dirty ones; None where they are more than `limit`."""
    flaggers = set(
        rulings.filter(pl.col("kind").is_in([IdentifierFlagged.TOPIC, IdentifierCleared.TOPIC]))["one"]
    )
    pairs = rulings.filter(pl.col("other").is_not_null()).select("one", "other")
    reached: set[str] = set()
    frontier = set(dirty)
    while frontier:
        persons = [person for (person,) in stored.rows(ASSIGNED, "subject", frontier, "person")]
        frontier |= {subject for (subject,) in stored.rows(ASSIGNED, "person", persons, "subject")}
        frontier -= reached
        reached |= frontier
        if len(reached) > limit:
            return None
        found = evidence_of(frontier)
        linking = found.assertions.filter(pl.col("trust") > 0)
        shared = set(linking.filter(pl.col("subject").is_in(flaggers))["key"])
        holders = stored.rows(
            IDENTIFIED, "identifier", linking["key"].unique(), "subject", "identifier", "trust"
        )
        near = {subject for subject, key, trust in holders if int(trust) > 0 or key in shared}
        refs = _referred(found.references, found.assertions)["ref"].unique()
        near |= {subject for (subject,) in stored.rows(REFERRED, "ref", refs, "subject")}
        for one, other in (("one", "other"), ("other", "one")):
            near |= set(pairs.filter(pl.col(one).is_in(frontier))[other])
        frontier = near - reached
    return reached
