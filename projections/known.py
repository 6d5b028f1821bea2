"""What is known about a set of whole persons: everything a fact build may look at, and nothing else."""

from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from domain.policy import Policies
from projections.identity import Identity
from projections.turns import ranked, turns
from projections.worktime import Worktime


@dataclass(frozen=True, kw_only=True)
class Known:
    """One input of every `build`.

    `events` is the timeline frame (effective rows only, in total order) with `person` and `case_key`;
    `facts` holds the frames built before, in the order of FACTS. No clock: a build never asks what time it is.
    """

    events: pl.DataFrame
    identity: Identity
    policies: Policies
    worktime: Worktime
    facts: dict[str, pl.DataFrame] = field(default_factory=dict)

    @cached_property
    def ranked(self) -> pl.DataFrame:
        """The events with their total order as the number `rank`."""
        return ranked(self.events)

    @cached_property
    def turns(self) -> pl.DataFrame:
        """Who spoke when, one row per turn."""
        return turns(self.ranked)
