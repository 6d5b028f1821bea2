"""One call reads one policy from its TOML, or says in one sentence which key of which file is wrong."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from domain.calendar import Calendar, check_zone, read_calendar
from domain.identifiers import identify
from domain.promises import LANGUAGES, LAST, Channel, Policy, Promise, SourceTrust
from domain.strict import PolicyError, Table

DURATION = re.compile(r"(?:(\d+)\s*h)?\s*(?:(\d+)\s*min)?\s*(?:(\d+)\s*s)?")


def digest_of(document: object) -> str:
    """Hex SHA-256 of a parsed document: layout, comments and the order of keys do not count."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def load(text: str, *, where: str) -> dict[str, Any]:
    """The TOML document of a text; `where` names it in the error."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where}: not readable as TOML: {error}.") from None


def parse_policy(text: str, *, where: str) -> Policy:
    """A policy from its TOML, every key checked; PolicyError says in one sentence what to mend."""
    document = load(text, where=where)
    top = Table(document, where=where)
    check_zone(top, top.text("zone"))
    calendars = {name: read_calendar(name, table) for name, table in top.named("calendars").items()}
    default = _calendar_name(top, "calendar", calendars)
    channels = {name: _channel(name, row, default, calendars) for name, row in top.named("channels").items()}
    policy = Policy(
        version=top.text("version"),
        zone=top.text("zone"),
        calendar=default,
        channels=channels,
        promises=_promises(top.rows("promises"), channels),
        calendars=calendars,
        queue_calendars=_hours(top.rows("hours"), calendars),
        trust={name: _trust(row) for name, row in top.named("trust").items()},
        blocked=_blocked(top.table("blocked")),
        digest="",
        content=text,
    )
    top.done()
    return replace(policy, digest=digest_of(document))


@lru_cache(maxsize=1)
def shipped_policy() -> Policy:
    """The policy that counts as adopted before all time."""
    return parse_policy(
        files("domain").joinpath("policy.toml").read_text(encoding="utf-8"), where="policy.toml"
    )


def _calendar_name(
    table: Table, key: str, calendars: Mapping[str, Calendar], default: str | None = None
) -> str:
    name: str = table.text(key) if default is None else table.text(key, default)
    if name not in calendars:
        known = ", ".join(sorted(calendars)) or "none"
        raise table.error(key, f'names the calendar "{name}", which is not defined; defined: {known}')
    return name


def _channel(code: str, row: Table, default: str, calendars: Mapping[str, Calendar]) -> Channel:
    labels = row.table("label")
    label = {language: labels.text(language, code) for language in LANGUAGES}
    labels.done()
    channel = Channel(
        code=code,
        label=label,
        calendar=_calendar_name(row, "calendar", calendars, default),
        kind=row.choice("kind", ("synchronous", "asynchronous"), "asynchronous"),
        order=row.read("order", int, LAST),
    )
    row.done()
    return channel


def _promises(rows: list[Table], channels: Mapping[str, Channel]) -> tuple[Promise, ...]:
    promises: dict[tuple[str | None, ...], Promise] = {}
    for row in rows:
        channel = row.text("channel")
        if channel not in channels:
            known = ", ".join(channels) or "none"
            raise row.error(
                "channel", f'names the channel "{channel}", which is not defined; defined: {known}'
            )
        promise = Promise(
            clock=row.text("clock"),
            channel=channel,
            priority=row.text("priority", None),
            tier=row.text("tier", None),
            target=_duration(row, "target"),
        )
        row.done()
        key = (promise.clock, channel, promise.priority, promise.tier)
        if key in promises:
            raise row.error(
                "clock", f"promises {promise.clock} in {channel} a second time; keep one of the two"
            )
        promises[key] = promise
    return tuple(promises.values())


def _duration(row: Table, key: str) -> timedelta:
    text = row.text(key)
    match = DURATION.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    target = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not target:
        raise row.error(key, f'is "{text}", which is no duration; write it as 6h, 60min or 1h 30min')
    return target


def _hours(rows: list[Table], calendars: Mapping[str, Calendar]) -> dict[str, str]:
    queues: dict[str, str] = {}
    for row in rows:
        queue = row.text("queue")
        if queue in queues:
            raise row.error("queue", f'names the queue "{queue}" a second time; keep one of the two')
        queues[queue] = _calendar_name(row, "calendar", calendars)
        row.done()
    return queues


def _trust(row: Table) -> SourceTrust:
    known_at = row.read("known_at", bool, False)
    pairs = {pair: row.read(pair, int) for pair in row.values if pair != "known_at"}
    for pair, level in pairs.items():
        if not re.fullmatch(r"[^.\s]+\.[^.\s]+", pair):
            raise row.error(
                f'"{pair}"', 'is no pair; write "namespace.obtained" = level, such as "email.login" = 2'
            )
        if not 0 <= level <= 3:
            raise row.error(f'"{pair}"', f"is {level}; a level is 0, 1, 2 or 3")
    return SourceTrust(known_at=known_at, pairs=pairs)


def _blocked(table: Table) -> tuple[str, ...]:
    keys = []
    for ns in table.values:
        for value in table.texts(ns):
            key = identify(ns, value).key
            if key is None:
                raise table.error(
                    ns, f'holds "{value}", which is no identifier of this kind; mend or remove it'
                )
            keys.append(key)
    return tuple(sorted(set(keys)))
