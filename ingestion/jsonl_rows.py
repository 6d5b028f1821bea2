"""One call reads a JSONL file: one object per line, its values found by dotted paths, as the text of cells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from ingestion.files import blocks, overlong, split_lines
from ingestion.source import LIMIT, ROW, Bad, IngestError, Rows, excerpt

DECODER = msgspec.json.Decoder(float_hook=str)
ARRAY = "{path} is one JSON array; write one object on each line (JSONL)."


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A JSONL file; which columns it has is known only line by line."""

    path: Path
    header: None = None

    def rows(self, wanted: Sequence[str]) -> Iterator[Rows]:
        """All objects, a block at a time."""
        paths = [name.split(".") for name in wanted]
        schema = {**dict.fromkeys(wanted, pl.String()), ROW: pl.Int64()}
        for records, bad in objects(self.path, DECODER.decode):
            good, places = [], []
            for line, raw, found in records:
                if isinstance(found, dict):
                    good.append(found)
                    places.append(line)
                else:
                    bad.append(malformed(line, raw, "the line is no JSON object"))
            columns = {
                name: [_cell(one, name, path) for one in good]
                for name, path in zip(wanted, paths, strict=True)
            }
            yield Rows(frame=pl.DataFrame({**columns, ROW: places}, schema=schema), bad=bad)


def objects(
    path: Path, decode: Callable[[bytes], Any]
) -> Iterator[tuple[list[tuple[int, bytes, Any]], list[Bad]]]:
    """Each block's decoded lines with their numbers, and the lines that are none."""
    for number, block in enumerate(blocks(path)):
        if number == 0 and block.data.lstrip()[:1] == b"[":
            raise IngestError(ARRAY.format(path=path))
        records: list[tuple[int, bytes, Any]] = []
        bad = [overlong(block)] if block.overlong else []
        for line, raw in enumerate([] if block.overlong else split_lines(block.data), block.line):
            if raw.strip():
                found = _decoded(line, raw, decode)
                if isinstance(found, Bad):
                    bad.append(found)
                else:
                    records.append((line, raw, found))
        yield records, bad


def _decoded(line: int, raw: bytes, decode: Callable[[bytes], Any]) -> Any:
    if len(raw) > LIMIT:
        detail = f"the record has {len(raw)} bytes, more than 1 MiB"
        return Bad(line=line, reason="too_large", detail=detail, record=excerpt(raw))
    if b"\\u0000" in raw:
        return malformed(line, raw, "the record contains a NUL character")
    try:
        raw.decode()
        return decode(raw)
    except UnicodeDecodeError:
        return Bad(line=line, reason="bad_encoding", detail="the line is not UTF-8 text", record=excerpt(raw))
    except (msgspec.DecodeError, RecursionError) as error:
        cut = raw.strip().startswith(b"{") and not raw.strip().endswith(b"}")
        return malformed(line, raw, f"the line is no JSON: {error}", "truncated" if cut else "malformed")


def malformed(line: int, raw: bytes, detail: str, reason: str = "malformed") -> Bad:
    """The refusal of a line that is no record."""
    return Bad(line=line, reason=reason, detail=detail, record=excerpt(raw))


def _cell(found: Any, name: str, path: Sequence[str]) -> str | None:
    value = found.get(name)
    if value is None and len(path) > 1:
        value = found
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else msgspec.json.encode(value).decode()
