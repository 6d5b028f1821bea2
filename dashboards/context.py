"""What the composition root hands to the pages: one slot, filled before serving."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from domain.asof import AsOf
from domain.home import Home
from projections import answers
from projections.engine import Engine
from projections.reader import Reader


@dataclass(frozen=True, kw_only=True)
class Context:
    """`readers(None)` is a reader at the newest position of `home`; with an `AsOf`, one at that instant."""

    readers: Callable[[AsOf | None], Reader]
    home: str
    demo: bool = False


_slot: list[Context] = []


def over(home: Home, engine: Engine) -> Context:
    """What the pages need to show a home."""
    return Context(readers=partial(answers.at, engine, home.now), home=str(home.path), demo=home.demo)


def use(context: Context) -> None:
    """Make this context the one that every page reads through."""
    _slot[:] = [context]


def current() -> Context:
    if not _slot:
        raise LookupError("No data is connected: start the dashboards with `omniline serve`.")
    return _slot[0]
