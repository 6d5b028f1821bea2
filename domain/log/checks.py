"""The checkpoints that a verification may believe, and what is wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.log.copies import read_copy
from domain.log.held import Held, held, origin_of
from domain.log.log import Log
from domain.log.notes import Checkpoint, Note, PublicKey
from domain.log.signing import flaw_of


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: of which kind, from which position (or checkpoint size) to which, in a sentence."""

    kind: str
    first: int
    last: int
    message: str


@dataclass(frozen=True)
class Trusted:
    """Signed checkpoints by size, the rows of the log's database, and what is wrong with either place."""

    notes: dict[int, Note]
    inside: dict[int, Held]
    findings: list[Finding]

    @property
    def checkpoints(self) -> dict[int, Checkpoint]:
        """What the notes say."""
        return {size: note.checkpoint for size, note in self.notes.items()}


def trusted(log: Log, keys: Sequence[PublicKey], copies: Sequence[Path]) -> Trusted:
    """The checkpoints of database and copies that a key of this log signed, compared with each other."""
    origin, inside = origin_of(log), {one.size: one for one in held(log)}
    notes = {size: note for size, one in inside.items() if (note := one.note())}
    good = {size: note for size, note in notes.items() if not _flaw(note, origin, keys)}
    findings = _told(
        "checkpoint",
        sorted(inside.keys() - good.keys()),
        "The database's checkpoint of size {} has no valid signature of this log{}.",
    )
    believed = dict(good)
    for path in copies:
        if not path.exists():
            message = f"The copy of the checkpoints {path} is missing: put it back."
            findings.append(Finding("copy", 0, 0, message))
            continue
        outside, wrong = _outside(path, origin, keys, believed)
        findings += wrong + _compared(path, good, outside)
        for note in outside:
            size = note.checkpoint.size
            if believed.get(size, note).checkpoint.root != note.checkpoint.root:
                message = f"Two roots were signed for the size {size}: the signing key was misused."
                findings.append(Finding("checkpoint", size, size, message))
            believed[size] = note
    return Trusted(believed, inside, findings)


def _outside(
    path: Path, origin: str, keys: Sequence[PublicKey], believed: dict[int, Note]
) -> tuple[list[Note], list[Finding]]:
    """The notes of a copy; those that were found good before are not checked again."""
    notes, before = read_copy(path).notes, {note.text for note in believed.values()}
    bad = [note for note in notes if note.text not in before and _flaw(note, origin, keys)]
    message = f"The copy {path} holds a checkpoint of size {{}} without a valid signature of this log{{}}."
    found = _told("copy", [note.checkpoint.size for note in bad], message)
    return [note for note in notes if note not in bad], found


def _compared(path: Path, inside: dict[int, Note], outside: Sequence[Note]) -> list[Finding]:
    """What one place lacks; the copy alone may lag behind, by what was signed since it was last written."""
    copied, texts = {note.checkpoint.size for note in outside}, {note.text for note in outside}
    if not copied:
        message = f"The copy {path} holds no valid checkpoint of this log, its database {len(inside)}."
        return [Finding("copy", 0, 0, message)] if inside else []
    lost = sorted(size for size in copied if size not in inside or inside[size].text not in texts)
    behind = sorted(size for size in inside if size < max(copied) and size not in copied)
    return [
        *_told("checkpoint", lost, f"The database lacks the checkpoint of size {{}} that {path} holds{{}}."),
        *_told("copy", behind, f"{path} lacks the checkpoint of size {{}} that the database holds{{}}."),
    ]


def _flaw(note: Note, origin: str, keys: Sequence[PublicKey]) -> bool:
    return note.checkpoint.origin != origin or flaw_of(note, keys) is not None


def _told(kind: str, sizes: Sequence[int], message: str) -> list[Finding]:
    """One finding for many checkpoints of one flaw."""
    if not sizes:
        return []
    more = f" (so with {len(sizes) - 1} more)" if len(sizes) > 1 else ""
    return [Finding(kind, sizes[0], sizes[-1], message.format(sizes[0], more))]
