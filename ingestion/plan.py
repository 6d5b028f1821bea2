"""A plan is a mapping bound to one file's columns: every word of it is now a column or a constant."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from ingestion.language import Condition, EventRule, SourceMapping, Value, tested
from ingestion.mapping_events import fields_of
from ingestion.source import IngestError

SHOWN = 60
"""So many of a file's columns are named in an error."""
Target = Literal["text", "int", "float", "decimal", "bool", "date", "time", "lines"]
TARGETS: dict[Any, Target] = {
    str: "text", int: "int", float: "float", Decimal: "decimal", bool: "bool", date: "date", datetime: "time"
}  # fmt: skip
FITTING: dict[str, tuple[str, ...]] = {
    "int": ("text", "int"), "float": ("text", "int", "decimal"), "decimal": ("text", "int", "decimal"),
    "bool": ("text", "bool"), "date": ("date",), "time": ("time", "date"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an event: a constant, or a column's cell, looked up and under conditions."""

    name: str
    target: Target
    words: frozenset[str] | None
    constant: Any = None
    column: str | None = None
    lookup: Mapping[str, str] | None = None
    only: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to read from a file, and the fields of each event rule; `notes` tell what may surprise."""

    mapping: SourceMapping
    wanted: tuple[str, ...]
    from_file: tuple[str, ...]
    fields: tuple[tuple[Field, ...], ...]
    notes: tuple[str, ...]


def needed(mapping: SourceMapping) -> Iterator[str]:
    """The columns without which the mapping makes no sense."""
    yield from mapping.columns
    yield from mapping.subject.columns
    yield from mapping.order
    if mapping.group:
        yield from (*mapping.group.by, mapping.group.at, *mapping.group.lines.values())
        for factors in mapping.group.sums.values():
            yield from factors
    for rule in (*mapping.quarantine, *mapping.ignore):
        yield from tested(rule.when)
    for event in mapping.events:
        yield from (
            *tested(event.when),
            *event.id.columns,
            event.at,
            *event.known_at,
            *([event.seq] if event.seq else []),
        )
        for value in event.fields.values():
            yield from tested(value.only)
            if value.sure:
                yield str(value.name)
    for identifier in mapping.identifiers:
        yield from (*tested(identifier.when), identifier.value, identifier.at, *identifier.known_at)


def bind(mapping: SourceMapping, has: Sequence[str] | None, file: str, channels: Collection[str]) -> Plan:
    """The plan for a file with these columns; None where a file's columns are not known beforehand."""
    sure = [name for name in dict.fromkeys(needed(mapping)) if not name.startswith("@")]
    joined = {name for join in mapping.joins for name in join.columns}
    keys = [name for join in mapping.joins for name in join.on]
    if has is not None:
        missing = [name for name in dict.fromkeys((*sure, *keys)) if name not in has and name not in joined]
        if missing:
            raise IngestError(_lacks(file, missing, mapping, has))
    exist = {*sure, *(has or ()), *joined}
    fields = tuple(tuple(_fields(rule, mapping, exist, channels)) for rule in mapping.events)
    taken = [field.column for rule in fields for field in rule if field.column and field.column[0] != "@"]
    wanted = tuple(dict.fromkeys((*sure, *taken)))
    from_file = tuple(dict.fromkeys(name for name in (*wanted, *keys) if name not in joined))
    return Plan(
        mapping=mapping,
        wanted=wanted,
        from_file=from_file,
        fields=fields,
        notes=tuple(_notes(mapping, fields)),
    )


def _lacks(file: str, missing: list[str], mapping: SourceMapping, has: Sequence[str]) -> str:
    names = ", ".join(f'"{name}"' for name in missing)
    shown = ", ".join(name[:40] for name in has[:SHOWN]) + (" …" if len(has) > SHOWN else "")
    noun = "column" if len(missing) == 1 else "columns"
    return f"{file} lacks the {noun} {names}, which {mapping.where} needs; it has: {shown}."


def _notes(mapping: SourceMapping, fields: tuple[tuple[Field, ...], ...]) -> Iterator[str]:
    for rule, found in zip(mapping.events, fields, strict=True):
        for field in found:
            if field.column is None and field.target == "text" and field.words is None:
                yield f'{mapping.where}: {rule.path}: {field.name} is the constant "{field.constant}".'


def _fields(
    rule: EventRule, mapping: SourceMapping, exist: set[str], channels: Collection[str]
) -> Iterator[Field]:
    hints = fields_of(rule.event)
    for name, value in rule.fields.items():
        target, words = target_of(hints[name])
        if name == "channel":
            words = frozenset(channels)
        where = f"{mapping.where}: {rule.path}.{name}"
        if _is_column(value, target, words, exist):
            _check_kind(str(value.name), value, target, mapping, where)
            yield Field(
                name=name,
                target=target,
                words=words,
                column=str(value.name),
                lookup=value.lookup,
                only=value.only,
            )
        else:
            constant = _constant(value.name, hints[name], words, where)
            yield Field(name=name, target=target, words=words, constant=constant)


def _is_column(value: Value, target: Target, words: frozenset[str] | None, exist: set[str]) -> bool:
    """A word that the field itself knows is meant as that word, even if a column is called so."""
    if value.sure or target == "lines" or (isinstance(value.name, str) and value.name.startswith("@")):
        return True
    return value.name in exist and not (words and value.name in words)


def _check_kind(column: str, value: Value, target: Target, mapping: SourceMapping, where: str) -> None:
    computed = {"@lines": "lines", "@row": "int"}
    kind = computed.get(column, "decimal" if column.startswith("@") else mapping.column(column).kind)
    if value.lookup is not None:
        kind = "text"
    if target not in ("text", kind) and kind not in FITTING.get(target, ()):
        wanted = "lines of a [group]" if target == "lines" else f'a column declared as "{target}"'
        raise IngestError(f'{where} is taken from "{column}", which is {kind}; it needs {wanted}.')


def _constant(written: Any, hint: Any, words: frozenset[str] | None, where: str) -> Any:
    if words is not None and written not in words:
        raise IngestError(f'{where} is "{written}", which is neither a column nor one of: {_few(words)}.')
    try:
        return msgspec.convert(
            written if not isinstance(written, float) else str(written), hint, strict=False
        )
    except msgspec.ValidationError:
        raise IngestError(f'{where} is "{written}", which is neither a column nor a fitting value.') from None


def _few(words: Collection[str]) -> str:
    return ", ".join(sorted(words))


def target_of(hint: Any) -> tuple[Target, frozenset[str] | None]:
    """What a field's type wants, and the only words that it admits."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return "text", frozenset(get_args(hint))
    return ("lines", None) if get_origin(hint) is tuple else (TARGETS[hint], None)
