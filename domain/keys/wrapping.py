"""How keys and secrets lie in the store: encrypted under a master key and bound to what they are for."""

from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.keys.errors import KeysError
from domain.keys.master import SIZE, Master
from domain.keys.sealing import NONCE, Pair

RANDOM = SIZE + NONCE
"""Random bytes that minting one key takes."""


class Wraps:
    """Wraps and unwraps under one master key; `shown` is the store it tells of."""

    def __init__(self, master: Master, shown: str) -> None:
        self.newest = master.id
        self._ciphers = {name: AESGCM(key) for name, key in master.keys}
        self._shown = shown

    def mint(self, pairs: Iterable[Pair], random: bytes) -> list[tuple[str, int, str, bytes, bytes]]:
        """Stream, class, master id, wrapped key and key of new keys, from 44 random bytes each."""
        encrypt, newest = self._ciphers[self.newest].encrypt, self.newest
        minted, at = [], 0
        for stream, code in pairs:
            middle, end = at + SIZE, at + RANDOM
            key, nonce, at = random[at:middle], random[middle:end], end
            wrapped = nonce + encrypt(nonce, key, f"{stream}\0{code}".encode())
            minted.append((stream, code, newest, wrapped, key))
        return minted

    def wrap(self, key: bytes, nonce: bytes, bound: str) -> bytes:
        """A key or secret as it is stored under the newest master key."""
        return nonce + self._ciphers[self.newest].encrypt(nonce, key, bound.encode())

    def unwrap(self, master: str, wrapped: bytes, bound: str) -> bytes:
        """A stored key or secret."""
        cipher = self._ciphers.get(master)
        if cipher is None:
            raise KeysError(
                f"The key store {self._shown} needs the master key {master}, which is not among those given "
                f"({', '.join(self._ciphers)}): put it back."
            )
        try:
            return cipher.decrypt(wrapped[:NONCE], wrapped[NONCE:], bound.encode())
        except InvalidTag as error:
            raise KeysError(
                f"A key in the key store {self._shown} was altered: restore the store from a backup."
            ) from error
