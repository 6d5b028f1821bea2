"""What the commands refuse: bad files with a reason, misuse with one clear line, and two at once do no harm."""

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from tests.command import FRIDAY, Outcome, balanced, exchange, finish, lines, record, run, start

BAD_FILES: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("binary junk", bytes(range(256)) * 40),
    ("a wrong encoding", '{"type": "ContactReceived", "id": "ż"}\n'.encode("cp1250")),
    ("a row cut in the middle", b'{"type": "ContactReceived", "id": "1", "subj'),
    ("a truncated archive", gzip.compress(b'{"type": "ContactReceived"}\n' * 100)[:40]),
    ("a field of 10 MB", json.dumps(record("1", FRIDAY, text="x" * 10_000_000)).encode() + b"\n"),
    ("an impossible date", json.dumps(record("1", "2026-02-30T10:00:00Z")).encode() + b"\n"),
    ("a time without a zone", json.dumps(record("1", "2026-02-20T10:00:00")).encode() + b"\n"),
    ("an unknown kind of event", json.dumps(record("1", FRIDAY, type="Nonsense")).encode() + b"\n"),
    ("a missing id", b'{"type": "ContactReceived", "subject": "contact:1"}\n'),
]


def refused_or_failed(done: Outcome, home: Path) -> None:
    """Nothing stored; either one sentence and a code, or a balance that accounts for every record."""
    if done.code:
        done.sentence()
    else:
        document = json.loads(done.out)
        assert balanced(document)
        assert document["stored"] == 0
        if document["read"]:
            assert run(home, "quarantine", "list", "--json").json()
    status = run(home, "status", "--json")
    if status.code == 0:
        assert status.json()["log"]["by_source"].get("desk", 0) == 0


@pytest.mark.parametrize("name", ["calls.csv", "calls.CSV.gz", "calls.parquet"])
def test_a_table_without_a_mapping_is_refused_whole(home: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    plain = b"number,received\n1,2026-02-20 10:00\n"
    file.write_bytes(gzip.compress(plain) if name.endswith("gz") else plain)
    assert "mapping" in run(home, "ingest", str(file), "--source", "desk").sentence()
    assert run(home, "quarantine", "list", "--json").json() == []


@pytest.mark.parametrize(("name", "content"), BAD_FILES, ids=[name for name, _ in BAD_FILES])
def test_a_bad_file_is_refused_with_a_reason(home: Path, tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / ("bad.jsonl.gz" if "archive" in name else "bad.jsonl")
    file.write_bytes(content)
    refused_or_failed(run(home, "ingest", str(file), "--source", "desk", "--json"), home)


def test_one_bad_record_does_not_keep_out_the_good_ones(home: Path, tmp_path: Path) -> None:
    good, other = exchange()
    file = lines(tmp_path / "in.jsonl", [good, record("bad", "2026-02-30T10:00:00Z"), other])
    done = run(home, "ingest", file, "--source", "desk", "--json")
    document = done.json()
    assert (document["read"], document["stored"], document["quarantined"]) == (3, 2, 1)
    assert "quarantine" in done.err
    (entry,) = run(home, "quarantine", "list", "--json").json()
    assert (entry["line"], entry["source"], entry["reason"]) == (2, "desk", "bad_time")
    assert Path(entry["file"]).name == "in.jsonl"
    shown = run(home, "quarantine", "show", str(entry["id"]), "--json").json()
    assert "2026-02-30" in shown["record"]
    assert run(home, "ingest", file, "--source", "desk", "--strict").code == 1


def test_the_same_id_with_other_content_is_a_conflict(filled: Path, tmp_path: Path) -> None:
    changed = exchange()[0] | {"text": "Something else entirely."}
    file = lines(tmp_path / "other.jsonl", [changed])
    document = run(filled, "ingest", file, "--source", "desk", "--json").json()
    assert (document["read"], document["conflict"], document["stored"]) == (1, 1, 0)
    assert [entry["reason"] for entry in run(filled, "quarantine", "list", "--json").json()] == ["conflict"]


def failing(home: Path, *words: str) -> str:
    return run(home, *words).sentence()


def test_every_misuse_is_one_clear_line(filled: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("colour = 'red'\n[source]\nformat = 'canonical'\n", "utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text("[source\n", "utf-8")
    file = lines(tmp_path / "one.jsonl", exchange(2))
    absent = str(tmp_path / "absent.csv")
    assert "absent.csv" in failing(filled, "ingest", absent, "--source", "desk")
    assert "colour" in failing(filled, "ingest", file, "--source", "desk", "--mapping", str(wrong))
    assert "broken.toml" in failing(filled, "ingest", file, "--source", "desk", "--mapping", str(broken))
    assert "nonesuch" in failing(filled, "ingest", file, "--source", "desk", "--mapping", "nonesuch")
    assert "--source" in failing(filled, "ingest", file)
    assert "frt_human" in failing(filled, "kpi", "frt_humn")
    assert "colour" in failing(filled, "kpi", "contacts", "--by", "colour")
    assert "31" in failing(filled, "kpi", "contacts", "--from", "2026-02-31")
    assert "2026-10-01" in failing(filled, "kpi", "contacts", "--from", "2026-10-01", "--to", "2026-10-01")
    assert "yesterday" in failing(filled, "kpi", "contacts", "--as-of", "yesterday")
    assert "position" in failing(filled, "kpi", "contacts", "--position", "4000")
    assert "nobody@example.com" in failing(filled, "timeline", "nobody@example.com")
    assert "77" in failing(filled, "quarantine", "show", "77")
    assert "broken.toml" in failing(filled, "policy", "adopt", str(broken))
    assert "nonsense" in failing(filled, "rebuild", "nonsense")
    assert "0.0.0.0" in failing(filled, "serve", "--host", "0.0.0.0")


def test_without_a_log_the_reading_commands_say_what_to_do(home: Path) -> None:
    for words in (["status"], ["kpi", "contacts"], ["timeline", "x"], ["project"], ["quarantine", "list"]):
        assert "log" in failing(home, *words)
    assert not home.exists()


def test_a_log_opened_read_only_answers_and_refuses_to_grow(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNILINE_LOG_URL", f"sqlite:///file:{filled}/log.db?mode=ro&uri=true")
    assert run(filled, "kpi", "contacts", "--json").json()["rows"][0]["events"] == 1
    assert "read-only" in failing(
        filled, "ingest", lines(tmp_path / "b.jsonl", exchange(2)), "--source", "desk"
    )


def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")
    file = lines(tmp_path / "in.jsonl", exchange())
    assert "file" in failing(tmp_path / "file", "ingest", file, "--source", "desk")


def test_a_file_that_is_no_log_is_named(home: Path) -> None:
    home.mkdir()
    (home / "log.db").write_bytes(b"this is not a database" * 100)
    assert "log.db" in failing(home, "status")


def test_views_that_are_no_database_are_named(filled: Path) -> None:
    run(filled, "project")
    for file in filled.glob("views.db*"):
        file.unlink()
    (filled / "views.db").write_bytes(b"this is not a database" * 100)
    assert "views" in failing(filled, "kpi", "contacts")


def test_two_ingests_of_one_file_at_once_store_every_record_once(home: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "in.jsonl", (one for number in range(400) for one in exchange(number)))
    both = [start(home, "ingest", file, "--source", "desk", "--json") for _ in range(2)]
    documents = [finish(process).json() for process in both]
    assert sum(document["stored"] for document in documents) == 800
    assert all(balanced(document) and document["read"] == 800 for document in documents)
    with sqlite3.connect(home / "log.db") as log:
        assert log.execute("SELECT count(DISTINCT event_id) = count(*) FROM stored_events").fetchone() == (1,)


def test_postgresql_wants_to_be_initialised_and_answers_the_same(
    postgres_url: str, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["kpi", "frt_human", "--json"]
    expected = run(filled, *words).json()["rows"]
    other = tmp_path / "other"
    monkeypatch.setenv("OMNILINE_LOG_URL", postgres_url)
    monkeypatch.setenv("OMNILINE_VIEWS_URL", postgres_url)
    file = str(tmp_path / "in.jsonl")
    assert "log init" in failing(other, "ingest", file, "--source", "desk")
    assert run(other, "log", "init").code == 0
    assert run(other, "ingest", file, "--source", "desk").code == 0
    assert run(other, *words).json()["rows"] == expected
    assert run(other, "status", "--json").json()["ok"]
    assert run(other, "timeline", "anna@example.com", "--json").json()["entries"]
    assert sorted(path.name for path in other.iterdir() if path.suffix == ".db") == ["keys.db"]
