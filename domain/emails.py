"""One call reads one written e-mail address as the key of its mailbox, or says why it identifies nobody."""

import re
import unicodedata
from email.utils import parseaddr
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

TAGGED = frozenset(
    {"gmail.com", "outlook.com", "hotmail.com", "fastmail.com", "proton.me", "protonmail.com", "icloud.com"}
)
DOTTED = frozenset({"gmail.com"})
ALIASES = {"googlemail.com": "gmail.com", "pm.me": "proton.me"}
ROLES = frozenset(
    {"biuro", "faktury", "info", "kontakt", "noreply", "no-reply", "office", "recepcja", "sekretariat"}
    | {"sklep", "zamowienia"}
)
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")


@lru_cache(maxsize=65_536)
def read_email(text: str) -> tuple[str | None, str | None]:
    """The mailbox key, and the reason why it must not link; without a key only the reason."""
    address = _bare(text)
    try:
        valid = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return None, "not_valid"
    local = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", valid.local_part).casefold())
    domain = ALIASES.get(valid.ascii_domain.lower(), valid.ascii_domain.lower())
    if domain in TAGGED:
        local = local.split("+", 1)[0]
    if domain in DOTTED:
        local = local.replace(".", "")
    if not local:
        return None, "not_valid"
    key = f"{local}@{domain}"
    if mixed(local) or any(mixed(label) for label in valid.domain.split(".")):
        return key, "mixed_scripts"
    return key, "role_mailbox" if local in ROLES else None


def _bare(text: str) -> str:
    address = re.sub(r"(?i)^mailto:", "", INVISIBLE.sub("", text).strip())
    address = address.split("?", 1)[0] if text.lower().lstrip().startswith("mailto:") else address
    named = parseaddr(address)[1] if "<" in address else address
    return unicodedata.normalize("NFKC", named).strip().rstrip(".")


def mixed(text: str) -> bool:
    """Letters of several scripts in one word: how look-alike addresses are made."""
    return len({unicodedata.name(sign, "?").split()[0] for sign in text if sign.isalpha()}) > 1
