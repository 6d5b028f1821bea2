"""One note: a signed checkpoint in the C2SP form (tlog-checkpoint, signed-note): how long a log was, and its root.

Nothing here but the standard library: an evidence bundle takes this file along.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

ED25519 = b"\1"
SIGNED_BY = "\u2014 "
ID_BYTES, SIGNATURE_BYTES = 4, 64

Check = Callable[[bytes, bytes, bytes], bool]
"""Whether (public key, signature, text) belong together."""


class NoteError(ValueError):
    """A text that is no checkpoint, or whose signature does not hold."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """That the log `origin` had `size` events up to `position`, with this root, when it was signed."""

    origin: str
    size: int
    root: bytes
    position: int
    signed_at: datetime

    def text(self) -> str:
        """What is signed: three lines of the standard, and two extension lines of ours."""
        signed_at = self.signed_at.isoformat(timespec="microseconds")
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nposition {self.position}\nsigned_at {signed_at}\n"


@dataclass(frozen=True)
class PublicKey:
    """The key that checks a log's notes, under the log's name."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that a signature names its key by."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:ID_BYTES]

    def line(self) -> str:
        """The key as signed notes write it: name, id, key."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"


@dataclass(frozen=True)
class Note:
    """A checkpoint and its signatures: (name, key id, signature) each."""

    text: str
    checkpoint: Checkpoint
    signatures: tuple[tuple[str, bytes, bytes], ...]


def parse_note(text: str) -> Note:
    """The note that a text is; NoteError if it is none."""
    body, gap, signed = text.rpartition("\n\n")
    if not gap or not signed.endswith("\n"):
        raise NoteError("a note is a text, an empty line and signature lines")
    signatures = tuple(_signature(line) for line in signed.removesuffix("\n").split("\n"))
    return Note(text, _checkpoint(body + "\n"), signatures)


def parse_keys(text: str) -> tuple[PublicKey, ...]:
    """The public keys of a file, one a line; NoteError if it holds none or something else."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise NoteError("there is no public key in it")
    return tuple(map(_public_key, lines))


def check_note(note: Note, keys: Iterable[PublicKey], check: Check) -> None:
    """NoteError unless a key of the note's own log signed it, and no signature by a known key fails."""
    known = {(key.name, key.id): key.key for key in keys if key.name == note.checkpoint.origin}
    text = note.checkpoint.text().encode()
    verdicts = [
        check(key, signature, text)
        for name, number, signature in note.signatures
        if (key := known.get((name, number))) is not None
    ]
    if not verdicts:
        raise NoteError(f"it is not signed with the public key of {note.checkpoint.origin}")
    if not all(verdicts):
        raise NoteError("its signature does not fit its text")


def split_notes(text: str) -> tuple[list[Note], int]:
    """The notes of a file that holds one after another, and how many pieces of it are none."""
    notes, debris = [], 0
    pieces = [piece for piece in text.split("\n\n") if piece.strip("\n")]
    at = 0
    while at < len(pieces):
        signed = pieces[at + 1] if at + 1 < len(pieces) else ""
        try:
            notes.append(parse_note(f"{pieces[at]}\n\n{signed.removesuffix(chr(10))}\n"))
            at += 2
        except NoteError:
            debris += 1
            at += 1
    return notes, debris


def _checkpoint(text: str) -> Checkpoint:
    try:
        origin, size, root, position, signed_at = text.removesuffix("\n").split("\n")
        found = Checkpoint(
            origin=origin,
            size=int(size),
            root=base64.b64decode(root, validate=True),
            position=int(position.removeprefix("position ")),
            signed_at=datetime.fromisoformat(signed_at.removeprefix("signed_at ")),
        )
    except (ValueError, binascii.Error) as error:
        raise NoteError("it is no checkpoint of Omniline") from error
    if found.text() != text or len(found.root) != 32 or not origin or found.signed_at.tzinfo is None:
        raise NoteError("it is no checkpoint of Omniline")
    return found


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, blob = line.removeprefix(SIGNED_BY).partition(" ")
    try:
        signed = base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("a signature line is not base64") from error
    if not line.startswith(SIGNED_BY) or not name or len(signed) != ID_BYTES + SIGNATURE_BYTES:
        raise NoteError("a line is no Ed25519 signature")
    return name, signed[:ID_BYTES], signed[ID_BYTES:]


def _public_key(line: str) -> PublicKey:
    name, _, rest = line.partition("+")
    number, _, blob = rest.partition("+")
    try:
        key = base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("a public key is not base64") from error
    found = PublicKey(name, key[1:])
    if not name or len(key) != 33 or key[:1] != ED25519 or found.id.hex() != number:
        raise NoteError("a line is no Ed25519 public key: name+id+key")
    return found
