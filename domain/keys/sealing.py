"""Personal fields in one sealed column: per retention class one ciphertext bound to event, topic and class.

Column: per class, ascending: its code (1 byte), a length (4 bytes, big-endian), nonce (12), ciphertext and tag.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.keys.errors import KeysError

CLASSES = {1: "contact", 2: "content", 3: "special"}
"""Retention classes by their code in the column."""
NONCE = 12
_HEAD = 5

Pair = tuple[str, int]
"""A stream and a class code: what one key is for."""
Keys = Mapping[Pair, bytes | None]
"""Keys by pair; None where the key was destroyed."""
Unsealed = tuple[str, str, str, Sequence[tuple[int, bytes]]]
"""Stream, event id, stored topic, and JSON fragments with their class codes, ascending."""
Sealed = tuple[str, str, str, bytes]
"""Stream, event id, stored topic, and the sealed column."""

_NAMES = {code: f"\0{name}" for code, name in CLASSES.items()}


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
    ciphers: dict[Pair, AESGCM] = {}
    sealed, at = [], 0
    for stream, event_id, topic, parts in events:
        column = b""
        for code, fragment in parts:
            pair = stream, code
            cipher = ciphers.get(pair)
            if cipher is None:
                key = keys[pair]
                if key is None:
                    continue
                cipher = ciphers[pair] = AESGCM(key)
            nonce = nonces[at : at + NONCE]
            at += NONCE
            body = cipher.encrypt(nonce, fragment, f"{event_id}\0{topic}{_NAMES[code]}".encode())
            column += b"%c%b%b%b" % (code, (NONCE + len(body)).to_bytes(4), nonce, body)
        sealed.append(column)
    if at > len(nonces):
        raise ValueError("every fragment needs a nonce of its own")
    return sealed


def open_all(events: Iterable[Sealed], *, keys: Keys) -> list[bytes]:
    """The JSON fragments of a batch, one per event: `"name":"…","text":"…"`, empty where nothing opens.

    A class whose key is destroyed or not in `keys` is left out.
    """
    ciphers: dict[Pair, AESGCM] = {}
    opened = []
    for stream, event_id, topic, column in events:
        fragments = []
        for code, start, end in _parts(column, event_id):
            pair = stream, code
            cipher = ciphers.get(pair)
            if cipher is None:
                key = keys.get(pair)
                if key is None:
                    continue
                cipher = ciphers[pair] = AESGCM(key)
            bound = f"{event_id}\0{topic}{_NAMES[code]}".encode()
            try:
                fragments.append(
                    cipher.decrypt(column[start : start + NONCE], column[start + NONCE : end], bound)
                )
            except InvalidTag as error:
                raise KeysError(
                    f"The sealed fields of {event_id} do not open with their key, so event or key was altered: "
                    "run `omniline verify`, or restore log and key store from a backup."
                ) from error
        opened.append(b",".join(fragments))
    return opened


def pairs_in(events: Iterable[Sealed], *, codes: Collection[int] = tuple(CLASSES)) -> set[Pair]:
    """The keys that opening these events takes."""
    return {
        (stream, code)
        for stream, event_id, _, column in events
        for code, _, _ in _parts(column, event_id)
        if code in codes
    }


def _parts(column: bytes, event_id: str) -> Iterator[tuple[int, int, int]]:
    """Class code, start and end of each sealed part."""
    at, size = 0, len(column)
    while at < size:
        code = column[at]
        start = at + _HEAD
        at = start + int.from_bytes(column[at + 1 : start])
        if code not in _NAMES or at > size or at - start < NONCE:
            raise KeysError(
                f"The sealed fields of {event_id} are not as Omniline writes them: update Omniline, "
                "or run `omniline verify` and restore the log from a backup."
            )
        yield code, start, at
