"""One question to a home: its views opened, caught up or replayed, and closed again."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from domain.adoption import policy_in
from domain.home import Home
from domain.policy import Policies, always
from projections import answers
from projections.engine import Engine
from projections.reader import Reader


@contextmanager
def engine_of(
    home: Home, *, create: bool = False, torn: bool = False, shipped: Policies | None = None
) -> Iterator[Engine]:
    """The views' engine over this home's log."""
    with (
        home.log(create=create, torn=torn) as log,
        closing(Engine(log, home.views_url, shipped=shipped)) as engine,
    ):
        yield engine


@contextmanager
def asked(
    home: Home,
    at: str | None,
    position: int | None,
    what_if: Path | None,
    no_project: bool,
    *,
    tell: Callable[[str], object],
) -> Iterator[Reader]:
    """The reader that answers one question; `tell` hears which views failed, or how far they lag unprojected."""
    other = always(policy_in(what_if)) if what_if else None
    with engine_of(home, shipped=other) as engine:
        head = 0 if no_project else engine.log.head()
        reader = answers.door(engine, home.now(), at, position, replay=bool(other), project=not no_project)
        if no_project:
            tell(f"The views are {engine.log.head() - reader.position:,} events behind the log.")
        if reader.known is None and (warning := _stopped(engine, head=head)):
            tell(warning)
        yield reader


def _stopped(engine: Engine, *, head: int) -> str:
    """A sentence naming the views that failed, are missing or did not come up to `head`; empty if none."""
    views = [
        f"{name} ({view.state})"
        for name, view in engine.positions().items()
        if view.state == "failed" or (view.state != "ok" and (view.error or view.position < head))
    ]
    if not views:
        return ""
    return f"The answer may lack events: not up to date are {', '.join(views)}; `omniline status` says why."
