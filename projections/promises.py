"""Promises on columns: which target holds for each clock of a frame."""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from domain.policy import Policies, Policy, Promise

SPECIFIC = (("priority", "tier"), ("priority",), ("tier",), ())
"""Most specific first; priority weighs more than tier."""


def with_target(policies: Policies, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `target_us` by the policy in force at `started_at` (columns kind, channel, priority, tier)."""
    frame = frame.with_row_index("asked")
    parts = []
    for begins, ends, policy in policies.spans:
        inside = frame.filter(pl.col("started_at") >= begins, pl.col("started_at") < ends)
        parts.append(_targets(policy, inside))
    return pl.concat(parts).sort("asked").drop("asked")


def _targets(policy: Policy, frame: pl.DataFrame) -> pl.DataFrame:
    promised = pl.DataFrame(
        [
            (p.clock, p.channel, p.priority, p.tier, p.target // timedelta(microseconds=1))
            for p in [*policy.promises, *_attempts(policy)]
        ],
        schema={
            "kind": pl.String,
            "channel": pl.String,
            "priority": pl.String,
            "tier": pl.String,
            "target": pl.Int64,
        },
        orient="row",
    )
    found = []
    for number, binding in enumerate(SPECIFIC):
        bound = [
            pl.col(name).is_not_null() if name in binding else pl.col(name).is_null()
            for name in ("priority", "tier")
        ]
        level = promised.filter(*bound).select(
            "kind", "channel", *binding, pl.col("target").alias(f"target_{number}")
        )
        frame = frame.join(level, on=["kind", "channel", *binding], how="left")
        found.append(f"target_{number}")
    return frame.with_columns(target_us=pl.coalesce(found)).drop(found)


def _attempts(policy: Policy) -> list[Promise]:
    """An attempt to ring back is due when the call back is, unless the policy promises it apart."""
    if any(promise.clock == "callback_attempted" for promise in policy.promises):
        return []
    return [replace(p, clock="callback_attempted") for p in policy.promises if p.clock == "callback_kept"]
