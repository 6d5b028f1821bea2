"""One call reads one value, condition or template of a mapping file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import polars as pl

from domain.strict import Table
from ingestion.language import TEXT, Column, Condition, Template, Value

PLACE = re.compile(r"\{([^{}]*)\}")
Test = Literal["like", "unlike", "null", "max"]
COMPUTED = ("@row", "@lines")


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a mapping's rules may refer to."""

    columns: Mapping[str, Column]
    lookups: Mapping[str, Mapping[str, str]]
    computed: frozenset[str]
    lines: bool

    def kind(self, column: str) -> str:
        """How the column is read; sums are numbers."""
        return "decimal" if column in self.computed else self.columns.get(column, TEXT).kind

    def check(self, table: Table, key: str, column: str) -> str:
        """The column's name, if it is not a computed one that does not exist."""
        if column.startswith("@") and column not in self.computed and column != "@row":
            raise table.error(key, f'names "{column}", which is not computed here')
        return column


def template(table: Table, key: str) -> Template:
    """Text with columns in braces."""
    text = table.text(key)
    parts: list[tuple[Literal["text", "column"], str]] = []
    for number, part in enumerate(PLACE.split(text)):
        if number % 2 and not part.strip():
            raise table.error(key, f'has empty braces in "{text}"; name a column in them')
        if not number % 2 and ("{" in part or "}" in part):
            raise table.error(key, f'has a brace without its partner in "{text}"')
        if part:
            parts.append(("column" if number % 2 else "text", part))
    if not any(kind == "column" for kind, _ in parts):
        raise table.error(key, f'is "{text}", the same for every record; name a column in braces')
    return Template(parts=tuple(parts))


def scalar(table: Table, key: str, value: Any) -> str:
    """A scalar of the file as the text of a cell."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return value if isinstance(value, str) else str(value).removesuffix(".0")
    raise table.error(key, f"must be text, a number, true or false, not {value!r}")


def conditions(table: Table, key: str, names: Names) -> tuple[Condition, ...]:
    """All tests of a `when` or `only`; none if it is absent."""
    inside = table.table(key)
    found = []
    for column, wanted in inside.values.items():
        inside.known.add(column)
        names.check(inside, column, column)
        found.extend(_tests(inside, column, wanted, names))
    return tuple(found)


def _tests(table: Table, column: str, wanted: Any, names: Names) -> list[Condition]:
    if not isinstance(wanted, dict):
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values:
            raise table.error(column, "is an empty list; name the values that are meant")
        words = tuple(scalar(table, column, value) for value in values)
        return [Condition(column=column, test="is", operand=words)]
    inside = Table(wanted, where=table.where, path=table.name(f'"{column}"'))
    found = [_test(inside, column, test, names) for test in wanted if test in get_args(Test)]
    inside.done()
    if not found:
        raise table.error(column, "tests nothing; write a value, or .like, .unlike, .null or .max")
    return found


def _test(table: Table, column: str, test: Any, names: Names) -> Condition:
    kind = names.kind(column)
    if test == "null":
        return Condition(column=column, test=test, operand=table.read(test, bool))
    if test == "max":
        table.known.add(test)
        limit = table.values[test]
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise table.error(test, f"must be a number, not {limit!r}")
        if kind not in ("int", "decimal"):
            raise table.error(
                test, f'compares "{column}", which [columns] must declare as "int" or "decimal"'
            )
        return Condition(column=column, test=test, operand=float(limit))
    pattern = table.text(test)
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        raise table.error(test, f'is "{pattern}", which is no regular expression') from None
    return Condition(column=column, test=test, operand=pattern)


def value(table: Table, key: str, names: Names) -> Value:
    """A column or constant; `{from, values}` looks up, `{from, only}` is null unless the condition holds."""
    table.known.add(key)
    written = table.values[key]
    if isinstance(written, (str, bool, int, float)):
        if written == "@lines" and not names.lines:
            raise table.error(key, 'is "@lines", but there is no [group] with lines')
        if isinstance(written, str) and written.startswith("@") and written not in COMPUTED:
            names.check(table, key, written)
        return Value(name=written)
    if not isinstance(written, dict):
        raise table.error(key, f"must be a column, a constant or {{from = …}}, not {written!r}")
    inside = table.table(key)
    found = Value(
        name=names.check(inside, "from", inside.text("from")),
        sure=True,
        lookup=_lookup(inside, names),
        only=conditions(inside, "only", names),
    )
    inside.done()
    return found


def _lookup(table: Table, names: Names) -> Mapping[str, str] | None:
    if "values" not in table.values:
        return None
    written = table.values["values"]
    if isinstance(written, dict):
        inside = table.table("values")
        return {key: scalar(inside, key, word) for key, word in written.items()}
    name = table.text("values")
    if name not in names.lookups:
        known = ", ".join(names.lookups) or "none"
        raise table.error("values", f'names "{name}", which [values] does not define; defined: {known}')
    return names.lookups[name]
