"""The tree: its frontier against the recursion of RFC 6962, its proofs, and an independent implementation."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.chain import leaf
from domain.merkle import Frontier, Proofs, node, root_from

LEAVES = [sha256(b"\0" + number.to_bytes(2, "big")).digest() for number in range(300)]
ROW = (
    7,
    "contact:crm1:1",
    2,
    "contact.received",
    b"{}",
    b"sealed",
    "crm1|1|1",
    10,
    20,
    30,
    4,
    b"h" * 16,
    "{}",
)


def naive(leaves: list[bytes]) -> bytes:
    """The root as RFC 6962 2.1 defines it, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def test_small_trees_by_hand() -> None:
    a, b, c = LEAVES[:3]
    assert Frontier().root() == sha256(b"").digest()
    assert Frontier().extended([a]).root() == a
    assert Frontier().extended([a, b, c]) == Frontier(3, (node(a, b), c))
    assert Frontier().extended([a, b, c]).root() == node(node(a, b), c)


def test_the_published_vectors_of_certificate_transparency_hold() -> None:
    """Inputs and roots of the reference implementation of RFC 6962."""
    entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [sha256(b"\0" + bytes.fromhex(entry)).digest() for entry in entries]
    assert [Frontier().extended(leaves[:size]).root().hex() for size in (1, 2, 3, 8)] == [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]


@given(st.lists(st.integers(0, 40), max_size=12))
def test_a_frontier_grown_in_any_batches_is_the_naive_tree(batches: list[int]) -> None:
    frontier, size = Frontier(), 0
    for batch in batches:
        more = [LEAVES[(size + number) % 300] for number in range(batch)]
        frontier, size = frontier.extended(more), size + batch
        assert Frontier.from_bytes(frontier.to_bytes()) == frontier
    assert frontier.size == size
    assert frontier.root() == naive([LEAVES[number % 300] for number in range(size)])


@given(st.integers(0, 150), st.integers(1, 150), st.data())
def test_every_leaf_after_a_frontier_is_proven_and_nothing_else(
    before: int, more: int, data: st.DataObject
) -> None:
    size = before + more
    proofs = Proofs(LEAVES[before:size], after=Frontier().extended(LEAVES[:before]))
    index = data.draw(st.integers(before, size - 1))
    proof = proofs.inclusion(index)
    root = naive(LEAVES[:size])
    assert proofs.root() == root
    assert root_from(LEAVES[index], index, size, proof) == root
    assert root_from(LEAVES[(index + 1) % 300], index, size, proof) != root
    other = data.draw(
        st.integers(0, size - 1).filter(lambda one: one != index) if size > 1 else st.just(size)
    )
    assert root_from(LEAVES[index], other, size, proof) != root
    assert root_from(LEAVES[index], index, size, [*proof, root]) is None
    if proof:
        assert root_from(LEAVES[index], index, size, proof[:-1]) is None
        assert root_from(LEAVES[index], index, size, [proof[0][:-1], *proof[1:]]) is None


@pytest.mark.parametrize("stored", [b"", b"\0" * 7, b"\0" * 40, (3).to_bytes(8, "big") + b"x" * 32])
def test_what_is_no_frontier_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match=r"frontier|subtrees"):
        Frontier.from_bytes(stored)


@pytest.mark.parametrize("index", [-1, 2, 9])
def test_a_leaf_outside_the_known_range_has_no_proof(index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        Proofs(LEAVES[3:9], after=Frontier().extended(LEAVES[:3])).inclusion(index)


def entry(row: tuple[Any, ...]) -> bytes:
    """What the leaf of a row covers, after its leading zero byte."""
    texts = [
        value.encode() if isinstance(value, str) else value for value in row if not isinstance(value, int)
    ]
    numbers = b"".join(value.to_bytes(8, "big") for value in row if isinstance(value, int))
    return numbers + b"".join(len(text).to_bytes(4, "big") for text in texts) + b"".join(texts)


def test_an_independent_implementation_gives_the_same_leaves_roots_and_proofs() -> None:
    pymerkle = pytest.importorskip("pymerkle", reason="pymerkle, of the dev extra, is not installed")
    rows = [(number, *ROW[1:]) for number in range(1, 72)]
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for row in rows:
        tree.append_entry(entry(row))
    leaves = [leaf(row) for row in rows]
    assert [tree.get_leaf(number) for number in range(1, 72)] == leaves
    for size in (1, 2, 63, 64, 71):
        proofs = Proofs(leaves[:size])
        assert tree.get_root(size) == proofs.root() == Frontier().extended(leaves[:size]).root()
        for index in range(size):
            theirs = tree.prove_inclusion(index + 1, size)
            assert theirs.path == [leaves[index], *proofs.inclusion(index)]
            pymerkle.verify_inclusion(leaves[index], proofs.root(), theirs, index + 1, size)
