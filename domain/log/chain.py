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

_HEADER = Struct(">B6q7I").pack


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
    header = _HEADER(0, at, version, occurred_at, known_at, recorded_at, run, *lengths)
    return sha256(
        b"".join((header, stream, topic, state, sealed, key, payload, extra)), usedforsecurity=False
    ).digest()


def link(previous: bytes, row: bytes) -> bytes:
    """The chain value of a row: SHA-256 of 0x01, the previous chain value and the row's leaf."""
    return sha256(b"\1" + previous + row, usedforsecurity=False).digest()
