"""What is personal in a batch: fingerprinted under its contact's keys, and sealed under them for the row."""

import os
from collections.abc import Iterable
from hashlib import blake2b

from msgspec.structs import astuple, replace

from domain.keys import Keys, Pair, Unsealed, seal_all
from domain.log.records import Draft, microseconds
from domain.log.shapes import shape_of

FINGERPRINT = 16
NONCE = 12
ABSENT = bytes(32)
"""Stands for a key that nobody made: nothing stored bears a fingerprint under it."""


def pairs(drafts: Iterable[Draft]) -> set[Pair]:
    """The keys that these drafts need."""
    return {(draft.originator_id, code) for draft in drafts for code in draft.codes}


def mac_of(secret: bytes) -> blake2b:
    """What fingerprints begin with: the log's secret."""
    return blake2b(key=secret, digest_size=FINGERPRINT)


def digest_of(mac: blake2b, stream: str, occurred_at: int, topic: str, body: bytes) -> bytes:
    """The fingerprint of an event: neither its revision, nor when it became known, nor the version of its class."""
    mac.update(f"{stream}\0{occurred_at}\0{topic}\0".encode())
    mac.update(body)
    return mac.digest()


def fingerprint(drafts: Iterable[Draft], keys: Keys, secret: bytes) -> None:
    """Give each draft with personal fields its fingerprint, and take from it what a destroyed key would have sealed.

    It is keyed by the log's secret and by these fields' keys, so that nobody can try out contents once they are gone.
    """
    empty = mac_of(secret)
    for draft in drafts:
        mac, stream = empty.copy(), draft.originator_id
        for code in draft.codes:
            key = keys.get((stream, code), ABSENT)
            if key is None:
                _lessen(draft, code)
            else:
                mac.update(key)
        draft.payload_hash = digest_of(mac, stream, draft.occurred_at, draft.topic, draft.body)


def _lessen(draft: Draft, code: int) -> None:
    """Take from a draft what a class holds of it."""
    event = draft.event
    assert event is not None
    shape = shape_of(type(event))
    draft.event = replace(event, **shape.silent[code])
    values = astuple(draft.event)
    draft.body, draft.codes = shape.body(values), shape.codes(values)


def seal(drafts: Iterable[Draft], keys: Keys) -> None:
    """Complete these drafts: their states, and what is personal sealed for the event ids that they bear now."""
    unsealed = []
    for draft in drafts:
        event = draft.event
        if event is None or draft.sealed_as == draft.event_id:
            continue
        draft.sealed_as = draft.event_id
        if event.known_at is not None:
            draft.known_at = microseconds(event.known_at)
        if draft.codes:
            unsealed.append(draft)
        else:
            draft.state = shape_of(type(event)).state(draft.body)
    if unsealed:
        nonces = os.urandom(NONCE * sum(len(draft.codes) for draft in unsealed))
        columns = seal_all(map(_divided, unsealed), keys=keys, nonces=nonces)
        for draft, column in zip(unsealed, columns, strict=True):
            draft.sealed = column


def _divided(draft: Draft) -> Unsealed:
    """What is to be sealed of a draft, which now has its state."""
    event = draft.event
    assert event is not None
    draft.state, parts = shape_of(type(event)).split(event, draft.body)
    return draft.originator_id, draft.event_id, draft.topic, parts
