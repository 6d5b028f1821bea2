"""The signing key of a log, in a file outside its databases, and the files through which others check it."""

import base64
import binascii
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.keys.master import appearing
from domain.log.errors import LogError
from domain.log.notes import (
    ED25519,
    SIGNED_BY,
    Checkpoint,
    Note,
    NoteError,
    PublicKey,
    check_note,
    parse_keys,
)

PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True)
class SigningKey:
    """The secret that signs one log's checkpoints; never shown."""

    public: PublicKey
    secret: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.public.line()!r})"

    def sign(self, checkpoint: Checkpoint) -> Note:
        """The checkpoint as a signed note."""
        if checkpoint.origin != self.public.name:
            raise LogError(
                f"The signing key is of {self.public.name}, the log is {checkpoint.origin}: use the log's own."
            )
        text = checkpoint.text()
        signature = self.secret.sign(text.encode())
        blob = base64.b64encode(self.public.id + signature).decode()
        note = f"{text}\n{SIGNED_BY}{self.public.name} {blob}\n"
        return Note(note, checkpoint, ((self.public.name, self.public.id, signature),))


def create_key(path: Path, *, origin: str) -> PublicKey:
    """Make the signing key of the log `origin` at `path`, readable by its owner alone, and PATH.pub for all."""
    secret = Ed25519PrivateKey.generate()
    public = _public(origin, secret)
    line = f"{PREFIX}{origin}+{public.id.hex()}+{base64.b64encode(ED25519 + secret.private_bytes_raw()).decode()}"
    try:
        with appearing(path) as new:
            new.write_text(f"{line}\n", "utf-8")
        publish(public, path)
    except FileExistsError as error:
        raise LogError(f"There is a signing key at {path} already: keep it, or name another file.") from error
    except OSError as error:
        raise LogError(
            f"The signing key {path} cannot be made ({error.strerror}): check the folder."
        ) from error
    return public


def publish(public: PublicKey, path: Path) -> None:
    """Put the public half beside the key at `path`, safely stored, whole or not at all."""
    file = public_file(path)
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("w", encoding="utf-8") as opened:
        opened.write(f"{public.line()}\n")
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)


def read_key(path: Path) -> SigningKey:
    """The signing key at `path`, which nobody but its owner may read."""
    try:
        with path.open(encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            text = opened.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(
            f"The signing key {path} cannot be read: put it back, or check who may read it."
        ) from error
    if mode & 0o077:
        raise LogError(
            f"The signing key {path} can be read by others (mode {mode:o}): run `chmod 600 {path}`."
        )
    name, _, rest = text.removeprefix(PREFIX).partition("+")
    number, _, blob = rest.partition("+")
    try:
        seed = base64.b64decode(blob, validate=True)
        secret = Ed25519PrivateKey.from_private_bytes(seed[1:])
    except (ValueError, binascii.Error) as error:
        raise LogError(f"{path} is no signing key of Omniline: put back the log's own.") from error
    public = _public(name, secret)
    if not text.startswith(PREFIX) or seed[:1] != ED25519 or public.id.hex() != number:
        raise LogError(f"{path} is no signing key of Omniline: put back the log's own.")
    return SigningKey(public, secret)


def public_file(path: Path) -> Path:
    """Where the public half of the key at `path` lies."""
    return path.with_name(f"{path.name}.pub")


def read_public(path: Path) -> tuple[PublicKey, ...]:
    """The public keys in a file: the present one, and those before it."""
    try:
        return parse_keys(path.read_text("utf-8"))
    except OSError as error:
        raise LogError(
            f"The public key {path} cannot be read ({error.strerror}): name the right file."
        ) from error
    except ValueError as error:
        raise LogError(f"{path} is no public key of a log ({error}): name the right file.") from error


def flaw_of(note: Note, keys: Iterable[PublicKey]) -> str | None:
    """Why a note is not to be believed; None if it is."""
    try:
        check_note(note, keys, _check)
    except NoteError as error:
        return str(error)
    return None


def _check(public: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public(name: str, secret: Ed25519PrivateKey) -> PublicKey:
    return PublicKey(name, secret.public_key().public_bytes_raw())
