"""Nothing personal lies open: sealed per contact, bound to its row, gone with the key while all else stays provable."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from domain.events import CLASSES
from domain.events.envelope import CLEAR, Event, retentions
from domain.events.identity import IdentifierAsserted
from domain.log import EVERY, Log, LogError, Pending, Refused, open_log
from domain.log.proofs import prove
from domain.log.records import LogEvent
from tests.domain.log.golden import made
from tests.domain.log.making import (
    LATER,
    NOW,
    append,
    conflict,
    duplicate,
    event_at,
    mail,
    rows,
    stored,
)
from tests.domain.log.proving import signed

REFUSED = Refused(
    source="crm1",
    file="mails.csv",
    line=7,
    reason="bad_time",
    detail="hidden detail",
    record='{"text": "hidden"}',
)
GONE = "contact:crm1:0"
"""The stream of the first three mails."""


def marked(event: type[Event]) -> tuple[Event, list[str]]:
    """The sample of a class whose personal texts are found again wherever they lie open, and these texts."""
    personal = [name for name, kept in retentions(event).items() if kept != CLEAR]
    texts = {name: f"unsealed-{event.__name__}-{name}-żółć" for name in personal}
    return msgspec.structs.replace(made(event), id=event.TOPIC, **texts), list(texts.values())


def everything_at_rest(log: Log, folder: Path) -> bytes:
    """All bytes that databases and files hold: the files themselves, on a server every value of every table."""
    found = [file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()]
    if log.dialect == "postgresql":
        with psycopg.connect(log.url) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (table,) in tables:
                for row in connection.execute(f"SELECT * FROM {table}".encode()):  # noqa: S608
                    found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(found)


def test_no_personal_byte_of_any_event_lies_open_in_log_write_ahead_log_quarantine_or_keys(
    log: Log, tmp_path: Path
) -> None:
    events, texts = zip(*(marked(event) for event in CLASSES), strict=True)
    plain = [text for own in texts for text in own]
    assert len(plain) == 50
    append(log, *(Pending(event=event) for event in events))
    changed = [msgspec.structs.replace(event, text="unsealed-conflict") for event in events]
    log.append_batch([Pending(event=event) for event in changed], run=1, now=NOW, refused=[REFUSED])
    assert log.quarantine_counts() == {"crm1": 1, "golden": len(CLASSES)}

    if log.dialect == "sqlite":
        assert (tmp_path / "log.db-wal").stat().st_size > 0
    kept = everything_at_rest(log, tmp_path)
    assert b"contact.received" in kept
    assert [text for text in (*plain, "unsealed", "hidden") if text.encode() in kept] == []

    opened = "".join(log.arrow(opened=EVERY)["state"].to_pylist())
    assert [text for text in plain if text not in opened] == []
    assert len([one for one in log.quarantined() if "unsealed-conflict" in one.record]) == len(CLASSES)


def test_a_refusal_is_sealed_and_opened_when_listed(log: Log) -> None:
    log.append_batch([], run=1, now=NOW, refused=[REFUSED, replace(REFUSED, record="")])
    log.append_batch([], run=1, now=LATER, refused=[REFUSED])
    assert [(one.detail, one.record, one.count) for one in log.quarantined()] == [
        ("hidden detail", "", 1),
        ("hidden detail", '{"text": "hidden"}', 2),
    ]
    log.keys.destroy(["quarantine:crm1"], now=NOW)
    log.append_batch([], run=1, now=LATER, refused=[REFUSED])
    entries = [(one.source, one.line, one.reason, one.detail, one.record) for one in log.quarantined()]
    assert entries == [("crm1", 7, "bad_time", "", "")] * 3


def texts(log: Log) -> list[Any]:
    """The text of every mail that opens."""
    return [msgspec.json.decode(state).get("text") for state in log.arrow(opened=EVERY)["state"].to_pylist()]


def test_ciphertexts_swapped_between_two_rows_of_a_contact_do_not_open(log: Log) -> None:
    append(log, mail(0), mail(1), mail(3))
    with log.session(commit=True) as session:
        one, other, _ = session.run("SELECT sealed FROM stored_events ORDER BY event_id")
        for event_id, (sealed,) in (("crm1|0|1", other), ("crm1|1|1", one)):
            session.run("UPDATE stored_events SET sealed = ? WHERE event_id = ?", [sealed, event_id])
    shut = '{"channel":"email","direction":"inbound","unopened":true}'
    opened = '{"channel":"email","direction":"inbound","text":"mail 3"}'
    assert log.arrow(opened=EVERY)["state"].to_pylist() == [shut, shut, opened]
    assert log.erased([1, 2, 3]) == set()
    assert event_at(log, 3).text == "mail 3"


def test_with_the_keys_of_a_contact_its_personal_fields_are_gone_and_nothing_else(log: Log) -> None:
    asserted = IdentifierAsserted(
        source="crm1",
        id="i1",
        subject="contact:0",
        occurred_at=NOW,
        ns="email",
        value="a@b.pl",
        obtained="form",
    )
    append(log, mail(0), mail(3), Pending(event=asserted))
    before, closed = log.digests([1, 2, 3]), log.arrow()
    log.keys.destroy([GONE], now=NOW)
    assert texts(log) == [None, "mail 3", None]
    read = event_at(log, 3)
    assert isinstance(read, IdentifierAsserted)
    assert (read.value, read.ns) == ("", "email")
    assert (log.digests([1, 2, 3]), log.arrow()) == (before, closed)


def test_a_log_whose_contacts_are_destroyed_is_still_proven_whole_and_event_by_event(
    log: Log, tmp_path: Path
) -> None:
    home = signed(log, tmp_path, events=1_200)
    proof = prove(log, "crm1|1|1", keys=[home.public], copies=[home.copy])
    log.keys.destroy([f"contact:crm1:{number}" for number in range(300)], now=NOW)
    assert texts(log) == [None] * 900 + [f"mail {number}" for number in range(900, 1_200)]
    assert (home.verify().ok, home.verify().events) == (True, 1_200)
    assert prove(log, "crm1|1|1", keys=[home.public], copies=[home.copy]) == proof
    assert proof.holds


@pytest.mark.parametrize("changed", ["conflict", "revise"])
@pytest.mark.parametrize(
    "fields", [{}, {"text": "other"}, {"text": None}, {"channel": "chat"}, {"text": None, "channel": "chat"}]
)
def test_what_a_destroyed_contact_sent_before_is_a_duplicate_whatever_it_says_now(
    log: Log, changed: Any, fields: dict[str, Any]
) -> None:
    append(log, mail(0), mail(1), mail(3))
    log.keys.destroy([GONE], now=NOW)
    again = [mail(1, **fields), mail(3, **fields), mail(1)]
    other = {
        "conflict": conflict("crm1|3|1"),
        "revise": stored("crm1|3|2", 4),
    }[changed] if fields else duplicate("crm1|3|1", 3)  # fmt: skip
    assert append(log, *again, changed=changed) == [duplicate("crm1|1|1", 2), other, duplicate("crm1|1|1", 2)]
    assert log.quarantine_counts() == ({"crm1": 1} if fields and changed == "conflict" else {})


def test_a_new_event_of_a_destroyed_contact_is_stored_without_its_personal_fields(log: Log) -> None:
    append(log, mail(0))
    log.keys.destroy([GONE], now=NOW)
    assert append(log, mail(1), mail(2, text=None)) == [stored("crm1|1|1", 2), stored("crm1|2|1", 3)]
    assert append(log, mail(1), mail(2)) == [duplicate("crm1|1|1", 2), duplicate("crm1|2|1", 3)]
    assert [len(sealed) > 0 for (sealed,) in rows(log, ["sealed"])] == [True, False, False]
    assert texts(log) == [None, None, None]


def test_a_dry_run_makes_no_key_and_a_redelivery_neither(log: Log) -> None:
    assert [one.outcome for one in log.check_batch([mail(1), mail(1), mail(1, text="b")])] == [
        "stored",
        "duplicate",
        "conflict",
    ]
    assert log.keys.fetch({(GONE, 2)}) == {}
    append(log, mail(1, text=None))
    append(log, mail(1, text="b"))
    assert (log.keys.fetch({(GONE, 2)}), log.quarantine_counts()) == ({}, {"crm1": 1})
    append(log, mail(1, text="b"), changed="revise")
    assert texts(log) == [None, "b"]


def test_a_blind_token_stands_for_an_identifier_and_is_the_same_for_ever(
    log_url: str, keys: Path, tmp_path: Path
) -> None:
    with closing(open_log(log_url, keys=keys, create=True)) as log:
        token = log.blind("email:jan@example.com")
        assert token != log.blind("email:jan@example.org")
        with pytest.raises(LogError, match="namespace"):
            log.blind("jan@example.com")
    assert token.startswith("email:")
    assert len(token) == len("email:") + 32
    with closing(open_log(log_url, keys=keys)) as log:
        assert log.blind("email:jan@example.com") == token
    other = open_log(f"sqlite:///{tmp_path}/other/log.db", keys=tmp_path / "other" / "keys.db", create=True)
    with closing(other):
        assert other.blind("email:jan@example.com") != token


def test_the_librarys_way_in_seals_too(log: Log) -> None:
    from domain.log.mapper import LogMapper

    event: LogEvent = LogMapper(log.keys).to_stored_event(mail(1).event)
    log.recorder.insert_events([replace(event, originator_version=1)], now=NOW)
    assert texts(log) == ["mail 1"]
    assert append(log, mail(1)) == [duplicate("crm1|1|1", 1)]
