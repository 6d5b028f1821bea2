"""Contacts whose keys were destroyed: what they count for stays, whom and what they told is gone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from projections.kpis import BY_KEY, KPIS
from projections.reader import Reader
from tests.given import FAR, Given, given
from tests.golden_timeline import timeline

MOVING = {"context_available", "context_available_at_answer", "id_stage", "repeat_explanation"}
"""What may move: since when identifiers were linked cannot be told any more, nor what was said again."""
CALL, MAIL, CHAT = "contact:telephony:call-8", "contact:shop:mail-1", "contact:shop:chat-1"


def answers(reader: Reader) -> dict[str, list[dict[str, Any]]]:
    """Every KPI's whole answer, in all and by channel."""
    return {
        f"{kpi.key} by {by}": reader.kpi(kpi.key, by=by).to_dicts()
        for kpi in KPIS
        for by in ([], ["channel"])
        if not by or reader.by_channel(kpi.key)
    }


def moved(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The keys of those that differ."""
    return {name.split()[0] for name in before if before[name] != after[name]}


def persons(engine: Any) -> list[tuple[Any, ...]]:
    """Who is who, but for the decisions."""
    rows = engine.facts("assignments").select("subject", "person", "identified")
    return rows.filter(~pl.col("subject").str.starts_with("link:")).rows()


def destroy(home: Given, streams: Iterable[str]) -> None:
    home.log.keys.destroy(list(streams), now=FAR)


def test_what_may_move_rests_on_persons_or_on_texts() -> None:
    assert {BY_KEY[key].level for key in MOVING} == {"person", "text"}
    assert {kpi.key for kpi in KPIS if kpi.level == "text"} <= MOVING


@pytest.mark.parametrize(
    "streams",
    [
        [CALL],
        [MAIL, CHAT],
        ["customer:shop:C1"],
        [
            "contact:telephony:call-9",
            "contact:telephony:call-10",
            "contact:telephony:call-11",
            "customer:shop:C1",
        ],
    ],
)
def test_the_golden_timeline_counts_the_same_without_the_keys_of_some_contacts(
    tmp_path: Path, streams: list[str]
) -> None:
    home = given(tmp_path, timeline())
    before, who = answers(home.reader()), persons(home.engine)
    destroy(home, streams)
    home.engine.rebuild(now=FAR)
    assert moved(before, answers(home.reader())) <= MOVING
    assert persons(home.engine) == who
    erased = home.engine.facts("identifiers").filter("erased")
    assert set(erased["subject"]) == set(streams)
