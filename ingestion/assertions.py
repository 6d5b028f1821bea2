"""One call turns an identifier that a record bears into the event that asserts it, without its value in any id."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from sys import intern

from domain.events.identity import IdentifierAsserted
from domain.identifiers import identify, split

Surrogate = Callable[[str, str], str]
KNOWN = 200_000
"""So many identifiers of a file are remembered, so that a key is computed once."""


def assertion_id(subject: str, ns: str, key: str, surrogate: Surrogate) -> str:
    """The id of what a subject asserts; no two subjects with one identifier can be told by theirs."""
    return f"{subject}/{ns}/{surrogate(ns, f'{subject} {key}')}"


class Assertions:
    """The identifiers of a file; what is none is counted in `refused` by its reason, and not asserted.

    `pairs` gathers what was asserted how: (source, "email.typed").
    """

    def __init__(self, surrogate: Surrogate) -> None:
        self.refused: Counter[str] = Counter()
        self.pairs: set[tuple[str, str]] = set()
        self._surrogate = surrogate
        self._keys = lru_cache(maxsize=KNOWN)(_keys)

    def events(
        self,
        *,
        source: str,
        subject: str,
        ns: str,
        value: str,
        obtained: str,
        occurred_at: datetime,
        known_at: datetime | None,
        precision: str,
        seq: int | None = None,
        verified_by: str | None = None,
    ) -> Iterator[IdentifierAsserted]:
        """The assertions of one value; two phone numbers written as one are two."""
        self.pairs.add((source, f"{ns}.{obtained}"))
        found, reasons = self._keys(ns, value)
        self.refused.update(f"no_identifier/{ns}.{reason}" for reason in reasons)
        for part, key in found:
            yield IdentifierAsserted(
                source=source,
                id=assertion_id(subject, ns, key, self._surrogate),
                subject=subject,
                occurred_at=occurred_at,
                known_at=known_at,
                precision=intern(precision),  # type: ignore[arg-type]
                seq=seq,
                ns=ns,
                value=part,
                obtained=obtained,
                verified_by=verified_by,
            )


def _keys(ns: str, value: str) -> tuple[Sequence[tuple[str, str]], Sequence[str]]:
    found: dict[str, str] = {}
    reasons: list[str] = []
    for part in split(ns, value):
        identifier = identify(ns, part)
        if identifier.key is None:
            reasons.append(identifier.reason or "empty")
        else:
            found.setdefault(identifier.key, part.strip())
    return [(part, key) for key, part in found.items()], reasons
