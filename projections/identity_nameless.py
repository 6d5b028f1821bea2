"""Whom no identifier names: the nameless go with the person of their case, the erased with what is left of theirs.

What was erased was somebody, and nobody can tell who any more. It is settled here only where no decision has pinned
it to the contacts that it belonged to: see `projections.pins`.
"""

import polars as pl

from projections.identity_graph import Edge, joined
from projections.identity_rulings import Rulings


def settled(
    clusters: pl.DataFrame, tied: pl.DataFrame, references: pl.DataFrame, ruled: Rulings
) -> pl.DataFrame:
    """The clusters of subjects (node, subject, cluster), with all that their cases and threads join."""
    lost = _lost(clusters, tied, ruled)
    named = _named(clusters, tied)
    if lost.height:
        living = named.join(lost, on="cluster", how="anti")
        clusters = _attributed(clusters, lost, living, references, ruled)
        clusters = _gathered(clusters, lost, references, ruled)
        named = _named(clusters, tied)
    nameless = clusters.select("cluster").unique().join(named, on="cluster", how="anti")
    return _attributed(clusters, nameless, named, references, ruled)


def _named(clusters: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    return clusters.join(tied.select("subject"), on="subject", how="semi").select("cluster").unique()


def _lost(clusters: pl.DataFrame, tied: pl.DataFrame, ruled: Rulings) -> pl.DataFrame:
    """The clusters of which only erased identifiers tell, and no decision."""
    if not tied["erased"].any():
        return pl.DataFrame(schema={"cluster": pl.Int64})
    pinned = {subject for pair in ruled.confirmed for subject in pair} | ruled.alone
    told = clusters.join(tied.select("subject", "erased"), on="subject", how="left")
    held = pl.col("subject").is_in(sorted(pinned)).any()
    found = told.group_by("cluster").agg(pl.col("erased").any(), left=(~pl.col("erased")).any(), held=held)
    return found.filter("erased", ~pl.col("left").fill_null(False), ~pl.col("held")).select("cluster")


def _attributed(
    clusters: pl.DataFrame,
    nameless: pl.DataFrame,
    named: pl.DataFrame,
    references: pl.DataFrame,
    ruled: Rulings,
) -> pl.DataFrame:
    """The nameless clusters go to the one named person of their case, else of their thread."""
    if not nameless.height or not named.height:
        return clusters
    said = references.join(clusters, on="subject", how="inner").select("subject", "ref", "cluster")
    persons = said.join(named, on="cluster", how="semi").select("ref", person="cluster").unique()
    offers = said.join(nameless, on="cluster", how="semi").join(persons, on="ref", how="inner")
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
    return _moved(clusters, single.select("cluster", to="person"))


def _gathered(
    clusters: pl.DataFrame, lost: pl.DataFrame, references: pl.DataFrame, ruled: Rulings
) -> pl.DataFrame:
    """Lost clusters of one case become one, in whatever source they stood: nobody living is among them."""
    left = clusters.join(lost, on="cluster", how="semi")
    case = pl.col("ref").str.splitn("|", 3).struct.field("field_2")
    named = references.filter(pl.col("ref").str.starts_with("case|")).select("subject", case=case)
    pairs = left.join(named, on="subject").with_columns(case=-pl.col("case").rank("dense").cast(pl.Int64))
    of = dict(left.select("subject", "cluster").iter_rows())
    apart = [(of[one], of[other]) for one, other in sorted(ruled.denied) if one in of and other in of]
    edges = [
        Edge(cluster, case, 0) for cluster, case in pairs.select("cluster", "case").sort(pl.all()).rows()
    ]
    roots, _ = joined(edges, [], apart)
    to = pl.DataFrame(list(roots.items()), schema={"cluster": pl.Int64, "to": pl.Int64}, orient="row")
    return _moved(clusters, to)


def _moved(clusters: pl.DataFrame, to: pl.DataFrame) -> pl.DataFrame:
    moved = clusters.join(to, on="cluster", how="left", maintain_order="left")
    return moved.with_columns(cluster=pl.coalesce("to", "cluster")).drop("to")
