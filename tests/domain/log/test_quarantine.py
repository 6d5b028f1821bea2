"""What was refused stays, once per content, in the transaction of its batch."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from domain.log import Log, LogError, QuarantineEntry, Refused, open_log
from tests.domain.log.making import LATER, NOW, append, mail

REFUSED = Refused(
    source="crm1",
    file="mails.csv",
    line=7,
    reason="bad_time",
    detail="31 February",
    record='{"at": "2026-02-31"}',
)


def test_a_conflict_is_kept_with_its_place_and_as_a_record_that_can_be_read_again(log: Log) -> None:
    append(log, mail(1))
    append(log, mail(1, text="other"))
    (entry,) = log.quarantined()
    assert json.loads(entry.record) == {
        "type": "ContactReceived",
        "source": "crm1",
        "id": "1",
        "subject": "contact:0",
        "occurred_at": "2026-03-01T12:01:00Z",
        "channel": "email",
        "direction": "inbound",
        "text": "other",
    }
    assert replace(entry, record="") == QuarantineEntry(
        id=1,
        source="crm1",
        file="mails.csv",
        line=3,
        reason="conflict",
        detail="crm1|1|1 is stored already with other content",
        record="",
        event_id="crm1|1|1",
        first_at=NOW,
        count=1,
    )


def test_the_same_refusal_again_is_only_counted(log: Log) -> None:
    moved = replace(REFUSED, file="copy.csv", line=9)
    log.append_batch([], run=1, now=NOW, refused=[REFUSED])
    log.append_batch([], run=2, now=LATER, refused=[moved, moved])
    (entry,) = log.quarantined()
    assert (entry.count, entry.first_at, entry.file, entry.line) == (3, NOW, "mails.csv", 7)


@pytest.mark.parametrize(
    "other", [{"source": "shop"}, {"reason": "truncated"}, {"record": "else"}, {"event_id": "crm1|1|1"}]
)
def test_another_refusal_is_another_entry(log: Log, other: dict[str, str]) -> None:
    log.append_batch([], run=1, now=NOW, refused=[REFUSED, replace(REFUSED, **other)])  # type: ignore[arg-type]
    assert [entry.count for entry in log.quarantined()] == [1, 1]


def test_files_refused_as_a_whole_are_told_apart(log: Log) -> None:
    empty = replace(REFUSED, reason="empty", record="", line=None)
    log.append_batch([], run=1, now=NOW, refused=[empty, replace(empty, file="b.csv"), empty])
    assert [(one.file, one.line, one.count) for one in log.quarantined()] == [
        ("b.csv", None, 1),
        ("mails.csv", None, 2),
    ]


def test_entries_come_newest_first_by_source_and_by_number(log: Log) -> None:
    shop = replace(REFUSED, source="shop")
    log.append_batch([], run=1, now=NOW, refused=[REFUSED, shop, replace(REFUSED, record="b")])
    assert [one.id for one in log.quarantined()] == [3, 2, 1]
    assert [one.id for one in log.quarantined(limit=1)] == [3]
    assert [one.id for one in log.quarantined(source="crm1")] == [3, 1]
    assert log.quarantine_entry(2).source == "shop"
    assert log.quarantine_counts() == {"crm1": 2, "shop": 1}
    with pytest.raises(LogError, match="holds no entry 9"):
        log.quarantine_entry(9)


def test_bytes_that_are_no_text_are_kept_as_escapes(log: Log) -> None:
    log.append_batch([], run=1, now=NOW, refused=[replace(REFUSED, record="a\0b\udcff")])
    assert log.quarantined()[0].record == "a\\x00b\\udcff"


def test_a_batch_that_fails_leaves_no_refusal_behind(tmp_path: Path) -> None:
    with_room = open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)
    with with_room.recorder.session(commit=True) as session:
        session.run(
            "CREATE TRIGGER full BEFORE INSERT ON stored_events BEGIN SELECT RAISE(FAIL, 'no room'); END"
        )
    with pytest.raises(LogError):
        with_room.append_batch([mail(1)], run=1, now=NOW, refused=[REFUSED])
    assert (with_room.head(), with_room.quarantined()) == (0, [])
    with_room.close()


def test_a_refusal_that_cannot_be_kept_leaves_no_event_behind(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db", keys=tmp_path / "keys.db", create=True)
    with log.recorder.session(commit=True) as session:
        session.run(
            "CREATE TRIGGER full BEFORE INSERT ON quarantine BEGIN SELECT RAISE(FAIL, 'no room'); END"
        )
    with pytest.raises(LogError):
        log.append_batch([mail(1)], run=1, now=NOW, refused=[REFUSED])
    assert (log.head(), log.quarantined()) == (0, [])
    log.close()
