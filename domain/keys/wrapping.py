"""How keys and secrets lie in the store: encrypted under a master key and bound to what they are for."""

from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.keys.errors import KeysError
from domain.keys.master import SIZE, Master
from domain.keys.sealing import CLASSES, NONCE

SLOTS = {code: slice(number * SIZE, (number + 1) * SIZE) for number, code in enumerate(CLASSES)}
"""Where the key of each class lies in a stream's keys."""
KEYS_SIZE = len(SLOTS) * SIZE
WRAPPED = NONCE + KEYS_SIZE + 16
"""Bytes of a stream's keys under their wrap."""

Row = tuple[str, str, bytes]
"""A stream or a secret's name, the id of its master key, and what is wrapped."""


class Wraps:
    """Wraps under the newest master key, unwraps under each; `shown` names the store to people."""

    def __init__(self, master: Master, shown: str) -> None:
        self.newest = master.id
        self.shown = shown
        self._ciphers = {name: AESGCM(key) for name, key in master.keys}

    def wrap(self, keys: bytes, bound: str, *, nonce: bytes) -> bytes:
        """Keys or a secret as they are stored."""
        return nonce + self._ciphers[self.newest].encrypt(nonce, keys, bound.encode())

    def unwrap(self, rows: Iterable[Row], altered: set[str] | None = None) -> dict[str, bytes]:
        """The keys or secrets in these rows, by what their wraps are bound to.

        Altered ones are refused; where there is a set for them, they are left out and put there.
        """
        decrypts = {name: cipher.decrypt for name, cipher in self._ciphers.items()}
        plain = {}
        try:
            for bound, master, wrapped in rows:
                try:
                    plain[bound] = decrypts[master](wrapped[:NONCE], wrapped[NONCE:], bound.encode())
                except (InvalidTag, ValueError):
                    if altered is None:
                        raise
                    altered.add(bound)
        except KeyError as error:
            raise KeysError(
                f"The key store {self.shown} needs the master key {error.args[0]}, which is not the one given "
                f"({', '.join(self._ciphers)}): put it back."
            ) from error
        except (InvalidTag, ValueError) as error:
            raise KeysError(
                f"A key in the key store {self.shown} was altered: restore the store from a backup."
            ) from error
        return plain

    def mint(self, streams: Sequence[str], random: bytes) -> tuple[list[Row], dict[str, bytes]]:
        """Rows and plain keys of new streams; each takes KEYS_SIZE + NONCE fresh random bytes."""
        rows, minted, at = [], {}, 0
        for stream in streams:
            keys, at = random[at : at + KEYS_SIZE], at + KEYS_SIZE
            nonce, at = random[at : at + NONCE], at + NONCE
            rows.append((stream, self.newest, self.wrap(keys, stream, nonce=nonce)))
            minted[stream] = keys
        return rows, minted
