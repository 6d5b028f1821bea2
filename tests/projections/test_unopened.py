"""A key store put back from an older backup: what does not open with its new keys counts as erased and is told."""

import shutil
from datetime import timedelta
from pathlib import Path

from projections.engine import ViewState
from tests.given import FAR
from tests.projections.homes import Home, bears, home, log_of, said

MAIL, CALL = "contact:shop:mail", "contact:telephony:call"
LATER = FAR + timedelta(minutes=2)
EVENTS = (
    said("ContactReceived", "shop:mail", 1, text="first", id="one"),
    bears("shop:mail", "phone", "601234567", 1),
    said("ContactReceived", "telephony:call", 2, text="second", id="two"),
    bears("telephony:call", "phone", "601234567", 2, "caller_id"),
)
TOLD = (
    "What is sealed of 2 events does not open with their keys and counts as erased, first of shop|one|1 at position "
    "1: run `omniline verify`, and put back the key store made with the log."
)


def with_keys(made: Home, file: Path) -> Home:
    """The same home with another key store."""
    made.log.close()
    for old in made.folder.glob("keys.db*"):
        old.unlink()
    shutil.copy(file, made.folder / "keys.db")
    return Home(folder=made.folder, log=log_of(made.folder), views=made.views)


def test_views_go_on_without_it_say_so_and_read_it_again_with_the_right_keys(tmp_path: Path) -> None:
    log_of(tmp_path, create=True).close()
    older, right = tmp_path / "older", tmp_path / "right"
    shutil.copy(tmp_path / "keys.db", older)
    log = log_of(tmp_path)
    made = Home(folder=tmp_path, log=log, views=f"sqlite:///{tmp_path}/views.db")
    assert made.more(*EVENTS).notes == ()
    who, before = made.persons(), dict(made.seen("event", "text"))
    assert (who[MAIL], before["shop|one|1"]) == (who[CALL], "first")
    made.log.close()
    shutil.copy(tmp_path / "keys.db", right)

    made = with_keys(made, older)
    progress = made.more(said("ContactReceived", "shop:mail", 3, text="third", id="three"))
    assert progress.notes == made.engine.passed_over() == (TOLD,)
    assert {view.state for view in progress.views.values()} == {"ok"}
    assert made.persons()[MAIL] == made.persons()[CALL] == who[MAIL]
    texts = dict(made.seen("event", "text"))
    assert (texts["shop|one|1"], texts["shop|three|1"]) == (None, "third")
    assert made.engine.catch_up(now=FAR).notes == ()

    made = with_keys(made, right)
    made.engine.catch_up(now=LATER)
    texts = dict(made.seen("event", "text"))
    assert (texts["shop|one|1"], texts["telephony|two|1"], texts["shop|three|1"]) == ("first", "second", None)
    assert {one.outcome for one in made.engine.rebuild(now=LATER)} == {"same"}
    state = ViewState(position=made.log.head(), lag=0, state="ok")
    assert set(made.engine.positions().values()) == {state}
    assert len(made.engine.passed_over()) == 1


def test_a_rebuild_needs_no_key_that_was_altered(tmp_path: Path) -> None:
    made = home(tmp_path, EVENTS)
    with made.log.keys._database.writing() as connection:
        connection.exec_driver_sql("UPDATE stream_keys SET wrapped = zeroblob(124) WHERE stream = ?", (MAIL,))
    found = made.engine.rebuild(now=FAR)
    assert {one.outcome for one in found} == {"kept"}
    assert made.engine.rebuild(now=FAR, accept=True)[0].outcome == "switched"
    assert made.engine.passed_over() == (TOLD,)
