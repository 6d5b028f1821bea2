"""What a power cut may leave of SQLite files: everything synced, and of the rest any part, torn or missing."""

import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

HEADER, FRAME = 32, 24
ATTEMPTED = 128
"""Where the shared memory tells up to which frame a checkpoint went, or meant to go (WalCkptInfo)."""


@dataclass(frozen=True)
class Frame:
    """One page in a write-ahead log: where it stands, which page it is, and whether a commit ends with it."""

    at: int
    page: int
    last: bool


def copied(folder: Path, to: Path) -> Path:
    """The files of a folder as they are now."""
    to.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            shutil.copy2(file, to / file.name)
    return to


def power_cut(database: Path, chance: Random, *, unsynced: int) -> None:
    """Lose what may be lost of a copied database: its last so many commits at most, and what is no commit yet.

    Pages that were being copied back may be torn, for the write-ahead log holds them, synced; so may its end be.
    """
    wal, shared = (database.with_name(f"{database.name}-{kind}") for kind in ("wal", "shm"))
    found = list(frames(wal))
    back = struct.unpack_from("=I", shared.read_bytes(), ATTEMPTED)[0] if found else 0
    shared.unlink(missing_ok=True)
    torn_pages(database, found[:back], chance)
    ends = [0, *(number for number, frame in enumerate(found, 1) if frame.last)]
    kept = chance.choice([end for end in ends if end >= back or end == ends[-1]][-unsynced - 1 :])
    if found[kept:]:
        torn_end(wal, found[kept].at, chance)


def frames(wal: Path) -> Iterator[Frame]:
    """The frames since the write-ahead log last began anew."""
    content = wal.read_bytes() if wal.exists() else b""
    if len(content) < HEADER:
        return
    size, salt = struct.unpack_from(">I", content, 8)[0], content[16:24]
    for at in range(HEADER, len(content) - FRAME - size + 1, FRAME + size):
        page, committed = struct.unpack_from(">II", content, at)
        if content[at + 8 : at + 16] != salt:
            return
        yield Frame(at, page, committed > 0)


def torn_pages(database: Path, back: list[Frame], chance: Random) -> None:
    """Spoil half of the pages that these frames hold."""
    pages = sorted({frame.page for frame in back})
    size = back[1].at - back[0].at - FRAME if len(back) > 1 else 0
    with database.open("r+b") as file:
        for page in chance.sample(pages, len(pages) // 2):
            file.seek((page - 1) * size)
            file.write(chance.randbytes(size))


def torn_end(wal: Path, at: int, chance: Random) -> None:
    """Spoil a file from there on, and cut it somewhere."""
    with wal.open("r+b") as file:
        length = chance.randrange(wal.stat().st_size - at + 1)
        file.truncate(at + length)
        file.seek(at)
        file.write(chance.randbytes(length))
