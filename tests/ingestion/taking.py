"""Files written and taken in as tests use them: `taken(log, path, text, mapping=…)` is one ingest, refusals and all."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.log import EVERY, Log
from ingestion.intake import Balance, ingest
from ingestion.mapping import parse_mapping

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples"

CALLS = """
[source]
format = "csv"
null = ["?"]
zone = "Europe/Warsaw"
time = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
subject = "contact:{number}"
[columns]
number = {type="text", required=true}
at = {type="time", required=true}
seconds = "int"
[values]
channel = {Phone="phone", Mail="email", Pigeon="pigeon"}
[[event]]
type = "ContactReceived"
id = "{number}"
at = "at"
direction = "inbound"
actor = "customer"
channel = {from="how", values="channel"}
[event.set]
text = {from="said"}
length = "seconds"
[[identifier]]
ns = "phone"
value = "caller"
obtained = "observed"
[trust]
known_at = true
"phone.observed" = 1
"""
HEADER = "number,at,how,caller,said,seconds"
GOOD = "1,2026-03-01 09:00:00,Phone,601 234 567,Hello,20"
OTHER = "2,2026-03-01 10:00:00,Mail,,Good day,8"


def written(folder: Path, content: str | bytes, name: str) -> Path:
    """A file with this content; packed if its name says so."""
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def taken(
    log: Log,
    folder: Path,
    content: str | bytes,
    *,
    mapping: str | None = CALLS,
    name: str = "in.csv",
    source: str = "desk",
    now: datetime = NOW,
    dry_run: bool = False,
) -> Balance:
    """The balance of ingesting one file with this content."""
    read = parse_mapping(mapping, where="desk.toml", folder=folder) if mapping is not None else None
    path = written(folder, content, name)
    return ingest(log, [path], source=source, mapping=read, now=now, dry_run=dry_run)


def table(*rows: str) -> str:
    """CSV text: the header of calls, and rows."""
    return "\n".join((HEADER, *rows)) + "\n"


def canonical(id: str, at: str = "2026-03-01T09:00:00+01:00", **fields: Any) -> dict[str, Any]:
    """A canonical record of a chat message."""
    return {
        "type": "ContactReceived",
        "id": id,
        "subject": "contact:88120",
        "occurred_at": at,
        "channel": "chat",
        **fields,
    }


def jsonl(*records: object) -> str:
    """One object per line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def stored(log: Log) -> list[dict[str, Any]]:
    """Every event of the log but declarations, its state spread out, by position."""
    rows = log.arrow(opened=EVERY).select(
        ["event_id", "originator_id", "topic", "occurred_at", "known_at", "state"]
    )
    found = []
    for row in rows.to_pylist():
        if row["topic"] != "source.declared":
            state = json.loads(row.pop("state"))
            found.append({**state, **row, "occurred_at": _iso(row["occurred_at"])})
    return found


def _iso(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat()


def ids(log: Log) -> list[str]:
    """The ids of every stored event but declarations, by position."""
    return [event["event_id"] for event in stored(log)]


def refusals(log: Log) -> list[tuple[int | None, str, str]]:
    """Line, reason and detail of everything in the quarantine, by line."""
    entries = log.quarantined(limit=10_000)
    return sorted(((one.line, one.reason, one.detail) for one in entries), key=lambda one: one[0] or 0)


def counted(balance: Balance) -> dict[str, int]:
    """The parts of a balance that are not zero."""
    names: Sequence[str] = ("read", "stored", "duplicate", "conflict", "ignored", "quarantined")
    return {name: getattr(balance, name) for name in names if getattr(balance, name)}
