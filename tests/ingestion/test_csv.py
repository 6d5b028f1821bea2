"""Bad CSV: one sentence, or one refused record with its physical line; what is good is stored."""

import gzip
import random
from pathlib import Path

import pytest

from domain.log import Log
from ingestion import files
from ingestion.source import IngestError
from tests.ingestion.taking import GOOD, HEADER, OTHER, counted, ids, refusals, stored, table, taken


def test_a_row_becomes_its_event_and_the_assertion_of_its_identifier(store: Log, tmp_path: Path) -> None:
    balance = taken(store, tmp_path, table(GOOD, OTHER))
    assert counted(balance) == {"read": 2, "stored": 2}
    assert balance.events == {"ContactReceived": 2, "IdentifierAsserted": 1}
    received, asserted, other = stored(store)
    assert received == {
        "event_id": "desk|1|1",
        "originator_id": "contact:desk:1",
        "topic": "contact.received",
        "occurred_at": "2026-03-01T08:00:00+00:00",
        "known_at": received["known_at"],
        "actor_kind": "customer",
        "channel": "phone",
        "direction": "inbound",
        "text": "Hello",
        "length": 20,
    }
    assert (asserted["topic"], asserted["ns"], asserted["obtained"]) == (
        "identifier.asserted",
        "phone",
        "observed",
    )
    assert asserted["event_id"].startswith("desk|contact:1/phone/")
    assert "601" not in asserted["event_id"]
    assert (other["event_id"], other["channel"], other["text"]) == ("desk|2|1", "email", "Good day")


BAD_ROWS = [
    ("a row cut in the middle", "9,2026-03-01 09:0", "truncated", "2 of 6 cells"),
    ("a cell too many", "9,2026-03-01 09:00:00,Phone,,x,1,1", "malformed", "7 cells where the header has 6"),
    ("an impossible date", "9,2026-02-30 09:00:00,Phone,,x,1", "bad_time", 'at "2026-02-30 09:00:00" is no time'),
    ("a time in the gap of the clock", "9,2026-03-29 02:30:00,Phone,,x,1", "bad_time", "in Europe/Warsaw"),
    ("a year of two digits", "9,26-03-01 09:00:00,Phone,,x,1", "bad_time", "is no time"),
    ("a time in the future", "9,2026-03-02 13:06:00,Phone,,x,1", "clock_skew", "more than 5 minutes from now"),
    ("no time", "9,,Phone,,x,1", "missing_time", "at is empty"),
    ("no id", ",2026-03-01 09:00:00,Phone,,x,1", "missing_id", "number is empty"),
    ("a placeholder as id", "<TICKET_ID>,2026-03-01 09:00:00,Phone,,x,1", "placeholder_id", "<TICKET_ID>"),
    ("a null word as id", "?,2026-03-01 09:00:00,Phone,,x,1", "missing_id", "number is empty"),
    ("no number", "9,2026-03-01 09:00:00,Phone,,x,many", "bad_number", 'seconds "many" is no whole number'),
    ("a number that fits no column", "9,2026-03-01 09:00:00,Phone,,x,9223372036854775808", "bad_number", "seconds"),
    ("an id that fits no index", "9" * 501 + ",2026-03-01 09:00:00,Phone,,x,1", "too_large", "longer than 500 bytes"),
    ("a value that no lookup knows", "9,2026-03-01 09:00:00,Fax,,x,1", "unknown_value", 'how is "Fax"'),
    ("a channel that the policy does not know", "9,2026-03-01 09:00:00,Pigeon,,x,1", "unknown_value", "channel"),
    ("quotes that do not fit", '9,2026-03-01 09:00:00,Phone,,"x"y,1', "malformed", "the quotes do not fit"),
    ("a quote that is never closed", '9,2026-03-01 09:00:00,Phone,,"x,1', "truncated", "never closed"),
    ("a NUL byte", "9,2026-03-01 09:00:00,Phone,,x\0y,1", "malformed", "NUL"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason", "detail"), [row[1:] for row in BAD_ROWS], ids=[row[0] for row in BAD_ROWS]
)
def test_a_bad_row_alone_is_refused_with_line_and_reason(
    store: Log, tmp_path: Path, row: str, reason: str, detail: str
) -> None:
    balance = taken(store, tmp_path, table(GOOD, row, OTHER))
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    ((at, why, said),) = refusals(store)
    assert (at, why) == (3, reason)
    assert detail in said
    assert [one for one in ids(store) if "/" not in one] == ["desk|1|1", "desk|2|1"]


def test_a_row_in_another_encoding_is_refused_alone(store: Log, tmp_path: Path) -> None:
    row = "9,2026-03-01 09:00:00,Phone,,Zażółć,1".encode("cp1250")
    balance = taken(store, tmp_path, table(GOOD).encode() + row + b"\n" + OTHER.encode())
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    assert refusals(store) == [(3, "bad_encoding", "the record is not UTF-8 text")]
    (entry,) = store.quarantined()
    assert "\\x" in entry.record


@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted over many lines"])
def test_a_field_of_ten_megabytes_is_refused_alone(store: Log, tmp_path: Path, quoted: bool) -> None:
    huge = '"' + "x" * 99 + "\n" + "many words\n" * 950_000 + '"' if quoted else "x" * 10_000_000
    balance = taken(store, tmp_path, table(GOOD, f"9,2026-03-01 09:00:00,Phone,,{huge},1", OTHER))
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    ((line, reason, detail),) = refusals(store)
    assert (line, reason) == (3, "too_large")
    assert "more than 1 MiB" in detail
    (entry,) = store.quarantined()
    assert len(entry.record) < 5_000


def test_a_line_that_is_not_even_held_in_memory_is_refused_alone(
    store: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST", 1 << 21)
    monkeypatch.setattr(files, "BLOCK", 1 << 19)
    huge = "x" * 5_000_000
    balance = taken(store, tmp_path, table(GOOD, f"9,2026-03-01 09:00:00,Phone,,{huge},1", OTHER))
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    ((line, reason, detail),) = refusals(store)
    assert (line, reason) == (3, "too_large")
    assert detail.startswith("the record has 5000")


def test_lines_inside_quotes_are_counted_as_the_editor_counts_them(store: Log, tmp_path: Path) -> None:
    spanning = '7,2026-03-01 09:00:00,Mail,,"Dear all,\n\nthe ""second"" line",1'
    balance = taken(store, tmp_path, table(spanning, "", "9,never,Phone,,x,1", OTHER))
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    assert refusals(store) == [(6, "bad_time", 'at "never" is no time in Europe/Warsaw')]
    assert stored(store)[0]["text"] == 'Dear all,\n\nthe "second" line'


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_packing_and_byte_order_mark_do_not_matter(
    store: Log, tmp_path: Path, ending: str, name: str, mark: str
) -> None:
    text = mark + table(GOOD, OTHER).replace("\n", ending).removesuffix(ending)
    assert counted(taken(store, tmp_path, text, name=name)) == {"read": 2, "stored": 2}
    assert stored(store)[-1]["length"] == 8


def test_cells_are_stripped_also_in_the_header(store: Log, tmp_path: Path) -> None:
    text = " number , at,how,caller, said,seconds\n 1 , 2026-03-01 09:00 ,Phone,, Hello , 20 \n"
    assert counted(taken(store, tmp_path, text)) == {"read": 1, "stored": 1}
    (event,) = stored(store)
    assert (event["event_id"], event["text"], event["precision"]) == ("desk|1|1", "Hello", "minute")


def test_a_semicolon_may_separate(store: Log, tmp_path: Path) -> None:
    from tests.ingestion.taking import CALLS

    mapping = CALLS.replace('format = "csv"', 'format = "csv"\nseparator = ";"')
    text = table(GOOD).replace(",", ";")
    assert counted(taken(store, tmp_path, text, mapping=mapping)) == {"read": 1, "stored": 1}


def test_a_header_without_rows_is_read_as_nothing(store: Log, tmp_path: Path) -> None:
    assert counted(taken(store, tmp_path, HEADER + "\n")) == {}
    assert store.head() == 0


BAD_FILES = [
    ("empty", b"", "in.csv", "is empty"),
    ("blank", b"\n \n", "in.csv", "is empty"),
    ("packed and empty", b"", "in.csv.gz", "is empty"),
    ("binary junk", bytes(range(256)) * 40, "in.csv", "is binary"),
    ("junk without NUL", bytes(range(128, 256)) * 40, "in.csv", "no readable header line of UTF-8 text"),
    ("UTF-16", table(GOOD).encode("utf-16"), "in.csv", "is UTF-16 text"),
    ("a Parquet file", b"PAR1" + b"x" * 100, "in.csv", "is a Parquet file"),
    ("a missing column", b"number,how,caller,said,seconds\n1,Phone,,x,1\n", "in.csv", 'lacks the column "at"'),
    ("two missing columns", b"number,at,caller,seconds\n1,,,1\n", "in.csv", 'lacks the columns "how", "said"'),
    ("another separator", table(GOOD).replace(",", ";").encode(), "in.csv", 'it has: number;at;how'),
    ("a column twice", b"number,number\n1,1\n", "in.csv", 'has the column "number" more than once'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "name", "sentence"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES]
)
def test_a_file_that_is_none_is_told_in_one_sentence_and_stores_nothing(
    store: Log, tmp_path: Path, content: bytes, name: str, sentence: str
) -> None:
    with pytest.raises(IngestError) as told:
        taken(store, tmp_path, content, name=name)
    assert sentence in str(told.value)
    assert name in str(told.value)
    assert "\n" not in str(told.value)
    assert store.head() == 0


def test_a_packed_file_that_breaks_off_is_told_and_can_be_ingested_again(
    store: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK", 20_000)
    noise = random.Random(1)
    rows = [f"{n},2026-03-01 09:00:00,Phone,,{noise.random()},1" for n in range(2_000)]
    whole = gzip.compress(table(*rows).encode(), mtime=0)
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IngestError, match="breaks off or is damaged"):
        _again(store, path)
    assert 0 < len(ids(store)) < 2_000
    path.write_bytes(whole)
    balance = _again(store, path)
    assert balance["read"] == 2_000
    assert balance["stored"] + balance["duplicate"] == 2_000
    assert len(stored(store)) == 2_000


def _again(store: Log, path: Path) -> dict[str, int]:
    from ingestion.intake import ingest
    from ingestion.mapping import parse_mapping
    from tests.ingestion.taking import CALLS, NOW

    mapping = parse_mapping(CALLS, where="desk.toml")
    return ingest(store, [path], source="desk", mapping=mapping, now=NOW).as_dict()


def test_what_a_file_must_not_be_is_found_before_anything_is_stored(store: Log, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="cannot be read: No such file"):
        _again(store, tmp_path / "absent.csv")
    with pytest.raises(IngestError, match="is a folder"):
        _again(store, tmp_path)
    assert store.head() == 0


@pytest.mark.parametrize("block", [16, 61, 200, 1 << 20])
def test_wherever_a_block_ends_the_records_are_the_same(
    store: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(files, "BLOCK", block)
    rows = (
        GOOD,
        '3,2026-03-01 09:00:00,Mail,,"one\ntwo, three\n""four""",1',
        '4,2026-03-01 09:00:00,Phone,,"open,1',
        "5,2026-03-01 09:00:00,Phone",
        OTHER,
        '6,2026-03-01 09:00:00,Mail,,"last\nline",1',
    )
    balance = taken(store, tmp_path, table(*rows))
    assert counted(balance) == {"read": 6, "stored": 4, "quarantined": 2}
    assert [(line, reason) for line, reason, _ in refusals(store)] == [(6, "truncated"), (7, "truncated")]
    assert [event.get("text") for event in stored(store) if event["topic"] == "contact.received"] == [
        "Hello",
        'one\ntwo, three\n"four"',
        "Good day",
        "last\nline",
    ]
