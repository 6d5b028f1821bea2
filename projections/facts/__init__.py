"""One file is one fact table: its columns and the pure function that fills it from what is known."""

from types import ModuleType

FACTS: tuple[ModuleType, ...] = ()
"""In the order of their building: a build may read the facts before it."""
