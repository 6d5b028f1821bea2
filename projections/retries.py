"""Retries: what failed, and from when on it is worth another try; the wait doubles up to an hour."""

from collections.abc import Collection
from datetime import datetime, timedelta

RETRY = timedelta(minutes=1)
"""How long what was seen to fail is left alone at first; whole recomputations cost."""
LONGEST = timedelta(hours=1)


class Retries:
    """The failures that one engine has seen; another engine tries at once."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, timedelta]] = {}

    def due(self, names: Collection[str], now: datetime) -> set[str]:
        """Which of these never failed here, or long enough ago; a clock set back makes none wait longer."""
        return {name for name in names if not (name in self._seen and self._rests(name, now))}

    def note(self, tried: Collection[str], failed: Collection[str], now: datetime) -> None:
        """What came of those that were tried."""
        for name in tried:
            if name in failed:
                wait = self._seen[name][1] * 2 if name in self._seen else RETRY
                self._seen[name] = (now, min(wait, LONGEST))
            else:
                self._seen.pop(name, None)

    def forget(self) -> None:
        """Everything is due at once."""
        self._seen.clear()

    def _rests(self, name: str, now: datetime) -> bool:
        failed_at, wait = self._seen[name]
        return failed_at <= now < failed_at + wait
