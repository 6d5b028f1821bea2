"""Guards: views that do not follow from this log are refused by one sentence and left as they are; a rebuild mends."""

from pathlib import Path

import pytest

from domain.policy import parse_policy
from projections.engine import Engine, ViewsRefused, ViewState
from projections.persons import IDENTIFIED
from tests.given import FAR, POLICY, append
from tests.projections.homes import Home, bears, fact, home, said

MAIL, CALL = "contact:shop:mail", "contact:telephony:call"
ANNA = (
    said("ContactReceived", "shop:mail", 1, case="A", text="first"),
    bears("shop:mail", "email", "anna@example.com", 1),
)
JAN = (
    said("ContactReceived", "telephony:call", 2),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)
REMEDY = "run `omniline rebuild`, which builds them anew."


def refused(engine: Engine, sentence: str) -> None:
    """Whatever asks the views is refused with this sentence; the state of both views tells it."""
    for ask in (
        lambda: engine.catch_up(now=FAR),
        lambda: engine.rebuild("seen", now=FAR),
        lambda: engine.facts("seen"),
        engine.check,
        engine.position,
        engine.policies,
    ):
        with pytest.raises(ViewsRefused) as caught:
            ask()
        assert str(caught.value) == sentence
    assert {(view.state, view.error) for view in engine.positions().values()} == {("refused", sentence)}


def built_anew(made: Home) -> None:
    """A rebuild of all puts views of this log in the place of the refused ones."""
    found = made.engine.rebuild(now=FAR)
    head = made.log.head()
    assert [(one.view, one.outcome, one.position) for one in found] == [
        ("identity", "built", head),
        ("seen", "built", head),
    ]
    assert made.engine.positions() == dict.fromkeys(
        ("identity", "seen"), ViewState(position=head, lag=0, state="ok")
    )
    assert made.rows() == made.whole()
    made.engine.check()


@pytest.fixture
def made(tmp_path: Path, views_url: str) -> Home:
    """Two events, in views of either store."""
    return home(tmp_path, ANNA, views=views_url)


def test_views_ahead_of_the_log_are_refused_and_nothing_is_dropped(made: Home, tmp_path: Path) -> None:
    restored = made.restored(tmp_path / "backup")
    made.more(*JAN)
    before = made.rows()
    refused(
        restored.engine,
        f"The views {made.engine.address} are at position 4, beyond the log's head 2, as after a restored backup: "
        f"{REMEDY}",
    )
    assert made.rows() == before
    assert made.engine.catch_up(now=FAR).notes == ()
    built_anew(restored)
    assert set(restored.persons()) == {MAIL}


def test_views_of_another_log_are_refused(made: Home, tmp_path: Path) -> None:
    before = made.rows()
    (tmp_path / "other").mkdir()
    log = home(tmp_path / "other", JAN).log
    other = Home(folder=tmp_path / "other", log=log, views=made.views)
    refused(
        other.engine,
        f"The views {made.engine.address} follow another log than this one: check the addresses of both, or {REMEDY}",
    )
    assert made.rows() == before
    built_anew(other)
    assert set(other.persons()) == {CALL}


def test_views_of_a_restored_log_that_has_overtaken_them_are_refused(made: Home, tmp_path: Path) -> None:
    restored = made.restored(tmp_path / "backup")
    made.more(*JAN)
    append(restored.log, [said("ContactReceived", "shop:other", hours) for hours in range(4)])
    refused(
        restored.engine,
        f"The views {made.engine.address} followed other events up to position 4 than the log now holds, as after a "
        f"restored backup: {REMEDY}",
    )
    built_anew(restored)
    assert set(restored.persons()) == {MAIL, "contact:shop:other"}


def test_another_history_is_noticed_though_the_event_at_the_position_is_the_same(
    made: Home, tmp_path: Path
) -> None:
    restored = made.restored(tmp_path / "backup")
    last = said("ContactReceived", "shop:last", 3)
    made.more(said("ContactReceived", "shop:one", 2), last)
    append(restored.log, [said("ContactReceived", "shop:other", 2), last])
    assert made.log.digests([4]) == restored.log.digests([4])
    with pytest.raises(ViewsRefused, match="followed other events up to position 4"):
        restored.engine.catch_up(now=FAR)


def test_views_that_a_newer_omniline_keeps_are_refused(made: Home) -> None:
    newer = made.reopened([fact(version=2)])
    newer.catch_up(now=FAR)
    with pytest.raises(ViewsRefused) as caught:
        made.engine.catch_up(now=FAR)
    assert str(caught.value) == (
        f"The views {made.engine.address} were built by a newer Omniline (seen by version 2 of its build, this one "
        f"has 1): update this one, or {REMEDY}"
    )
    assert made.engine.positions()["identity"].state == "ok"
    built_anew(made)
    assert {"seen_v1", "seen_v2"} & made.tables() == {"seen_v1"}


def test_another_shipped_policy_is_followed_without_asking_and_that_is_told(made: Home) -> None:
    stricter = parse_policy(POLICY.replace("test-1", "test-2"), where="the test's policy")
    engine = made.reopened([fact()], shipped=stricter)
    assert [view.state for view in engine.positions().values()] == ["behind", "behind"]
    assert engine.facts("seen")["policy"].unique().to_list() == ["test-1"]
    progress = engine.catch_up(now=FAR)
    assert progress.notes == (
        "identity followed an earlier build of who is who, of another view, or of the policy: 0 rows differ from "
        "those that served.",
        "seen followed an earlier build of who is who, of another view, or of the policy: 2 rows differ from those "
        "that served.",
    )
    assert engine.facts("seen")["policy"].unique().to_list() == ["test-2"]
    assert {view.state for view in engine.positions().values()} == {"ok"}


@pytest.mark.parametrize("lost", ["DROP TABLE seen_v1", "ALTER TABLE seen_v1 DROP COLUMN text"])
def test_a_view_that_lost_its_table_or_a_column_is_built_without_asking(made: Home, lost: str) -> None:
    before = made.rows()
    made.forge(lost)
    engine = made.reopened([fact()])
    assert engine.positions()["seen"].state == "missing"
    assert [(one.view, one.outcome) for one in engine.catch_up(now=FAR).rebuilt] == [("seen", "built")]
    assert engine.facts("seen").rows() == before
    assert {view.state for view in engine.positions().values()} == {"ok"}


def test_without_knowing_who_is_who_everything_is_built_without_asking(made: Home) -> None:
    before = made.rows()
    made.forge(f"DROP TABLE {IDENTIFIED.name}")
    engine = made.reopened([fact()])
    assert {view.state for view in engine.positions().values()} == {"missing", "behind"}
    assert engine.catch_up(now=FAR).notes == ("Tables of identity were missing: all views were built anew.",)
    assert engine.facts("seen").rows() == before


def test_marks_of_an_older_form_are_made_anew_with_all_views(made: Home) -> None:
    before = made.rows()
    made.forge("ALTER TABLE view_position DROP COLUMN chain")
    engine = made.reopened([fact()])
    assert engine.catch_up(now=FAR).events == 2
    assert engine.facts("seen").rows() == before
