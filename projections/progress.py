"""What the engine tells: how a view stands, what a run did, what a rebuild found."""

from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from projections.comparing import Difference
from projections.standing import Standing
from projections.views import State, ViewsError
from projections.writing import IDENTITY

Outcome = Literal["same", "kept", "switched", "built", "failed"]


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """How one view stands: true up to `position`, `lag` events behind the log."""

    position: int
    lag: int
    state: State
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What one run did; `busy` means that another process was at it and nothing was done.

    `rebuilt` are views built anew beside those that served; `notes` are sentences for people.
    """

    head: int
    events: int = 0
    persons: int = 0
    added: int = 0
    removed: int = 0
    busy: bool = False
    notes: tuple[str, ...] = ()
    rebuilt: tuple["Rebuilt", ...] = ()
    views: dict[str, ViewState] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """One view computed anew at a position of the log, beside the one that served, and what came of it.

    The same: every row is as it was. Kept: rows differ, and the old ones serve on. Switched: the new ones serve.
    Built: there was nothing to compare with, the new ones serve. Failed: the build did, with an `error`.
    `differing` counts the rows that differ; of those, the new form has `added` and the old one had `removed`, and
    the first are listed in `differences`. `was` is the former version of a build that was raised.
    """

    view: str
    position: int
    outcome: Outcome
    rows: int = 0
    differing: int = 0
    added: int = 0
    removed: int = 0
    differences: tuple[Difference, ...] = ()
    was: int | None = None
    version: int = 0
    error: str | None = None


class Facts(dict[str, pl.DataFrame]):
    """Fact rows by name; asking for one whose build failed says so."""

    def __init__(self, rows: dict[str, pl.DataFrame], errors: dict[str, str]) -> None:
        super().__init__(rows)
        self.errors = errors

    def __missing__(self, name: str) -> pl.DataFrame:
        raise ViewsError(self.errors.get(name, f"There is no view {name}: choose one of {', '.join(self)}."))


def states_of(standing: Standing) -> dict[str, ViewState]:
    """How every view stands."""
    return {name: _state_of(name, standing) for name in standing.versions}


def _state_of(name: str, standing: Standing) -> ViewState:
    mark, head = standing.marks.get(name), standing.head
    position = mark.position if mark else 0
    state: State = "missing"
    error = mark.error if mark else None
    if name in standing.refused:
        state, error = "refused", standing.refused[name]
    elif mark is not None and mark.state == "failed":
        state = "failed"
    elif standing.choked:
        state, error = "failed", f"{name} follows from {IDENTITY}, which stands still: mend that one first."
    elif name in standing.current:
        state = "ok" if position == head else "behind"
    elif name in standing.serving:
        state, error = "behind", _until(name, standing)
    return ViewState(position=position, lag=max(0, head - position), state=state, error=error)


def _until(name: str, standing: Standing) -> str:
    version, wanted = standing.marks[name].version, standing.versions[name]
    served = (
        f"version {version} of its build" if version != wanted else "an earlier build of who is who or policy"
    )
    return f"{name} is as {served} left it: run `omniline project`, which builds it anew beside."


def note_of(one: Rebuilt) -> str | None:
    """What is to be said of a view that was built anew unasked."""
    served = f"{one.differing:,} rows differ from those that served"
    if one.outcome != "switched":
        return None
    if one.was is not None:
        return f"{one.view} is now as version {one.version} of its build makes it, not {one.was}: {served}."
    return f"{one.view} followed an earlier build of who is who, of another view, or of the policy: {served}."
