"""Poison: which event a build chokes on, told in one sentence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from traceback import extract_tb, format_tb
from types import ModuleType

import polars as pl
import sqlalchemy as sa

from domain.log import LogError
from projections.frames import FrameError
from projections.known import Known
from projections.parts import only
from projections.tables import TableError
from projections.views import ViewsError
from projections.writing import IDENTITY

RAISED = (Exception, pl.exceptions.PanicException)
"""All that a build can raise; it is replaceable, so whatever it raises concerns it alone."""


class Choked(Exception):
    """Who is who, on which every view depends, cannot be said; the message is one sentence for people."""


@contextmanager
def choking() -> Iterator[None]:
    """What goes wrong in here, save with the databases, leaves it open who is who."""
    try:
        yield
    except (LogError, ViewsError, sa.exc.SQLAlchemyError, Choked):
        raise
    except RAISED as error:
        raise Choked(sentence(IDENTITY, error)) from error


def sentence(name: str, error: BaseException, where: str = "") -> str:
    """Why one view stands still, and what to do."""
    if isinstance(error, FrameError):
        return f"{name} stopped at {error.what}"
    told = f"TableError: {error}" if isinstance(error, TableError) else place_of(error)
    return f"{name} could not be built ({told}){where}: mend its build, then project again."


def place_of(error: BaseException) -> str:
    """What was raised, and where in our code; what others say in their errors may repeat what people wrote."""
    steps = extract_tb(error.__traceback__)
    own = [step for step in steps if "site-packages" not in step.filename] or steps
    return f"{type(error).__name__} in " + (
        f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else "C"
    )


def trace_of(error: BaseException) -> str:
    """The way to it through the code, with those that it came from, and without their words."""
    before = error.__cause__ or error.__context__
    own = f"{type(error).__name__}\n{''.join(format_tb(error.__traceback__))}"
    return f"{trace_of(before)}{own}" if before is not None else own


def unbuilt(fact: ModuleType, known: Known, error: BaseException, failed: Mapping[str, str]) -> str:
    """The same for a fact whose build raised on this knowledge while `failed` had failed before."""
    name = fact.VIEW.name
    if isinstance(error, KeyError) and error.args and error.args[0] in failed:
        return f"{name} reads {error.args[0]}, which could not be built: mend that one first."
    return sentence(name, error, "" if isinstance(error, FrameError) else _where(fact, known))


def _where(fact: ModuleType, known: Known) -> str:
    """The first event with which the build raises for one person, as words; found by halving, it costs builds."""
    persons = known.identity.assignments["person"].unique().sort()
    while persons.len() > 1:
        half = persons[: persons.len() // 2]
        persons = half if _raises(fact, only(known, half)) else persons[half.len() :]
    mine = only(known, persons)
    if not mine.events.height or not _raises(fact, mine):
        return ""
    events = mine.events.sort("position")
    fewest, most = 0, events.height
    while most - fewest > 1:
        middle = (fewest + most) // 2
        early = mine.events.filter(pl.col("position") <= events["position"][middle - 1])
        fewest, most = (fewest, middle) if _raises(fact, replace(mine, events=early)) else (middle, most)
    event_id, position = events.select("event_id", "position").row(most - 1)
    return f", first with the event {event_id} at position {position}"


def _raises(fact: ModuleType, known: Known) -> bool:
    try:
        fact.build(known)
    except RAISED:
        return True
    return False
