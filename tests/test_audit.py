"""The auditor's commands: an unaltered log is proven, every tampering is located, evidence can be taken away."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.command import FRIDAY, lines, record, run

RECORDS = 2_300
TAMPERINGS: list[tuple[str, str, int, int, list[str]]] = [
    ("a changed byte", "altered", 1001, 2000, [
        "UPDATE stored_events SET metadata = '{ }' WHERE @ = 1500",
    ]),
    ("a changed topic", "altered", 1, 1000, [
        "UPDATE stored_events SET topic = 'contact.answered' WHERE @ = 1000",
    ]),
    ("two rows swapped", "altered", 2001, 2300, [
        "UPDATE stored_events SET @ = 1000000 WHERE @ = 2001",
        "UPDATE stored_events SET @ = 2001 WHERE @ = 2300",
        "UPDATE stored_events SET @ = 2300 WHERE @ = 1000000",
    ]),
    ("a row deleted", "missing", 1001, 2000, [
        "DELETE FROM stored_events WHERE @ = 1700",
    ]),
    ("a row deleted, then a vacuum", "missing", 1001, 2000, [
        "DELETE FROM stored_events WHERE @ = 1700",
        "VACUUM",
    ]),
    ("a row deleted and the rest renumbered", "altered", 1001, 2000, [
        "DELETE FROM stored_events WHERE @ = 1700",
        "UPDATE stored_events SET @ = @ + 1000000 WHERE @ > 1700",
        "UPDATE stored_events SET @ = @ - 1000001 WHERE @ > 1000000",
        "TAIL 2299",
    ]),
    ("the tail cut off", "cut", 2001, 2300, [
        "DELETE FROM stored_events WHERE @ > 2250",
    ]),
    ("the tail cut off without a trace of what was numbered", "cut", 2001, 2300, [
        "DELETE FROM stored_events WHERE @ > 2250",
        "TAIL 2250",
    ]),
    ("the tail cut off and written again", "altered", 2001, 2300, [
        "DELETE FROM stored_events WHERE @ > 2250",
        "TAIL 2250",
        "INGEST",
    ]),
]  # fmt: skip


def mails(file: Path, numbers: range) -> str:
    """A file of one contact per number."""
    return lines(file, (record(str(number), FRIDAY, text="Where is my parcel?") for number in numbers))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of 2,300 contacts under checkpoints of 1,000, 2,000 and 2,300."""
    folder = tmp_path_factory.mktemp("audit")
    file = mails(folder / "in.jsonl", range(RECORDS))
    assert run(folder / "home", "ingest", file, "--source", "desk").code == 0
    assert run(folder / "home", "project").code == 0
    return folder / "home"


@pytest.fixture
def signed(original: Path, home: Path) -> Path:
    """A copy of it to do with as one likes."""
    return Path(shutil.copytree(original, home))


def tamper(home: Path, steps: Sequence[str], url: str = "") -> None:
    """Do as a forger does, behind the log's back; TAIL makes the database forget what it ever numbered beyond."""
    at = "notification_id" if url else "rowid"
    tail = (
        "SELECT setval('stored_events_notification_id_seq', {})"
        if url
        else "UPDATE sqlite_sequence SET seq = {} WHERE name = 'stored_events'"
    )
    for step in steps:
        if step == "INGEST":
            again = mails(home / "again.jsonl", range(9000, 9050))
            assert run(home, "ingest", again, "--source", "desk").code == 0
            continue
        text = tail.format(step.split()[1]) if step.startswith("TAIL") else step.replace("@", at)
        if url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(text.encode())
        else:
            with closing(sqlite3.connect(home / "log.db", isolation_level=None)) as connection:
                connection.execute(text)


def test_an_unaltered_log_is_proven(signed: Path) -> None:
    document = run(signed, "verify", "--json").json()
    assert {name: document[name] for name in ("ok", "events", "checkpoints", "problem")} == {
        "ok": True,
        "events": 2300,
        "checkpoints": 3,
        "problem": None,
    }
    assert (
        run(signed, "verify").out
        == "2,300 events read, 2,300 of them under 3 signed checkpoints.\nUnaltered.\n"
    )
    later = run(signed, "verify", "--since", "2000", "--json").json()
    assert (later["ok"], later["events"], later["checkpoints"]) == (True, 300, 1)


@pytest.mark.parametrize(
    ("kind", "first", "last", "steps"),
    [row[1:] for row in TAMPERINGS],
    ids=[row[0] for row in TAMPERINGS],
)
def test_every_tampering_is_found_and_located(
    signed: Path, kind: str, first: int, last: int, steps: list[str]
) -> None:
    tamper(signed, steps)
    done = run(signed, "verify", "--json")
    document = json.loads(done.out)
    assert (done.code, document["ok"]) == (1, False)
    problem = document["problem"]
    assert (problem["kind"], problem["from"], problem["to"]) == (kind, first, last)
    assert str(first) in problem["detail"]
    assert run(signed, "verify").sentence().startswith(problem["detail"].partition(".")[0])
    red = json.loads(run(signed, "status", "--json").out)
    assert red["ok"] is False
    assert red["problems"]


@pytest.mark.parametrize("name", ["a changed byte", "the tail cut off", "the tail cut off and written again"])
def test_tamperings_are_found_on_postgresql_too(
    postgres_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("OMNILINE_LOG_URL", postgres_url)
    for words in (
        ["log", "init"],
        ["ingest", mails(tmp_path / "in.jsonl", range(RECORDS)), "--source", "desk"],
        ["project"],
        ["verify"],
    ):
        assert run(home, *words).code == 0
    (row,) = [row for row in TAMPERINGS if row[0] == name]
    tamper(home, row[4], postgres_url)
    problem = json.loads(run(home, "verify", "--json").out)["problem"]
    assert (problem["kind"], problem["from"], problem["to"]) == row[1:4]
    assert json.loads(run(home, "status", "--json").out)["ok"] is False


def test_a_tampered_log_turns_status_red_until_it_is_whole_again(signed: Path) -> None:
    kept = (signed / "log.db").read_bytes()
    assert run(signed, "status", "--strict", "--json").json()["ok"]
    tamper(signed, ["UPDATE stored_events SET metadata = '{ }' WHERE @ = 2100"])
    red = run(signed, "status", "--json").json()
    wrong = "The log does not reproduce the checkpoint of 2,300 events: run `omniline verify`."
    assert (red["ok"], red["problems"]) == (False, [wrong])
    assert f"✗ {wrong}" in run(signed, "status").out
    assert run(signed, "status", "--strict").sentence() == wrong
    (signed / "log.db").write_bytes(kept)
    assert run(signed, "status", "--strict", "--json").json()["ok"]


def test_what_a_verification_found_far_back_stays_red_until_another_one_passes(signed: Path) -> None:
    kept = (signed / "log.db").read_bytes()
    tamper(signed, ["UPDATE stored_events SET metadata = '{ }' WHERE @ = 500"])
    assert run(signed, "status", "--json").json()["ok"], "status looks at the last thousand events alone"
    assert run(signed, "verify").code == 1
    (told,) = run(signed, "status", "--json").json()["problems"]
    assert told.startswith("Positions 1 to 1000 hold other content than was signed.")
    (signed / "log.db").write_bytes(kept)
    assert not run(signed, "status", "--json").json()["ok"]
    assert run(signed, "verify").code == 0
    assert run(signed, "status", "--json").json()["ok"]


def test_one_event_is_proven_by_its_id_or_its_position(signed: Path) -> None:
    document = run(signed, "verify", "--event", "desk|7|1", "--json").json()
    assert (document["ok"], document["position"], document["proof"]["size"]) == (True, 8, 1000)
    line = run(signed, "timeline", "desk|7|1", "--json").json()
    assert document["digest"] in {entry["digest"] for entry in line["entries"]}
    assert run(signed, "verify", "--event", "8").out == (
        "desk|7|1 at position 8: unaltered since it was signed under the checkpoint of 1,000 events.\n"
    )
    assert "desk|x|1" in run(signed, "verify", "--event", "desk|x|1").sentence()
    tamper(signed, ["UPDATE stored_events SET topic = 'contact.answered' WHERE @ = 8"])
    assert "not what was signed" in run(signed, "verify", "--event", "8").sentence()


def test_evidence_is_checked_without_a_home_and_without_omniline(signed: Path, tmp_path: Path) -> None:
    bundle, key = str(tmp_path / "evidence.zip"), str(tmp_path / "log.pub")
    shutil.copy(signed / "signing.key.pub", key)
    done = run(
        signed, "evidence", bundle, "--event", "desk|7|1", "--positions", "1990-2010", "--for", "the auditor",
        "--by", "Anna", "--json",
    )  # fmt: skip
    assert done.json() == {
        "file": bundle,
        "events": 22,
        "positions": [8, 2010],
        "exported_by": "Anna",
        "received_by": "the auditor",
    }
    nowhere = tmp_path / "nowhere"
    document = run(nowhere, "verify", "--bundle", bundle, "--key", key, "--json").json()
    assert (document["ok"], document["events"], document["checkpoints"]) == (True, 22, 3)
    assert (document["problem"], document["exported_by"]) == (None, "Anna")
    plain = subprocess.run(
        [sys.executable, "-I", "-S", bundle, "--key", key], capture_output=True, check=False
    )
    assert plain.returncode == 0, plain.stderr
    assert not nowhere.exists()


def test_what_is_no_evidence_is_refused(signed: Path, original: Path, tmp_path: Path) -> None:
    bundle, key = str(tmp_path / "evidence.zip"), str(signed / "signing.key.pub")
    assert run(signed, "evidence", bundle, "--positions", "1-3", "--for", "x", "--by", "y").code == 0
    for name in ("signing.key", "signing.key.pub", "checkpoints.txt"):
        (signed / name).unlink()
    other = tmp_path / "other"
    run(other, "log", "init")
    wrong = run(signed, "verify", "--bundle", bundle, "--key", str(other / "signing.key.pub"), "--json")
    assert (wrong.code, json.loads(wrong.out)["problem"]["kind"]) == (1, "bundle")
    assert "--key" in run(signed, "verify", "--bundle", bundle).sentence()
    assert "signing.key.pub" in run(signed, "verify").sentence()
    copy = str(original / "checkpoints.txt")
    brought = str(original / "signing.key.pub")
    assert run(signed, "verify", "--key", brought, "--checkpoints", copy).code == 0
    assert key.endswith(".pub")
    assert "absent" in run(signed, "verify", "--key", str(tmp_path / "absent")).sentence()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("evidence", "e.zip", "--for", "x", "--by", "y"), "--positions"),
        (("evidence", "e.zip", "--for", "x", "--by", "y", "--positions", "one"), "80001-80100"),
        (("evidence", "e.zip", "--for", "x", "--by", "y", "--positions", "7000-8000"), "7000 to 8000"),
        (("evidence", "e.zip", "--positions", "1-2"), "--for"),
        (("verify", "--since", "999"), "999"),
        (("verify", "--since", "1000", "--event", "8"), "--since"),
    ],
)
def test_what_cannot_be_proven_as_asked_is_one_clear_line(
    original: Path, words: tuple[str, ...], told: str
) -> None:
    assert told in run(original, *words).sentence()


def test_another_copy_of_the_checkpoints_is_begun_only_from_an_unaltered_log(signed: Path) -> None:
    copy = signed / "far" / "away.txt"
    assert run(signed, "verify", "--begin-copy", str(copy)).code == 0
    assert copy.read_bytes() == (signed / "checkpoints.txt").read_bytes()
    assert "name a new file" in run(signed, "verify", "--begin-copy", str(copy)).sentence()
    (signed / "checkpoints.txt").unlink()
    assert run(signed, "verify").code == 1
    assert run(signed, "verify", "--begin-copy", str(signed / "checkpoints.txt")).code == 0
    assert run(signed, "verify").code == 0
    tamper(signed, ["UPDATE stored_events SET metadata = '{ }' WHERE @ = 500"])
    assert run(signed, "verify", "--begin-copy", str(signed / "third.txt")).code == 1
    assert not (signed / "third.txt").exists()
