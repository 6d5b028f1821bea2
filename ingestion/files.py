"""One call reads a file in blocks of whole lines, gzip unpacked on the way; what is no such file is told at once."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ingestion.source import Bad, IngestError, excerpt

BLOCK = 4 << 20
LONGEST = 16 << 20
"""A line beyond this is not even held in memory: its beginning is kept, the rest is skipped."""
BOM = b"\xef\xbb\xbf"
FOREIGN = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP or Excel file",
    b"%PDF": "a PDF file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True, kw_only=True)
class Block:
    """Whole lines, the first of which is line `line`; `overlong` is one line's beginning, of `size` bytes."""

    line: int
    data: bytes
    last: bool = False
    overlong: bool = False
    size: int = 0


def blocks(path: Path) -> Iterator[Block]:
    """A text file's lines in blocks, the last marked; IngestError if it is empty, binary or broken."""
    try:
        with path.open("rb") as raw:
            head = raw.read(2)
            raw.seek(0)
            packed = head == b"\x1f\x8b"
            yield from _blocks(gzip.GzipFile(fileobj=raw) if packed else raw, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IngestError(
            f"{path} breaks off or is damaged inside its gzip packing; fetch it again, then ingest it again."
        ) from error
    except OSError as error:
        raise IngestError(f"{path} cannot be read: {error.strerror}.") from error


def check(path: Path) -> None:
    """Refuse what is no file with content, before anything is stored."""
    if path.is_dir():
        raise IngestError(f"{path} is a folder; name the files in it.")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise IngestError(f"{path} cannot be read: {error.strerror}.") from error
    if not size:
        raise IngestError(f"{path} is empty; there is nothing to ingest.")


def _blocks(stream: IO[bytes] | gzip.GzipFile, path: Path) -> Iterator[Block]:
    line, carry = 1, b""
    first = stream.read(BLOCK)
    _sniff(first, path)
    data = first.removeprefix(BOM)
    while data:
        end = data.rfind(b"\n") + 1
        if not end and len(carry) + len(data) > LONGEST:
            head, size, data = _skip(stream, carry + data)
            yield Block(line=line, data=head, overlong=True, size=size)
            line, carry = line + 1, b""
            data = data or stream.read(BLOCK)
            continue
        whole, carry = (carry + data[:end], data[end:]) if end else (b"", carry + data)
        data = stream.read(BLOCK)
        if whole:
            yield Block(line=line, data=whole, last=not data and not carry)
            line += whole.count(b"\n")
    if carry:
        yield Block(line=line, data=carry, last=True)


def _skip(stream: IO[bytes] | gzip.GzipFile, head: bytes) -> tuple[bytes, int, bytes]:
    """Skip the rest of an endless line: its beginning, its size, and what was read beyond it."""
    size = len(head)
    while data := stream.read(BLOCK):
        end = data.find(b"\n") + 1
        if end:
            return head, size + end, data[end:]
        size += len(data)
    return head, size, b""


def _sniff(first: bytes, path: Path) -> None:
    if not first.strip(b"\xef\xbb\xbf \t\r\n"):
        raise IngestError(f"{path} is empty; there is nothing to ingest.")
    for magic, name in FOREIGN.items():
        if first.startswith(magic):
            raise IngestError(
                f"{path} is {name}, not UTF-8 text; export it as UTF-8 text, or name its format."
            )
    if b"\0" in first.partition(b"\n")[0]:
        raise IngestError(f"{path} is binary, not UTF-8 text; name the file that was meant.")


def split_lines(data: bytes) -> list[bytes]:
    """The physical lines with their ends; a lone carriage return ends none."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def overlong(block: Block) -> Bad:
    """The refusal of a line that was not even held."""
    detail = f"the record has {block.size} bytes, more than 1 MiB"
    return Bad(line=block.line, reason="too_large", detail=detail, record=excerpt(block.data))
