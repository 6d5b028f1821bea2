"""Exactly once: every row of the table that tells new, known and contradicting events apart, on both stores."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError

from domain.log import Log, LogError, Pending, Refused, open_log
from domain.log.records import LogEvent, microseconds
from tests.domain.log.making import (
    LATER,
    NOW,
    append,
    columns,
    conflict,
    duplicate,
    mail,
    rows,
    stored,
)


def test_unknown_events_are_stored_in_order_from_position_one(log: Log) -> None:
    assert append(log, mail(1), mail(2)) == [stored("crm1|1|1", 1), stored("crm1|2|1", 2)]
    assert append(log, mail(3)) == [stored("crm1|3|1", 3)]
    assert columns(log, "position", "originator_id", "topic", "event_id") == [
        (1, "contact:crm1:0", "contact.received", "crm1|1|1"),
        (2, "contact:crm1:0", "contact.received", "crm1|2|1"),
        (3, "contact:crm1:1", "contact.received", "crm1|3|1"),
    ]


def test_the_same_content_again_is_a_duplicate_of_its_first_position(log: Log) -> None:
    append(log, mail(1), mail(2))
    assert append(log, mail(2), mail(3), mail(1)) == [
        duplicate("crm1|2|1", 2),
        stored("crm1|3|1", 3),
        duplicate("crm1|1|1", 1),
    ]
    assert log.head() == 3


def test_a_repetition_within_a_batch_is_a_duplicate_of_the_row_that_the_batch_stores(log: Log) -> None:
    assert append(log, mail(1), mail(1)) == [stored("crm1|1|1", 1), duplicate("crm1|1|1", 1)]


def test_a_new_number_of_a_numbering_source_is_stored(log: Log) -> None:
    append(log, mail(1, revision=1))
    assert append(log, mail(1, revision=7, text="edited")) == [stored("crm1|1|7", 2)]
    assert append(log, mail(1, revision=3, text="between")) == [stored("crm1|1|3", 3)]


@pytest.mark.parametrize("changed", ["conflict", "revise"])
def test_the_same_number_with_other_content_is_a_conflict(log: Log, changed: str) -> None:
    append(log, mail(1, revision=4))
    receipts = append(log, mail(1, revision=4, text="forged"), changed=changed)  # type: ignore[arg-type]
    assert receipts == [conflict("crm1|1|4")]
    assert log.head() == 1


def test_other_content_of_an_unnumbered_record_is_a_conflict_where_the_source_never_edits(log: Log) -> None:
    append(log, mail(1))
    assert append(log, mail(1, text="other"), mail(2)) == [conflict("crm1|1|1"), stored("crm1|2|1", 2)]


def test_other_content_of_an_unnumbered_record_is_the_next_revision_where_the_source_edits(log: Log) -> None:
    append(log, mail(1))
    assert append(log, mail(1, text="b"), changed="revise") == [stored("crm1|1|2", 2)]
    assert append(log, mail(1, text="c"), mail(1, text="d"), changed="revise") == [
        stored("crm1|1|3", 3),
        stored("crm1|1|4", 4),
    ]
    assert {stream for (stream,) in columns(log, "originator_id")} == {"contact:crm1:0"}


def test_an_older_revision_delivered_late_is_a_duplicate_of_that_revision(log: Log) -> None:
    append(log, mail(1))
    append(log, mail(1, text="b"), changed="revise")
    append(log, mail(1, text="c"), changed="revise")
    stale = [mail(1, text="b"), mail(1, text="c"), mail(1)]
    expected = [duplicate("crm1|1|1", 2), duplicate("crm1|1|1", 3), duplicate("crm1|1|1", 1)]
    assert append(log, *stale, changed="revise") == expected
    assert append(log, *stale, changed="conflict") == expected


def test_an_edit_repeated_within_a_batch_is_stored_once(log: Log) -> None:
    append(log, mail(1))
    assert append(log, mail(1, text="b"), mail(1, text="b"), changed="revise") == [
        stored("crm1|1|2", 2),
        duplicate("crm1|1|1", 2),
    ]


def test_a_record_new_and_edited_within_one_batch_gets_both_revisions(log: Log) -> None:
    assert append(log, mail(1), mail(1, text="b"), mail(1, text="c"), changed="revise") == [
        stored("crm1|1|1", 1),
        stored("crm1|1|2", 2),
        stored("crm1|1|3", 3),
    ]


def test_a_new_revision_passes_over_numbers_that_are_taken(log: Log) -> None:
    append(log, mail(1), mail(1, revision=5, text="five"))
    assert append(
        log,
        mail(1, revision=6, text="six"),
        mail(1, text="next"),
        mail(1, revision=7, text="x"),
        changed="revise",
    ) == [stored("crm1|1|6", 3), stored("crm1|1|7", 4), conflict("crm1|1|7")]


def test_what_is_kept_once_stays_as_it_came_first(log: Log) -> None:
    assert append(log, mail(1, once=True), mail(1, once=True, text="b")) == [
        stored("crm1|1|1", 1),
        duplicate("crm1|1|1", 1),
    ]
    assert append(log, mail(1, once=True, text="c", revision=9), changed="revise") == [
        duplicate("crm1|1|1", 1)
    ]


def test_records_whose_ids_begin_alike_are_told_apart(log: Log) -> None:
    append(log, mail(1, id="7"), mail(2, id="7|1"), mail(3, id="70"))
    assert append(log, mail(4, id="7", subject="contact:0"), changed="revise") == [stored("crm1|7|2", 4)]
    assert append(log, mail(5, id="7|1", subject="contact:0"), changed="revise") == [stored("crm1|7|1|2", 5)]


def test_when_it_became_known_does_not_make_an_event_another(log: Log) -> None:
    append(log, mail(1, known_at=NOW))
    assert append(log, mail(1, known_at=LATER), mail(1)) == [
        duplicate("crm1|1|1", 1),
        duplicate("crm1|1|1", 1),
    ]


@pytest.mark.parametrize(
    "other",
    [{"subject": "contact:9"}, {"occurred_at": NOW}, {"channel": "chat"}, {"precision": "day"}, {"seq": 1}],
)
def test_every_other_field_does(log: Log, other: dict[str, object]) -> None:
    append(log, mail(1))
    assert append(log, mail(1, **other)) == [conflict("crm1|1|1")]


def test_versions_count_the_events_of_a_stream_without_gaps(log: Log) -> None:
    append(log, mail(0), mail(3), mail(1))
    append(log, mail(1), mail(4), mail(2))
    assert rows(log, ["originator_id", "originator_version"]) == [
        ("contact:crm1:0", 1),
        ("contact:crm1:1", 1),
        ("contact:crm1:0", 2),
        ("contact:crm1:1", 2),
        ("contact:crm1:0", 3),
    ]


def test_the_recording_time_never_goes_back_and_stands_in_for_an_untold_known_at(log: Log) -> None:
    append(log, mail(1), now=LATER)
    append(log, mail(2), mail(3, known_at=NOW - timedelta(days=1)), now=NOW)
    late, earlier = microseconds(LATER), microseconds(NOW - timedelta(days=1))
    assert columns(log, "known_at", "recorded_at") == [(late, late), (late, late), (earlier, late)]


def test_a_dry_run_gives_the_same_verdicts_and_writes_nothing(log: Log) -> None:
    append(log, mail(1), mail(2))
    batch = [mail(1), mail(2, text="b"), mail(3), mail(3)]
    told = [(one.outcome, one.event_id) for one in log.check_batch(batch, changed="revise")]
    assert log.head() == 2
    assert told == [(one.outcome, one.event_id) for one in append(log, *batch, changed="revise")]
    assert [one.position for one in log.check_batch([mail(9)])] == [None]


def test_an_empty_batch_stores_nothing_but_its_refusals(log: Log) -> None:
    refused = Refused(source="crm1", file="a.csv", line=3, reason="bad_time", detail="no time", record="x")
    assert log.append_batch([], run=1, now=NOW, refused=[refused]) == []
    assert (log.head(), log.quarantine_counts()) == (0, {"crm1": 1})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"source": "crm:1"}, "its source 'crm:1' is empty or holds ':' or '|'"),
        ({"source": ""}, "its source '' is empty or holds ':' or '|'"),
        ({"id": ""}, "its id '' is empty or its subject 'contact:0' is not type:id"),
        ({"subject": "88120"}, "its id '1' is empty or its subject '88120' is not type:id"),
        ({"id": "a\0b"}, "its id or subject holds control characters"),
        ({"id": "a\ud800b"}, "its id or subject holds control characters"),
        ({"occurred_at": NOW.replace(tzinfo=None)}, "its instants bear no zone"),
        ({"known_at": NOW.replace(tzinfo=None)}, "its instants bear no zone"),
        ({"text": "a\ud800b"}, "it cannot be written as JSON"),
    ],
)
def test_an_event_that_no_row_can_hold_is_named_and_its_batch_stays_out(
    log: Log, fields: dict[str, object], sentence: str
) -> None:
    with pytest.raises(LogError) as failure:
        append(log, mail(2), mail(1, **fields))
    assert sentence in str(failure.value)
    assert log.head() == 0


def test_ids_in_any_script_are_kept(log: Log) -> None:
    pending: Pending = mail(1, id="zgłoszenie-żółć-Ω", subject="contact:Łódź 12")
    assert append(log, pending, pending)[1] == duplicate("crm1|zgłoszenie-żółć-Ω|1", 1)
    assert columns(log, "originator_id", "event_id") == [("contact:crm1:Łódź 12", "crm1|zgłoszenie-żółć-Ω|1")]


def test_events_are_counted_per_source(log: Log) -> None:
    append(log, mail(1), mail(2), mail(1, source="shop"))
    assert log.counts() == {"crm1": 2, "shop": 1}


def test_runs_are_numbered(log: Log) -> None:
    assert [log.begin_run(source="crm1", adapter="csv 1", now=NOW) for _ in range(2)] == [1, 2]


def test_a_full_disk_keeps_what_is_stored_and_takes_more_once_there_is_room(
    tmp_path: Path, keys: Path
) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db", keys=keys, create=True)
    append(log, mail(1))
    with log.recorder.session() as session:
        session.run("PRAGMA max_page_count = 40")
    big = [mail(number, text="x" * 10_000) for number in range(2, 40)]
    with pytest.raises(LogError, match=r"disk of the log .* is full"):
        append(log, *big)
    assert (log.head(), log.arrow().num_rows) == (1, 1)
    assert [one.outcome for one in append(log, *big)] == ["stored"] * 38
    log.close()


def test_the_same_decision_again_returns_its_positions_and_another_one_fails(log: Log) -> None:
    append(log, mail(1))
    decision = LogEvent("goal:frt", 1, "goal.set", b"{}", "goal:frt|1", 5, None, b"a" * 16)
    second = replace(decision, originator_version=2, event_id="goal:frt|2")
    assert log.recorder.insert_events([decision, second], now=NOW) == [2, 3]
    assert log.recorder.insert_events([decision, second], now=LATER) == [2, 3]
    with pytest.raises(IntegrityError):
        log.recorder.insert_events([replace(second, payload_hash=b"b" * 16)], now=NOW)
    assert log.recorder.insert_events([], now=NOW) is None
    assert log.head() == 3
