"""What happens when builds fail, views are lost, or are written twice at once."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from domain.asof import AsOf
from projections.engine import ViewsError, ViewState
from projections.known import Known
from projections.tables import table
from tests.given import FAR, append
from tests.projections.homes import SEEN, bears, fact, home, said, see

MAIL, CALL = "contact:shop:mail", "contact:telephony:call"
ANNA = (
    said("ContactReceived", "shop:mail", 1, case="A", text="first"),
    bears("shop:mail", "email", "anna@example.com", 1),
)
JAN = (
    said("ContactReceived", "telephony:call", 2),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)
COUNTED = table("counted", "person", person=str, events=int)
LATER = FAR + timedelta(minutes=2)


def count(known: Known) -> pl.DataFrame:
    """Refuses to count an event that says boom."""
    if known.events["text"].eq("boom").any():
        raise ValueError("boom")
    return known.events.group_by("person").agg(events=pl.len())


def read_counted(known: Known) -> pl.DataFrame:
    """Reads the fact before."""
    return known.facts["counted"].select("person", twice=pl.col("events") * 2)


FRAGILE = [
    fact(COUNTED, count),
    fact(table("doubled", "person", person=str, twice=int), read_counted),
    fact(SEEN, see),
]


def test_a_fact_that_fails_keeps_its_rows_and_position_while_the_others_go_on(
    tmp_path: Path, views_url: str
) -> None:
    made = home(tmp_path, [*ANNA, *JAN], facts=FRAGILE, views=views_url)
    progress = made.more(said("ContactReceived", "shop:mail", 3, text="boom", id="bad"))
    ok = ViewState(position=5, lag=0, state="ok")
    boom = (
        f"counted could not be built (ValueError in test_engine.py, line {count.__code__.co_firstlineno + 3}), first "
        "with the event shop|bad|1 at position 5: mend its build, then project again."
    )
    after = "doubled reads counted, which could not be built: mend that one first."
    assert progress.views == {
        "identity": ok,
        "counted": ViewState(position=4, lag=1, state="failed", error=boom),
        "doubled": ViewState(position=4, lag=1, state="failed", error=after),
        "seen": ok,
    }
    assert made.rows("counted") == [(MAIL, 2), (CALL, 2)]
    assert len(made.rows()) == 5

    made.more(said("ContactReceived", "telephony:call", 4))
    assert made.rows("counted") == [(MAIL, 2), (CALL, 2)]
    assert made.engine.positions()["counted"].lag == 2

    mended = said("ContactReceived", "shop:mail", 3, text="well", id="bad", revision=2)
    append(made.log, [mended])
    views = made.engine.catch_up(now=LATER).views
    assert set(views.values()) == {ViewState(position=7, lag=0, state="ok")}
    assert made.rows("counted") == [(MAIL, 3), (CALL, 3)]
    assert made.rows("doubled") == [(MAIL, 6), (CALL, 6)]


def test_what_failed_is_tried_again_later_and_later(tmp_path: Path) -> None:
    tried = []

    def fail(known: Known) -> pl.DataFrame:
        tried.append(known.events.height)
        raise ValueError("boom")

    made = home(tmp_path, ANNA, facts=[fact(COUNTED, fail)])
    at = []
    for minute in range(130):
        before = len(tried)
        made.engine.catch_up(now=FAR + timedelta(minutes=minute))
        at += [minute] if len(tried) > before else []
    assert at == [1, 3, 7, 15, 31, 63, 123]


def test_another_engine_tries_a_failed_fact_at_once(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, said("ContactReceived", "shop:mail", 3, text="boom")], facts=FRAGILE)
    assert made.engine.positions()["counted"].state == "failed"
    mended = fact(COUNTED, lambda known: known.events.group_by("person").agg(events=pl.len()))
    engine = made.reopened([mended, *FRAGILE[1:]])
    engine.catch_up(now=FAR)
    assert {view.state for view in engine.positions().values()} == {"ok"}
    assert engine.facts("counted").rows() == [(MAIL, 3)]


def test_a_build_that_returns_somebody_elses_rows_or_no_key_fails_with_a_sentence(tmp_path: Path) -> None:
    def stray(known: Known) -> pl.DataFrame:
        return known.events.select(person=pl.lit("nobody"), events=pl.len())

    def twice(known: Known) -> pl.DataFrame:
        return known.events.select("person", events=pl.lit(1))

    def poor(known: Known) -> pl.DataFrame:
        return known.events.select("person")

    errors = []
    for number, build in enumerate((stray, twice, poor)):
        (tmp_path / str(number)).mkdir()
        made = home(tmp_path / str(number), ANNA, facts=[fact(COUNTED, build)])
        errors.append(made.engine.positions()["counted"].error)
    assert errors == [
        "counted could not be built (TableError: it returned rows of nobody, whom it was not asked about): mend its "
        "build, then project again.",
        "counted could not be built (TableError: The build of counted returned 2 rows with the key of another row and "
        "0 without a key: make person unique.): mend its build, then project again.",
        "counted could not be built (TableError: The build of counted returned no column events: add it.): mend its "
        "build, then project again.",
    ]


def test_deleted_views_come_back_row_for_row(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, *JAN])
    before = made.rows()
    made.engine.close()
    made.drop_views()
    engine = made.reopened([fact()])
    assert engine.catch_up(now=FAR).added > 0
    assert engine.facts("seen").rows() == before


def test_a_view_that_no_longer_exists_leaves_nothing_behind(tmp_path: Path, views_url: str) -> None:
    made = home(tmp_path, ANNA, facts=FRAGILE, views=views_url)
    assert {"counted_v1", "doubled_v1", "seen_v1"} <= made.tables()
    made.reopened([fact()]).catch_up(now=FAR)
    assert {"counted_v1", "doubled_v1", "seen_v1"} & made.tables() == {"seen_v1"}


def test_a_run_beside_another_writer_yields_and_says_so(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA)
    append(made.log, JAN)
    impatient = made.reopened([fact()], patience=0)
    with closing(sqlite3.connect(tmp_path / "views.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        progress = impatient.catch_up(now=FAR)
        assert progress.busy
        assert {view.state for view in progress.views.values()} == {"behind"}
        with pytest.raises(ViewsError, match="are being written by another process"):
            impatient.rebuild(now=FAR)
        writer.execute("ROLLBACK")
    assert not impatient.catch_up(now=FAR).busy
    assert made.rows() == made.whole()


def test_engines_that_catch_up_at_once_do_no_damage(tmp_path: Path, views_url: str) -> None:
    made = home(tmp_path, ANNA, views=views_url)
    engines = [made.reopened([fact()]) for _ in range(4)]
    for number in range(3):
        append(made.log, [said("ContactReceived", f"shop:{number}", number), *JAN])
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda engine: engine.catch_up(now=FAR), engines))
        assert sorted(progress.events for progress in done)[:3] == [0, 0, 0]
    assert made.rows() == made.whole()


def test_a_replay_whose_fact_fails_says_so_when_asked_for_it(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, said("ContactReceived", "shop:mail", 3, text="boom")], facts=FRAGILE)
    known = made.engine.replay(AsOf(instant=FAR))
    assert known.facts["seen"].height == 3
    with pytest.raises(ViewsError, match="counted could not be built"):
        known.facts["counted"]


def test_any_text_is_stored_as_it_is(tmp_path: Path, views_url: str) -> None:
    text = 'quoted "text",\nwith \\N and\ttabs'
    made = home(tmp_path, [*ANNA, *JAN], views=views_url)
    made.more(bears("shop:mail", "phone", "+48 601 234 567", 4, text=text))
    assert text in {row[3] for row in made.rows()}
    assert made.rows() == made.whole()
    assert made.persons() == {MAIL: MAIL, CALL: MAIL}
