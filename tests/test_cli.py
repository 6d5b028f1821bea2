"""The command-line contract: shapes behind --json, exit codes, and one clear line for everything that fails."""

import json
from pathlib import Path

import pytest

from tests.command import FRIDAY, balanced, exchange, lines, run


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
