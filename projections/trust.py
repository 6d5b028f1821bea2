"""Trust: what each source may assert, and whether its own recording times are believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Trust:
    """One reading of all sources: `pairs` gives a level to `namespace.obtained` of a source.

    `known_at` names the sources whose own recording times count; keys in `blocked` never link anybody.
    """

    known_at: frozenset[str] = frozenset()
    pairs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
