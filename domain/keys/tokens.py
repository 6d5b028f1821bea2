"""Names that stand for personal values: surrogates in ids, blind tokens in views, keys of fingerprints."""

import hmac
from collections.abc import Iterable
from hashlib import blake2b

from domain.keys.errors import KeysError


def surrogate(secret: bytes, ns: str, key: str) -> str:
    """32 hexadecimal characters that stand for a personal value wherever an id needs one."""
    if not ns or "\0" in ns:
        raise KeysError(f"A surrogate needs a namespace, not {ns!r}.")
    return hmac.digest(secret, f"surrogate\0{ns}\0{key}".encode(), "sha256").hex()[:32]


def blind(pepper: bytes, key: str) -> str:
    """The token of an identifier `namespace:value`, under its plain namespace: `email:<32 hex>`."""
    ns, colon, value = key.partition(":")
    if not (ns and colon and value):
        raise KeysError("A blind token needs an identifier like email:…, with a namespace and a value.")
    token = hmac.digest(pepper, f"blind\0{key}".encode(), "sha256").hex()[:32]
    return f"{ns}:{token}"


def fingerprint_key(secret: bytes, keys: Iterable[tuple[int, bytes]]) -> bytes:
    """What keys the fingerprint of an event with personal fields: dead without each of its keys.

    `keys` are the class codes and keys of the event's personal fields, in ascending order.
    """
    parts = b"".join([b"%c%b" % part for part in keys])
    return blake2b(parts, key=secret, person=b"fingerprint", digest_size=32).digest()


def mark(secret: bytes, epoch: str) -> str:
    """What a log remembers of its key store, so that another one is recognised."""
    return hmac.digest(secret, f"key store of {epoch}".encode(), "sha256").hex()[:32]
