"""Where a log lies: one parsed database URL, and how it may be shown to people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.log.errors import LogError

CONNECT_TIMEOUT = 10
"""Seconds to wait for a server, where the address does not say."""

Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, kw_only=True)
class Address:
    """One log: `path` and the `options` of its file URI on SQLite, `conninfo` on PostgreSQL."""

    dialect: Dialect
    shown: str
    path: Path = Path()
    options: tuple[tuple[str, str], ...] = ()
    conninfo: str = ""

    @property
    def read_only(self) -> bool:
        """Whether the address itself forbids writing."""
        return ("mode", "ro") in self.options

    def uri(self, *, create: bool = False) -> str:
        """The SQLite file URI; a missing file is created only on demand."""
        options = dict(self.options)
        options.setdefault("mode", "rwc" if create else "rw")
        return f"file:{quote(str(self.path))}?{urlencode(options)}"


def parse(url: str) -> Address:
    """The address that a URL names."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise LogError(f"The log address {url!r} is no URL: write sqlite:///path/log.db or postgresql://….")
    if scheme == "sqlite":
        return _sqlite(url, rest)
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        return _postgresql(f"postgresql://{rest}")
    raise LogError(f"The log address names {scheme!r}: only sqlite and postgresql are known.")


def _sqlite(url: str, rest: str) -> Address:
    name, _, query = rest.removeprefix("/").partition("?")
    options = [(key, value) for key, value in parse_qsl(query) if key != "uri"]
    if name.startswith("file:"):
        name = unquote(name.removeprefix("file:"))
        name = name.removeprefix("//") if name.startswith("///") else name
    if not rest.startswith("/") or not name or name.startswith(":memory:") or ("mode", "memory") in options:
        raise LogError(f"The log address {url!r} names no file: write sqlite:///path/log.db.")
    path = Path(name).absolute()
    return Address(dialect="sqlite", shown=str(path), path=path, options=tuple(options))


def _postgresql(url: str) -> Address:
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise LogError(f"The log address is no PostgreSQL URL ({str(error).strip()}).") from error
    shown = f"postgresql://{parts.get('host') or 'localhost'}/{parts.get('dbname') or ''}"
    patient = make_conninfo(url, connect_timeout=parts.get("connect_timeout") or CONNECT_TIMEOUT)
    return Address(dialect="postgresql", shown=shown, conninfo=patient)
