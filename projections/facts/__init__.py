"""One file is one fact table: its columns and the pure function that fills it from what is known."""

from types import ModuleType

from projections.facts import (
    cases,
    clocks,
    contacts,
    context,
    cycles,
    followups,
    handovers,
    orders,
    persons,
    stages,
    switches,
)

FACTS: tuple[ModuleType, ...] = (
    contacts,
    cycles,
    cases,
    clocks,
    switches,
    handovers,
    context,
    stages,
    followups,
    orders,
    persons,
)
"""In the order of their building: a build may read the facts before it."""
