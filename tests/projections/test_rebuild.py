"""Rebuilding beside what serves: compared row by row, switched where a version was raised, or where asked to."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events import NAMES
from domain.events.envelope import Event
from projections import persons
from projections.comparing import LISTED
from projections.engine import Difference, Engine, Rebuilt, ViewsBusy, ViewsError, ViewsRefused, ViewState
from projections.known import Known
from projections.tables import table
from tests.given import FAR, append
from tests.projections.homes import OPENED, SEEN, Home, at, bears, fact, home, said, see
from tests.test_replay import happenings, histories

MAIL, CALL = "contact:shop:mail", "contact:telephony:call"
ANNA = (
    said("ContactReceived", "shop:mail", 1, case="A", text="first"),
    bears("shop:mail", "email", "anna@example.com", 1),
)
JAN = (
    said("ContactReceived", "telephony:call", 2),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)
FIRST = "shop|ContactReceived-mail-1|1"
COUNTED = table("counted", "person", person=str, events=int)
IDENTITY = f"_v{persons.VERSION}"


def count(known: Known) -> pl.DataFrame:
    """How many events each person has."""
    return known.events.group_by("person").agg(events=pl.len())


def tenfold(known: Known) -> pl.DataFrame:
    """The same, as another version of the build tells it."""
    return count(known).with_columns(events=pl.col("events") * 10)


def double(known: Known) -> pl.DataFrame:
    """Reads the fact before."""
    return known.facts["counted"].select("person", twice=pl.col("events") * 2)


DOUBLED = fact(table("doubled", "person", person=str, twice=int), double)


def during(
    build: Callable[[Known], pl.DataFrame], act: Callable[[], object]
) -> Callable[[Known], pl.DataFrame]:
    """A build during whose first run something else happens."""
    acts = [act]

    def built(known: Known) -> pl.DataFrame:
        if acts:
            acts.pop()()
        return build(known)

    return built


def outcomes(found: list[Rebuilt]) -> list[tuple[str, str, int]]:
    """What came of each view, and how many rows differed."""
    return [(one.view, one.outcome, one.differing) for one in found]


@pytest.fixture
def made(tmp_path: Path, views_url: str) -> Home:
    """Two persons with two events each, and two facts."""
    return home(tmp_path, [*ANNA, *JAN], facts=[fact(COUNTED, count), fact(SEEN, see)], views=views_url)


def test_views_that_equal_the_log_are_left_as_they_are(made: Home) -> None:
    assert made.engine.rebuild(now=FAR) == [
        Rebuilt(view="identity", position=4, outcome="same", rows=2, version=persons.VERSION),
        Rebuilt(view="counted", position=4, outcome="same", rows=2, version=1),
        Rebuilt(view="seen", position=4, outcome="same", rows=4, version=1),
    ]
    with pytest.raises(ViewsError, match="There is no view nothing: choose one of identity, counted, seen"):
        made.engine.rebuild("nothing", now=FAR)


def test_a_difference_is_told_row_by_row_and_the_old_view_stays_until_the_new_is_accepted(made: Home) -> None:
    right = made.rows()
    made.forge(
        "UPDATE seen_v1 SET text = 'forged', \"case\" = NULL WHERE text = 'first'",
        "DELETE FROM seen_v1 WHERE event = 'telephony|contact:call/phone/601234567|1'",
        "INSERT INTO seen_v1 (person, event) VALUES ('contact:telephony:call', 'made up')",
    )
    wrong = made.reopened(made.facts).facts("seen").rows()
    call = "telephony|contact:call/phone/601234567|1"
    expected = Rebuilt(
        view="seen",
        position=4,
        outcome="kept",
        rows=4,
        differing=3,
        added=2,
        removed=2,
        version=1,
        differences=(
            Difference(
                table="seen", key=f"{MAIL}, {FIRST}", kind="changed", column="case", old=None, new="A"
            ),
            Difference(
                table="seen", key=f"{MAIL}, {FIRST}", kind="changed", column="text", old="forged", new="first"
            ),
            Difference(table="seen", key=f"{CALL}, made up", kind="only old"),
            Difference(table="seen", key=f"{CALL}, {call}", kind="only new"),
        ),
    )
    assert made.engine.rebuild("seen", now=FAR) == [expected]
    assert made.reopened(made.facts).facts("seen").rows() == wrong != right
    assert set(made.engine.positions().values()) == {ViewState(position=4, lag=0, state="ok")}

    assert outcomes(made.engine.rebuild("seen", now=FAR, accept=True)) == [("seen", "switched", 3)]
    assert made.rows() == right
    assert outcomes(made.engine.rebuild("seen", now=FAR)) == [("seen", "same", 0)]


def test_who_is_who_is_compared_too_and_what_follows_from_it_is_taken_with_it(made: Home) -> None:
    right = [made.rows(name) for name in ("assignments", "counted", "seen")]
    made.forge(
        f"UPDATE assignments{IDENTITY} SET person = 'contact:shop:mail'",  # noqa: S608
        "UPDATE counted_v1 SET events = 7 WHERE person = 'contact:telephony:call'",
    )
    found = made.engine.rebuild("identity", now=FAR)
    assert outcomes(found) == [("identity", "kept", 2), ("counted", "kept", 1), ("seen", "same", 0)]
    assert [(one.table, one.key, one.kind) for one in found[0].differences] == [
        ("assignments", f"{MAIL}, {CALL}", "only old"),
        ("assignments", f"{CALL}, {CALL}", "only new"),
    ]
    found = made.engine.rebuild("identity", now=FAR, accept=True)
    assert outcomes(found) == [("identity", "switched", 2), ("counted", "switched", 1), ("seen", "same", 0)]
    assert [made.rows(name) for name in ("assignments", "counted", "seen")] == right
    made.more(said("ContactReceived", "telephony:call", 5))
    assert [made.rows(name) for name in ("counted", "seen")] == [made.whole("counted"), made.whole()]


def test_of_many_differences_the_first_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    made = home(tmp_path, [said("ContactReceived", f"shop:{number:03}", 1) for number in range(150)])
    made.forge("UPDATE seen_v1 SET text = 'forged'")
    (found,) = made.engine.rebuild("seen", now=FAR)
    assert (found.outcome, found.differing, len(found.differences)) == ("kept", 150, LISTED)
    assert [one.key[:16] for one in found.differences] == [f"contact:shop:{n:03}" for n in range(LISTED)]


def test_the_old_view_serves_and_is_followed_while_the_new_one_is_computed(made: Home) -> None:
    seen = []

    def meanwhile() -> None:
        append(made.log, [bears("shop:mail", "phone", "+48 601 234 567", 5), *more])
        assert not made.engine.catch_up(now=FAR).busy
        seen.append((made.engine.position(), made.rows("counted")))

    more = [said("ContactReceived", "shop:new", 6), said("ContactReceived", "telephony:call", 7)]
    newer = made.reopened([fact(COUNTED, during(tenfold, meanwhile), 2), DOUBLED, fact(SEEN, see)])
    progress = newer.catch_up(now=FAR)
    assert seen == [(7, [(MAIL, 6), ("contact:shop:new", 1)])]
    assert [(one.view, one.outcome) for one in progress.rebuilt] == [
        ("counted", "switched"),
        ("doubled", "built"),
    ]
    assert newer.facts("counted").rows() == [(MAIL, 60), ("contact:shop:new", 10)]
    assert newer.facts("doubled").rows() == [(MAIL, 120), ("contact:shop:new", 20)]
    assert set(progress.views.values()) == {ViewState(position=7, lag=0, state="ok")}
    assert outcomes(newer.rebuild(now=FAR)) == [
        (view, "same", 0) for view in ("identity", "counted", "doubled", "seen")
    ]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(happenings), st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_whatever_is_followed_meanwhile_is_in_the_new_view(
    history: list[Event], one: int, other: int, who: bool
) -> None:
    """Events arrive before, during and after a building beside: rows are those of a run over all at once."""
    first, second = sorted((one % (len(history) + 1), other % (len(history) + 1)))
    with TemporaryDirectory(prefix="omni") as folder:
        made = home(Path(folder), history[:first], facts=[fact(COUNTED, count), DOUBLED, fact(SEEN, see)])
        if who:
            aged(made)

        def meanwhile() -> None:
            append(made.log, history[first:second])
            if not who:
                made.engine.catch_up(now=FAR)

        newer = [fact(COUNTED, during(tenfold, meanwhile), 2), DOUBLED, fact(SEEN, see)]
        again = Home(folder=made.folder, log=made.log, views=made.views, facts=newer)
        again.engine.catch_up(now=FAR)
        again.more(*history[second:])
        assert {name: again.rows(name) for name in ("counted", "doubled", "seen")} == {
            name: again.whole(name) for name in ("counted", "doubled", "seen")
        }
        assert {one.outcome for one in again.engine.rebuild(now=FAR)} == {"same"}
        while OPENED:
            OPENED.pop().close()


def test_a_policy_adopted_meanwhile_is_followed_too(made: Home) -> None:
    def meanwhile() -> None:
        from tests.test_replay import STRICTER

        adopted = {"version": "2", "starts_at": at(1), "digest": "p", "content": STRICTER}
        append(
            made.log,
            [NAMES["PolicyAdopted"](source="shop", id="p", subject="policy:p", occurred_at=at(1), **adopted)],
        )
        made.engine.catch_up(now=FAR)

    newer = made.reopened([fact(COUNTED, count), fact(SEEN, during(see, meanwhile), 2)])
    newer.catch_up(now=FAR)
    assert newer.facts("seen")["policy"].unique().to_list() == ["test-2"]
    assert outcomes(newer.rebuild(now=FAR)) == [(view, "same", 0) for view in ("identity", "counted", "seen")]


def test_a_raised_version_is_compared_in_what_both_have_and_switched(made: Home) -> None:
    wider = table("counted", "person", person=str, events=int, mails=int)
    raised = fact(wider, lambda known: tenfold(known).with_columns(mails=pl.lit(1)), 3)
    newer = made.reopened([raised, fact(SEEN, see)])
    assert newer.positions()["counted"] == ViewState(position=4, lag=0, state="missing")
    (found,) = newer.rebuild("counted", now=FAR)
    assert found == Rebuilt(
        view="counted", position=4, outcome="switched", rows=2, differing=2, added=2, removed=2, was=1, version=3,
        differences=(
            Difference(table="counted", key=MAIL, kind="changed", column="events", old="2", new="20"),
            Difference(table="counted", key=CALL, kind="changed", column="events", old="2", new="20"),
        ),
    )  # fmt: skip
    assert newer.facts("counted").rows() == [(MAIL, 20, 1), (CALL, 20, 1)]
    assert {"counted_v1", "counted_v3"} & made.tables() == {"counted_v3"}
    with pytest.raises(
        ViewsRefused, match=r"newer Omniline \(counted by version 3 of its build, this one has 1\)"
    ):
        made.engine.facts("counted")


def test_a_raised_version_met_by_a_catch_up_is_built_beside_and_told(made: Home) -> None:
    newer = made.reopened([fact(COUNTED, tenfold, 2), fact(SEEN, see)])
    assert newer.positions()["counted"] == ViewState(
        position=4,
        lag=0,
        state="behind",
        error="counted is as version 1 of its build left it: run `omniline project`, which builds it anew beside.",
    )
    assert newer.facts("counted").rows() == [(MAIL, 2), (CALL, 2)]
    progress = newer.catch_up(now=FAR)
    assert progress.notes == (
        "counted is now as version 2 of its build makes it, not 1: 2 rows differ from those that served.",
    )
    assert newer.facts("counted").rows() == [(MAIL, 20), (CALL, 20)]
    assert newer.catch_up(now=FAR).notes == ()


def test_a_view_built_beside_after_keys_were_destroyed_keeps_the_persons_of_the_others(made: Home) -> None:
    made.more(bears("shop:account", "email", "anna@example.com", 3))
    who = made.persons()
    made.log.keys.destroy(["contact:shop:account"], now=FAR)
    newer = made.reopened([fact(COUNTED, tenfold, 2), fact(SEEN, see)])
    newer.catch_up(now=FAR)
    assert newer.facts("counted").rows() == [(MAIL, 30), (CALL, 20), *_pins(newer)]
    assert who.items() <= dict(newer.facts("assignments").select("subject", "person").iter_rows()).items()
    assert {one.outcome for one in newer.rebuild(now=FAR)} == {"same"}


def _pins(engine: Engine) -> list[tuple[str, int]]:
    """The decisions that keep persons together are a subject of their own."""
    found = [row for row in engine.facts("counted").rows() if row[0].startswith("link:")]
    assert found
    return found


def test_rows_of_another_key_are_not_compared(made: Home) -> None:
    keyed = table("counted", "event", event=str, person=str)
    raised = fact(keyed, lambda known: known.events.select("person", event="event_id"), 2)
    (found,) = made.reopened([raised, fact(SEEN, see)]).rebuild("counted", now=FAR)
    assert (found.outcome, found.was, found.rows, found.differing) == ("built", 1, 4, 0)


def test_what_reads_a_raised_view_follows_it_and_what_does_not_stays_as_it_is(tmp_path: Path) -> None:
    made = home(tmp_path, ANNA, facts=[fact(COUNTED, count), DOUBLED, fact(SEEN, see)])
    made.forge("UPDATE seen_v1 SET text = 'forged' WHERE text = 'first'")
    newer = made.reopened([fact(COUNTED, tenfold, 2), DOUBLED, fact(SEEN, see)])
    assert outcomes(newer.rebuild(now=FAR)) == [
        ("identity", "same", 0),
        ("counted", "switched", 1),
        ("doubled", "switched", 1),
        ("seen", "kept", 1),
    ]
    assert newer.facts("doubled").rows() == [(MAIL, 40)]
    assert "forged" in newer.facts("seen")["text"]


def aged(made: Home) -> None:
    """Leave who is who as an older resolution would have left it."""
    names = {one.name: one.name.removesuffix(IDENTITY) + "_v0" for one in persons.TABLES}
    made.forge(
        *(f"DROP INDEX {index.name}" for one in persons.TABLES for index in one.indexes),
        *(f"ALTER TABLE {name} RENAME TO {former}" for name, former in names.items()),
        "UPDATE view_position SET version = 0 WHERE view = 'identity'",
        "UPDATE identifiers_v0 SET obtained = 'guessed' WHERE subject = 'contact:telephony:call'",
    )


def test_a_raised_resolution_of_who_is_who_is_built_beside_with_all_that_follows(made: Home) -> None:
    aged(made)
    older = Home(folder=made.folder, log=made.log, views=made.views, facts=made.facts)
    assert {view.state for view in older.engine.positions().values()} == {"behind"}
    assert older.persons() == {MAIL: MAIL, CALL: CALL}
    append(older.log, [bears("shop:mail", "phone", "+48 601 234 567", 5)])
    found = older.engine.rebuild(now=FAR)
    assert outcomes(found) == [("identity", "switched", 1), ("counted", "same", 0), ("seen", "same", 0)]
    assert (found[0].was, found[0].version, found[0].position) == (0, persons.VERSION, 4)
    assert older.persons() == {MAIL: MAIL, CALL: MAIL}
    assert not [name for name in older.tables() if name.endswith("_v0")]
    assert [older.rows(name) for name in ("counted", "seen")] == [older.whole("counted"), older.whole()]
    assert set(older.engine.positions().values()) == {ViewState(position=5, lag=0, state="ok")}


def test_a_rebuild_that_fails_leaves_the_old_view_as_it_is(made: Home) -> None:
    def fail(_known: Known) -> pl.DataFrame:
        raise ValueError("boom")

    engine = made.reopened([fact(COUNTED, fail), fact(SEEN, see)])
    found = engine.rebuild(now=FAR)
    assert outcomes(found) == [("identity", "same", 0), ("counted", "failed", 0), ("seen", "same", 0)]
    assert str(found[1].error).startswith("counted could not be built (ValueError in test_rebuild.py, line ")
    assert engine.positions()["counted"] == ViewState(position=4, lag=0, state="ok")
    assert engine.facts("counted").rows() == [(MAIL, 2), (CALL, 2)]


def test_a_raised_build_that_fails_is_red_while_the_old_one_serves_until_it_is_mended(made: Home) -> None:
    def fail(_known: Known) -> pl.DataFrame:
        raise ValueError("boom")

    engine = made.reopened([fact(COUNTED, fail, 2), fact(SEEN, see)])
    append(made.log, [said("ContactReceived", "shop:mail", 5)])
    views = engine.catch_up(now=FAR).views
    assert views["seen"] == ViewState(position=5, lag=0, state="ok")
    assert (views["counted"].state, views["counted"].position) == ("failed", 4)
    assert "(ValueError in test_rebuild.py, line " in str(views["counted"].error)
    assert engine.facts("counted").rows() == [(MAIL, 2), (CALL, 2)]
    mended = made.reopened([fact(COUNTED, tenfold, 2), fact(SEEN, see)])
    assert set(mended.catch_up(now=FAR).views.values()) == {ViewState(position=5, lag=0, state="ok")}
    assert mended.facts("counted").rows() == [(MAIL, 30), (CALL, 20)]


def test_of_two_that_build_the_same_at_once_one_switches_and_the_other_yields(made: Home) -> None:
    facts: list[ModuleType] = [fact(COUNTED, tenfold, 2), fact(SEEN, see)]
    winner = made.reopened(facts)
    yielding = made.reopened(
        [fact(COUNTED, during(tenfold, lambda: winner.catch_up(now=FAR)), 2), fact(SEEN, see)]
    )
    assert yielding.catch_up(now=FAR).busy
    assert yielding.facts("counted").rows() == winner.facts("counted").rows() == [(MAIL, 20), (CALL, 20)]
    append(made.log, [said("ContactReceived", "shop:mail", 5)])
    progress = yielding.catch_up(now=FAR + timedelta(seconds=1))
    assert (progress.busy, progress.events) == (False, 1)
    assert yielding.facts("counted").rows() == [(MAIL, 30), (CALL, 20)]
    newest = made.reopened([fact(COUNTED, count, 3), fact(SEEN, see)])
    late = fact(COUNTED, during(count, lambda: newest.catch_up(now=FAR)), 3)
    with pytest.raises(ViewsBusy, match="by another process meanwhile: try again"):
        made.reopened([late, fact(SEEN, see)]).rebuild("counted", now=FAR)
    assert newest.facts("counted").rows() == [(MAIL, 3), (CALL, 2)]
