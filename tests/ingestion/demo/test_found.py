"""What the demo planted is what the views find, row for row: through a real log, the engine and the reader."""

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from domain.log import Pending, open_log
from ingestion.demo import Truth, history
from projections.engine import Engine
from projections.reader import Reader

HUMAN = ("frt_human", "frt_customer")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, Reader, Counter[str]]:
    """The truth of 300 customers, a reader over their history, and what the log did with its events."""
    home = tmp_path_factory.mktemp("demo")
    log = open_log(f"sqlite:///{home / 'log.db'}", keys=Path(home / "keys.db"), create=True)
    demo = history(surrogate=log.surrogate, customers=300)
    run = log.begin_run(source="demo", adapter="demo", now=demo.until)
    receipts = log.append_batch(
        [Pending(event=event) for record in demo.records for event in record], run=run, now=demo.until
    )
    engine = Engine(log, f"sqlite:///{home / 'views.db'}")
    engine.catch_up(now=demo.until)
    outcomes = Counter(receipt.outcome for receipt in receipts)
    return demo.truth, Reader(engine, demo.until), outcomes


@pytest.fixture
def truth(told: tuple[Truth, Reader, Counter[str]]) -> Truth:
    return told[0]


@pytest.fixture
def reader(told: tuple[Truth, Reader, Counter[str]]) -> Reader:
    return told[1]


def written(instant: datetime | None) -> str | None:
    return instant.isoformat().replace("+00:00", "Z") if instant else None


def counted(frame: pl.DataFrame, *keys: str) -> dict[Any, int]:
    return {
        row[0] if len(keys) == 1 else row[:-1]: row[-1] for row in frame.group_by(*keys).len().iter_rows()
    }


def test_the_log_tells_redeliveries_from_news(told: tuple[Truth, Reader, Counter[str]]) -> None:
    totals = told[0]["totals"]
    assert told[2] == {"stored": totals["events"], "duplicate": totals["duplicates"]["events"]}


def test_contacts_and_their_repeats_are_those_planned(truth: Truth, reader: Reader) -> None:
    came = reader.facts("contacts").filter(pl.col("direction") == "inbound")
    assert counted(came, "channel") == truth["totals"]["contacts"]
    assert counted(came.filter(~pl.col("identified")), "channel") == truth["totals"].get(
        "contacts_anonymous", {}
    )
    repeated = came.filter(pl.col("repeat_of").is_not_null()).select("contact", "repeat_of")
    assert set(repeated.iter_rows()) == {
        (row["contact"], row["repeat_of"]) for row in truth["patterns"]["repeat_contact"]
    }


def test_every_response_clock_starts_stops_and_ends_as_planned(truth: Truth, reader: Reader) -> None:
    clocks = reader.facts("clocks").filter(pl.col("kind").is_in(HUMAN), pl.col("target_us").is_not_null())
    found = {
        (row["kind"], row["started_by"], written(row["started_at"]), written(row["stopped_at"]))
        for row in clocks.iter_rows(named=True)
    }
    assert found == {
        (row["clock"], row["turn"], row["started_at"], row["stopped_at"]) for row in truth["clocks"]
    }
    assert {verdict(row, reader.instant) for row in clocks.iter_rows(named=True)} == {
        (row["clock"], row["turn"], row["verdict"]) for row in truth["clocks"]
    }


def verdict(row: dict[str, Any], now: datetime) -> tuple[str, str, str]:
    late = (row["stopped_at"] or now) > row["due_at"]
    words = ("met", "breached") if row["stopped_at"] else ("running", "running_breached")
    return row["kind"], row["started_by"], words[late]


def test_every_missed_call_ends_as_planned(truth: Truth, reader: Reader) -> None:
    kept = reader.facts("clocks").filter(pl.col("kind") == "callback_kept")
    found = {}
    for row in kept.iter_rows(named=True):
        state = row["outcome"] if row["outcome"] == "self_recovered" else verdict(row, reader.instant)[2]
        found[row["started_by"]] = (state, written(row["started_at"]), written(row["stopped_at"]))
    planned = [
        row
        for pattern, rows in truth["patterns"].items()
        for row in rows
        if pattern.startswith("callback_") and pattern != "callback_joined"
    ]
    assert found == {row["missed"][0]: (row["state"], row["started_at"], row["kept_at"]) for row in planned}


def test_switches_of_channel_are_those_planned(truth: Truth, reader: Reader) -> None:
    found = reader.facts("switches").select("switch", "from_channel", "to_channel", "chosen_by")
    assert set(found.iter_rows()) == {
        (row["turn"], row["from"], row["to"], row["chosen_by"]) for row in truth["patterns"]["channel_switch"]
    }
    share = reader.kpi("channel_switch").row(0, named=True)
    cases = truth["totals"]["cases"]
    assert (share["of"], share["good"]) == (cases["with_two_turns"], cases["switched"])


def test_cases_and_cycles_are_those_planned(truth: Truth, reader: Reader) -> None:
    cases, cycles = truth["totals"]["cases"], truth["totals"]["cycles"]
    assert counted(reader.facts("cases"), "state") == {"open": cases["open"], "resolved": cases["resolved"]}
    found = reader.facts("cycles")
    assert (found.height, found["resolved_at"].count()) == (cycles["all"], cycles["resolved"])
    planned = {
        (row["case"], row["resolved_at"], row["reopened_at"])
        for pattern in ("reopened_within_7_days", "reopened_after_7_days", "reopened_by_us")
        for row in truth["patterns"][pattern]
    }
    again = found.filter(pl.col("reopened_at").is_not_null())
    assert planned == {
        (row["case"], written(row["resolved_at"]), written(row["reopened_at"]))
        for row in again.iter_rows(named=True)
    }
    assert reader.kpi("backlog")["events"][0] == cases["open"]


def test_who_had_to_explain_again_is_found_and_nobody_else(truth: Truth, reader: Reader) -> None:
    found = reader.facts("handovers")
    levels = {1: "explained_again_stated", 2: "explained_again_restated", None: "explained_once"}
    planned = {
        (row["turn"], row["cause"], level)
        for level, pattern in levels.items()
        for row in truth["patterns"][pattern]
    }
    assert set(found.select("turn", "cause", "level").iter_rows()) == planned
    restated = found.filter(pl.col("level") == 2).select("turn", "restates", "known_then")
    assert set(restated.iter_rows()) == {
        (row["turn"], row["restates"], row["known_then"])
        for row in truth["patterns"]["explained_again_restated"]
    }


def test_missing_context_is_found_with_its_cause(truth: Truth, reader: Reader) -> None:
    found = {
        row["contact"]: (row["good"], row["cause"]) for row in reader.facts("context").iter_rows(named=True)
    }
    expected = {
        "late_recording": (False, "late_recording"),
        "identity_not_linked": (False, "identity_not_linked"),
        "context_complete": (True, None),
    }
    for pattern, seen in expected.items():
        assert {found[row["contact"]] for row in truth["patterns"][pattern]} == {seen}


def test_follow_ups_are_kept_late_or_asked_for_as_planned(truth: Truth, reader: Reader) -> None:
    found = {
        (row["follow_up"], written(row["due_at"]), written(row["done_at"]), written(row["asked_at"]))
        for row in reader.facts("followups").iter_rows(named=True)
    }
    assert found == {
        (row["follow_up"], row["due_at"], row["done_at"], row["asked_at"])
        for pattern, rows in truth["patterns"].items()
        for row in rows
        if pattern.startswith("follow_up_")
    }
    states = truth["totals"]["follow_ups"]
    share = reader.kpi("follow_up_kept").row(0, named=True)
    assert (share["of"], share["good"]) == (
        states["kept"] + states["late"] + states["missed"],
        states["kept"],
    )


def test_persons_and_orders_are_counted_as_planned(truth: Truth, reader: Reader) -> None:
    assert reader.kpi("persons")["persons"][0] == truth["totals"]["persons"]
    assert counted(reader.facts("orders"), "kind") == truth["totals"]["orders"]


def test_people_who_share_a_phone_are_one_person_for_exact_matching(truth: Truth, reader: Reader) -> None:
    person = dict(reader.facts("contacts").select("contact", "person").iter_rows())
    for row in truth["patterns"]["shared_phone"]:
        assert len({person[call] for call in row["calls"].values()}) == 1


def test_those_who_wait_are_those_planned(truth: Truth, reader: Reader) -> None:
    found = reader.waiting()
    totals = {channel: sum(states.values()) for channel, states in truth["totals"]["waiting"].items()}
    assert dict(found.select("channel", "waiting").iter_rows()) == totals
    oldest: dict[str, int] = {}
    for row in truth["patterns"]["waiting"]:
        oldest[row["channel"]] = max(oldest.get(row["channel"], 0), row["elapsed_s"])
    assert dict(found.select("channel", pl.col("oldest_s").cast(pl.Int64)).iter_rows()) == oldest


def test_go_lives_and_goals_are_those_decided(reader: Reader) -> None:
    lives = dict(reader.golives().select("unit", "live_on").iter_rows())
    assert lives == {
        "email": date(2025, 10, 20),
        "chat": date(2025, 12, 1),
        "messenger": date(2026, 3, 2),
        "phone": date(2026, 6, 1),
        "web_form": None,
    }
    assert reader.goals().filter(pl.col("goal") == "explained-again")["target"].to_list() == [0.12]
