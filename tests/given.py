"""Event makers with defaults, and a home on a real store: `given(tmp_path, events).kpi("frt_human")`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from domain.asof import AsOf
from domain.events import NAMES
from domain.events.envelope import Event
from domain.log import Log, Pending, open_log
from domain.policy import parse_policy
from projections.engine import Engine
from projections.reader import Reader

WARSAW = ZoneInfo("Europe/Warsaw")
FAR = datetime(2030, 1, 1, tzinfo=UTC)
"""Recorded after everything: what was known is told by the sources."""

POLICY = """
version = "test-1"
zone = "Europe/Warsaw"
calendar = "office"
[calendars.office]
zone = "Europe/Warsaw"
holidays = "PL"
monday = ["09:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
[channels.email]
kind = "asynchronous"
[channels.chat]
kind = "synchronous"
[channels.phone]
kind = "synchronous"
[[promises]]
clock = "frt_human"
channel = "email"
target = "6h"
[[promises]]
clock = "frt_human"
channel = "chat"
target = "6h"
[[promises]]
clock = "frt_customer"
channel = "chat"
target = "6h"
[[promises]]
clock = "callback_kept"
channel = "phone"
target = "60min"
[trust.shop]
known_at = true
"email.login" = 2
"email.typed" = 1
"account.login" = 3
"phone.typed" = 1
[trust.telephony]
known_at = true
"phone.caller_id" = 1
"""


def local(text: str, year: int = 2026) -> datetime:
    """An instant written as Warsaw local time: "10-23 16:30" or "10-23 16:30:20"."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    return datetime.strptime(f"{year}-{text}", form).replace(tzinfo=WARSAW).astimezone(UTC)


def event(kind: str, id: str, at: datetime, subject: str, **fields: Any) -> Event:
    """One event, known ten seconds after it happened unless `known_at` says otherwise."""
    fields.setdefault("known_at", at + timedelta(seconds=10))
    fields.setdefault("source", "shop")
    return NAMES[kind](id=id, occurred_at=at, subject=subject, **fields)


def asserted(subject: str, ns: str, value: str, at: datetime, obtained: str, **fields: Any) -> Event:
    """An identifier of a subject."""
    return event(
        "IdentifierAsserted",
        f"{subject}/{ns}/{value}",
        at,
        subject,
        ns=ns,
        value=value,
        obtained=obtained,
        **fields,
    )


@dataclass
class Given:
    """A log and its views with some events in them."""

    log: Log
    engine: Engine

    def more(self, events: Iterable[Event], now: datetime = FAR) -> "Given":
        """Append and catch up."""
        append(self.log, events, now)
        self.engine.catch_up(now=now)
        return self

    def reader(self, at: datetime | None = None) -> Reader:
        """Answers now, or as known at an instant."""
        live = Reader(self.engine, FAR)
        return live if at is None else live.at(AsOf(instant=at, known=True))

    def rows(self, fact: str, *columns: str) -> list[dict[str, Any]]:
        """The stored rows of a fact, by its key."""
        frame = self.engine.facts(fact)
        return frame.select(*columns).to_dicts() if columns else frame.to_dicts()


def append(log: Log, events: Iterable[Event], now: datetime = FAR) -> None:
    """Append in one batch."""
    run = log.begin_run(source="given", adapter="test", now=now)
    log.append_batch([Pending(event=one) for one in events], run=run, now=now)


def given(
    folder: Path, events: Iterable[Event] = (), *, policy: str = POLICY, url: str | None = None
) -> Given:
    """A fresh home in a folder, on SQLite unless a log address is given."""
    log = open_log(url or f"sqlite:///{folder}/log.db", keys=folder / "keys.db", create=True)
    shipped = parse_policy(policy, where="the test's policy")
    engine = Engine(log, f"sqlite:///{folder}/views.db", shipped=shipped)
    return Given(log, engine).more(events)


def table(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of some columns, to be compared whole."""
    return frame.select(*columns).rows()
