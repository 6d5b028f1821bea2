"""Checkpoints of a log: when one is due, how it is signed, and where it is kept, in the log and outside.

Nothing new is signed before the log has reproduced the newest checkpoint outside: a frontier that was deleted,
rebuilt or forged would else put a good signature under a changed log.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from domain.log.chain import START, link
from domain.log.copies import append_copy, read_copy
from domain.log.errors import LogDamaged, LogError
from domain.log.held import Held, Mark, held, held_before, keep, newest_size, origin_of, prepare
from domain.log.log import Log
from domain.log.notes import Checkpoint, Note, PublicKey
from domain.log.scan import BEFORE_ALL, chain_at, count, leaves, pages
from domain.log.signing import SigningKey, flaw_of

EVERY = 1_000
PATIENCE = timedelta(seconds=60)
CHUNK = 200
"""Checkpoints stored by one transaction."""


def due(last: Checkpoint | None, size: int, *, now: datetime) -> list[int]:
    """The sizes at which to sign a log of `size` events: every 1,000, and the rest once it is 60 s old."""
    before = last.size if last else 0
    sizes = list(range(before + EVERY, size + 1, EVERY))
    reached = sizes[-1] if sizes else before
    late = last is None or now - last.signed_at >= PATIENCE
    return [*sizes, size] if late and size > reached else sizes


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where signing begins, what the log must reproduce on the way, and what lies where already."""

    start: Mark
    passing: dict[int, Note]
    copied: frozenset[str]
    stored: int
    whole: bool

    @property
    def last(self) -> Checkpoint | None:
        """The newest checkpoint that was ever signed."""
        return self.passing[max(self.passing)].checkpoint if self.passing else None


def sign(
    log: Log, *, key: SigningKey, copy: Path, now: datetime, older: Sequence[PublicKey] = ()
) -> list[Note]:
    """Sign what is due, store it in the log and append it to the copy; the new notes.

    First the log reproduces the newest checkpoint of the copy, and whatever the database holds beyond it. The very
    first ones go into the copy first: a log with checkpoints whose copy has none is not signed any more.
    """
    prepare(log)
    plan, head = _plan(log, (key.public, *older), copy), log.head()
    last = plan.last
    total = (last.size if last else 0) + count(log, after=last.position if last else BEFORE_ALL, upto=head)
    sizes = due(last, total, now=now)
    if not sizes and plan.whole:
        return []
    signed_at = max(now, last.signed_at) if last else now
    made = _made(log, key, plan, head=head, sizes=sizes, signed_at=signed_at)
    expected, fresh = plan.stored, []
    while chunk := list(islice(made, CHUNK)):
        news = [note for note, _ in chunk if note.text not in plan.copied]
        if not plan.copied:
            append_copy(copy, news)
        if not keep(log, chunk, expected=expected):
            break
        if plan.copied:
            append_copy(copy, news)
        expected = max(expected, chunk[-1][0].checkpoint.size)
        fresh += [note for note, _ in chunk if note.checkpoint.size not in plan.passing]
    return fresh


def start_copy(log: Log, path: Path) -> int:
    """Begin another copy with all checkpoints that the log's database holds; how many."""
    if read_copy(path).notes:
        raise LogError(f"{path} holds checkpoints already: name a new file.")
    notes = [note for one in held(log) if (note := one.note())]
    append_copy(path, notes)
    return len(notes)


def _plan(log: Log, keys: Sequence[PublicKey], copy: Path) -> Plan:
    outside, stored = read_copy(copy, newest=True).notes, newest_size(log)
    if not outside:
        if stored:
            raise LogError(
                f"The log has checkpoints, but {copy} holds none: put it back, or begin a new copy with "
                "`omniline verify --begin-copy`."
            )
        return Plan(start=Mark(), passing={}, copied=frozenset(), stored=0, whole=True)
    newest = outside[-1]
    inside = held(log, since=newest.checkpoint.size)
    ahead = [_note(one) for one in inside if one.size > newest.checkpoint.size]
    start = _start(log, keys, newest.checkpoint)
    if not start.frontier.size:
        outside = read_copy(copy).notes
    passing = [newest] if start.frontier.size else list(outside)
    _believe(log, keys, [*passing, *ahead])
    return Plan(
        start=start,
        passing={note.checkpoint.size: note for note in (*passing, *ahead)},
        copied=frozenset(note.text for note in outside),
        stored=stored,
        whole=not ahead and any(one.text == newest.text for one in inside),
    )


def _start(log: Log, keys: Sequence[PublicKey], newest: Checkpoint) -> Mark:
    """The mark before the newest checkpoint outside, if it can be believed; else the beginning of the log.

    The newest one's own frontier would not do: the rows under it may have been cut off and written again.
    """
    before = held_before(log, newest.size)
    note = before.note() if before else None
    if before is None or note is None or note.checkpoint.origin != newest.origin or flaw_of(note, keys):
        return Mark()
    return before.mark(note.checkpoint) or Mark()


def _note(one: Held) -> Note:
    if (found := one.note()) is None:
        raise LogDamaged(
            f"The log's checkpoint of size {one.size} is none: nothing is signed; verify the log."
        )
    return found


def _believe(log: Log, keys: Sequence[PublicKey], notes: Iterable[Note]) -> None:
    for note in notes:
        flaw = flaw_of(note, keys)
        if note.checkpoint.origin != origin_of(log):
            flaw = f"it is of the log {note.checkpoint.origin}"
        if flaw:
            raise LogDamaged(
                f"The checkpoint of size {note.checkpoint.size} cannot be believed ({flaw}): nothing is signed."
            )


def _made(
    log: Log, key: SigningKey, plan: Plan, *, head: int, sizes: Sequence[int], signed_at: datetime
) -> Iterator[tuple[Note, Mark]]:
    """A note and its mark at each size that is due, once the log has reproduced those before."""
    missing = {*sizes, *plan.passing}
    for mark in marks(log, plan.start, head=head, sizes=sorted(missing), chained=True):
        size = mark.frontier.size
        note = plan.passing.get(size)
        if note is None:
            checkpoint = Checkpoint(
                origin=origin_of(log),
                size=size,
                root=mark.frontier.root(),
                position=mark.position,
                signed_at=signed_at,
            )
            note = key.sign(checkpoint)
        elif not mark.reproduces(note.checkpoint):
            raise LogDamaged(
                f"The log does not reproduce its checkpoint of size {size}: nothing is signed; verify the log."
            )
        yield note, mark
        missing.discard(size)
    if missing:
        raise LogDamaged(
            f"The log ends before its checkpoint of size {min(missing)}: nothing is signed; verify the log."
        )


def marks(log: Log, start: Mark, *, head: int, sizes: Sequence[int], chained: bool = False) -> Iterator[Mark]:
    """The marks of a log at these sizes, ascending, from the stored rows after `start`.

    What somebody wrote past us seldom continues the chain; asked for `chained` rows, it is refused.
    """
    frontier, rest = start.frontier, list(reversed(sizes))
    chain = (chain_at(log, start.position) or START) if frontier.size else START
    for page in pages(log, after=start.position, upto=head):
        found, at = leaves(page), 0
        chain = _chained(page, found, chain) if chained else chain
        while rest and rest[-1] - frontier.size <= len(page) - at:
            end = at + rest.pop() - frontier.size
            frontier = frontier.extended(found[at:end])
            yield Mark(frontier, page[end - 1][0])
            at = end
        frontier = frontier.extended(found[at:])


def _chained(page: Sequence[tuple[Any, ...]], found: Sequence[bytes], chain: bytes) -> bytes:
    """The chain value after a page of rows; refuses one that does not continue what stands before it."""
    for row, leaf in zip(page, found, strict=True):
        chain = link(chain, leaf)
        if chain != row[-1]:
            raise LogDamaged(
                f"The row at position {row[0]} does not continue the log's chain: nothing is signed; verify the log."
            )
    return chain
