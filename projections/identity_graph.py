"""The graph of evidence: subjects and keys are nodes, an assertion or a confirmed link is one edge."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

WIDEST = 64
"""Of two parts of a person that are joined, so many identifiers each, the earliest known, get links."""


class Edge(NamedTuple):
    """Two nodes that belong together, and the instant in microseconds from which that was known."""

    one: int
    other: int
    known_at: int


class Link(NamedTuple):
    """Two keys of the person of a subject, and the earliest instant at which evidence known by then joined them."""

    subject: int
    one: int
    other: int
    known_at: int


def joined(
    edges: Sequence[Edge], confirmed: Sequence[Edge], denied: Iterable[tuple[int, int]]
) -> tuple[dict[int, int], list[bool]]:
    """The root of every joined node, and of each edge, confirmed ones first, whether it was accepted.

    Edges are tried in the order given; one that would bring a denied pair together is refused.
    """
    parent: dict[int, int] = {}
    enemies: dict[int, set[int]] = {}
    for one, other in denied:
        enemies.setdefault(one, set()).add(other)
        enemies.setdefault(other, set()).add(one)
    accepted = []
    for one, other, _ in (*confirmed, *edges):
        a, b = _root(parent, one), _root(parent, other)
        apart = a != b and any(_root(parent, enemy) == b for enemy in enemies.get(a, ()))
        accepted.append(not apart)
        if a != b and not apart:
            parent[b] = a
            if b in enemies:
                enemies[a] = enemies.get(a, set()) | enemies[b]
    return {node: _root(parent, node) for node in list(parent)}, accepted


def _root(parent: dict[int, int], node: int) -> int:
    root = parent.setdefault(node, node)
    while parent[root] != root:
        root = parent[root]
    while parent[node] != root:
        parent[node], node = root, parent[node]
    return root


def links_of(edges: Iterable[Edge], *, first_key: int) -> Iterator[Link]:
    """Single linkage: edges in the order in which they became known link the keys of the parts they join."""
    parent: dict[int, int] = {}
    keys: dict[int, list[int]] = {}
    for one, other, known_at in sorted(edges, key=lambda edge: edge.known_at):
        a, b = _root(parent, one), _root(parent, other)
        if a == b:
            continue
        mine = keys.pop(a, None) or ([a] if a >= first_key else [])
        theirs = keys.pop(b, None) or ([b] if b >= first_key else [])
        subject = min(one, other)
        for key in mine[:WIDEST]:
            for theirs_key in theirs[:WIDEST]:
                yield Link(subject, key, theirs_key, known_at)
        parent[b] = a
        keys[a] = mine + theirs
