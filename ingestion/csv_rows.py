"""One call reads a block of CSV as rows: at once with Polars, or record by record where the block has a flaw.

A row with fewer cells than the header was cut (`truncated`); the row after it is read as usual.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingestion.files import blocks, overlong, split_lines
from ingestion.source import LIMIT, ROW, Bad, IngestError, Rows, excerpt

SPAN = 16 << 20
"""A quoted cell that is not closed within so many bytes is a stray quote."""


@dataclass(kw_only=True)
class Parsed:
    """Records of a block; `rest` is the beginning of one that goes on in the next block."""

    lines: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    rest: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A CSV file whose header is known."""

    path: Path
    header: tuple[str, ...]
    separator: str

    def rows(self, wanted: Sequence[str]) -> Iterator[Rows]:
        """All rows below the header, a block at a time."""
        carry, at = b"", 0
        for number, block in enumerate(blocks(self.path)):
            line, data = (at, carry + block.data) if carry else (block.line, block.data)
            if number == 0:
                data, line = _below(data, self.separator)
            if block.overlong:
                yield self._read(carry, at, last=True, wanted=wanted)[0]
                yield Rows(frame=self._frame([], [], wanted), bad=[overlong(block)])
                carry = b""
                continue
            rows, carry = self._read(data, line, last=block.last, wanted=wanted)
            at = line + data.count(b"\n") - carry.count(b"\n")
            yield rows

    def _read(self, data: bytes, line: int, *, last: bool, wanted: Sequence[str]) -> tuple[Rows, bytes]:
        frame = self._fast(data, line, wanted)
        if frame is not None:
            return Rows(frame=frame, bad=[]), b""
        parsed = self._parse(data, line, last=last)
        return Rows(frame=self._frame(parsed.lines, parsed.cells, wanted), bad=parsed.bad), parsed.rest

    def _fast(self, data: bytes, line: int, wanted: Sequence[str]) -> pl.DataFrame | None:
        """The block by Polars; None unless each line is one whole, plain record."""
        if b'"' in data or b"\0" in data or not data:
            return None
        schema = {str(number): pl.String() for number in range(len(self.header))}
        try:
            frame = pl.read_csv(
                io.BytesIO(data), has_header=False, schema=schema, separator=self.separator,
                quote_char=None, empty_string_is_null=False,
            )  # fmt: skip
        except pl.exceptions.PolarsError:
            return None
        count, ends = frame.height, data.count(b"\n") + (not data.endswith(b"\n"))
        separators = data.count(self.separator.encode())
        if count != ends or separators != count * (len(self.header) - 1) or _longest(data) > LIMIT:
            return None
        places = pl.int_range(line, line + count, dtype=pl.Int64, eager=True)
        return frame.select(pl.col(str(self.header.index(name))).alias(name) for name in wanted).with_columns(
            places.alias(ROW)
        )

    def _frame(self, lines: list[int], cells: list[list[str]], wanted: Sequence[str]) -> pl.DataFrame:
        places = [self.header.index(name) for name in wanted]
        columns = {name: [row[place] for row in cells] for name, place in zip(wanted, places, strict=True)}
        return pl.DataFrame(
            {**columns, ROW: lines}, schema={**dict.fromkeys(wanted, pl.String), ROW: pl.Int64}
        )

    def _parse(self, data: bytes, line: int, *, last: bool) -> Parsed:
        csv.field_size_limit(SPAN)
        lines, parsed, place = split_lines(data), Parsed(), 0
        while place < len(lines):
            taken, bad, cells = self._record(lines, place, line + place, last=last)
            if not taken:
                parsed.rest = b"".join(lines[place:])
                break
            if bad is not None:
                parsed.bad.append(bad)
            elif cells is not None:
                parsed.lines.append(line + place)
                parsed.cells.append(cells)
            place += taken
        return parsed

    def _record(
        self, lines: list[bytes], place: int, line: int, *, last: bool
    ) -> tuple[int, Bad | None, list[str] | None]:
        """How many lines the record at a place takes (0: more than there are), and it, or what is wrong."""
        if not lines[place].strip():
            return 1, None, None
        taken, cells, problem = take(lines, place, self.separator)
        if problem == OPEN and not last and sum(map(len, lines[place:])) <= SPAN:
            return 0, None, None
        if taken > 1 and (problem or cells is None or len(cells) != len(self.header)):
            taken, cells, problem = 1, None, OPEN
        raw = b"".join(lines[place : place + taken])
        bad = self._bad(raw, line, cells or [], problem)
        return taken, bad, None if bad else cells

    def _bad(self, raw: bytes, line: int, cells: list[str], problem: str | None) -> Bad | None:
        width, have = len(self.header), len(cells)
        if len(raw) > LIMIT:
            reason, detail = "too_large", f"the record has {len(raw)} bytes, more than 1 MiB"
        elif problem is not None:
            reason, detail = ("truncated" if problem == OPEN else "malformed"), problem
        elif not _is_text(raw):
            reason, detail = "bad_encoding", "the record is not UTF-8 text"
        elif b"\0" in raw:
            reason, detail = "malformed", "the record contains a NUL byte"
        elif have < width:
            reason, detail = "truncated", f"the row has {have} of {width} cells"
        elif have > width:
            reason, detail = "malformed", f"the row has {have} cells where the header has {width}"
        else:
            return None
        whole = zip(self.header, cells[: min(have - 1, width)], strict=False)
        clean = {name: cell for name, cell in whole if _is_clean(cell)}
        return Bad(line=line, reason=reason, detail=detail, record=excerpt(raw), cells=clean)


OPEN = "a quoted cell is never closed"


def take(lines: list[bytes], place: int, separator: str) -> tuple[int, list[str] | None, str | None]:
    """How many lines a record takes, its cells, and what is wrong with its quotes."""
    if b'"' not in lines[place]:
        return 1, _text(lines[place]).rstrip("\r\n").split(separator), None
    used = 0

    def feed() -> Iterator[str]:
        nonlocal used
        for number in range(place, len(lines)):
            used += 1
            yield _text(lines[number])

    try:
        cells = next(csv.reader(feed(), delimiter=separator, strict=True))
    except csv.Error as error:
        unclosed = "unexpected end" in str(error) or "field larger" in str(error)
        return max(used, 1), None, OPEN if unclosed else f"the quotes do not fit: {error}"
    return used, cells, None


def open_csv(path: Path, separator: str) -> Table:
    """A CSV file with its header read and checked."""
    first = next(blocks(path))
    lines = split_lines(first.data)
    taken, cells, problem = take(lines, 0, separator)
    line = b"".join(lines[:taken])
    if first.overlong or problem or cells is None or not _is_text(line):
        raise IngestError(
            f"{path} has no readable header line of UTF-8 text; save it as UTF-8 CSV with a header."
        )
    header = tuple(cell.strip() for cell in cells)
    twice = sorted({name for name in header if header.count(name) > 1 and name})
    if twice:
        raise IngestError(f'{path} has the column "{twice[0]}" more than once; rename one of the two.')
    return Table(path=path, header=header, separator=separator)


def _below(data: bytes, separator: str) -> tuple[bytes, int]:
    lines = split_lines(data)
    taken, _, _ = take(lines, 0, separator)
    return data[sum(map(len, lines[:taken])) :], 1 + taken


def _longest(data: bytes) -> int:
    return max(map(len, data.split(b"\n")), default=0) if len(data) > LIMIT else len(data)


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="surrogateescape")


def _is_clean(cell: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in cell)


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
