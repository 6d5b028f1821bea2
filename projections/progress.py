"""What the engine tells: how a view stands, what a run did, what a rebuild found."""

from dataclasses import dataclass, field

import polars as pl

from projections.views import Mark, State, ViewsError


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """How one view stands: true up to `position`, `lag` events behind the log."""

    position: int
    lag: int
    state: State
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What one run did; `busy` means that another process was at it and nothing was done."""

    head: int
    events: int = 0
    persons: int = 0
    added: int = 0
    removed: int = 0
    busy: bool = False
    notes: tuple[str, ...] = ()
    views: dict[str, ViewState] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """One view built anew: its rows, and how many the old one lacked (added) or had in excess (removed)."""

    view: str
    position: int
    rows: int
    added: int
    removed: int
    error: str | None = None


class Facts(dict[str, pl.DataFrame]):
    """Fact rows by name; asking for one whose build failed says so."""

    def __init__(self, rows: dict[str, pl.DataFrame], errors: dict[str, str]) -> None:
        super().__init__(rows)
        self.errors = errors

    def __missing__(self, name: str) -> pl.DataFrame:
        raise ViewsError(self.errors.get(name, f"There is no view {name}: choose one of {', '.join(self)}."))


def state_of(mark: Mark | None, head: int) -> ViewState:
    """The standing of a view by its mark."""
    if mark is None:
        return ViewState(position=0, lag=head, state="missing")
    behind = mark.state == "ok" and mark.position < head
    return ViewState(
        position=mark.position,
        lag=head - mark.position,
        state="behind" if behind else mark.state,
        error=mark.error,
    )
