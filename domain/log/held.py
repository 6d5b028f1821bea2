"""Checkpoints inside the log's database: one row each, with the frontier beside it; neither is to be believed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.log.log import Log
from domain.log.notes import Checkpoint, Note, NoteError, parse_note
from domain.log.records import microseconds
from domain.log.scan import BEFORE_ALL
from domain.merkle import Frontier

TABLE = {
    "sqlite": """CREATE TABLE IF NOT EXISTS checkpoints (
    size INTEGER PRIMARY KEY, signed_at INTEGER NOT NULL, note TEXT NOT NULL, frontier BLOB NOT NULL)""",
    "postgresql": """CREATE TABLE IF NOT EXISTS checkpoints (
    size bigint PRIMARY KEY, signed_at bigint NOT NULL, note text NOT NULL, frontier bytea NOT NULL)""",
}
"""What makes the table of checkpoints."""
_STORED = "SELECT size, note, frontier FROM checkpoints WHERE size >= ? ORDER BY size"
_BEFORE = "SELECT size, note, frontier FROM checkpoints WHERE size < ? ORDER BY size DESC LIMIT 1"
_NEWEST = "SELECT coalesce(max(size), 0) FROM checkpoints"
_KEEP = "INSERT INTO checkpoints (size, signed_at, note, frontier) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Mark:
    """A frontier, and the position of its last leaf: all that whoever keeps it has to keep."""

    frontier: Frontier = field(default_factory=Frontier)
    position: int = BEFORE_ALL

    def reproduces(self, checkpoint: Checkpoint) -> bool:
        """Whether this is the tree that the checkpoint was signed over."""
        return (self.frontier.size, self.frontier.root()) == (checkpoint.size, checkpoint.root)


@dataclass(frozen=True)
class Held:
    """A checkpoint as the log's database holds it, with the frontier beside it; neither is to be believed."""

    size: int
    text: str
    frontier: bytes

    def note(self) -> Note | None:
        """The note, if the text is one of this size."""
        try:
            found = parse_note(self.text)
        except NoteError:
            return None
        return found if found.checkpoint.size == self.size else None

    def mark(self, checkpoint: Checkpoint) -> Mark | None:
        """The mark that was kept, if it reproduces this believed checkpoint."""
        try:
            found = Mark(Frontier.from_bytes(self.frontier), checkpoint.position)
        except ValueError:
            return None
        return found if found.reproduces(checkpoint) else None


def origin_of(log: Log) -> str:
    """The name that a log has in its checkpoints, and its key too."""
    return f"omniline/{log.epoch}"


def prepare(log: Log) -> None:
    """Make the table of checkpoints where there is none."""
    with log.session() as session:
        if "checkpoints" in session.tables():
            return
    with log.session(commit=True) as session:
        session.run(TABLE[log.dialect])


def held(log: Log, *, since: int = 0) -> list[Held]:
    """The checkpoints in the log's database from this size on, smallest first."""
    with log.session() as session:
        if "checkpoints" not in session.tables():
            return []
        return [Held(size, str(text), bytes(kept)) for size, text, kept in session.run(_STORED, [since])]


def held_before(log: Log, size: int) -> Held | None:
    """The last checkpoint in the log's database that is smaller than this."""
    with log.session() as session:
        found = session.run(_BEFORE, [size])
    return Held(found[0][0], str(found[0][1]), bytes(found[0][2])) if found else None


def newest_size(log: Log) -> int:
    """The size of the newest checkpoint in the log's database; 0 where there is none."""
    with log.session() as session:
        return int(session.run(_NEWEST)[0][0])


def keep(log: Log, made: Sequence[tuple[Note, Mark]], *, expected: int) -> bool:
    """Store checkpoints; False, and nothing stored, where another signer was faster."""
    rows = [
        (
            note.checkpoint.size,
            microseconds(note.checkpoint.signed_at),
            note.text,
            mark.frontier.to_bytes(),
        )
        for note, mark in made
    ]
    with log.session(commit=True) as session:
        if session.run(_NEWEST)[0][0] != expected:
            return False
        session.run_many(_KEEP, rows)
    return True
