"""One call reads one key of a TOML table and checks its type; what was never read is an error."""

import difflib
from collections.abc import Mapping
from typing import Any

MISSING: Any = object()
KINDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class PolicyError(Exception):
    """One sentence for people: which file, which key, what is wrong and what to write instead."""


class Table:
    """A TOML table that remembers which of its keys were asked for."""

    def __init__(self, values: Mapping[str, Any], *, where: str, path: str = "") -> None:
        self.values, self.where, self.path = values, where, path
        self.known: set[str] = set()

    def error(self, key: str, problem: str) -> PolicyError:
        """The error about one key of this table."""
        return PolicyError(f"{self.where}: {self.name(key)} {problem}.")

    def name(self, key: str) -> str:
        """The key with the tables that hold it: `channels.email.calendar`."""
        return f"{self.path}.{key}" if self.path else key

    def read(self, key: str, kind: type, default: Any = MISSING) -> Any:
        """The value of a key, of exactly this type; without a default the key must be there."""
        self.known.add(key)
        value = self.values.get(key, default)
        if value is MISSING:
            raise self.error(key, f"is missing; write {KINDS[kind]}")
        if value is not default and type(value) is not kind:
            raise self.error(key, f"must be {KINDS[kind]}, not {value!r}")
        return value

    def text(self, key: str, default: Any = MISSING) -> Any:
        """A text that is not empty."""
        value = self.read(key, str, default)
        if value is not default and not value.strip():
            raise self.error(key, "is empty; write text")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts, empty when the key is absent."""
        values: list[str] = self.read(key, list, [])
        for value in values:
            if not isinstance(value, str):
                raise self.error(key, f"must be a list of texts, but holds {value!r}")
        return values

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> Any:
        """One of a few words."""
        value = self.text(key, default)
        if value not in choices:
            raise self.error(key, f"must be {' or '.join(choices)}, not {value!r}")
        return value

    def table(self, key: str) -> "Table":
        """The table under a key, empty when absent."""
        return Table(self.read(key, dict, {}), where=self.where, path=self.name(key))

    def named(self, key: str) -> dict[str, "Table"]:
        """The tables under a key, by name: `[channels.email]` is `email` of `channels`."""
        inside = self.table(key)
        for name in inside.values:
            inside.read(name, dict)
        return {name: inside.table(name) for name in inside.values}

    def rows(self, key: str) -> list["Table"]:
        """The tables of an array `[[key]]`, numbered from 1 in messages."""
        rows = self.read(key, list, [])
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                raise self.error(f"{key}[{number}]", f"must be a table written as [[{key}]], not {row!r}")
        path = self.name(key)
        return [Table(row, where=self.where, path=f"{path}[{n}]") for n, row in enumerate(rows, 1)]

    def done(self) -> None:
        """Every key was read; else the first unknown one is the error."""
        for key in self.values:
            if key not in self.known:
                near = difflib.get_close_matches(key, sorted(self.known), n=1)
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(self.known))}"
                raise PolicyError(f"{self.where}: {self.name(key)} is not a known key; {hint}")
