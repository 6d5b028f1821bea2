"""What is personal in a batch: fingerprinted under its contact's key, and sealed under it for the row."""

import os
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from domain.keys import Keys, Pair, fingerprint_key, seal_all
from domain.log.records import Draft

FINGERPRINT = 16
NONCE = 12
Codes = int | tuple[int, ...]
"""The class of an event's personal fields, or their classes."""
ABSENT = bytes(32)
"""Stands for a key that nobody made: nothing stored bears a fingerprint under it."""


def pairs(drafts: Iterable[Draft]) -> set[Pair]:
    """The keys that these drafts need."""
    return {(draft.originator_id, code) for draft in drafts for code, _ in draft.parts}


def fingerprint(drafts: Iterable[Draft], keys: Keys, secret: bytes) -> None:
    """Give each draft the fingerprint of its content, and take from it what a destroyed key would have sealed.

    It covers neither the revision nor when the event became known. It is keyed by the log's secret, with personal
    fields also by their keys, so that nobody can try out contents once these are gone.
    """
    plain = blake2b(key=secret, digest_size=FINGERPRINT)
    keyed: dict[tuple[str, Codes], blake2b] = {}
    destroyed = None in keys.values()
    for draft in drafts:
        stream, parts = draft.originator_id, draft.parts
        content = b"%b\0%d\0%b\0%b" % (stream.encode(), draft.occurred_at, draft.topic.encode(), draft.state)
        if parts and destroyed:
            parts = draft.parts = tuple(
                part for part in parts if keys.get((stream, part[0]), ABSENT) is not None
            )
        if not parts:
            mac = plain.copy()
        else:
            codes = parts[0][0] if len(parts) == 1 else tuple([code for code, _ in parts])
            known = keyed.get((stream, codes))
            if known is None:
                held = [(code, keys.get((stream, code)) or ABSENT) for code, _ in parts]
                known = blake2b(key=fingerprint_key(secret, held), digest_size=FINGERPRINT)
                keyed[stream, codes] = known
            mac = known.copy()
            for part in parts:
                content += b"\0%c%b" % part
        mac.update(content)
        draft.payload_hash = mac.digest()


def seal(drafts: Sequence[Draft], keys: Keys) -> None:
    """Seal what is personal in these drafts, for the event ids that they bear now."""
    unsealed = [draft for draft in drafts if draft.parts and draft.sealed_as != draft.event_id]
    if not unsealed:
        return
    nonces = os.urandom(NONCE * sum(len(draft.parts) for draft in unsealed))
    events = [(draft.originator_id, draft.event_id, draft.topic, draft.parts) for draft in unsealed]
    for draft, column in zip(unsealed, seal_all(events, keys=keys, nonces=nonces), strict=True):
        draft.sealed, draft.sealed_as = column, draft.event_id
