"""Views at the command line: refused where they do not follow from the log, compared when rebuilt, red when stopped."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.command import exchange, finish, lines, run, start


@pytest.fixture
def projected(filled: Path) -> Path:
    """A home whose views are at the log's head."""
    assert run(filled, "project").code == 0
    return filled


def views(home: Path, *statements: str) -> None:
    """Run statements on the views behind everybody's back."""
    with closing(sqlite3.connect(home / "views.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def table_of(home: Path, view: str) -> str:
    """The table in which a view stands."""
    with closing(sqlite3.connect(home / "views.db")) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
    (found,) = [name for name in names if name == view or name.startswith(f"{view}_v")]
    return found


@pytest.mark.parametrize(
    "words",
    [["project"], ["kpi", "contacts"], ["timeline", "desk|1/in|1"], ["serve", "--port", "0"], ["worker"]],
)
def test_views_beside_another_log_are_refused_with_what_to_do(
    projected: Path, tmp_path: Path, words: list[str]
) -> None:
    other = tmp_path / "other"
    file = lines(tmp_path / "two.jsonl", exchange(2))
    assert run(other, "ingest", file, "--source", "desk").code == 0
    shutil.copy(projected / "views.db", other)
    told = finish(start(other, *words)).sentence()
    assert "follow another log than this one" in told
    assert "omniline rebuild" in told
    red = run(other, "status", "--json").json()
    assert (red["ok"], {view["state"] for view in red["views"].values()}) == (False, {"refused"})
    assert red["problems"] == [told]
    assert f"✗ {told}" in run(other, "status").out
    assert run(other, "rebuild").code == 0
    assert run(other, "kpi", "contacts", "--json").json()["rows"][0]["events"] == 1


def test_a_rebuild_that_finds_a_difference_tells_the_row_and_keeps_the_old_view(projected: Path) -> None:
    table = table_of(projected, "contacts")
    views(projected, f"UPDATE {table} SET channel = 'fax'")  # noqa: S608
    kept = run(projected, "rebuild", "contacts")
    assert "fax" in kept.out
    assert "--accept" in kept.sentence()
    assert (
        run(projected, "kpi", "contacts", "--by", "channel", "--json").json()["rows"][0]["channel"] == "fax"
    )
    assert run(projected, "rebuild", "contacts", "--accept").code == 0
    assert (
        run(projected, "kpi", "contacts", "--by", "channel", "--json").json()["rows"][0]["channel"] == "email"
    )
    assert run(projected, "rebuild").code == 0


def test_an_event_that_cannot_be_read_stops_its_readers_alone_and_turns_status_red(
    projected: Path, tmp_path: Path
) -> None:
    run(projected, "ingest", lines(tmp_path / "more.jsonl", exchange(2)), "--source", "desk")
    poison = "UPDATE stored_events SET state = ? WHERE event_id = 'desk|2/out|1'"
    with closing(sqlite3.connect(projected / "log.db", isolation_level=None)) as connection:
        state = connection.execute(
            "SELECT state FROM stored_events WHERE event_id = 'desk|2/out|1'"
        ).fetchone()
        connection.execute(poison, [b"{"])
    assert "desk|2/out|1" in run(projected, "project").sentence()
    red = run(projected, "status", "--json").json()
    states = {name: view["state"] for name, view in red["views"].items()}
    assert "failed" in states.values()
    assert states["identity"] == "ok"
    assert red["ok"] is False
    assert any("desk|2/out|1" in problem for problem in red["problems"])
    assert run(projected, "status", "--strict").code == 1
    stopped = [f"{name} (failed)" for name, state in states.items() if state == "failed"]
    warning = (
        f"The answer may lack events: not up to date are {', '.join(stopped)}; `omniline status` says why.\n"
    )
    for words in (["kpi", "contacts", "--json"], ["timeline", "desk|1/in|1"]):
        assert (run(projected, *words).code, run(projected, *words).err) == (0, warning)
    assert run(projected, "kpi", "contacts", "--no-project").err.endswith(f" behind the log.\n{warning}")
    with closing(sqlite3.connect(projected / "log.db", isolation_level=None)) as connection:
        connection.execute(poison, state)
    assert run(projected, "project").code == 0
    assert run(projected, "status", "--strict").code == 0
    assert run(projected, "kpi", "contacts").err == ""
