"""Checkpoints outside the log: one file of signed notes, appended to, best kept where the log's host cannot write."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from domain.log.errors import LogDamaged, LogError
from domain.log.notes import Note, split_notes

TAIL = 16_384
"""Bytes at a copy's end in which its newest notes stand."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What one copy holds: notes by size, and how many pieces are no notes."""

    path: Path
    notes: tuple[Note, ...]
    debris: int = 0


def read_copy(path: Path, *, newest: bool = False) -> Copy:
    """The notes in a copy, each once: all, or only those at its end; an absent file holds none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - TAIL) if newest else 0)
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return Copy(path=path, notes=())
    except OSError as error:
        raise LogError(
            f"The copy of the checkpoints {path} cannot be read ({error.strerror}): check it."
        ) from error
    found, debris = split_notes(text)
    once = {note.text: note for note in found}
    ordered = sorted(once.values(), key=lambda note: note.checkpoint.size)
    return Copy(path=path, notes=tuple(ordered), debris=debris)


def append_copy(path: Path, notes: Iterable[Note]) -> None:
    """Put notes at the end of a copy, safely stored; a note torn off before them stays as it is."""
    text = "".join(f"{note.text}\n" for note in notes).encode()
    if not text:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 2))
            torn = end and file.read() != b"\n\n"
            file.write(b"\n\n" + text if torn else text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise LogError(
            f"The copy of the checkpoints {path} cannot be written ({error.strerror}): check it."
        ) from error


def bring_up(path: Path, *, source: Path) -> None:
    """Append to a copy what another one holds beyond it; refuses one that holds something else."""
    last = read_copy(path, newest=True).notes[-1:]
    for newest in (True, False):
        notes = read_copy(source, newest=newest and bool(last)).notes
        if not last or last[0] in notes:
            append_copy(path, notes[notes.index(last[0]) + 1 :] if last else notes)
            return
    raise LogDamaged(
        f"The copies of the checkpoints {source} and {path} contradict each other: verify the log."
    )
