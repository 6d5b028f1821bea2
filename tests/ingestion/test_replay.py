"""Properties: however a file is cut into batches, and however often and in whatever order it comes, one log."""

import json
import os
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.log import EVERY, Log, open_log
from ingestion import files, translate
from ingestion.intake import ingest
from ingestion.mapping import load_mapping, parse_mapping
from tests.ingestion.taking import CALLS, NOW, SAMPLES, canonical, counted, jsonl, table, written

HEADER = "number,opened_at,sys_updated_at,sys_created_at,sys_mod_count,contact_type,incident_state,category,"
HEADER += "assignment_group,made_sla,caller_id\n"
relaxed = settings(deadline=None, max_examples=int(os.environ.get("OMNILINE_EXAMPLES", "15")))
START = datetime(2016, 3, 1, tzinfo=UTC)
numbers = st.integers(0, 5)


@st.composite
def incidents(draw: st.DrawFn) -> list[str]:
    """Rows of an incident log: a few incidents, their updates in any order, some of them flawed."""
    rows = []
    for mod in range(draw(st.integers(0, 25))):
        number = draw(numbers)
        at = (START + timedelta(minutes=draw(st.integers(0, 99)))).strftime("%d/%m/%Y %H:%M")
        opened = "29/2/2016 06:38" if draw(st.integers(0, 9)) else "31/2/2016 06:38"
        state = draw(st.sampled_from(["New", "Active", "Resolved", "Closed", "-100"]))
        kind = draw(st.sampled_from(["Phone", "Email", "?"]))
        quote = '"' if draw(st.booleans()) else ""
        caller = draw(st.sampled_from(["Caller 1", "Caller 2", "?", "two\nlines" if quote else "one"]))
        cells = [
            f"INC{number}",
            opened,
            at,
            "?",
            str(mod),
            kind,
            state,
            "c",
            "g",
            "true",
            f"{quote}{caller}{quote}",
        ]
        rows.append(",".join(cells[: draw(st.sampled_from([11, 11, 11, 11, 4]))]))
    return rows


def log_of(folder: Path) -> Log:
    """A fresh log."""
    return open_log(f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)


def content(log: Log) -> list[dict[str, Any]]:
    """Everything stored but recording times and surrogates, which are each log's own."""
    rows = (
        log.arrow(opened=EVERY)
        .select(["event_id", "originator_id", "topic", "occurred_at", "state"])
        .to_pylist()
    )
    for row in rows:
        if "/uci_caller/" in row["event_id"] or "/phone/" in row["event_id"]:
            row["event_id"] = row["event_id"].rpartition("/")[0]
        row["state"] = json.loads(row["state"])
    return rows


@given(rows=incidents(), block=st.integers(1, 400), records=st.integers(1, 9))
@settings(relaxed)
def test_however_a_file_is_cut_into_blocks_and_batches_the_log_is_the_same(
    rows: list[str], block: int, records: int
) -> None:
    mapping = load_mapping(SAMPLES / "uci_incident.toml")
    seen = []
    for size, count in ((1 << 22, 4_000), (block, records)):
        with (
            tempfile.TemporaryDirectory() as name,
            pytest.MonkeyPatch.context() as patch,
            closing(log_of(Path(name))) as log,
        ):
            patch.setattr(files, "BLOCK", size)
            patch.setattr(translate, "RECORDS", count)
            path = written(Path(name), HEADER + "".join(f"{row}\n" for row in rows), "in.csv")
            balance = ingest(log, [path], source="uci", mapping=mapping, now=NOW)
            refused = sorted((one.line, one.reason, one.count) for one in log.quarantined())
            seen.append((content(log), refused, counted(balance), balance.events))
    assert seen[0] == seen[1]
    assert seen[0][2].get("read", 0) == len(rows)


@given(data=st.data(), count=st.integers(1, 12))
@settings(relaxed)
def test_however_often_and_in_whatever_order_records_come_each_is_stored_once(
    data: st.DataObject, count: int
) -> None:
    rows = [f"{n},2026-03-0{1 + n % 2} 0{n % 9}:00:00,Phone,60123456{n % 3},x,{n}" for n in range(count)]
    parts = data.draw(st.lists(st.lists(st.sampled_from(rows), max_size=9), max_size=5))
    mapping = parse_mapping(CALLS, where="desk.toml")
    with tempfile.TemporaryDirectory() as name, closing(log_of(Path(name))) as log:
        for number, part in enumerate([*parts, rows]):
            path = written(Path(name), table(*part), f"{number}.csv")
            balance = ingest(log, [path], source="desk", mapping=mapping, now=NOW)
            assert balance.read == len(part) == balance.stored + balance.duplicate
        kept = content(log)
    received = sorted(
        int(row["event_id"].split("|")[1]) for row in kept if row["topic"] == "contact.received"
    )
    assert received == list(range(count))
    asserted = [row for row in kept if row["topic"] == "identifier.asserted"]
    assert len(asserted) == count


@given(data=st.data(), count=st.integers(1, 10))
@settings(relaxed)
def test_canonical_records_come_to_the_same_set_in_any_order(data: st.DataObject, count: int) -> None:
    def one(number: int) -> dict[str, Any]:
        asserted = [{"ns": "phone", "value": f"60123456{number % 3}", "obtained": "typed"}]
        return canonical(str(number), subject=f"contact:{number % 2}", identifiers=asserted)

    order = data.draw(st.permutations(range(count)))
    again = data.draw(st.lists(st.integers(0, count - 1), max_size=6))
    sets = []
    for numbers_in_order in (range(count), [*order, *again]):
        with tempfile.TemporaryDirectory() as name, closing(log_of(Path(name))) as log:
            path = written(Path(name), jsonl(*map(one, numbers_in_order)), "in.jsonl")
            ingest(log, [path], source="desk", mapping=None, now=NOW)
            sets.append(sorted(json.dumps(row, sort_keys=True) for row in content(log)))
    assert sets[0] == sets[1]
