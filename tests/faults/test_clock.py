"""A clock that jumps: what was recorded never goes back, positions stay, and no duration is negative."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from domain.asof import AsOf
from domain.log import Pending
from ingestion.intake import ingest
from projections import answers
from projections.engine import Engine
from projections.kpis import KPIS
from projections.reader import Reader
from projections.retries import Retries
from tests.command import lines, record
from tests.faults.batches import NOW, Plan
from tests.faults.judging import LATER, Place, Sent

BATCHES = [3, pytest.param(60, marks=pytest.mark.soak)]
JUMP, AWHILE = timedelta(hours=1), timedelta(microseconds=1)


def clock(chance: Random) -> Iterator[datetime]:
    """A clock that goes on by minutes and now and then is an hour off, either way."""
    at = NOW
    while True:
        at += timedelta(minutes=chance.uniform(0, 10))
        yield at + chance.choice((-1, 0, 0, 1)) * JUMP


def facts_at(engine: Engine, position: int) -> dict[str, list[tuple[Any, ...]]]:
    """All facts as of a position, judged at one instant."""
    facts = engine.replay(AsOf(instant=LATER, position=position)).facts
    return {name: sorted(frame.rows(), key=repr) for name, frame in facts.items()}


@pytest.mark.parametrize("batches", BATCHES)
def test_a_clock_that_jumps_moves_no_position_and_nothing_recorded_back(place: Place, batches: int) -> None:
    sent, told = Sent(Plan(seed=41, sizes=(1, 7, 50))), clock(Random(41))
    before: dict[int, Any] = {}
    with closing(place.log(create=True)) as log, closing(Engine(log, place.views_url)) as engine:
        for number in range(batches):
            receipts = log.append_batch(sent.plan.batch(number), run=1, now=next(told))
            sent.acked[number] = (receipts[0].position or 0, receipts[-1].position or 0)
            engine.catch_up(now=next(told))
            before[log.head()] = facts_at(engine, log.head())
        recorded = log.arrow()["recorded_at"].to_pylist()
        assert recorded == sorted(recorded)
        assert len(set(recorded)) > 1
        assert {position: facts_at(engine, position) for position in before} == before
    place.holds(sent)


@pytest.mark.parametrize("batches", BATCHES)
def test_sources_whose_clocks_are_hours_off_give_no_negative_duration(
    sqlite_place: Place, batches: int
) -> None:
    chance, plan = Random(42), Plan(seed=42, sizes=(50,))
    with (
        closing(sqlite_place.log(create=True)) as log,
        closing(Engine(log, sqlite_place.views_url)) as engine,
    ):
        for number in range(batches):
            pending = [
                Pending(
                    event=replace(
                        one.event, occurred_at=one.event.occurred_at + chance.choice((-1, 0, 1)) * JUMP
                    )
                )
                for one in plan.batch(number)
            ]
            log.append_batch(pending, run=1, now=NOW)
        engine.catch_up(now=LATER)
        lengths: dict[str, Any] = {
            f"{name}.{column}": engine.facts(name)[column].min()
            for name in engine.positions()
            if name != "identity"
            for column in engine.facts(name).columns
            if column.endswith("_us")
        }
        told = Reader(engine, LATER)
        for kpi in KPIS:
            for row in answers.kpi(told, kpi.key)["rows"]:
                lengths |= {f"{kpi.key}.{name}": value for name, value in row.items() if name.endswith("_s")}
    measured = {name: value for name, value in lengths.items() if value is not None}
    assert {"cycles.resolution_us", "clocks.elapsed_us", "frt_human.median_s"} <= measured.keys()
    assert {name: value for name, value in measured.items() if value < 0} == {}


def test_what_is_more_than_five_minutes_ahead_waits_in_the_quarantine_until_the_clock_is_right(
    place: Place, tmp_path: Path
) -> None:
    ahead = {"now": 0, "almost": 299, "just": 300, "over": 301}
    told = (record(name, (NOW + timedelta(seconds=late)).isoformat()) for name, late in ahead.items())
    file = Path(lines(tmp_path / "in.jsonl", told))
    with closing(place.log(create=True)) as log:

        def taken(now: datetime) -> dict[str, int]:
            balance = ingest(log, [file], source="desk", mapping=None, now=lambda: now).as_dict()
            return {name: balance[name] for name in ("stored", "duplicate", "quarantined")}

        assert taken(NOW - JUMP) == {"stored": 0, "duplicate": 0, "quarantined": 4}
        assert {entry.reason for entry in log.quarantined()} == {"clock_skew"}
        assert taken(NOW) == {"stored": 3, "duplicate": 0, "quarantined": 1}
        assert taken(NOW + JUMP) == {"stored": 1, "duplicate": 3, "quarantined": 0}
        recorded = log.arrow()["recorded_at"].to_pylist()
        assert recorded == sorted(recorded)


def test_what_failed_before_the_clock_was_set_back_is_tried_again_at_once() -> None:
    retries = Retries()
    retries.note(["cases"], ["cases"], NOW)
    minute = timedelta(minutes=1)
    tried = {
        late: retries.due(["cases"], NOW + late) for late in (-JUMP, timedelta(0), minute - AWHILE, minute)
    }
    assert tried == {-JUMP: {"cases"}, timedelta(0): set(), minute - AWHILE: set(), minute: {"cases"}}
