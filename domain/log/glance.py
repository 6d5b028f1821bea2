"""One quick look at a log's signatures: the newest checkpoint, what came after it, and whether its own rows fit.

It reads the last thousand events; whether the others are unaltered is what a verification says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.log.checkpoints import EVERY, marks
from domain.log.copies import read_copy
from domain.log.errors import LogBusy, LogError
from domain.log.held import Held, Mark, held_before, origin_of
from domain.log.log import Log
from domain.log.notes import Note, PublicKey
from domain.log.scan import BEFORE_ALL, count
from domain.log.signing import flaw_of

BEYOND = 2**63 - 1
"""More events than a log can hold."""


@dataclass(frozen=True, kw_only=True)
class Glance:
    """The newest checkpoint's size and instant, the events after it, and what is wrong in a sentence."""

    size: int
    signed_at: datetime | None
    unsigned: int
    problem: str | None


def glance(log: Log, *, keys: Sequence[PublicKey], copies: Sequence[Path]) -> Glance:
    """How a log stands to its newest checkpoint, inside or outside."""
    inside = _inside(log)
    places = {path: read_copy(path, newest=True).notes[-1:] for path in copies}
    notes = [note for one in places.values() for note in one]
    if inside and (kept := inside.note()):
        notes.append(kept)
    newest = max(notes, key=lambda note: note.checkpoint.size, default=None)
    after = newest.checkpoint.position if newest else BEFORE_ALL
    lost = [path for path, found in places.items() if not found] if inside else []
    problem = f"The copy of the checkpoints {lost[0]} is missing: put it back." if lost else None
    return Glance(
        size=newest.checkpoint.size if newest else 0,
        signed_at=newest.checkpoint.signed_at if newest else None,
        unsigned=count(log, after=after, upto=max(log.head(), after)),
        problem=_flaw(log, newest, inside, keys) or problem if newest else problem,
    )


def _inside(log: Log) -> Held | None:
    """The newest checkpoint of the log's database."""
    with log.session() as session:
        present = "checkpoints" in session.tables()
    return held_before(log, BEYOND) if present else None


def _flaw(log: Log, newest: Note, inside: Held | None, keys: Sequence[PublicKey]) -> str | None:
    """What is wrong with the newest checkpoint, or with the rows under it."""
    checkpoint = newest.checkpoint
    named = f"the checkpoint of {checkpoint.size:,} events"
    if checkpoint.origin != origin_of(log):
        return f"{named.capitalize()} is of another log, {checkpoint.origin}: put back this log's own."
    if keys and (flaw := flaw_of(newest, keys)):
        return f"{named.capitalize()} cannot be believed ({flaw}): run `omniline verify`."
    if inside is None or inside.text != newest.text:
        return f"The log's database lacks {named} that was signed: run `omniline verify`."
    return _tail(log, newest, named)


def _tail(log: Log, newest: Note, named: str) -> str | None:
    size = newest.checkpoint.size
    start = _start(log, size)
    if start is None:
        return f"What leads to {named} is not what was kept with it: run `omniline verify`."
    try:
        found = next(marks(log, start, head=newest.checkpoint.position, sizes=[size]), None)
    except LogBusy:
        raise
    except LogError as error:
        return f"{error} Run `omniline verify`."
    if found and found.reproduces(newest.checkpoint):
        return None
    return f"The log does not reproduce {named}: run `omniline verify`."


def _start(log: Log, size: int) -> Mark | None:
    """The frontier kept with the checkpoint before, or the beginning of a short log."""
    before = held_before(log, size)
    note = before.note() if before else None
    if before is None or note is None:
        return Mark() if size <= EVERY else None
    return before.mark(note.checkpoint)
