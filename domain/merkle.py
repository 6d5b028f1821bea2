"""A Merkle tree as RFC 6962 has it, over leaves hashed elsewhere: its frontier, its root, one leaf's proof."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

WIDTH = 32
"""Bytes of a digest."""


def node(left: bytes, right: bytes) -> bytes:
    """What stands above two digests."""
    return sha256(b"\1" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """All that a tree must remember to grow: its size and the roots of its complete subtrees, widest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} complete subtrees")

    def extended(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier with these leaves after the ones before."""
        peaks, size = list(self.peaks), self.size
        for leaf in leaves:
            above, full = leaf, size
            while full & 1:
                above = sha256(b"\1" + peaks.pop() + above).digest()
                full >>= 1
            peaks.append(above)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The digest that stands for every leaf so far, in order."""
        if not self.peaks:
            return sha256(b"").digest()
        above = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            above = node(peak, above)
        return above

    def to_bytes(self) -> bytes:
        """Eight bytes of size, then the peaks."""
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)

    @staticmethod
    def from_bytes(stored: bytes) -> "Frontier":
        """The frontier that `to_bytes` wrote; ValueError for anything else."""
        if len(stored) < 8 or len(stored) % WIDTH != 8:
            raise ValueError("no stored frontier")
        peaks = tuple(stored[start : start + WIDTH] for start in range(8, len(stored), WIDTH))
        return Frontier(int.from_bytes(stored[:8], "big"), peaks)

    def spans(self) -> dict[tuple[int, int], bytes]:
        """The peaks by the leaves under them: (first, end)."""
        found, first = {}, 0
        for peak, power in zip(self.peaks, _powers(self.size), strict=True):
            found[first, first + power] = peak
            first += power
        return found


class Proofs:
    """Inclusion proofs in one tree: a frontier passed on the way, and all leaves after it."""

    def __init__(self, leaves: Sequence[bytes], *, after: Frontier | None = None) -> None:
        start = Frontier() if after is None else after
        self._peaks = start.spans()
        self._first = start.size
        self.size = start.size + len(leaves)
        self._leaves = leaves
        self._span = cache(self._hashed)

    def root(self) -> bytes:
        """The root of the whole tree."""
        return self._span(0, self.size) if self.size else sha256(b"").digest()

    def inclusion(self, index: int) -> list[bytes]:
        """The digests beside the way from the leaf at `index` up to the root, lowest first."""
        if not self._first <= index < self.size:
            raise ValueError(f"no leaf {index} here: there are {self._first} to {self.size - 1}")
        beside, first, end = [], 0, self.size
        while end - first > 1:
            middle = first + _split(end - first)
            if index < middle:
                beside.append((middle, end))
                end = middle
            else:
                beside.append((first, middle))
                first = middle
        return [self._span(*span) for span in reversed(beside)]

    def _hashed(self, first: int, end: int) -> bytes:
        if (known := self._peaks.get((first, end))) is not None:
            return known
        if end - first == 1:
            return self._leaves[first - self._first]
        middle = first + _split(end - first)
        return node(self._span(first, middle), self._span(middle, end))


def root_from(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its inclusion proof amount to (RFC 9162, 2.1.3.2); None if it is no proof."""
    if not 0 <= index < size:
        return None
    above, at, last = leaf, index, size - 1
    for beside in proof:
        if last == 0 or len(beside) != WIDTH:
            return None
        if at & 1 or at == last:
            above = node(beside, above)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            above = node(above, beside)
        at, last = at >> 1, last >> 1
    return above if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _powers(size: int) -> list[int]:
    return [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
