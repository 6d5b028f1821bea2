"""A balance is what became of a source's records; read = stored + duplicate + conflict + ignored + quarantined."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.log import Pending, Receipt
from ingestion.source import Translated


@dataclass(kw_only=True)
class Balance:
    """Counted in records; `rows` are those of the file, `events` the stored ones by class.

    `reasons` tells why records were ignored or quarantined, `flagged` what was stored with a doubt,
    `untrusted` which identifiers nobody declared a trust for, `notes` what may surprise in the mapping.
    """

    source: str
    files: list[str]
    read: int = 0
    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    ignored: int = 0
    quarantined: int = 0
    rows: int = 0
    events: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    untrusted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, part: Translated, receipts: Sequence[Receipt]) -> None:
        """Count records whose events have these receipts, and check that the sum holds."""
        left = iter(receipts)
        for record in part.records:
            self._settle(record, [next(left) for _ in record])
        self.read += part.read
        self.rows += part.rows
        self.ignored += part.ignored.total()
        self.quarantined += len(part.refused)
        self.reasons.update(part.ignored)
        self.reasons.update(refusal.reason for refusal in part.refused)
        self.flagged.update(part.flagged)
        settled = self.stored + self.duplicate + self.conflict + self.ignored + self.quarantined
        assert self.read == settled, f"{self.read} records read, {settled} accounted for"

    def _settle(self, record: Sequence[Pending], receipts: Sequence[Receipt]) -> None:
        outcomes = {receipt.outcome for receipt in receipts}
        if "conflict" in outcomes:
            self.conflict += 1
            self.reasons["conflict"] += 1
        elif "stored" in outcomes:
            self.stored += 1
        else:
            self.duplicate += 1
        for pending, receipt in zip(record, receipts, strict=True):
            if receipt.outcome == "stored":
                self.events[type(pending.event).__name__] += 1

    def as_dict(self) -> dict[str, Any]:
        """The balance as the command prints it."""
        named = dict(vars(self))
        for name in ("events", "reasons", "flagged"):
            named[name] = dict(sorted(named[name].items()))
        return named
