"""The key store beside a log: one SQLite file with the secret that stands behind its fingerprints."""

import fcntl
import hmac
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from domain.log.errors import LogError, LogMismatch

_TABLE = "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
_MINT = "INSERT INTO secrets VALUES ('log', ?) ON CONFLICT DO NOTHING"
_READ = "SELECT value FROM secrets WHERE name = 'log'"


@contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Let one process at a time create what this folder lacks; where nothing can be made, nobody waits."""
    with ExitStack() as held:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            fcntl.flock(held.enter_context((folder / ".starting").open("w")), fcntl.LOCK_EX)
        yield


def mint(keys: Path) -> bytes:
    """The log's secret, made and safely stored first where there is none."""
    try:
        keys.touch(mode=0o600)
        with closing(sqlite3.connect(keys, isolation_level=None, timeout=60)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(_TABLE)
            connection.execute(_MINT, (secrets.token_bytes(32),))
    except (sqlite3.Error, OSError) as error:
        raise LogMismatch(
            f"The key store {keys} cannot be made or read ({error}): check the file."
        ) from error
    return read(keys)


def read(keys: Path) -> bytes:
    """The log's secret."""
    if not keys.is_file():
        raise LogMismatch(f"The key store {keys} is missing: put back the one that was made with this log.")
    try:
        with closing(
            sqlite3.connect(f"{keys.absolute().as_uri()}?mode=ro", uri=True, timeout=60)
        ) as connection:
            row = connection.execute(_READ).fetchone()
    except sqlite3.Error as error:
        raise LogMismatch(f"{keys} is no key store of Omniline ({error}): put back the log's own.") from error
    if row is None:
        raise LogMismatch(
            f"The key store {keys} holds no secret: put back the one that was made with this log."
        )
    return bytes(row[0])


def mark(secret: bytes, epoch: str) -> str:
    """What a log remembers of its key store, so that another one is recognised."""
    return hmac.digest(secret, f"key store of {epoch}".encode(), "sha256").hex()[:32]


def surrogate(secret: bytes, ns: str, key: str) -> str:
    """32 hexadecimal characters that stand for a personal value wherever an id needs one."""
    if not ns or "\0" in ns:
        raise LogError(f"A surrogate needs a namespace, not {ns!r}.")
    return hmac.digest(secret, f"surrogate\0{ns}\0{key}".encode(), "sha256").hex()[:32]


def new_epoch() -> str:
    """A name for a log that no other log bears."""
    return secrets.token_hex(16)
