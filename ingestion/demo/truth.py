"""The truth beside the demo: what was planted, as the generator planned it, never read back from the events.

`patterns` holds one row per planted instance; `clocks` every promise of the plan with its verdict at the end of
the history; `totals` what plain counts must come to.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Truth = dict[str, Any]
"""JSON-serialisable; instants are UTC seconds in ISO form."""


@dataclass(kw_only=True)
class Ledger:
    """What has been planned so far."""

    patterns: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    clocks: list[dict[str, Any]] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)

    def plant(self, pattern: str, row: dict[str, Any]) -> None:
        """One instance of a pattern."""
        self.patterns.setdefault(pattern, []).append(row)

    def add(self, other: "Ledger") -> None:
        """Take over what a finished story planned."""
        for pattern, rows in other.patterns.items():
            self.patterns.setdefault(pattern, []).extend(rows)
        self.clocks.extend(other.clocks)
        self.totals.update(other.totals)

    def told(self) -> Truth:
        """The whole truth; totals nested by the dots in their names."""
        totals: dict[str, Any] = {}
        for name, number in sorted(self.totals.items()):
            *path, last = name.split(".")
            place = totals
            for part in path:
                place = place.setdefault(part, {})
            place[last] = number
        return {"patterns": self.patterns, "totals": totals, "clocks": self.clocks}
