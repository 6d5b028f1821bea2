"""The operator's commands: a log made once by many, hosts that only read, and a status that monitoring can rely on."""

import base64
import json
import os
import shutil
from pathlib import Path

import psycopg
import pytest

from tests.command import exchange, finish, lines, run, start

TOGETHER = 4


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_log_that_many_initialise_at_once_is_made_once(
    home: Path, tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    address = {} if store == "sqlite" else {"OMNILINE_LOG_URL": request.getfixturevalue("postgres_url")}
    for done in [finish(one) for one in [start(home, "log", "init", **address) for _ in range(TOGETHER)]]:
        assert (done.code, done.err) == (0, "")
        assert done.out == f"The log is ready on {store}, at position 0.\n"
    key = (home / "signing.key").read_bytes()
    file = lines(tmp_path / "in.jsonl", exchange())
    for words in (["log", "init"], ["ingest", file, "--source", "desk"], ["project"], ["verify"]):
        done = finish(start(home, *words, **address))
        assert done.code == 0, done.err
    assert (home / "signing.key").read_bytes() == key


def test_status_tells_how_far_the_log_is_signed(filled: Path, tmp_path: Path) -> None:
    before = run(filled, "status", "--json").json()["signed"]
    assert before == {
        "size": 0, "signed_at": None, "age_s": None, "unsigned": 3, "here": True, "problem": None,
    }  # fmt: skip
    assert "Nothing is signed, 3 events waiting." in run(filled, "status").out
    run(filled, "project")
    more = lines(tmp_path / "more.jsonl", exchange(2))
    run(filled, "ingest", more, "--source", "desk")
    after = run(filled, "status", "--json").json()["signed"]
    assert (after["size"], after["unsigned"]) == (3, 3)
    assert 0 <= after["age_s"] < 600


def test_monitoring_is_told_by_the_exit_code_if_it_asks(filled: Path) -> None:
    assert run(filled, "status").code == 0
    assert (
        run(filled, "status", "--strict").sentence() == "The views are not built yet: run `omniline project`."
    )
    red = run(filled, "status", "--strict", "--json")
    assert (red.code, json.loads(red.out)["ok"]) == (1, False)
    run(filled, "project")
    assert run(filled, "status", "--strict").code == 0


def test_a_host_without_the_key_projects_and_says_who_signs(filled: Path, tmp_path: Path) -> None:
    run(filled, "project")
    reader = Path(shutil.copytree(filled, tmp_path / "reader"))
    for name in ("signing.key", "signing.key.pub", "checkpoints.txt", "views.db"):
        (reader / name).unlink()
    done = run(reader, "project")
    assert (done.code, done.err) == (0, "")
    assert "The signing key is not on this host." in run(reader, "status").out
    document = run(reader, "status", "--json").json()
    assert (document["signed"]["here"], document["ok"]) == (False, True)
    more = lines(tmp_path / "more.jsonl", exchange(2))
    assert run(reader, "ingest", more, "--source", "desk").code == 0
    assert not (reader / "signing.key").exists(), "the log has its key elsewhere"


def test_checkpoints_go_where_the_settings_say(filled: Path, tmp_path: Path) -> None:
    far = tmp_path / "far" / "checkpoints.txt"
    (filled / "settings.toml").write_text(f'checkpoints = ["checkpoints.txt", "{far}"]\n', "utf-8")
    assert run(filled, "project").code == 0
    assert far.read_bytes() == (filled / "checkpoints.txt").read_bytes()
    far.unlink()
    (told,) = run(filled, "status", "--json").json()["problems"]
    assert told == f"The copy of the checkpoints {far} is missing: put it back."
    assert run(filled, "project").code == 0
    assert run(filled, "status", "--json").json()["ok"]


def test_a_log_that_cannot_be_signed_is_told_and_the_views_are_brought_up(filled: Path) -> None:
    run(filled, "project")
    (filled / "checkpoints.txt").unlink()
    (filled / "views.db").unlink()
    done = run(filled, "project")
    assert done.code == 0
    assert "put it back, or begin a new copy" in done.err
    assert "position 3" in done.out


def test_two_machines_share_one_log_and_one_key_store(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA keys")
    monkeypatch.setenv("OMNILINE_LOG_URL", postgres_url)
    monkeypatch.setenv("OMNILINE_KEYS_URL", f"{postgres_url}&options=-csearch_path%3Dkeys")
    monkeypatch.setenv("OMNILINE_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
    first, second = tmp_path / "first", tmp_path / "second"
    for number, machine in enumerate((first, second), 1):
        file = lines(tmp_path / f"{number}.jsonl", exchange(number))
        for words in (["log", "init"], ["ingest", file, "--source", "desk"]):
            done = run(machine, *words)
            assert done.code == 0, done.err
    for number in (1, 2):
        asked = ["timeline", f"desk|{number}/in|1", "--json"]
        told = [run(machine, *asked).json()["entries"] for machine in (first, second)]
        assert told[0] == told[1]
        assert "Where is my parcel?" in {entry["summary"] for entry in told[0]}
    assert [(machine / "signing.key").exists() for machine in (first, second)] == [True, False]
    for machine in (first, second):
        assert run(machine, "project").code == 0
    assert run(second, "verify", "--key", str(first / "signing.key.pub")).code == 0
    assert not list(tmp_path.glob("*/keys.db")) + list(tmp_path.glob("*/master.key"))


def test_a_wrong_master_key_is_one_clear_line(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNILINE_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
    assert "master key" in run(filled, "timeline", "anna@example.com").sentence()
    monkeypatch.setenv("OMNILINE_MASTER_KEY", "short")
    assert "master key" in run(filled, "status").sentence()
    monkeypatch.setenv("OMNILINE_MASTER_KEY", "")
    monkeypatch.setenv("OMNILINE_MASTER_KEY_FILE", str(filled / "absent.key"))
    assert "absent.key" in run(filled, "status").sentence()
    monkeypatch.setenv("OMNILINE_MASTER_KEY_FILE", str(filled / "master.key"))
    assert run(filled, "status").code == 0


def test_a_new_master_key_takes_over(filled: Path) -> None:
    old, new = (filled / "master.key").read_text("utf-8"), base64.b64encode(bytes(range(32))).decode()
    (filled / "master.key").write_text(f"{new}\n{old}", "utf-8")
    assert run(filled, "keys", "rewrap", "--json").json()["rewrapped"] > 0
    (filled / "master.key").write_text(f"{new}\n", "utf-8")
    entries = run(filled, "timeline", "anna@example.com", "--json").json()["entries"]
    assert "Where is my parcel?" in {entry["summary"] for entry in entries}
    assert run(filled, "keys", "rewrap", "--json").json()["rewrapped"] == 0
    (filled / "master.key").write_text(old, "utf-8")
    assert "master key" in run(filled, "timeline", "anna@example.com").sentence()


@pytest.fixture(params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A signed home of two customers, once per store."""
    if request.param == "postgresql":
        monkeypatch.setenv("OMNILINE_LOG_URL", request.getfixturevalue("postgres_url"))
    file = lines(tmp_path / "in.jsonl", exchange(1) + exchange(2))
    for words in (["log", "init"], ["ingest", file, "--source", "desk"], ["project"]):
        assert run(home, *words).code == 0
    return home


def test_a_backup_is_tried_before_it_is_relied_on(served: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "today"
    done = run(served, "log", "backup", str(folder), "--json").json()
    assert (done["folder"], done["events"], done["position"]) == (str(folder), 6, 6)
    assert "master key" in done["left_out"][0]
    assert "already" in run(served, "log", "backup", str(folder)).sentence()
    tried = run(served, "log", "restore-check", str(folder), "--json").json()
    assert (tried["ok"], tried["events"], tried["problems"]) == (True, 6, [])
    assert "it can be relied on" in run(served, "log", "restore-check", str(folder)).out
    damaged = max(folder.iterdir(), key=lambda file: file.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    told = run(served, "log", "restore-check", str(folder)).sentence()
    assert f"{damaged} is not as it was written" in told
    assert run(served, "status", "--strict").code == 0, "a trial leaves the log alone"


def test_a_backup_put_back_answers_as_before(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, new = tmp_path / "backup", tmp_path / "new"
    before = run(served, "timeline", "desk|1/in|1", "--json").json()["entries"]
    assert run(served, "log", "backup", str(folder)).code == 0
    assert "already" in run(served, "log", "restore", str(folder)).sentence()
    if url := os.environ.get("OMNILINE_LOG_URL"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA elsewhere")
        monkeypatch.setenv("OMNILINE_LOG_URL", f"{url}&options=-csearch_path%3Delsewhere")
    new.mkdir()
    for kept in ("master.key", "signing.key", "signing.key.pub"):
        shutil.copy(served / kept, new)
    assert run(new, "log", "restore", str(folder)).code == 0
    assert run(new, "timeline", "desk|1/in|1", "--json").json()["entries"] == before
    assert run(new, "verify").code == 0
    assert run(new, "project").err == ""
    assert run(new, "status", "--strict").code == 0


def test_what_a_restore_lost_stays_provable_until_the_old_checkpoints_are_put_aside(
    filled: Path, tmp_path: Path
) -> None:
    folder, checkpoints = str(tmp_path / "backup"), filled / "checkpoints.txt"
    run(filled, "project")
    assert run(filled, "log", "backup", folder).code == 0
    later = [one for number in range(2, 360) for one in exchange(number)]
    run(filled, "ingest", lines(tmp_path / "later.jsonl", later), "--source", "desk")
    run(filled, "project")
    for lost in [*filled.glob("log.db*"), *filled.glob("keys.db*")]:
        lost.unlink()
    assert run(filled, "log", "restore", folder).code == 0
    assert "rebuild" in run(filled, "kpi", "contacts").sentence()
    assert run(filled, "rebuild").code == 0
    told = "The log's database lacks the checkpoint of 1,003 events that was signed: run `omniline verify`."
    assert run(filled, "status", "--strict").sentence() == told
    assert "nothing is signed" in run(filled, "project").err
    assert run(filled, "verify").code == 1
    checkpoints.rename(tmp_path / "lost.txt")
    assert run(filled, "verify", "--begin-copy", str(checkpoints)).code == 0
    run(filled, "ingest", lines(tmp_path / "later.jsonl", later), "--source", "desk")
    done = run(filled, "project")
    assert (done.code, done.err) == (0, "")
    assert run(filled, "status", "--strict").code == 0
    assert run(filled, "verify").code == 0
    assert run(filled, "verify", "--checkpoints", str(tmp_path / "lost.txt")).code == 1
