"""The words of a mapping: what one value, condition, event, identifier and group of a mapping file is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from domain.events.envelope import Event

Kind = Literal["text", "int", "decimal", "bool", "date", "time"]
Format = Literal["csv", "jsonl", "parquet", "canonical"]
Scalar = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Column:
    """How a column's cells are read; one that is not declared is text and may be empty."""

    kind: Kind = "text"
    required: bool = False


TEXT = Column()


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A test of one column; all conditions of a `when` must hold."""

    column: str
    test: Literal["is", "like", "unlike", "null", "max"]
    operand: tuple[str, ...] | str | float | bool


@dataclass(frozen=True, kw_only=True)
class Template:
    """Text with columns in braces: `{Invoice}/placed`."""

    parts: tuple[tuple[Literal["text", "column"], str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in braces."""
        return tuple(part for kind, part in self.parts if kind == "column")


@dataclass(frozen=True, kw_only=True)
class Value:
    """A column, or a constant if no such column exists; `sure` where it must be a column."""

    name: Scalar
    sure: bool = False
    lookup: Mapping[str, str] | None = None
    only: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EventRule:
    """One `[[event]]`: which rows become such an event, and from what its fields are taken."""

    event: type[Event]
    path: str
    when: tuple[Condition, ...]
    id: Template
    once: bool
    at: str
    known_at: tuple[str, ...]
    seq: str | None
    fields: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class IdentifierRule:
    """One `[[identifier]]`: a value that the subject is asserted to bear."""

    path: str
    when: tuple[Condition, ...]
    ns: str
    value: str
    at: str
    known_at: tuple[str, ...]
    obtained: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One `[[quarantine]]` or `[[ignore]]`."""

    reason: str
    when: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows with equal `by` are one record at the earliest `at`; `sums` add products of columns."""

    by: tuple[str, ...]
    at: str
    lines: Mapping[str, str]
    sums: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Join:
    """A small file whose columns are looked up by the columns `on`; each combination occurs once in it."""

    file: str
    on: tuple[str, ...]
    columns: tuple[str, ...]


def tested(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """The columns that conditions look at."""
    return (condition.column for condition in conditions)


@dataclass(frozen=True, kw_only=True)
class SourceMapping:
    """One mapping file, checked: how a source's rows become events, and what the source is believed."""

    where: str
    folder: Path | None
    format: Format
    null: tuple[str, ...] = ()
    zone: str | None = None
    times: tuple[str, ...] = ()
    separator: str = ","
    changed: Literal["conflict", "revise"] = "conflict"
    subject: Template = field(default_factory=lambda: Template(parts=()))
    order: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    group: Group | None = None
    quarantine: tuple[Rule, ...] = ()
    ignore: tuple[Rule, ...] = ()
    events: tuple[EventRule, ...] = ()
    identifiers: tuple[IdentifierRule, ...] = ()
    trust: Mapping[str, int] = field(default_factory=dict)
    known_at_trusted: bool = False
    declares: bool = False

    def column(self, name: str) -> Column:
        """How a column is read."""
        return self.columns.get(name, TEXT)
