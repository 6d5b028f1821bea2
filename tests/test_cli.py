"""The command-line contract: shapes behind --json, exit codes, and one clear line for everything that fails."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.command import Outcome, finish, lines, record, run, start

FRIDAY, MONDAY = "2026-10-23T14:30:00Z", "2026-10-26T11:40:00Z"
ANNA = [{"ns": "email", "value": "anna@example.com", "obtained": "header"}]


def exchange(number: int = 1) -> list[dict[str, Any]]:
    """A question and its answer, one case."""
    subject = {"subject": f"contact:{number}", "case": f"C-{number}"}
    return [
        record(f"{number}/in", FRIDAY, **subject, text="Where is my parcel?", identifiers=ANNA),
        record(
            f"{number}/out", MONDAY, **subject, type="ContactAnswered", direction="outbound",
            actor={"kind": "human_agent", "id": "ada"},
        ),
    ]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    """A home that holds one exchange of one customer."""
    done = run(home, "ingest", lines(tmp_path / "in.jsonl", exchange()), "--source", "desk")
    assert done.code == 0, done.err
    return home


def balanced(document: dict[str, Any]) -> bool:
    parts = ("stored", "duplicate", "conflict", "ignored", "quarantined")
    return bool(document["read"] == sum(document[part] for part in parts))


def test_ingest_tells_the_balance_of_its_records(home: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "in.jsonl", exchange())
    document = run(home, "ingest", file, "--source", "desk", "--json").json()
    assert {"source", "files", "read", "stored", "duplicate", "conflict", "ignored", "quarantined"} <= set(
        document
    )
    assert {"rows", "events"} <= set(document)
    assert (document["read"], document["stored"]) == (2, 2)
    assert balanced(document)
    assert document["events"] == {"ContactReceived": 1, "ContactAnswered": 1, "IdentifierAsserted": 1}


def test_ingesting_a_file_twice_stores_nothing_new(filled: Path, tmp_path: Path) -> None:
    before = run(filled, "status", "--json").json()["log"]
    again = run(filled, "ingest", str(tmp_path / "in.jsonl"), "--source", "desk", "--json").json()
    assert (again["read"], again["stored"], again["duplicate"]) == (2, 0, 2)
    assert run(filled, "status", "--json").json()["log"] == before


def test_a_dry_run_tells_the_same_balance_and_leaves_no_trace(home: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "in.jsonl", exchange())
    dry = run(home, "ingest", file, "--source", "desk", "--dry-run", "--json").json()
    assert not (home / "log.db").exists()
    wet = run(home, "ingest", file, "--source", "desk", "--json").json()
    assert {key: dry[key] for key in ("read", "stored", "quarantined")} == {
        key: wet[key] for key in ("read", "stored", "quarantined")
    }


def test_status_has_the_agreed_shape(filled: Path) -> None:
    run(filled, "project")
    document = run(filled, "status", "--json").json()
    assert {"log", "views", "quarantine", "ok"} <= set(document)
    assert document["log"]["by_source"]["desk"] == 3
    assert document["log"]["position"] >= document["log"]["events"] - 1
    assert document["views"]
    for view in document["views"].values():
        assert {"position", "lag", "state"} <= set(view)
        assert view["lag"] == 0
    assert document["ok"] is True


def test_the_list_of_kpis_has_the_agreed_shape(home: Path) -> None:
    document = run(home, "kpi", "--json").json()
    wanted = {
        "frt_human", "frt_customer", "sla_attainment", "at_risk", "callback_kept", "resolution", "channel_switch",
        "repeat_contact", "repeat_explanation", "context_available", "follow_up_kept", "reopen", "backlog",
        "contacts", "cases_known", "reopened", "orders_known", "persons",
    }  # fmt: skip
    assert wanted <= {row["key"] for row in document}
    for row in document:
        assert {"key", "title", "question", "kind", "target", "source", "version"} <= set(row)
        assert row["kind"] in {"share", "duration", "count", "stock", "score"}


def test_every_kpi_answers_with_the_columns_of_its_kind(filled: Path) -> None:
    columns = {
        "share": {"of", "good", "bad", "value", "low", "high", "provisional"},
        "duration": {
            "n", "waiting", "median_s", "p90_s", "median_calendar_s", "p90_calendar_s", "share_in_target",
        },
        "count": {"events", "cases", "persons"},
        "stock": {"events", "cases", "persons"},
    }  # fmt: skip
    for row in run(filled, "kpi", "--json").json():
        document = run(filled, "kpi", row["key"], "--json").json()
        assert {"key", "version", "kind", "as_of", "from", "to", "rows"} <= set(document), row["key"]
        assert {"position", "time"} <= set(document["as_of"])
        assert len(document["rows"]) == 1, row["key"]
        assert columns[document["kind"]] <= set(document["rows"][0]), row["key"]


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (("backlog", "--from", "2026-02-01"), "--as-of"),
        (("at_risk", "--to", "2026-02-01"), "--as-of"),
        (("persons", "--channel", "email"), "no channel"),
        (("contacts", "--channel", "emial"), "did you mean 'email'?"),
    ],
)
def test_what_a_kpi_cannot_be_narrowed_by_is_said(filled: Path, asked: tuple[str, ...], word: str) -> None:
    assert word in run(filled, "kpi", *asked).sentence()


def test_status_says_how_the_views_stand_and_what_to_do(filled: Path) -> None:
    run(filled, "project")
    assert "Views: all is well" in run(filled, "status").out
    (filled / "views.db").unlink()
    assert "Views: not built yet, run `omniline project`" in run(filled, "status").out


def test_a_share_of_nothing_is_null(filled: Path) -> None:
    row = run(filled, "kpi", "channel_switch", "--json").json()["rows"][0]
    assert (row["of"], row["value"]) == (0, None)


def test_a_first_response_is_measured_in_business_seconds(filled: Path) -> None:
    row = run(filled, "kpi", "frt_human", "--json", "--by", "channel").json()["rows"][0]
    assert row["channel"] == "email"
    assert (row["n"], row["median_s"], row["median_calendar_s"]) == (1, 15_000, 249_000)


def test_days_are_local_and_the_last_one_is_left_out(filled: Path) -> None:
    def contacts(*words: str) -> int:
        return int(run(filled, "kpi", "contacts", "--json", *words).json()["rows"][0]["events"])

    assert contacts("--from", "2026-10-23", "--to", "2026-10-24") == 1
    assert contacts("--from", "2026-10-22", "--to", "2026-10-23") == 0
    assert contacts("--from", "2026-10-24") == 0


def test_a_position_admits_the_log_up_to_it_and_nothing_else(filled: Path) -> None:
    document = run(filled, "kpi", "contacts", "--position", "0", "--json").json()
    assert document["as_of"]["position"] == 0
    assert document["rows"][0]["events"] == 0


def test_what_was_not_yet_known_is_left_out_of_an_as_of(filled: Path) -> None:
    document = run(filled, "kpi", "contacts", "--as-of", "2026-10-30T00:00:00Z", "--json").json()
    assert document["as_of"]["time"] == "2026-10-30T00:00:00Z"
    assert document["rows"][0]["events"] == 0, "the source is not trusted for its recording times"


def test_another_policy_can_be_tried_without_adopting_it(filled: Path, tmp_path: Path) -> None:
    shown = run(filled, "policy", "show").out
    stricter = tmp_path / "strict.toml"
    stricter.write_text(shown.replace('"6h"', '"1h"'), "utf-8")
    same = tmp_path / "same.toml"
    same.write_text(shown, "utf-8")
    run(filled, "policy", "adopt", str(same), "--since", "2026-01-01")
    plain = run(filled, "kpi", "frt_human", "--json").json()["rows"][0]
    tried = run(filled, "kpi", "frt_human", "--policy", str(stricter), "--json").json()["rows"][0]
    assert (plain["share_in_target"], tried["share_in_target"]) == (1.0, 0.0)
    assert run(filled, "kpi", "frt_human", "--json").json()["rows"][0] == plain


def test_an_adopted_policy_is_in_force_and_in_the_log(filled: Path, tmp_path: Path) -> None:
    stricter = tmp_path / "strict.toml"
    stricter.write_text(run(filled, "policy", "show").out.replace('"6h"', '"1h"'), "utf-8")
    adopted = run(filled, "policy", "adopt", str(stricter), "--since", "2026-01-01")
    assert adopted.code == 0, adopted.err
    assert run(filled, "policy", "show").out == stricter.read_text("utf-8")
    assert run(filled, "kpi", "frt_human", "--json").json()["rows"][0]["share_in_target"] == 0.0


def test_a_timeline_has_the_agreed_shape(filled: Path) -> None:
    document = run(filled, "timeline", "Anna@Example.com", "--json").json()
    assert {"person", "identifiers", "entries"} <= set(document)
    assert [(one["ns"], one["value"]) for one in document["identifiers"]] == [("email", "anna@example.com")]
    told = [entry for entry in document["entries"] if entry["kind"].startswith("contact.")]
    assert [entry["event_id"] for entry in told] == ["desk|1/in|1", "desk|1/out|1"]
    wanted = {
        "position", "event_id", "occurred_at", "recorded_at", "source", "channel", "direction", "actor", "kind",
        "case", "summary", "digest",
    }  # fmt: skip
    for entry in document["entries"]:
        assert wanted <= set(entry)
        assert len(entry["digest"]) == 64
    assert told[0]["occurred_at"] == FRIDAY


def test_no_project_answers_at_once_and_tells_the_lag(filled: Path) -> None:
    answer = run(filled, "kpi", "contacts", "--no-project", "--json")
    assert answer.json()["rows"][0]["events"] == 0
    assert "behind" in answer.err


def test_deleted_views_come_back_the_same(filled: Path) -> None:
    before = run(filled, "timeline", "anna@example.com", "--json").json()["entries"]
    for file in filled.glob("views.db*"):
        file.unlink()
    assert run(filled, "timeline", "anna@example.com", "--json").json()["entries"] == before


def test_a_rebuild_finds_no_difference(filled: Path) -> None:
    run(filled, "project")
    done = run(filled, "rebuild")
    assert done.code == 0, done.err
    assert run(filled, "status", "--json").json()["ok"]


def test_the_home_may_stand_after_the_command(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import omniline

    with pytest.raises(SystemExit) as left:
        omniline.main(["status", "--json", "--home", str(filled)])
    assert not left.value.code
    assert json.loads(capsys.readouterr().out)["log"]["by_source"]["desk"] == 3


def test_the_human_forms_are_tables_and_never_json(filled: Path) -> None:
    for words in (["kpi"], ["kpi", "frt_human"], ["timeline", "anna@example.com"], ["status"], ["project"]):
        done = run(filled, *words)
        assert done.code == 0, done.err
        assert done.out
        assert not done.out.startswith(("{", "["))


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
