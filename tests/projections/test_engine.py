"""What happens when views fail, cannot be trusted, or are written twice at once; on PostgreSQL too."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from domain.asof import AsOf
from projections.engine import Engine, ViewsError, ViewState
from projections.known import Known
from projections.tables import table
from tests.given import FAR, append
from tests.projections.homes import SEEN, SHIPPED, Home, bears, fact, home, said, see

MAIL, CALL = "contact:shop:mail", "contact:telephony:call"
ANNA = (
    said("ContactReceived", "shop:mail", 1, case="A", text="first"),
    bears("shop:mail", "email", "anna@example.com", 1),
)
JAN = (
    said("ContactReceived", "telephony:call", 2),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)


def whole(made: Home) -> list[tuple[object, ...]]:
    """What the small fact shows when everything is computed at once."""
    known = made.engine.replay(AsOf(instant=FAR))
    return list(known.facts["seen"].drop("position", strict=False).rows())


def rows(made: Home) -> list[tuple[object, ...]]:
    """What it shows as stored."""
    return list(made.engine.facts("seen").rows())


COUNTED = table("counted", "person", person=str, events=int)


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


def test_a_fact_that_fails_keeps_its_rows_and_position_while_the_others_go_on(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, *JAN], facts=FRAGILE)
    progress = made.more(said("ContactReceived", "shop:mail", 3, text="boom", id="bad"))
    ok = ViewState(position=5, lag=0, state="ok")
    boom = "counted could not be built (ValueError: boom): mend its build, then project again."
    after = "doubled reads counted, which could not be built: mend that one first."
    assert progress.views == {
        "identity": ok,
        "counted": ViewState(position=4, lag=1, state="failed", error=boom),
        "doubled": ViewState(position=4, lag=1, state="failed", error=after),
        "seen": ok,
    }
    assert made.engine.facts("counted").rows() == [(MAIL, 2), (CALL, 2)]
    assert len(made.seen("event")) == 5

    made.more(said("ContactReceived", "telephony:call", 4))
    assert made.engine.facts("counted").rows() == [(MAIL, 2), (CALL, 2)]
    assert made.engine.positions()["counted"].lag == 2

    mended = said("ContactReceived", "shop:mail", 3, text="well", id="bad", revision=2)
    append(made.log, [mended])
    views = made.engine.catch_up(now=FAR + timedelta(minutes=2)).views
    assert set(views.values()) == {ViewState(position=7, lag=0, state="ok")}
    assert made.engine.facts("counted").rows() == [(MAIL, 3), (CALL, 3)]
    assert made.engine.facts("doubled").rows() == [(MAIL, 6), (CALL, 6)]


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
    before = rows(made)
    made.engine.close()
    made.drop_views()
    engine = made.reopened([fact()])
    assert engine.catch_up(now=FAR).added > 0
    assert engine.facts("seen").rows() == before


def test_views_of_another_version_another_log_or_a_longer_log_are_built_anew_and_that_is_told(
    tmp_path: Path,
) -> None:
    made = home(tmp_path, ANNA)
    shorter = made.restored(tmp_path / "backup")
    made.more(*JAN)
    notes = made.reopened([fact(version=2)]).catch_up(now=FAR).notes
    assert notes == ("seen was built by another version of Omniline: built anew.",)
    assert made.more().notes == ("seen was built by another version of Omniline: built anew.",)

    notes = shorter.engine.catch_up(now=FAR).notes
    assert notes == tuple(
        f"{view} was at position 4, beyond the log's head 2: built anew." for view in ("identity", "seen")
    )
    assert shorter.seen("person") == [(MAIL,), (MAIL,)]

    (tmp_path / "other").mkdir()
    other = home(tmp_path / "other", JAN, views=f"sqlite:///{tmp_path}/views.db")
    assert other.seen("person") == [(CALL,), (CALL,)]
    assert shorter.engine.positions()["seen"].state == "missing"


def test_views_that_followed_events_which_a_restored_log_no_longer_holds_are_built_anew(
    tmp_path: Path,
) -> None:
    made = home(tmp_path, ANNA)
    restored = made.restored(tmp_path / "backup")
    made.more(*JAN)
    progress = restored.more(*(said("ContactReceived", "shop:other", hours) for hours in range(4)))
    assert progress.notes == tuple(
        f"{view} followed events that the log no longer holds at 4: built anew."
        for view in ("identity", "seen")
    )
    assert set(restored.persons()) == {MAIL, "contact:shop:other"}
    assert rows(restored) == whole(restored)


def test_marks_of_an_older_form_are_made_anew_with_all_views(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA)
    before = rows(made)
    with sqlite3.connect(tmp_path / "views.db") as connection:
        connection.execute("ALTER TABLE view_position DROP COLUMN digest")
    connection.close()
    engine = made.reopened([fact()])
    assert engine.catch_up(now=FAR).events == 2
    assert engine.facts("seen").rows() == before


def test_a_view_that_no_longer_exists_leaves_nothing_behind(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA, facts=FRAGILE)
    made.reopened([fact()]).catch_up(now=FAR)
    with sqlite3.connect(tmp_path / "views.db") as connection:
        names = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    connection.close()
    assert names.isdisjoint({"counted", "doubled"})
    assert "seen" in names


def test_a_rebuild_counts_and_mends_what_had_become_wrong(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, *JAN])
    right = rows(made)
    with sqlite3.connect(tmp_path / "views.db") as connection:
        connection.execute("UPDATE seen SET text = 'forged' WHERE text = 'first'")
        connection.execute("DELETE FROM seen WHERE person = ?", [CALL])
    connection.close()
    assert made.reopened([fact()]).facts("seen").rows() != right
    found = made.engine.rebuild("seen", now=FAR)
    assert [(one.view, one.position, one.rows, one.added, one.removed) for one in found] == [
        ("seen", 4, 4, 3, 1)
    ]
    assert rows(made) == made.reopened([fact()]).facts("seen").rows() == right
    assert [(one.view, one.added, one.removed) for one in made.engine.rebuild(now=FAR)] == [
        ("identity", 0, 0),
        ("seen", 0, 0),
    ]
    with pytest.raises(ViewsError, match="There is no view nothing: choose one of identity, seen"):
        made.engine.rebuild("nothing", now=FAR)


def test_a_run_beside_another_writer_yields_and_says_so(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA)
    append(made.log, JAN)
    impatient = made.reopened([fact()], patience=0)
    writer = sqlite3.connect(tmp_path / "views.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    progress = impatient.catch_up(now=FAR)
    assert progress.busy
    assert {view.state for view in progress.views.values()} == {"behind"}
    with pytest.raises(ViewsError, match="are being written by another process"):
        impatient.rebuild(now=FAR)
    writer.execute("ROLLBACK")
    writer.close()
    assert not impatient.catch_up(now=FAR).busy
    assert rows(made) == whole(made)


def test_engines_that_catch_up_at_once_do_no_damage(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA)
    engines: list[Engine] = [made.reopened([fact()]) for _ in range(4)]
    for number in range(3):
        append(made.log, [said("ContactReceived", f"shop:{number}", number), *JAN])
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda engine: engine.catch_up(now=FAR), engines))
        assert sorted(progress.events for progress in done)[:3] == [0, 0, 0]
    assert rows(made) == whole(made)


def test_a_replay_whose_fact_fails_says_so_when_asked_for_it(tmp_path: Path) -> None:
    made = home(tmp_path, [*ANNA, said("ContactReceived", "shop:mail", 3, text="boom")], facts=FRAGILE)
    known = made.engine.replay(AsOf(instant=FAR))
    assert known.facts["seen"].height == 3
    with pytest.raises(ViewsError, match="counted could not be built"):
        known.facts["counted"]


def test_everything_holds_on_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    made = home(tmp_path, [*ANNA, *JAN], views=postgres_url, facts=FRAGILE)
    made.more(bears("shop:mail", "phone", "+48 601 234 567", 4, text='quoted "text",\nwith \\N and\ttabs'))
    made.more(said("ContactReceived", "shop:mail", 5, text="boom", id="bad"))
    assert made.engine.positions()["counted"].state == "failed"
    made.more(said("ContactReceived", "shop:mail", 5, text="", id="bad", revision=2))
    assert rows(made) == whole(made)
    assert made.persons() == {MAIL: MAIL, CALL: MAIL}
    assert [(one.added, one.removed) for one in made.engine.rebuild("seen", now=FAR)] == [(0, 0)]
    another = Engine(made.log, postgres_url, FRAGILE, shipped=SHIPPED, patience=1)
    append(made.log, [said("ContactReceived", "shop:mail", 6)])
    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(lambda engine: engine.catch_up(now=FAR + timedelta(hours=1)), (made.engine, another))
        )
    assert sorted(progress.events for progress in done) == [0, 1]
    assert {view.state for view in another.positions().values()} == {"ok"}
    another.close()
    made.engine.close()
