"""One proof: that an event stands in the log as it did when a checkpoint was signed over it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.log.checks import Trusted, trusted
from domain.log.errors import LogDamaged, LogError
from domain.log.held import Mark
from domain.log.log import Log
from domain.log.notes import Checkpoint, PublicKey
from domain.log.scan import leaves, pages, position_of
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
    known, wanted = trusted(log, keys, copies), sorted(set(positions))
    for _, checkpoint in sorted(known.checkpoints.items()):
        here = [one for one in wanted if one <= checkpoint.position]
        if here:
            wanted = wanted[len(here) :]
            yield from _under(log, known, checkpoint, set(here))
    if wanted:
        raise LogError(f"No checkpoint covers position {wanted[0]} yet: sign the log first.")


def _under(log: Log, known: Trusted, checkpoint: Checkpoint, positions: set[int]) -> Iterator[Proof]:
    before = _before(known, checkpoint)
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


def _before(known: Trusted, checkpoint: Checkpoint) -> Mark:
    """The frontier kept beside the last believed checkpoint before this one; else the beginning of the log."""
    for size in sorted((size for size in known.notes if size < checkpoint.size), reverse=True):
        kept = known.inside.get(size)
        if kept and (mark := kept.mark(known.notes[size].checkpoint)):
            return mark
    return Mark()
