"""One call builds the events of drafted records; the only loop over rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from sys import intern
from typing import Any

import polars as pl

from domain.log import Pending
from ingestion.assertions import Assertions
from ingestion.language import EventRule, IdentifierRule
from ingestion.plan import Field, Plan
from ingestion.source import ROW

REMEMBERED = 500_000
"""So many ids of `once` events are remembered, so that a file does not send each again with every row."""
Columns = dict[str, list[Any]]


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds the events of one file; `kept` holds what folding put beside the frame."""

    plan: Plan
    source: str
    file: str
    assertions: Assertions
    kept: Mapping[str, Sequence[object]]
    seen: set[str]

    def records(self, frame: pl.DataFrame) -> list[list[Pending]]:
        """The events of each record; a record may have none left if all of them were sent before."""
        mapping = self.plan.mapping
        records: list[list[Pending]] = [[] for _ in range(frame.height)]
        frame = frame.with_columns(pl.int_range(pl.len()).alias("@n"))
        if len(self.seen) > REMEMBERED:
            self.seen.clear()
        for number, rule in enumerate(mapping.events):
            for place, pending in self._events(frame, number, rule):
                records[place].append(pending)
        for number, identifier in enumerate(mapping.identifiers):
            for place, pending in self._assertions(frame, number, identifier):
                records[place].append(pending)
        return records

    def _events(self, frame: pl.DataFrame, number: int, rule: EventRule) -> Iterator[tuple[int, Pending]]:
        made = frame.filter(pl.col(f"{number}:when"))
        if rule.once:
            made = made.filter(pl.col(f"{number}:id").is_first_distinct())
        constants = {"source": self.source} | {
            taken.name: taken.constant for taken in self.plan.fields[number] if taken.column is None
        }
        columns = self._columns(made, number, rule)
        names, event, file = tuple(columns), rule.event, self.file
        places, lines = made["@n"].to_list(), made[ROW].to_list()
        for place, line, values in zip(places, lines, zip(*columns.values(), strict=True), strict=True):
            if rule.once and self._sent(values[0]):
                continue
            fact = event(**constants, **dict(zip(names, values, strict=True)))
            yield place, Pending(event=fact, once=rule.once, file=file, line=line)

    def _sent(self, event_id: str) -> bool:
        if event_id in self.seen:
            return True
        self.seen.add(event_id)
        return False

    def _columns(self, made: pl.DataFrame, number: int, rule: EventRule) -> Columns:
        columns: Columns = {
            "id": made[f"{number}:id"].to_list(),
            "subject": made["@subject"].to_list(),
            "occurred_at": instants(made[f"{number}:at"]),
            "known_at": instants(made[f"{number}:known_at"]),
            "precision": words(made[f"~{rule.at}"]),
        }
        if rule.seq is not None:
            columns["seq"] = made[rule.seq if rule.seq == ROW else f"={rule.seq}"].to_list()
        for taken in self.plan.fields[number]:
            if taken.column is not None:
                columns[taken.name] = self._field(made[f"{number}:{taken.name}"], taken)
        return columns

    def _field(self, cells: pl.Series, taken: Field) -> list[Any]:
        kept = self.kept.get(str(taken.column))
        if kept is not None:
            found = [kept[place] for place in cells.to_list()]
            return found if taken.target in ("lines", "decimal") else [_as(taken)(value) for value in found]
        if taken.target == "time":
            return instants(cells)
        if taken.target == "decimal":
            return [None if cell is None else Decimal(cell) for cell in cells.to_list()]
        return cells.to_list() if taken.words is None else words(cells)

    def _assertions(
        self, frame: pl.DataFrame, number: int, rule: IdentifierRule
    ) -> Iterator[tuple[int, Pending]]:
        prefix = f"i{number}"
        made = frame.filter(pl.col(f"{prefix}:when"))
        made = made.filter(pl.struct("@subject", f"{prefix}:value").is_first_distinct())
        rows = zip(
            made["@n"].to_list(),
            made[ROW].to_list(),
            made["@subject"].to_list(),
            made[f"{prefix}:value"].to_list(),
            instants(made[f"{prefix}:at"]),
            instants(made[f"{prefix}:known_at"]),
            words(made[f"~{rule.at}"]),
            strict=True,
        )
        for place, line, subject, value, at, known_at, precision in rows:
            for fact in self.assertions.events(
                source=self.source,
                subject=subject,
                ns=rule.ns,
                value=value,
                obtained=rule.obtained,
                occurred_at=at,
                known_at=known_at,
                precision=precision,
            ):
                if not self._sent(fact.id):
                    yield place, Pending(event=fact, once=True, file=self.file, line=line)


def _as(taken: Field) -> Callable[[Any], Any]:
    return {"int": int, "float": float}.get(taken.target, str)


def words(cells: pl.Series) -> list[str | None]:
    """Words of a closed list as the very objects that classes have as defaults; those are not stored."""
    return [None if cell is None else intern(cell) for cell in cells.to_list()]


def instants(cells: pl.Series) -> list[datetime | None]:
    """UTC instants as Python knows them; a fixed offset is far cheaper to handle than a named zone."""
    naive = cells.dt.replace_time_zone(None).to_list()
    return [None if at is None else at.replace(tzinfo=UTC) for at in naive]
