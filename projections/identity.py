"""Identity: one row of `assignments` says to which person a subject belongs, and by which identifier.

`resolve` is a pure function of a set of evidence, whatever the order in which it arrived. It may be asked about
any set of subjects that is closed: nobody outside shares a linking key, a ruling or a reference with it.
"""

from dataclasses import dataclass

import polars as pl

from projections.annotations import INSTANT
from projections.identity_graph import Edge, joined, links_of
from projections.identity_rulings import Rulings, read_rulings

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
        **dict.fromkeys(("person", "identifier", "ns", "value", "source", "obtained"), pl.String()),
        "trust": pl.Int64(),
        "occurred_at": INSTANT,
        "known_at": INSTANT,
        **dict.fromkeys(("verified_by", "subject"), pl.String()),
    }
)
LINKS = pl.Schema({**dict.fromkeys(("person", "one", "other"), pl.String()), "known_at": INSTANT})
NEWEST = ("occurred_at", "seq", "event_id")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who is who among a set of subjects.

    `assignments`: subject, person (the stream of the person's earliest subject), identified, the identifier
    that tied the subject first and when that became known. `identifiers`: one row per subject and namespace,
    its newest assertion; trust 0 links nobody. `links`: for two identifiers of one person, in both orders,
    the earliest `known_at` from which they were known to be one person's.
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
    order = subjects.select("subject").with_row_index("node")
    evidence = held.filter(pl.col("trust") > 0).join(order, on="subject", how="inner")
    evidence = evidence.sort([-pl.col("trust"), *NEWEST]).with_columns(
        key_node=pl.col("identifier").rank("dense").cast(pl.Int64) - 1 + order.height
    )
    edges = [
        Edge(*row) for row in evidence.select("node", "key_node", pl.col("known_at").to_physical()).rows()
    ]
    nodes = dict(order.select("subject", "node").iter_rows())
    confirmed = _confirmed(ruled, nodes)
    roots, accepted = joined(edges, confirmed, _denied(ruled, nodes))
    tied = evidence.filter(pl.Series(accepted[len(confirmed) :], dtype=pl.Boolean))
    clusters = order.with_columns(
        cluster=pl.Series([roots.get(node, node) for node in range(order.height)], dtype=pl.Int64)
    )
    clusters = _attributed(clusters, tied, references, ruled)
    assignments = _assignments(clusters, tied)
    kept = [edge for edge, kept in zip([*confirmed, *edges], accepted, strict=True) if kept]
    return Identity(
        assignments=assignments.select(ASSIGNMENTS.names()).sort("subject"),
        identifiers=_identifiers(held, assignments),
        links=_links(kept, evidence, clusters, assignments),
    )


def _held(assertions: pl.DataFrame, ruled: Rulings) -> pl.DataFrame:
    """The newest assertion per subject and namespace; one that cannot link never displaces one that can."""
    left = assertions
    for (subject, ns), cut_at in ruled.cut.items():
        mine = (pl.col("subject") == subject) & (pl.col("ns") == ns)
        left = left.filter(~(mine & (pl.col("occurred_at").to_physical() <= cut_at)))
    ordered = left.sort([pl.col("trust") > 0, *NEWEST])
    flagged = []
    for (subject, ns), flagged_at in ruled.flagged.items():
        mine = (pl.col("subject") == subject) & (pl.col("ns") == ns)
        flagged += ordered.filter(mine & (pl.col("occurred_at").to_physical() <= flagged_at))[
            "key"
        ].to_list()[-1:]
    newest = ordered.unique(["subject", "ns"], keep="last", maintain_order=True)
    level = pl.when(pl.col("key").is_in(flagged)).then(0).otherwise("trust")
    return newest.with_columns(trust=level).rename({"key": "identifier"})


def _confirmed(ruled: Rulings, nodes: dict[str, int]) -> list[Edge]:
    pairs = sorted(ruled.confirmed.items())
    return [Edge(nodes[a], nodes[b], at) for (a, b), at in pairs if a in nodes and b in nodes]


def _denied(ruled: Rulings, nodes: dict[str, int]) -> list[tuple[int, int]]:
    return [(nodes[a], nodes[b]) for a, b in sorted(ruled.denied) if a in nodes and b in nodes]


def _attributed(
    clusters: pl.DataFrame, tied: pl.DataFrame, references: pl.DataFrame, ruled: Rulings
) -> pl.DataFrame:
    """Clusters without identifiers go to the one identified person of their case, else of their thread."""
    known = clusters.join(tied.select("subject"), on="subject", how="semi").select("cluster").unique()
    nameless = clusters.join(known, on="cluster", how="anti")
    if not nameless.height or not known.height:
        return clusters
    said = references.join(clusters, on="subject", how="inner").select("subject", "ref", "cluster")
    named = said.join(known, on="cluster", how="semi").select("ref", person="cluster").unique()
    offers = said.join(known, on="cluster", how="anti").join(named, on="ref", how="inner")
    offers = offers.with_columns(by_case=pl.col("ref").str.starts_with("case|"))
    single = (
        offers.group_by("cluster", "by_case")
        .agg(persons=pl.col("person").n_unique(), person=pl.col("person").min())
        .filter(pl.col("persons") == 1)
        .sort("cluster", "by_case")
        .unique("cluster", keep="last", maintain_order=True)
    )
    apart = pl.DataFrame(list(ruled.denied), schema=["one", "other"], orient="row").cast(pl.String)
    for one, other in (("one", "other"), ("other", "one")):
        kept = apart.join(clusters.select(pl.col("subject").alias(one), "cluster"), on=one)
        kept = kept.join(clusters.select(pl.col("subject").alias(other), person="cluster"), on=other)
        single = single.join(kept, on=["cluster", "person"], how="anti")
    moved = clusters.join(single.select("cluster", "person"), on="cluster", how="left", maintain_order="left")
    return moved.with_columns(cluster=pl.coalesce("person", "cluster")).drop("person")


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
    return rows.select(IDENTIFIERS.names()).sort("person", "subject", "ns")


def _links(
    edges: list[Edge], evidence: pl.DataFrame, clusters: pl.DataFrame, assignments: pl.DataFrame
) -> pl.DataFrame:
    names = dict(evidence.select("key_node", "identifier").unique().iter_rows())
    people = dict(assignments.select("node", "person").iter_rows())
    pairs = links_of(edges, first_key=clusters.height)
    rows = [(people[node], names[one], names[other], at) for node, one, other, at in pairs]
    frame = pl.DataFrame(rows, schema={**LINKS, "known_at": pl.Int64()}, orient="row").cast(LINKS)
    both = pl.concat([frame, frame.select("person", one="other", other="one", known_at="known_at")])
    return both.sort("person", "one", "other")
