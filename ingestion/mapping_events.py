"""One call reads one `[[event]]` or `[[identifier]]` of a mapping file."""

import re
from typing import Any, get_type_hints

from msgspec import structs

from domain.events import NAMES
from domain.events.envelope import Event
from domain.strict import Table
from ingestion.language import EventRule, IdentifierRule, Value
from ingestion.mapping_values import Names, conditions, template, value

OWN_KEYS = {"source", "id", "revision", "subject", "occurred_at", "known_at", "seq", "precision"}
"""Fields that a mapping does not set by name: they come from keys of their own, or from the source."""
KEYS = {"direction": "direction", "actor": "actor_kind", "channel": "channel"}
DECISIONS = {"SourceDeclared", "PolicyAdopted", "CalendarAdopted"}
"""Written by commands of their own, never by a source."""


def fields_of(event: type[Event]) -> dict[str, Any]:
    """The plain types of a class's fields, by name."""
    hints = get_type_hints(event)
    return {name: hints[name] for name in event.__struct_fields__}


def event_class(table: Table, key: str, name: str) -> type[Event]:
    """The class of an event's name."""
    if name not in NAMES or name in DECISIONS:
        known = ", ".join(sorted(set(NAMES) - DECISIONS))
        raise table.error(key, f'is "{name}", which is no event; known: {known}')
    return NAMES[name]


def read_event(row: Table, names: Names) -> EventRule:
    """One rule, every key checked."""
    event = event_class(row, "type", row.text("type"))
    row.known.update(KEYS)
    fields = {field: value(row, key, names) for key, field in KEYS.items() if key in row.values}
    fields |= _set(row.table("set"), event, names)
    rule = EventRule(
        event=event,
        path=row.path,
        when=conditions(row, "when", names),
        id=template(row, "id"),
        once=row.read("once", bool, False),
        at=timed(row, "at", row.text("at"), names),
        known_at=recorded(row, names),
        seq=_whole(row, "seq", names),
        fields=fields,
    )
    row.done()
    _complete(row, rule)
    return rule


def _set(table: Table, event: type[Event], names: Names) -> dict[str, Value]:
    allowed = set(fields_of(event)) - OWN_KEYS
    for key in table.values:
        if key not in allowed:
            raise table.error(key, f"is no field of {event.__name__}; known: {', '.join(sorted(allowed))}")
    return {key: value(table, key, names) for key in table.values}


def _complete(row: Table, rule: EventRule) -> None:
    for field in structs.fields(rule.event):
        if field.required and field.name not in rule.fields and field.name not in OWN_KEYS:
            raise row.error(f"set.{field.name}", f"is missing; {rule.event.__name__} needs it")


def read_identifier(row: Table, names: Names, at: str | None) -> IdentifierRule:
    """One rule, every key checked; without an `at` of its own it is asserted when the record happened."""
    ns = row.text("ns")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", ns):
        raise row.error("ns", f"must be a name of small letters, digits and _, not {ns!r}")
    instant = row.text("at", at)
    if instant is None:
        raise row.error("at", "is missing; name the column that says when this was asserted")
    rule = IdentifierRule(
        path=row.path,
        when=conditions(row, "when", names),
        ns=ns,
        value=names.check(row, "value", row.text("value")),
        at=timed(row, "at", instant, names),
        known_at=recorded(row, names),
        obtained=row.text("obtained"),
    )
    row.done()
    return rule


def timed(table: Table, key: str, name: str, names: Names) -> str:
    """The name of a column that holds instants."""
    if names.kind(name) not in ("time", "date"):
        raise table.error(key, f'names "{name}", which [columns] must declare as "time" or "date"')
    return name


def recorded(table: Table, names: Names) -> tuple[str, ...]:
    """The columns of which the first that is not empty says when the source recorded it."""
    return tuple(timed(table, "known_at", name, names) for name in table.texts("known_at"))


def _whole(table: Table, key: str, names: Names) -> str | None:
    name: str | None = table.text(key, None)
    if name is not None and name != "@row" and names.kind(name) != "int":
        raise table.error(key, f'names "{name}", which [columns] must declare as "int"')
    return name
