"""The two arguments of every question: which instant judges, and how much of the log is admitted."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """What was known, and when running clocks are judged.

    `instant` (UTC-aware) judges clocks; with `known` set, only events with `known_at <= instant` are
    admitted. `position` admits log positions up to and including it; None is the head.
    """

    instant: datetime
    position: int | None = None
    known: bool = False
