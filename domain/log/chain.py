"""Tamper evidence: one leaf per row over every stored column, and the chain that links each row to the last."""

from hashlib import sha256
from struct import Struct
from typing import Any

START = bytes(32)
"""What the first row is linked to."""

COLUMNS = (
    "position",
    "originator_id",
    "originator_version",
    "topic",
    "state",
    "sealed",
    "event_id",
    "occurred_at",
    "known_at",
    "recorded_at",
    "run_id",
    "payload_hash",
    "metadata",
)
"""What a leaf covers, in order; the chain value stands beside them."""

_header = Struct(">6q7I").pack
_LEAF, _LINK = sha256(b"\0"), sha256(b"\1")


def leaf(row: tuple[Any, ...]) -> bytes:
    """SHA-256 of 0x00, the numbers, the length of every text and byte column, and their bytes."""
    (
        at,
        stream,
        version,
        topic,
        state,
        sealed,
        key,
        occurred_at,
        known_at,
        recorded_at,
        run,
        payload,
        extra,
    ) = row
    stream, topic, key, extra = stream.encode(), topic.encode(), key.encode(), extra.encode()
    lengths = len(stream), len(topic), len(state), len(sealed), len(key), len(payload), len(extra)
    header = _header(at, version, occurred_at, known_at, recorded_at, run, *lengths)
    digest = _LEAF.copy()
    digest.update(b"".join((header, stream, topic, state, sealed, key, payload, extra)))
    return digest.digest()


def link(previous: bytes, row: bytes) -> bytes:
    """The chain value of a row: SHA-256 of 0x01, the previous chain value and the row's leaf."""
    digest = _LINK.copy()
    digest.update(previous + row)
    return digest.digest()
