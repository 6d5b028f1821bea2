"""The KPIs find in the demo exactly what was planted: the generator's own plan is the oracle, not our code."""

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from domain.log import Pending, open_log
from ingestion.demo import Truth, history
from projections.engine import Engine
from projections.reader import Reader

WEEK = timedelta(days=7)
PAGE = 5_000


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reader, Truth]:
    folder = tmp_path_factory.mktemp("demo")
    log = open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)
    demo = history(surrogate=log.surrogate, customers=800, seed=11)
    run = log.begin_run(source="demo", adapter="demo", now=demo.until)
    events = [
        Pending(event=event, once=event.TOPIC == "identifier.asserted")
        for one in demo.records
        for event in one
    ]
    for start in range(0, len(events), PAGE):
        log.append_batch(events[start : start + PAGE], run=run, now=demo.until, changed="conflict")
    engine = Engine(log, f"sqlite:///{folder}/views.db")
    engine.catch_up(now=demo.until)
    return Reader(engine, demo.until), demo.truth


def planted(truth: Truth, *patterns: str) -> list[dict[str, Any]]:
    rows = [row for pattern in patterns for row in truth["patterns"][pattern]]
    assert rows, f"nothing planted of {patterns}"
    return rows


def at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def test_every_promise_of_the_plan_has_its_clock_with_its_verdict(played):
    reader, truth = played
    clocks = reader.prepared("clocks", "started_at").filter(pl.col("kind").str.starts_with("frt_"))
    found = {
        (kind, turn): (started, stopped, spent // 1_000_000)
        for kind, turn, started, stopped, spent in clocks.select(
            "kind", "started_by", "started_at", "stopped_at", "spent_us"
        ).rows()
    }
    for plan in truth["clocks"]:
        expected = (at(plan["started_at"]), at(plan["stopped_at"]), plan["elapsed_s"])
        assert found[plan["clock"], plan["turn"]] == expected


def test_attainment_counts_the_plans_verdicts(played):
    reader, truth = played
    shares = {row["channel"]: row for row in reader.kpi("sla_attainment", by=["channel"]).to_dicts()}
    for channel, verdicts in truth["totals"]["clocks"]["frt_human"].items():
        assert shares[channel]["bad"] == verdicts.get("breached", 0) + verdicts.get("running_breached", 0)
        not_yet_due = verdicts.get("met", 0) - shares[channel]["good"]
        assert 0 <= not_yet_due <= 10, "only promises met before they fall due after the end are missing"


def test_missed_calls_come_back_as_the_plan_says(played):
    reader, truth = played
    kinds = [name for name in truth["patterns"] if name.startswith("callback_") and name != "callback_joined"]
    expected = {
        row["missed"][0]: ("self_recovered" if row["state"] == "self_recovered" else row["kept_s"])
        for row in planted(truth, *kinds)
    }
    clocks = reader.facts("clocks").filter(pl.col("kind") == "callback_kept")
    assert {
        turn: outcome if outcome == "self_recovered" else None if spent is None else spent // 1_000_000
        for turn, outcome, spent in clocks.select("started_by", "outcome", "elapsed_us").rows()
    } == expected
    share = reader.kpi("callback_kept").row(0, named=True)
    totals = truth["totals"]["callbacks"]
    assert share["good"] == totals["met"]


def test_every_switch_and_who_chose_it(played):
    reader, truth = played
    found = reader.facts("switches").select("switch", "from_channel", "to_channel", "chosen_by").rows()
    expected = [
        (row["turn"], row["from"], row["to"], row["chosen_by"]) for row in planted(truth, "channel_switch")
    ]
    assert sorted(found) == sorted(expected)
    share = reader.kpi("channel_switch").row(0, named=True)
    assert (share["good"], share["of"]) == (
        truth["totals"]["cases"]["switched"],
        truth["totals"]["cases"]["with_two_turns"],
    )


@pytest.mark.parametrize(
    ("pattern", "level"),
    [("explained_again_stated", 1), ("explained_again_restated", 2), ("explained_once", None)],
)
def test_every_hand_over_and_whether_it_was_told_again(played, pattern, level):
    reader, truth = played
    found = reader.facts("handovers").filter(pl.col("level").eq_missing(level))["turn"]
    assert sorted(found) == sorted(row["turn"] for row in planted(truth, pattern))


def test_every_repeated_contact_and_what_it_repeats(played):
    reader, truth = played
    found = (
        reader.facts("contacts")
        .filter(pl.col("repeat_of").is_not_null())
        .select("contact", "repeat_of")
        .rows()
    )
    assert sorted(found) == sorted(
        (row["contact"], row["repeat_of"]) for row in planted(truth, "repeat_contact")
    )


def test_planted_gaps_in_context_are_found_and_complete_context_is_not_accused(played):
    reader, truth = played
    causes = dict(reader.facts("context").select("contact", "cause").rows())
    for cause in ("late_recording", "identity_not_linked"):
        assert {causes[row["contact"]] for row in planted(truth, cause)} == {cause}
    assert {causes[row["contact"]] for row in planted(truth, "context_complete")} == {None}


def test_reopenings_within_and_after_a_week(played):
    reader, truth = played
    cycles = reader.facts("cycles").filter(pl.col("reopened_at").is_not_null())
    soon = cycles.filter(pl.col("reopened_at") - pl.col("resolved_at") <= WEEK)["case"]
    late = cycles.filter(pl.col("reopened_at") - pl.col("resolved_at") > WEEK)["case"]
    within = planted(truth, "reopened_within_7_days", "reopened_by_us")
    assert sorted(soon) == sorted(row["case"] for row in within)
    assert sorted(late) == sorted(row["case"] for row in planted(truth, "reopened_after_7_days"))
    assert reader.kpi("reopened")["events"].item() == truth["totals"]["cycles"]["reopened"]


def test_follow_ups_kept_late_missed_and_pre_empted(played):
    reader, truth = played
    found = reader.facts("followups")
    kept = found.filter(pl.col("done_at") <= pl.col("due_at"))["follow_up"]
    assert sorted(kept) == sorted({row["follow_up"] for row in planted(truth, "follow_up_kept")})
    asked = found.filter(pl.col("asked_at").is_not_null())["follow_up"]
    assert sorted(asked) == sorted({row["follow_up"] for row in planted(truth, "follow_up_preempted")})


def test_who_waits_at_the_end(played):
    reader, truth = played
    found = {row["channel"]: (row["waiting"], row["late"]) for row in reader.waiting().to_dicts()}
    expected = {
        channel: (sum(states.values()), states.get("late", 0))
        for channel, states in truth["totals"]["waiting"].items()
    }
    assert found == expected


def test_plain_counts_come_to_the_plans_totals(played):
    reader, truth = played
    totals = truth["totals"]
    assert (
        dict(reader.kpi("contacts", by=["channel"]).select("channel", "events").rows()) == totals["contacts"]
    )
    assert dict(reader.kpi("orders_known", by=["kind"]).select("kind", "events").rows()) == totals["orders"]
    assert reader.kpi("persons")["persons"].item() == totals["persons"]
    assert reader.kpi("cases_known")["cases"].item() == totals["cases"]["all"]
    assert reader.kpi("backlog")["cases"].item() == totals["cases"]["open"]
