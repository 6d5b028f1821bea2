"""One call reads one mapping file, every key checked: how a source's rows become events, without programming.

The language is described in docs/mappings.md; the mappings that we ship lie in `ingestion/mappings/`.
"""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from domain.strict import PolicyError, Table
from ingestion.language import (
    Column,
    EventRule,
    Format,
    Group,
    IdentifierRule,
    Join,
    Kind,
    Rule,
    SourceMapping,
)
from ingestion.mapping_events import read_event, read_identifier
from ingestion.mapping_values import Names, conditions, scalar, template
from ingestion.source import IngestError

SHIPPED = Path(str(files("ingestion").joinpath("mappings")))


def shipped_mappings() -> tuple[str, ...]:
    """The names of the mappings that come with Omniline."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def find_mapping(source: str) -> SourceMapping | None:
    """The shipped mapping of a source's name, None if there is none."""
    return load_mapping(source) if source in shipped_mappings() else None


def load_mapping(mapping: Path | str) -> SourceMapping:
    """The mapping in a file, or a shipped one by its name; IngestError says in one sentence what to mend."""
    name = str(mapping)
    path = SHIPPED / f"{name}.toml" if name in shipped_mappings() else Path(mapping)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        known = ", ".join(shipped_mappings())
        raise IngestError(
            f"The mapping {path} cannot be read: {error.strerror}; name a TOML file, or one of: {known}."
        ) from error
    except UnicodeDecodeError as error:
        raise IngestError(f"The mapping {path} is not UTF-8 text; save it as UTF-8.") from error
    return parse_mapping(text, where=path.name, folder=path.parent)


def parse_mapping(text: str, *, where: str, folder: Path | None = None) -> SourceMapping:
    """The mapping that a TOML text holds; `folder` is where its lookup files may lie."""
    try:
        return _mapping(Table(tomllib.loads(text), where=where), where, folder)
    except tomllib.TOMLDecodeError as error:
        raise IngestError(f"{where} is not TOML: {error}.") from error
    except PolicyError as error:
        raise IngestError(str(error)) from error


def _mapping(top: Table, where: str, folder: Path | None) -> SourceMapping:
    source = top.table("source")
    known_at, pairs = _trust(top)
    if _word(source, "format", Format) == "canonical":
        found = _canonical(source, where, folder)
    else:
        found = _tabular(top, source, where, folder)
    source.done()
    top.done()
    declared = {"trust": pairs, "known_at_trusted": known_at, "declares": "trust" in top.values}
    return SourceMapping(**{**vars(found), **declared})


def _canonical(source: Table, where: str, folder: Path | None) -> SourceMapping:
    return SourceMapping(
        where=where, folder=folder, format="canonical", zone=_zone(source), changed=_changed(source)
    )


def _tabular(top: Table, source: Table, where: str, folder: Path | None) -> SourceMapping:
    columns = {name: _column(top.table("columns"), name) for name in _names(top, "columns")}
    group = _group(top, columns)
    names = Names(
        columns=columns,
        lookups={name: _lookup(table) for name, table in top.named("values").items()},
        computed=frozenset(f"@{name}" for name in group.sums) if group else frozenset(),
        lines=bool(group and group.lines),
    )
    events = tuple(read_event(row, names) for row in top.rows("event"))
    at = group.at if group else events[0].at if events else None
    identifiers = tuple(read_identifier(row, names, at) for row in top.rows("identifier"))
    _check_days(source, [*events, *identifiers], names)
    if not events and not identifiers:
        raise top.error("event", "is missing; say with [[event]] what a row becomes")
    return SourceMapping(
        where=where,
        folder=folder,
        format=_word(source, "format", Format),
        null=tuple(source.texts("null")),
        zone=_zone(source),
        times=_times(source),
        separator=_separator(source),
        changed=_changed(source),
        subject=_subject(source),
        order=_order(source, names),
        columns=columns,
        joins=tuple(_join(row) for row in top.rows("join")),
        group=group,
        quarantine=tuple(_rule(row, names) for row in top.rows("quarantine")),
        ignore=tuple(_rule(row, names) for row in top.rows("ignore")),
        events=events,
        identifiers=identifiers,
    )


def _check_days(source: Table, rules: list[EventRule | IdentifierRule], names: Names) -> None:
    days = [name for rule in rules for name in (rule.at, *rule.known_at)]
    day = next((name for name in days if names.kind(name) == "date"), None)
    if day is not None and source.values.get("zone") is None:
        raise source.error("zone", f'is missing, but "{day}" holds days; name the zone in which they begin')


def _names(top: Table, key: str) -> list[str]:
    return list(top.read(key, dict, {}))


def _word(table: Table, key: str, words: Any) -> Any:
    choices = get_args(words)
    word = table.text(key)
    if word not in choices:
        raise table.error(key, f"must be {' or '.join(choices)}, not {word!r}")
    return word


def _column(table: Table, name: str) -> Column:
    written = table.values[name]
    if isinstance(written, str):
        return Column(kind=_word(table, name, Kind))
    table.read(name, dict)
    inside = table.table(name)
    column = Column(kind=_word(inside, "type", Kind), required=inside.read("required", bool, False))
    inside.done()
    return column


def _zone(source: Table) -> str | None:
    zone: str | None = source.text("zone", None)
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise source.error(
                "zone", f'is "{zone}", which is no IANA time zone; write one such as Europe/Warsaw'
            ) from None
    return zone


def _times(source: Table) -> tuple[str, ...]:
    times = tuple(source.texts("time"))
    naive = [form for form in times if "%z" not in form and form != "%s"]
    if naive and source.values.get("zone") is None:
        raise source.error(
            "zone", f'is missing, but times written as "{naive[0]}" have no zone; name the zone they are in'
        )
    return times


def _separator(source: Table) -> str:
    separator: str = source.text("separator", ",") if source.values.get("separator") != "\t" else "\t"
    source.known.add("separator")
    if len(separator) != 1 or separator in '"\n\r':
        raise source.error("separator", f"must be one sign such as ; or a tab, not {separator!r}")
    return separator


def _changed(source: Table) -> Any:
    return source.choice("changed", ("conflict", "revise"), "conflict")


def _subject(source: Table) -> Any:
    subject = template(source, "subject")
    if not re.match(r"[a-z_]+:.", source.values["subject"]):
        raise source.error("subject", 'must begin with what it is, as in "contact:{number}"')
    return subject


def _order(source: Table, names: Names) -> tuple[str, ...]:
    order = tuple(source.texts("order"))
    for name in order:
        if name.startswith("@") and name != "@row" and name not in names.computed:
            raise source.error("order", f'names "{name}", which is not computed here')
    return order


def _lookup(table: Table) -> dict[str, str]:
    table.known.update(table.values)
    return {str(key): scalar(table, key, value) for key, value in table.values.items()}


def _rule(row: Table, names: Names) -> Rule:
    word = row.text("reason")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
        raise row.error("reason", f"must be a code such as unknown_document, not {word!r}")
    rule = Rule(reason=word, when=conditions(row, "when", names))
    if not rule.when:
        raise row.error("when", "is missing; say which records are meant")
    row.done()
    return rule


def _join(row: Table) -> Join:
    on = row.texts("on") if isinstance(row.values.get("on"), list) else [row.text("on")]
    join = Join(file=row.text("file"), on=tuple(on), columns=tuple(row.texts("columns")))
    if not join.on or not join.columns:
        raise row.error("columns", "and on must both name columns")
    row.done()
    return join


def _group(top: Table, columns: dict[str, Column]) -> Group | None:
    if "group" not in top.values:
        return None
    table = top.table("group")
    by = table.texts("by") if isinstance(table.values.get("by"), list) else [table.text("by")]
    lines, sums = table.table("lines"), table.table("sum")
    group = Group(
        by=tuple(by),
        at=_timed(table, "at", columns),
        lines={name: _line(lines, name, columns) for name in lines.values},
        sums={name: _factors(sums, name, columns) for name in sums.values},
    )
    table.done()
    return group


def _timed(table: Table, key: str, columns: dict[str, Column]) -> str:
    name: str = table.text(key)
    if columns.get(name, Column()).kind not in ("time", "date"):
        raise table.error(key, f'names "{name}", which [columns] must declare as "time" or "date"')
    return name


def _line(table: Table, name: str, columns: dict[str, Column]) -> str:
    allowed = ("sku", "category", "quantity", "price", "discount")
    if name not in allowed:
        raise table.error(name, f"is no field of an order line; known: {', '.join(allowed)}")
    column: str = table.text(name)
    if name in allowed[2:]:
        _number(table, name, column, columns)
    return column


def _factors(table: Table, name: str, columns: dict[str, Column]) -> tuple[str, ...]:
    factors = table.texts(name) if isinstance(table.values[name], list) else [table.text(name)]
    if not factors:
        raise table.error(name, "is empty; name the columns to multiply and add up")
    for factor in factors:
        _number(table, name, factor, columns)
    return tuple(factors)


def _number(table: Table, key: str, column: str, columns: dict[str, Column]) -> None:
    if columns.get(column, Column()).kind not in ("int", "decimal"):
        raise table.error(key, f'uses "{column}", which [columns] must declare as "int" or "decimal"')


def _trust(top: Table) -> tuple[bool, dict[str, int]]:
    table = top.table("trust")
    known_at = table.read("known_at", bool, False)
    pairs = {pair: table.read(pair, int) for pair in table.values if pair != "known_at"}
    for pair, level in pairs.items():
        if not re.fullmatch(r"[^.\s]+\.[^.\s]+", pair):
            raise table.error(f'"{pair}"', 'is no pair; write "namespace.obtained" = level')
        if not 0 <= level <= 3:
            raise table.error(f'"{pair}"', f"is {level}; a level is 0, 1, 2 or 3")
    return known_at, pairs
