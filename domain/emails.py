"""One call reads one written e-mail address as the key of its mailbox, or says why it identifies nobody."""

import re
import unicodedata
from email.utils import getaddresses, parseaddr

from email_validator import EmailNotValidError, validate_email

TAGGED = frozenset(
    {"gmail.com", "outlook.com", "fastmail.com", "proton.me", "protonmail.com", "pm.me", "icloud.com"}
)
DOTTED = frozenset({"gmail.com"})
ALIASES = {"googlemail.com": "gmail.com"}
ROLES = frozenset(
    {"biuro", "faktury", "info", "kontakt", "noreply", "no-reply", "office", "recepcja", "sekretariat"}
    | {"sklep", "zamowienia"}
)
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")


def read_email(text: str) -> tuple[str | None, str | None]:
    """The mailbox key, and the reason why it must not link; without a key only the reason."""
    local, _, domain = _bare(text).rpartition("@")
    try:
        valid = validate_email(f"{folded(local)}@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return None, "not_valid"
    local, domain = valid.local_part, ALIASES.get(valid.ascii_domain, valid.ascii_domain)
    if domain in TAGGED:
        local = local.split("+", 1)[0].rstrip(".")
    if domain in DOTTED:
        local = local.replace(".", "")
    if not local:
        return None, "not_valid"
    key = f"{local}@{domain}"
    if any(mixed(word) for word in (local, *valid.domain.split("."))):
        return key, "mixed_scripts"
    return key, "role_mailbox" if local in ROLES else None


def addresses(text: str) -> tuple[str, ...]:
    """The addresses written in one field, between commas or semicolons."""
    found = getaddresses([text.replace(";", ",")])
    return tuple(address for _, address in found if "@" in address)


def folded(text: str) -> str:
    """Letters without width, ligature or case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _bare(text: str) -> str:
    shown = INVISIBLE.sub("", text).strip()
    if shown[:7].lower() == "mailto:":
        shown = shown[7:].split("?", 1)[0]
    address = parseaddr(shown)[1] if re.search("[<(]", shown) else shown
    return unicodedata.normalize("NFKC", address).strip().rstrip(".")


def mixed(text: str) -> bool:
    """Letters of several scripts in one word: how look-alike addresses are made."""
    return (
        not text.isascii()
        and len({unicodedata.name(sign, "?").split()[0] for sign in text if sign.isalpha()}) > 1
    )
