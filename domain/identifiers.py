"""One call turns an asserted identifier into its key: `email:…`, `phone:+48…`, `ns:value`, or says why not.

The key is for matching alone; what people see is the value as it was asserted.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from domain.emails import addresses, read_email
from domain.phones import numbers, read_phone

SPLITTERS = {"email": addresses, "phone": numbers}
SEPARATOR = re.compile("[/;,]")


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """A normalised identifier; with a `reason` it links nobody, without a `key` it is not even one."""

    ns: str
    key: str | None
    reason: str | None

    @property
    def links(self) -> bool:
        """Whether two subjects bearing it may belong to one person."""
        return self.key is not None and self.reason is None


@lru_cache(maxsize=262_144)
def identify(ns: str, value: str, *, region: str = "PL") -> Identifier:
    """What an asserted value identifies; the source writes numbers of `region` without country code."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", value)).strip()
    if not text:
        return Identifier(ns=ns, key=None, reason="empty")
    found, reason = _read(ns, text, value, region)
    return Identifier(ns=ns, key=None if found is None else f"{ns}:{found}", reason=reason)


def _read(ns: str, text: str, value: str, region: str) -> tuple[str | None, str | None]:
    if len(split(ns, value)) > 1:
        return None, "several"
    if ns == "email":
        return read_email(value)
    return read_phone(text, region) if ns == "phone" else (text, None)


def normalise(ns: str, value: str, *, region: str = "PL") -> tuple[str | None, str | None]:
    """The key that links, or None and the reason: not an identifier, or one that must link nobody."""
    found = identify(ns, value, region=region)
    return (found.key, None) if found.links else (None, found.reason)


def split(ns: str, value: str) -> tuple[str, ...]:
    """The values that were written as one: two numbers or addresses in a field are two assertions, each typed."""
    parts = SPLITTERS[ns](value) if ns in SPLITTERS and SEPARATOR.search(value) else ()
    return parts if len(parts) > 1 else (value,)
