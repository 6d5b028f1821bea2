"""Tamper evidence: one leaf per row over every stored column, and the chain that links each row to the last."""

from hashlib import sha256
from struct import Struct

START = bytes(32)
"""What the first row is linked to."""

COLUMNS = (
    "position",
    "originator_id",
    "originator_version",
    "topic",
    "state",
    "event_id",
    "occurred_at",
    "known_at",
    "recorded_at",
    "run_id",
    "payload_hash",
    "metadata",
)
"""What a leaf covers, in order; the chain value stands beside them."""

_HEADER = Struct(">B6q6Q").pack


def leaf(
    position: int,
    originator_id: str,
    originator_version: int,
    topic: str,
    state: bytes,
    event_id: str,
    occurred_at: int,
    known_at: int,
    recorded_at: int,
    run_id: int,
    payload_hash: bytes,
    metadata: str,
) -> bytes:
    """SHA-256 of 0x00, the numbers, the length of every text and byte column, and their bytes."""
    stream, kind, key, extra = originator_id.encode(), topic.encode(), event_id.encode(), metadata.encode()
    header = _HEADER(
        0,
        position,
        originator_version,
        occurred_at,
        known_at,
        recorded_at,
        run_id,
        len(stream),
        len(kind),
        len(state),
        len(key),
        len(payload_hash),
        len(extra),
    )
    return sha256(b"".join((header, stream, kind, state, key, payload_hash, extra))).digest()


def link(previous: bytes, row: bytes) -> bytes:
    """The chain value of a row: SHA-256 of 0x01, the previous chain value and the row's leaf."""
    return sha256(b"\1" + previous + row).digest()
