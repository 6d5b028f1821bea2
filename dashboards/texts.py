"""What people read: a message, number, duration or day in the reader's language and zone."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "pl")
LOCALE = Path(__file__).parent / "locale"
NARROW = "\u202f"
MINUS = "\u2212"


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        found.update(_flat(value, f"{key}.") if isinstance(value, dict) else {key: value})
    return found


@cache
def messages(language: str) -> dict[str, Any]:
    """Every message of a language by dotted key."""
    return _flat(tomllib.loads((LOCALE / f"{language}.toml").read_text(encoding="utf-8")))


@cache
def definitions(language: str) -> dict[str, str]:
    """Translated titles, questions and definitions of KPIs; their rows speak English themselves."""
    file = LOCALE / f"kpis.{language}.toml"
    return _flat(tomllib.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def plural(language: str, count: int) -> str:
    """The grammatical form that a count takes: one, few or many."""
    if count == 1:
        return "one"
    few = language == "pl" and count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return "few" if few else "many"


@dataclass(frozen=True, kw_only=True)
class Words:
    """One reader's language and reporting zone; every worded value on a page goes through it."""

    language: str
    zone: ZoneInfo

    def t(self, key: str, **values: object) -> str:
        return str(messages(self.language)[key]).format(**values)

    def n(self, key: str, count: int, **values: object) -> str:
        """A counted message in its plural form."""
        form = f"{key}.{plural(self.language, count)}"
        return self.t(form, count=self.number(count), **values)

    def known(self, key: str, otherwise: str) -> str:
        """The message where there is one, else the word as the data has it."""
        return str(messages(self.language).get(key, otherwise))

    def number(self, value: float, digits: int = 0) -> str:
        plain = f"{abs(value):,.{digits}f}".replace(",", NARROW)
        negative = round(value, digits) < 0
        return (MINUS if negative else "") + plain.replace(".", self.t("format.decimal"))

    def percent(self, share: float, digits: int = 1) -> str:
        return f"{self.number(100 * share, digits)}{NARROW}%"

    def points(self, share: float) -> str:
        """A difference of shares in percentage points, without its sign."""
        return f"{self.number(abs(100 * share), 1)}{NARROW}{self.t('format.points')}"

    def duration(self, seconds: float) -> str:
        """A length of business time in the unit that reads best."""
        size = abs(seconds)
        if size == 0 or (size < 120 and size % 60):
            return f"{self.number(seconds)}{NARROW}s"
        if size >= 7200 and size % 3600 == 0:
            return f"{self.number(seconds / 3600)}{NARROW}{self.t('format.hours')}"
        if size < 600 * 60:
            return f"{self.number(seconds / 60)}{NARROW}min"
        return f"{self.number(seconds / 3600)}{NARROW}{self.t('format.hours')}"

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def month(self, day: date) -> str:
        names: list[str] = messages(self.language)["format.months"]
        return f"{names[day.month - 1]} {day:%y}"

    def day(self, day: date, *, year: bool = True) -> str:
        names: list[str] = messages(self.language)["format.months"]
        return f"{day.day}{NARROW}{names[day.month - 1]}" + (f" {day.year}" if year else "")

    def moment(self, instant: datetime, *, year: bool = True) -> str:
        local = self.local(instant)
        return f"{self.day(local.date(), year=year)}, {local:%H:%M}"

    def clock(self, instant: datetime) -> str:
        return f"{self.local(instant):%H:%M:%S}"

    @property
    def place(self) -> str:
        """The zone as people name it: its city."""
        city = self.zone.key.rpartition("/")[2].replace("_", " ")
        return self.known(f"format.zone.{self.zone.key.replace('/', '_')}", city)
