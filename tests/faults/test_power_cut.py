"""Copies of a home taken while it is written, as a power cut leaves it: each one opens and holds all acknowledged."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.faults.batches import Plan
from tests.faults.children import child
from tests.faults.judging import Place, Sent
from tests.faults.torn import copied, power_cut


def taken(folder: Path, plan: Plan, copies: int) -> list[tuple[Place, Sent]]:
    """So many copies of a place in which a process appends and projects, each with all acknowledged till then."""
    chance, made = Random(plan.seed), []
    home = place_in(folder / "home")
    with child("projecting", home.log_url, home.keys, home.views_url, plan.word(), 0) as process:
        process.until(lambda facts: any("projected" in fact for fact in facts))
        for number in range(copies):
            process.listen(chance.uniform(0, 0.3))
            with process.stopped():
                made.append((place_in(copied(home.folder, folder / f"copy{number}")), Sent(plan)))
                made[-1][1].take(process.facts)
    return made


def place_in(folder: Path) -> Place:
    """A log in a folder, which is made where there is none."""
    folder.mkdir(exist_ok=True)
    return Place(folder=folder, log_url=f"sqlite:///{folder}/log.db")


@pytest.mark.parametrize("copies", [1, pytest.param(40, marks=pytest.mark.soak)])
def test_a_copy_of_any_instant_holds_all_that_was_acknowledged_and_so_do_its_synced_parts(
    tmp_path: Path, copies: int
) -> None:
    chance = Random(22)
    for place, sent in taken(tmp_path, Plan(seed=21), copies):
        cut = place_in(copied(place.folder, place.folder.with_name(f"{place.folder.name}_cut")))
        power_cut(cut.folder / "log.db", chance, unsynced=commits_in_flight(place, sent))
        power_cut(cut.folder / "keys.db", chance, unsynced=0)
        power_cut(cut.folder / "views.db", chance, unsynced=10**9)
        cut.holds(sent)
        place.holds(sent)


def commits_in_flight(place: Place, sent: Sent) -> int:
    """How many commits the log has that nobody was told of: none or one."""
    with closing(sqlite3.connect(f"file:{place.folder}/log.db?mode=ro", uri=True)) as connection:
        head = connection.execute("SELECT max(rowid) FROM stored_events").fetchone()[0]
    return int(head > max(last for _, last in sent.acked.values()))
