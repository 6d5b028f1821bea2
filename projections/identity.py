"""Identity: one row of `assignments` says to which person a subject belongs, and by which identifier.

`resolve` is a pure function of a set of evidence, whatever the order in which it arrived. It may be asked about
any set of subjects that is closed: nobody outside shares a linking key, a ruling or a reference with it.
"""

from dataclasses import dataclass

import polars as pl

from projections.annotations import INSTANT
from projections.identity_graph import Edge, Link, joined, links_of
from projections.identity_nameless import settled
from projections.identity_rulings import Pair, Rulings, read_rulings

ASSIGNMENTS = pl.Schema(
    {
        **dict.fromkeys(("subject", "person"), pl.String()),
        "identified": pl.Boolean(),
        "identifier": pl.String(),
        "asserted_at": INSTANT,
    }
)
IDENTIFIERS = pl.Schema(
    {
        **dict.fromkeys(("person", "identifier", "folded", "ns", "source", "obtained"), pl.String()),
        "erased": pl.Boolean(),
        "trust": pl.Int64(),
        "occurred_at": INSTANT,
        "known_at": INSTANT,
        **dict.fromkeys(("verified_by", "subject", "asserted_by"), pl.String()),
    }
)
LINKS = pl.Schema({**dict.fromkeys(("person", "one", "other"), pl.String()), "known_at": INSTANT})
NEWEST = ("occurred_at", "seq", "event_id")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who is who among a set of subjects.

    `assignments`: subject, person (the stream of the person's earliest subject), identified, the identifier
    that tied the subject first and when that became known. `identifiers`: one row per subject and namespace,
    its newest assertion (`asserted_by`); trust 0 links nobody. Identifiers are tokens, or of an `erased` one a
    word that it shares with nobody; `folded` is the token of the same in lower case, to search by.
    `links`: for two identifiers of one person, in both orders, the earliest `known_at` from which they were
    known to be one person's.
    """

    assignments: pl.DataFrame
    identifiers: pl.DataFrame
    links: pl.DataFrame

    def of(self, persons: pl.Series) -> "Identity":
        """The part that is about these persons."""
        mine = pl.col("person").is_in(persons.implode())
        return Identity(
            assignments=self.assignments.filter(mine),
            identifiers=self.identifiers.filter(mine),
            links=self.links.filter(mine),
        )


def resolve(
    assertions: pl.DataFrame, references: pl.DataFrame, rulings: pl.DataFrame, subjects: pl.DataFrame
) -> Identity:
    """Who is who; `subjects` in the order of their first events, `rulings` oldest first."""
    ruled = read_rulings(rulings)
    held = _held(assertions, ruled)
    order = subjects.select("subject").with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))
    evidence = held.filter(pl.col("trust") > 0).join(order, on="subject", how="inner")
    evidence = evidence.sort([-pl.col("trust"), *NEWEST]).with_columns(
        key=pl.col("identifier").rank("dense").cast(pl.Int64) - 1 + order.height
    )
    tied, roots, links = _joined(evidence, ruled, dict(order.select("subject", "node").iter_rows()))
    clusters = settled(_clusters(order, tied, roots), tied, references, ruled)
    assignments = _assignments(clusters, tied)
    return Identity(
        assignments=assignments.select(ASSIGNMENTS.names()).sort("subject"),
        identifiers=_identifiers(held, assignments),
        links=_links(links, evidence, assignments),
    )


def _joined(
    evidence: pl.DataFrame, ruled: Rulings, nodes: dict[str, int]
) -> tuple[pl.DataFrame, dict[int, int], list[Link]]:
    """The assertions that tie their subject, the root of every joined node, and the links between keys.

    A subject with one key that no ruling is about joins whatever that key joins: only the others need the graph.
    """
    confirmed = [
        Edge(nodes[a], nodes[b], at)
        for (a, b), at in sorted(ruled.confirmed.items())
        if a in nodes and b in nodes
    ]
    denied = [(nodes[a], nodes[b]) for a, b in sorted(ruled.denied) if a in nodes and b in nodes]
    named = {node for pair in (*denied, *(edge[:2] for edge in confirmed)) for node in pair}
    branching = (pl.len().over("node") > 1) | pl.col("node").is_in(sorted(named))
    marked = evidence.with_columns(branching=branching).with_row_index("row")
    core = marked.filter("branching")
    edges = [Edge(*row) for row in core.select("node", "key", pl.col("known_at").to_physical()).rows()]
    roots, accepted = joined(edges, confirmed, denied)
    refused = core.filter(~pl.Series(accepted[len(confirmed) :], dtype=pl.Boolean))
    kept = [edge for edge, good in zip([*confirmed, *edges], accepted, strict=True) if good]
    tied = marked.join(refused.select("row"), on="row", how="anti", maintain_order="left")
    return tied, roots, list(links_of(kept, first_key=len(nodes)))


def _clusters(order: pl.DataFrame, tied: pl.DataFrame, roots: dict[int, int]) -> pl.DataFrame:
    """Every subject with the node that stands for all that are joined with it."""
    found = pl.DataFrame(list(roots.items()), schema={"key": pl.Int64, "root": pl.Int64}, orient="row")
    by_key = tied.filter(~pl.col("branching")).select("node", "key").join(found, on="key", how="left")
    leaves = by_key.select("node", leaf=pl.coalesce("root", "key"))
    own = found.select(node="key", root="root")
    rows = order.join(leaves, on="node", how="left").join(own, on="node", how="left").sort("node")
    return rows.select("node", "subject", cluster=pl.coalesce("leaf", "root", "node"))


def _held(assertions: pl.DataFrame, ruled: Rulings) -> pl.DataFrame:
    """The newest assertion per subject and namespace; one that cannot link never displaces one that can."""
    bounds = [_bounds(until) for until in (ruled.cut, ruled.flagged)]
    at = pl.col("occurred_at").to_physical()
    uncut = assertions.join(bounds[0], on=["subject", "ns"], how="left").filter(
        pl.col("until").is_null() | (at > pl.col("until"))
    )
    ordered = uncut.drop("until").sort([pl.col("trust") > 0, *NEWEST])
    flagged = ordered.join(bounds[1], on=["subject", "ns"], how="inner", maintain_order="left")
    flagged = flagged.filter(at <= pl.col("until")).unique(
        ["subject", "ns"], keep="last", maintain_order=True
    )
    newest = ordered.unique(["subject", "ns"], keep="last", maintain_order=True)
    level = pl.when(pl.col("key").is_in(flagged["key"].implode())).then(0).otherwise("trust")
    return newest.with_columns(trust=level).rename({"key": "identifier"})


def _bounds(until: dict[Pair, int]) -> pl.DataFrame:
    rows = [(subject, ns, instant) for (subject, ns), instant in until.items()]
    return pl.DataFrame(rows, schema={"subject": pl.String, "ns": pl.String, "until": pl.Int64}, orient="row")


def _assignments(clusters: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    first = tied.sort(["known_at", -pl.col("trust"), *NEWEST]).unique(
        "subject", keep="first", maintain_order=True
    )
    ties = first.select("subject", "identifier", asserted_at="known_at")
    by_cluster = clusters.sort("node").with_columns(person=pl.col("subject").first().over("cluster"))
    rows = by_cluster.join(ties, on="subject", how="left", maintain_order="left")
    return rows.with_columns(identified=pl.col("identifier").is_not_null().any().over("cluster"))


def _identifiers(held: pl.DataFrame, assignments: pl.DataFrame) -> pl.DataFrame:
    rows = held.join(assignments.select("subject", "person"), on="subject", how="inner")
    rows = rows.rename({"event_id": "asserted_by"})
    return rows.select(IDENTIFIERS.names()).sort("person", "subject", "ns")


def _links(links: list[Link], evidence: pl.DataFrame, assignments: pl.DataFrame) -> pl.DataFrame:
    found = pl.DataFrame(links, schema=["node", "one", "other", "known_at"], orient="row").cast(pl.Int64)
    names = evidence.select("key", "identifier").unique()
    rows = (
        found.join(assignments.select("node", "person"), on="node", how="inner")
        .join(names.rename({"key": "one", "identifier": "first"}), on="one", how="inner")
        .join(names.rename({"key": "other", "identifier": "second"}), on="other", how="inner")
    )
    both = [
        rows.select("person", one=a, other=b, known_at="known_at")
        for a, b in (("first", "second"), ("second", "first"))
    ]
    return pl.concat(both).cast(LINKS).sort("person", "one", "other")
