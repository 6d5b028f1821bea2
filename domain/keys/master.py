"""The master key that wraps all others: from the environment or from a file that its owner alone may read."""

import base64
import binascii
import errno
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from domain.keys.errors import KeysError, MasterExists

SIZE = 32
_ADVICE = "write 32 random bytes in base64, as `openssl rand -base64 32` prints them"


@dataclass(frozen=True, kw_only=True)
class Master:
    """One or more master keys, newest first: the first wraps, all unwrap; never shown."""

    id: str
    keys: tuple[tuple[str, bytes], ...] = field(repr=False)


def master_from(text: str) -> Master:
    """The master key in a text: one base64 line per key, newest first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise KeysError(f"The master key is empty: {_ADVICE}.")
    return _of(_decoded(line) for line in lines)


def read_master(file: Path) -> Master:
    """The master key in a file that nobody but its owner may read."""
    try:
        with file.open(encoding="ascii") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            text = opened.read()
    except FileNotFoundError as error:
        raise KeysError(
            f"There is no master key at {file}: put back the one that belongs to the key store."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError(
            f"The master key {file} cannot be read: check the file and who may read it."
        ) from error
    if mode & 0o077:
        raise KeysError(
            f"The master key {file} can be read by others (mode {mode:o}): run `chmod 600 {file}`."
        )
    try:
        return master_from(text)
    except KeysError as error:
        raise KeysError(f"{file} holds no master key. {error}") from error


def create_master(file: Path) -> Master:
    """Make a master key in a new file that its owner alone may read; an existing file is kept and refused."""
    made = secrets.token_bytes(SIZE)
    try:
        with appearing(file) as new, new.open("w", encoding="ascii") as opened:
            opened.write(f"{base64.b64encode(made).decode()}\n")
    except FileExistsError as error:
        raise MasterExists(
            f"There is a master key at {file} already: keep it, or name another file."
        ) from error
    except OSError as error:
        raise KeysError(
            f"The master key {file} cannot be made ({error.strerror}): check the folder."
        ) from error
    return _of([made])


@contextmanager
def appearing(file: Path) -> Iterator[Path]:
    """A new private file to fill, which takes its name whole and safely stored, or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
    new = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield new
        _settle(new)
        os.link(new, file)
        _settle(file.parent)
    finally:
        new.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _decoded(line: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except (ValueError, binascii.Error) as error:
        raise KeysError(f"The master key is no base64 text: {_ADVICE}.") from error
    if len(key) != SIZE:
        raise KeysError(f"The master key has {len(key)} bytes, not {SIZE}: {_ADVICE}.")
    if len(set(key)) < 8:
        raise KeysError(f"The master key is not random: {_ADVICE}.")
    return key


def _of(keys: Iterable[bytes]) -> Master:
    named = {hmac.digest(key, b"omniline master key", "sha256").hex()[:8]: key for key in keys}
    return Master(id=next(iter(named)), keys=tuple(named.items()))
