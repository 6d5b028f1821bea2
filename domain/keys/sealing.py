"""Personal fields in one sealed column: per retention class one ciphertext bound to event, topic and class.

Column: per class, ascending: its code (1 byte), a length (4 bytes, big-endian), nonce (12), ciphertext and tag.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import Struct
from struct import error as StructError

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.keys.errors import KeysError

CLASSES = {1: "contact", 2: "content", 3: "special"}
"""Retention classes by their code in the column."""
NONCE = 12

Pair = tuple[str, int]
"""A stream and a class code: what one key is for."""
Keys = Mapping[Pair, bytes | None]
"""Keys by pair; None where the key was destroyed."""
Unsealed = tuple[str, str, str, Sequence[tuple[int, bytes]]]
"""Stream, event id, stored topic, and JSON fragments with their class codes, ascending."""
Sealed = tuple[str, str, str, bytes]
"""Stream, event id, stored topic, and the sealed column."""

_Ciphers = dict[int, dict[str, AESGCM]]
_NAMES = {code: name.encode() for code, name in CLASSES.items()}
_head = Struct(">BI").unpack_from
_start = Struct(">BI12s").pack


def seal_one(event: Unsealed, *, keys: Keys, nonces: bytes) -> bytes:
    """The sealed column of one event."""
    return seal_all([event], keys=keys, nonces=nonces)[0]


def open_one(event: Sealed, *, keys: Keys) -> bytes:
    """The JSON fragment of one event's personal fields."""
    return open_all([event], keys=keys)[0]


def seal_all(events: Iterable[Unsealed], *, keys: Keys, nonces: bytes) -> list[bytes]:
    """The sealed columns of a batch; what has a destroyed key is left out.

    `nonces` holds 12 fresh random bytes for every fragment.
    """
    ciphers: _Ciphers = {code: {} for code in CLASSES}
    sealed, at = [], 0
    for stream, event_id, topic, parts in events:
        column = b""
        bound = f"{event_id}\0{topic}\0".encode()
        for code, fragment in parts:
            cipher = ciphers[code].get(stream)
            if cipher is None:
                key = keys[stream, code]
                if key is None:
                    continue
                cipher = ciphers[code][stream] = AESGCM(key)
            nonce = nonces[at : at + NONCE]
            at += NONCE
            body = cipher.encrypt(nonce, fragment, bound + _NAMES[code])
            column += _start(code, NONCE + len(body), nonce) + body
        sealed.append(column)
    if at > len(nonces):
        raise ValueError("every fragment needs a nonce of its own")
    return sealed


def open_all(events: Iterable[Sealed], *, keys: Keys, unfit: list[str] | None = None) -> list[bytes]:
    """The JSON fragments of a batch, one per event: `"name":"…","text":"…"`, empty where nothing opens.

    A class whose key is destroyed or not in `keys` is left out. What does not open with its key is refused; where
    there is a list for the event ids of such events, it is left out too.
    """
    return open_with(events, lambda stream, code: keys.get((stream, code)), unfit=unfit)


def open_with(
    events: Iterable[Sealed],
    key_of: Callable[[str, int], bytes | None],
    *,
    unfit: list[str] | None = None,
) -> list[bytes]:
    """The same, with keys as `key_of` tells them by stream and class code; it may refuse with a KeysError."""
    ciphers: _Ciphers = {code: {} for code in CLASSES}
    opened = []
    for stream, event_id, topic, column in events:
        fragments, at, size = b"", 0, len(column)
        bound = f"{event_id}\0{topic}\0".encode()
        try:
            while at < size:
                code, length = _head(column, at)
                start, at = at + 5, at + 5 + length
                cipher = ciphers[code].get(stream)
                if cipher is None:
                    key = key_of(stream, code)
                    if key is None:
                        continue
                    cipher = ciphers[code][stream] = AESGCM(key)
                body = start + NONCE
                fragment = cipher.decrypt(column[start:body], column[body:at], bound + _NAMES[code])
                fragments = fragments + b"," + fragment if fragments else fragment
            fits = at == size
        except (InvalidTag, StructError, KeyError, ValueError, KeysError) as error:
            if unfit is None:
                raise _unfit(event_id) from error
            fits = False
        if not fits:
            if unfit is None:
                raise _unfit(event_id)
            unfit.append(event_id)
        opened.append(fragments)
    return opened


def pairs_in(events: Iterable[Sealed]) -> set[Pair]:
    """The keys that opening these events takes."""
    pairs: set[Pair] = set()
    for stream, event_id, _, column in events:
        at, size = 0, len(column)
        try:
            while at < size:
                code, length = _head(column, at)
                at += 5 + length
                pairs.add((stream, code))
        except StructError as error:
            raise _unfit(event_id) from error
        if at > size:
            raise _unfit(event_id)
    return pairs


def _unfit(event_id: str) -> KeysError:
    return KeysError(
        f"The sealed fields of {event_id} do not open with their key, so event or key was altered: "
        "run `omniline verify`, or restore log and key store from a backup."
    )
