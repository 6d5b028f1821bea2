"""Local times, clock changes, precision: what instant a cell means."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from domain.log import Log
from ingestion.intake import ingest
from ingestion.mapping import parse_mapping
from ingestion.source import IngestError
from tests.ingestion.taking import CALLS, NOW, counted, refusals, stored, table, taken

TIMES = [
    ("seconds", "2026-03-01 09:00:30", "2026-03-01T08:00:30+00:00", None),
    ("minutes", "2026-03-01 09:00", "2026-03-01T08:00:00+00:00", "minute"),
    ("a date", "2026-03-01", "2026-02-28T23:00:00+00:00", "day"),
    ("midnight", "2026-03-01 00:00:00", "2026-02-28T23:00:00+00:00", "day"),
    ("the hour before the clock goes forward", "2025-03-30 01:59:59", "2025-03-30T00:59:59+00:00", None),
    ("the hour after it went forward", "2025-03-30 03:00:00", "2025-03-30T01:00:00+00:00", None),
    ("the hour before the clock goes back", "2025-10-26 01:59:00", "2025-10-25T23:59:00+00:00", None),
    ("the hour that occurs twice", "2025-10-26 02:30:00", "2025-10-26T00:30:00+00:00", None),
    ("the hour after it went back", "2025-10-26 03:00:00", "2025-10-26T02:00:00+00:00", None),
    ("five minutes from now", "2026-03-02 13:05:00", "2026-03-02T12:05:00+00:00", None),
]


@pytest.mark.parametrize(
    ("cell", "instant", "precision"), [row[1:] for row in TIMES], ids=[row[0] for row in TIMES]
)
def test_a_local_time_is_one_instant(
    store: Log, tmp_path: Path, cell: str, instant: str, precision: str | None
) -> None:
    balance = taken(store, tmp_path, table(f"1,{cell},Phone,,x,1"))
    (event,) = stored(store)
    assert (event["occurred_at"], event.get("precision")) == (instant, precision)
    twice = cell.startswith("2025-10-26 02")
    assert balance.flagged == ({"ambiguous_time": 1} if twice else {})


@pytest.mark.parametrize("cell", ["2025-03-30 02:00:00", "2025-03-30 02:59:59"])
def test_a_local_time_that_never_occurred_is_no_time(store: Log, tmp_path: Path, cell: str) -> None:
    taken(store, tmp_path, table(f"1,{cell},Phone,,x,1"))
    assert refusals(store) == [(2, "bad_time", f'at "{cell}" is no time in Europe/Warsaw')]


ISO = CALLS.replace('time = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]', "").replace(
    'zone = "Europe/Warsaw"', ""
)


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00+00:00"),
        ("2026-03-01T09:00:00.25+02:00", "2026-03-01T07:00:00.250000+00:00"),
        ("2026-03-01 09:00:00+0100", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01 09:00+01:00", "2026-03-01T08:00:00+00:00"),
    ],
)
def test_times_by_iso_8601_need_no_form_and_with_an_offset_no_zone(
    store: Log, tmp_path: Path, cell: str, instant: str
) -> None:
    taken(store, tmp_path, table(f"1,{cell},Phone,,x,1"), mapping=ISO)
    assert [event["occurred_at"] for event in stored(store)] == [instant]


def test_a_naive_time_without_a_zone_in_the_mapping_is_refused(store: Log, tmp_path: Path) -> None:
    balance = taken(store, tmp_path, table("1,2026-03-01T09:00:00,Phone,,x,1"), mapping=ISO)
    assert counted(balance) == {"read": 1, "quarantined": 1}
    assert refusals(store) == [
        (2, "bad_time", 'at "2026-03-01T09:00:00" is no time with its zone, and the mapping names none')
    ]


def test_seconds_since_1970_are_read(store: Log, tmp_path: Path) -> None:
    mapping = ISO.replace('null = ["?"]', 'time = ["%s"]')
    taken(store, tmp_path, table("1,1772352030,Phone,,x,1"), mapping=mapping)
    assert [event["occurred_at"] for event in stored(store)] == ["2026-03-01T08:00:30+00:00"]


PARQUET = """
[source]
format = "parquet"
ZONE
subject = "offer:{number}"
[columns]
number = {type="int", required=true}
at = {type="time", required=true}
until = "time"
on = "date"
[[event]]
type = "OfferPresented"
id = "{number}/{on}"
at = "at"
[event.set]
valid_to = "until"
valid_from = "at"
"""


def wall(text: str) -> datetime:
    """A time without a zone, as the file holds it."""
    return datetime.fromisoformat(text)


def offers(folder: Path, at: list[datetime], until: list[datetime | None]) -> Path:
    """A Parquet file of offers."""
    path = folder / "offers.parquet"
    numbers = [float(number) for number in range(len(at))]
    pl.DataFrame(
        {"number": numbers, "at": at, "until": until, "on": [date(2025, 7, 1)] * len(at)}
    ).write_parquet(path)
    return path


def test_a_parquet_file_with_times_of_its_own_is_read_by_zone(store: Log, tmp_path: Path) -> None:
    mapping = parse_mapping(PARQUET.replace("ZONE", 'zone = "Europe/Warsaw"'), where="offers.toml")
    path = offers(
        tmp_path, [wall("2025-07-01T09:30"), wall("2025-03-30T02:30")], [None, wall("2025-07-02T00:00")]
    )
    balance = ingest(store, [path], source="shop", mapping=mapping, now=NOW)
    assert counted(balance) == {"read": 2, "stored": 1, "quarantined": 1}
    (event,) = stored(store)
    assert (event["event_id"], event["occurred_at"]) == ("shop|0/2025-07-01|1", "2025-07-01T07:30:00+00:00")
    assert [(line, reason) for line, reason, _ in refusals(store)] == [(2, "bad_time")]


def test_a_parquet_file_with_naive_times_wants_a_zone(store: Log, tmp_path: Path) -> None:
    mapping = parse_mapping(PARQUET.replace("ZONE", ""), where="offers.toml")
    path = offers(tmp_path, [wall("2025-07-01T09:30")], [None])
    with pytest.raises(
        IngestError, match=r'column "at" holds times without a zone; name theirs in offers\.toml'
    ):
        ingest(store, [path], source="shop", mapping=mapping, now=NOW)


def test_a_parquet_file_with_zoned_times_needs_none(store: Log, tmp_path: Path) -> None:
    mapping = parse_mapping(PARQUET.replace("ZONE", ""), where="offers.toml")
    at = [datetime(2025, 7, 1, 9, 30, tzinfo=ZoneInfo("Asia/Tokyo"))]
    ingest(store, [offers(tmp_path, at, [None])], source="shop", mapping=mapping, now=NOW)
    assert [event["occurred_at"] for event in stored(store)] == ["2025-07-01T00:30:00+00:00"]


def test_an_offer_that_ends_before_it_starts_is_refused(store: Log, tmp_path: Path) -> None:
    mapping = parse_mapping(PARQUET.replace("ZONE", 'zone = "UTC"'), where="offers.toml")
    at = wall("2025-07-01T09:00")
    ends = [wall("2025-07-01T08:00"), wall("2025-07-01T09:00"), None]
    balance = ingest(store, [offers(tmp_path, [at] * 3, ends)], source="shop", mapping=mapping, now=NOW)
    assert counted(balance) == {"read": 3, "stored": 2, "quarantined": 1}
    assert refusals(store) == [(1, "ends_before_start", "it ends before it starts")]


def test_a_parquet_file_that_was_cut_is_told_in_one_sentence(store: Log, tmp_path: Path) -> None:
    path = offers(tmp_path, [wall("2025-07-01T09:30")], [None])
    path.write_bytes(path.read_bytes()[:-20])
    mapping = parse_mapping(PARQUET.replace("ZONE", 'zone = "UTC"'), where="offers.toml")
    with pytest.raises(IngestError, match="is no whole Parquet file"):
        ingest(store, [path], source="shop", mapping=mapping, now=NOW)
