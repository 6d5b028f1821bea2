"""Files into the log: the balance, twice, at once, changed, dry; and what a mapping declares about its source."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from domain.log import Log, LogReadOnly, open_log
from ingestion.intake import ingest
from ingestion.mapping import parse_mapping
from ingestion.source import IngestError
from tests.ingestion.taking import (
    CALLS,
    GOOD,
    NOW,
    OTHER,
    canonical,
    counted,
    ids,
    jsonl,
    refusals,
    stored,
    table,
    taken,
    written,
)

CHANGED = GOOD.replace("Hello", "Good evening")


def declared(log: Log) -> list[tuple[str, dict[str, int], bool]]:
    """Event id, trust and whether recording times are believed, of every declaration."""
    states = log.arrow(topics=["source.declared"]).select(["event_id", "state"]).to_pylist()
    read = [(row["event_id"], json.loads(row["state"])) for row in states]
    return [(name[:16], state.get("trust", {}), state.get("known_at_trusted", False)) for name, state in read]


def test_a_file_twice_stores_nothing_new(log: Log, tmp_path: Path) -> None:
    text = table(GOOD, "9,never,Phone,,x,1", OTHER)
    assert counted(taken(log, tmp_path, text)) == {"read": 3, "stored": 2, "quarantined": 1}
    before = ids(log)
    assert counted(taken(log, tmp_path, text)) == {"read": 3, "duplicate": 2, "quarantined": 1}
    assert ids(log) == before
    (entry,) = log.quarantined()
    assert (entry.count, entry.line) == (2, 3)
    assert json.loads(entry.record) == {
        "number": "9",
        "at": "never",
        "how": "Phone",
        "said": "x",
        "seconds": "1",
    }


def test_the_same_id_with_other_content_is_a_conflict(log: Log, tmp_path: Path) -> None:
    taken(log, tmp_path, table(GOOD))
    balance = taken(log, tmp_path, table(CHANGED, OTHER))
    assert counted(balance) == {"read": 2, "stored": 1, "conflict": 1}
    ((line, reason, _),) = refusals(log)
    assert (line, reason) == (2, "conflict")
    (entry,) = log.quarantined()
    assert (entry.event_id, Path(entry.file).name) == ("desk|1|1", "in.csv")
    assert "Good evening" in entry.record


def test_a_source_that_edits_its_records_makes_revisions(log: Log, tmp_path: Path) -> None:
    revising = CALLS.replace('format = "csv"', 'format = "csv"\nchanged = "revise"')
    for text in (table(GOOD), table(CHANGED), table(GOOD), table(CHANGED)):
        taken(log, tmp_path, text, mapping=revising)
    texts = [
        (event["event_id"], event["text"]) for event in stored(log) if event["topic"] == "contact.received"
    ]
    assert texts == [("desk|1|1", "Hello"), ("desk|1|2", "Good evening")]


def test_a_record_counts_as_the_worst_of_its_events(log: Log, tmp_path: Path) -> None:
    taken(log, tmp_path, table(GOOD))
    another = CHANGED.replace("601 234 567", "602 345 678")
    balance = taken(log, tmp_path, table(another))
    assert counted(balance) == {"read": 1, "conflict": 1}
    assert balance.events == {"IdentifierAsserted": 1}


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(log: Log, tmp_path: Path) -> None:
    taken(log, tmp_path, table(GOOD))
    head = log.head()
    rows = (CHANGED, OTHER, OTHER, OTHER.replace("8", "9"), "3,never,Phone,,x,1", GOOD)
    dry = taken(log, tmp_path, table(*rows), dry_run=True)
    assert counted(dry) == {"read": 6, "stored": 1, "duplicate": 2, "conflict": 2, "quarantined": 1}
    assert (log.head(), log.quarantined()) == (head, [])
    wet = taken(log, tmp_path, table(*rows))
    assert wet.as_dict() == dry.as_dict()


def test_a_dry_run_remembers_what_an_earlier_batch_would_have_stored(
    store: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.translate.RECORDS", 1)
    rows = (GOOD, OTHER, GOOD, CHANGED)
    dry = taken(store, tmp_path, table(*rows), dry_run=True)
    assert counted(dry) == {"read": 4, "stored": 2, "duplicate": 1, "conflict": 1}
    assert taken(store, tmp_path, table(*rows)).as_dict() == dry.as_dict()


@pytest.fixture
def second(log: Log, tmp_path: Path) -> Iterator[Log]:
    """The same log, opened once more."""
    opened = open_log(log.url, keys=tmp_path / "keys.db")
    yield opened
    opened.close()


def test_two_ingests_of_one_file_at_once_store_every_record_once(
    log: Log, second: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.translate.RECORDS", 50)
    rows = [f"{n},2026-03-01 09:00:00,Phone,60123{n:04d},x,1" for n in range(1_000)]
    path = written(tmp_path, table(*rows, "bad,never,Phone,,x,1"), "in.csv")
    mapping = parse_mapping(CALLS, where="desk.toml")

    def one(opened: Log) -> dict[str, int]:
        return counted(ingest(opened, [path], source="desk", mapping=mapping, now=NOW))

    with ThreadPoolExecutor(2) as pool:
        balances = list(pool.map(one, [log, second]))
    assert sum(balance.get("stored", 0) for balance in balances) == 1_000
    assert all(balance["read"] == 1_001 and balance["quarantined"] == 1 for balance in balances)
    assert len(set(ids(log))) == len(ids(log)) == 2_000
    assert len(declared(log)) == 1
    assert [entry.count for entry in log.quarantined()] == [2]


def test_a_read_only_log_is_told_and_stays_as_it_is(store: Log, tmp_path: Path) -> None:
    taken(store, tmp_path, table(GOOD))
    closed = open_log(f"sqlite:///file:{tmp_path}/log.db?mode=ro&uri=true", keys=tmp_path / "keys.db")
    with pytest.raises(LogReadOnly, match="read-only"):
        taken(closed, tmp_path, table(OTHER))
    closed.close()
    assert len(ids(store)) == 2


def test_a_source_that_is_no_name_is_refused(store: Log, tmp_path: Path) -> None:
    for name in ("My Shop", "a:b", "a|b", ""):
        with pytest.raises(IngestError, match="is no name"):
            taken(store, tmp_path, table(GOOD), source=name)


def test_progress_is_told_in_records_read(
    store: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.translate.RECORDS", 2)
    path = written(tmp_path, table(*(GOOD.replace("1", str(number), 1) for number in range(5))), "in.csv")
    told: list[int] = []
    mapping = parse_mapping(CALLS, where="desk.toml")
    ingest(store, [path], source="desk", mapping=mapping, now=lambda: NOW, progress=told.append)
    assert sorted(set(told) - {0}) == [2, 4, 5]


def test_a_mapping_declares_its_trust_when_it_is_new(log: Log, tmp_path: Path) -> None:
    other = CALLS.replace('"phone.observed" = 1', '"phone.observed" = 0')
    for number, mapping in enumerate((CALLS, CALLS, other, CALLS, CALLS)):
        now = NOW + timedelta(days=number)
        taken(log, tmp_path, table(GOOD), mapping=mapping, now=now)
    assert [(trust, known) for _, trust, known in declared(log)] == [
        ({"phone.observed": 1}, True),
        ({"phone.observed": 0}, True),
        ({"phone.observed": 1}, True),
    ]
    assert len({name for name, _, _ in declared(log)}) == 2


def test_nothing_is_declared_by_a_dry_run_or_a_mapping_without_trust(store: Log, tmp_path: Path) -> None:
    taken(store, tmp_path, table(GOOD), dry_run=True)
    taken(store, tmp_path, table(GOOD), mapping=CALLS.split("[trust]", maxsplit=1)[0])
    assert declared(store) == []


def test_trust_alone_accompanies_canonical_records(store: Log, tmp_path: Path) -> None:
    mapping = '[source]\nformat = "canonical"\n[trust]\nknown_at = true\n"email.login" = 2\n'
    record = canonical("1", identifiers=[{"ns": "email", "value": "a@example.com", "obtained": "login"}])
    balance = taken(store, tmp_path, jsonl(record), mapping=mapping, name="in.jsonl")
    assert counted(balance) == {"read": 1, "stored": 1}
    assert balance.untrusted == []
    assert [(trust, known) for _, trust, known in declared(store)] == [({"email.login": 2}, True)]


def test_a_constant_that_could_have_been_meant_as_a_column_is_noted(store: Log, tmp_path: Path) -> None:
    mapping = CALLS.replace('text = {from="said"}', 'topic = "subject_line"')
    balance = taken(store, tmp_path, table(GOOD), mapping=mapping)
    assert balance.notes == ['desk.toml: event[1]: topic is the constant "subject_line".']


def test_a_constant_that_no_field_takes_is_refused(store: Log, tmp_path: Path) -> None:
    for before, after, word in (
        ('direction = "inbound"', 'direction = "up"', "direction"),
        ('channel = {from="how", values="channel"}', 'channel = "pigeon"', "channel"),
        ('length = "seconds"', 'length = "secnods"', "length"),
    ):
        with pytest.raises(
            IngestError, match=rf'desk.toml: event\[1\].{word} is ".*", which is neither a column'
        ):
            taken(store, tmp_path, table(GOOD), mapping=CALLS.replace(before, after))


def test_a_value_may_hold_only_under_a_condition(store: Log, tmp_path: Path) -> None:
    mapping = CALLS.replace('{from="said"}', '{from="said", only={how="Mail"}}')
    taken(store, tmp_path, table(GOOD, OTHER), mapping=mapping)
    assert [event.get("text") for event in stored(store) if "channel" in event] == [None, "Good day"]


def test_a_record_that_no_rule_applies_to_is_counted_as_ignored(store: Log, tmp_path: Path) -> None:
    mapping = CALLS.replace('direction = "inbound"', 'direction = "inbound"\nwhen = {how="Phone"}')
    balance = taken(store, tmp_path, table(GOOD, OTHER), mapping=mapping)
    assert counted(balance) == {"read": 2, "stored": 1, "ignored": 1}
    assert balance.reasons == {"no_event": 1}
