"""Standing: how the stored views relate to this program and its log, and which of them must not be used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from projections.views import Mark, ViewsRefused
from projections.writing import IDENTITY

REMEDY = "run `omniline rebuild`, which builds them anew."


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One look at the marks and tables.

    `whole` are the views that this program's build left under its policy, with all their tables; `serving` those
    whose rows can be read, be they of an earlier build; `refused` tells of each that does not follow from the log
    why not.
    """

    head: int
    versions: Mapping[str, int]
    marks: Mapping[str, Mark] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    serving: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse views that must not be used."""
        for sentence in self.refused.values():
            raise ViewsRefused(sentence)

    @property
    def base(self) -> int:
        """The position up to which it is known who is who."""
        return self.marks[IDENTITY].position if IDENTITY in self.serving else 0

    @property
    def current(self) -> frozenset[str]:
        """The whole views, provided that it is known who is who."""
        return self.whole if IDENTITY in self.whole else frozenset()

    @property
    def former(self) -> frozenset[str]:
        """Views to be built beside those that serve; none while nothing serves."""
        return frozenset(self.versions) - self.current if IDENTITY in self.serving else frozenset()

    @property
    def level(self) -> frozenset[str]:
        """Current views that stand where identity does, so that news alone bring them to the head."""
        return frozenset(name for name in self.current if self.marks[name].position == self.base)

    @property
    def behind(self) -> frozenset[str]:
        """Current views that news alone cannot bring to the head: something failed."""
        return self.current - self.level

    @property
    def choked(self) -> str | None:
        """Why it cannot be said who is who."""
        mark = self.marks.get(IDENTITY)
        return mark.error if mark is not None and mark.state == "failed" else None


def refusal(mark: Mark, *, version: int, epoch: str, head: int, chain: Callable[[int], str]) -> str | None:
    """What is wrong with one view, None if it follows from the log."""
    if mark.epoch.partition("/")[0] != epoch.partition("/")[0]:
        return f"follow another log than this one: check the addresses of both, or {REMEDY}"
    if mark.position > head:
        return f"are at position {mark.position}, beyond the log's head {head}, as after a restored backup: {REMEDY}"
    if mark.chain != chain(mark.position):
        return (
            f"followed other events up to position {mark.position} than the log now holds, as after a restored "
            f"backup: {REMEDY}"
        )
    if mark.version > version:
        return (
            f"were built by a newer Omniline ({mark.view} by version {mark.version} of its build, this one has "
            f"{version}): update this one, or {REMEDY}"
        )
    return None


def holds(stored: Mapping[str, Mapping[str, str]], table: sa.Table, columns: Mapping[str, str]) -> bool:
    """Whether a table stands with at least these columns."""
    return columns.items() <= stored.get(table.name, {}).items()
