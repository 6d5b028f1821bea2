"""One call finds out what appending would do, also for a record that the same dry run met before."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from domain.log import Changed, Log, Pending, Receipt

ENCODER = msgspec.json.Encoder(order="deterministic", decimal_format="string")


@dataclass(kw_only=True)
class DryRun:
    """Remembers a digest of what would have been stored, since nothing is."""

    log: Log
    stored: dict[str, set[bytes]] = field(default_factory=dict)

    def receipts(self, pending: Sequence[Pending], changed: Changed) -> list[Receipt]:
        """The receipts that `append_batch` would give."""
        receipts = self.log.check_batch(pending, changed=changed)
        return [self._known(one, receipt, changed) for one, receipt in zip(pending, receipts, strict=True)]

    def _known(self, one: Pending, receipt: Receipt, changed: Changed) -> Receipt:
        if receipt.outcome != "stored":
            return receipt
        digest, before = _digest(one), self.stored.setdefault(one.event.event_id, set())
        if before and (one.once or digest in before):
            return msgspec.structs.replace(receipt, outcome="duplicate")
        if before and changed == "conflict":
            return msgspec.structs.replace(receipt, outcome="conflict")
        before.add(digest)
        return receipt


def _digest(one: Pending) -> bytes:
    content = msgspec.structs.replace(one.event, known_at=None)
    return hashlib.blake2b(ENCODER.encode(content), digest_size=16).digest()
