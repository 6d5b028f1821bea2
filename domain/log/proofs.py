"""One proof: that an event stands in the log as it did when a checkpoint was signed over it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from domain.log.checks import trusted
from domain.log.errors import LogDamaged, LogError
from domain.log.held import Held, Mark, held, origin_of
from domain.log.log import Log
from domain.log.notes import Checkpoint, PublicKey
from domain.log.scan import leaves, pages, position_of
from domain.log.signing import flaw_of
from domain.merkle import Proofs, root_from


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A stored row, its place in the tree, and the digests that lead from it to the root of a signed checkpoint."""

    row: tuple[Any, ...]
    leaf: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    @property
    def holds(self) -> bool:
        """Whether the row is what was signed."""
        return root_from(self.leaf, self.index, self.checkpoint.size, self.path) == self.checkpoint.root


def prove(log: Log, event_id: str, *, keys: Sequence[PublicKey], copies: Sequence[Path] = ()) -> Proof:
    """The proof of one event; refuses where it is not there, not signed yet, or not what was signed."""
    position = position_of(log, event_id)
    if position is None:
        raise LogError(f"The log holds no event {event_id}: check the id.")
    (proof,) = proofs(log, [position], keys=keys, copies=copies)
    return proof


def proofs(
    log: Log, positions: Sequence[int], *, keys: Sequence[PublicKey], copies: Sequence[Path] = ()
) -> Iterator[Proof]:
    """The proofs of the rows at these positions, in log order, each under the first checkpoint after it."""
    wanted, signed = sorted(set(positions)), Signed(log, keys, copies)
    while wanted:
        checkpoint = signed.covering(wanted[0])
        if checkpoint is None:
            raise LogError(f"No checkpoint covers position {wanted[0]} yet: sign the log first.")
        here = [one for one in wanted if one <= checkpoint.position]
        wanted = wanted[len(here) :]
        yield from _under(log, checkpoint, signed.before(checkpoint), set(here))


class Signed:
    """The checkpoints of a log, of which only those that are needed are checked; the copies stand in for its own."""

    def __init__(self, log: Log, keys: Sequence[PublicKey], copies: Sequence[Path]) -> None:
        self._inside = held(log)
        self._origin = origin_of(log)
        self._keys = keys
        self._all = cache(lambda: sorted(trusted(log, keys, copies).checkpoints.items()))

    def covering(self, position: int) -> Checkpoint | None:
        """The first checkpoint that can be believed over what stands at a position."""
        for one in self._inside[bisect_left(self._inside, position, key=_reach) :]:
            checkpoint = self._believed(one)
            if checkpoint and checkpoint.position >= position:
                return checkpoint
        return next((found for _, found in self._all() if found.position >= position), None)

    def before(self, checkpoint: Checkpoint) -> Mark:
        """The frontier kept beside the last believed checkpoint before this one; else the beginning of the log."""
        for one in reversed(self._inside[: bisect_left(self._inside, checkpoint.size, key=_size)]):
            believed = self._believed(one)
            if believed and (mark := one.mark(believed)):
                return mark
        return Mark()

    def _believed(self, one: Held) -> Checkpoint | None:
        note = one.note()
        if note is None or note.checkpoint.origin != self._origin or flaw_of(note, self._keys):
            return None
        return note.checkpoint


def _size(one: Held) -> int:
    return one.size


def _reach(one: Held) -> int:
    """The last position under a checkpoint: at least its size."""
    note = one.note()
    return note.checkpoint.position if note else one.size


def _under(log: Log, checkpoint: Checkpoint, before: Mark, positions: set[int]) -> Iterator[Proof]:
    rows = [row for page in pages(log, after=before.position, upto=checkpoint.position) for row in page]
    found, first = leaves(rows), before.frontier.size
    tree = Proofs(found, after=before.frontier)
    if tree.size != checkpoint.size or tree.root() != checkpoint.root:
        raise LogDamaged(
            f"Positions {max(before.position, 0) + 1} to {checkpoint.position} are not what was signed: verify the log."
        )
    if lost := positions - {row[0] for row in rows}:
        raise LogError(f"The log holds no position {min(lost)}: check the range.")
    for at, row in enumerate(rows):
        if row[0] in positions:
            path = tuple(tree.inclusion(first + at))
            yield Proof(row=row[:-1], leaf=found[at], index=first + at, path=path, checkpoint=checkpoint)
