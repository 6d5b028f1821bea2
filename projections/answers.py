"""The documents behind `--json`: one call is one answer of the command-line contract."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from domain.adoption import policies_of
from domain.asof import AsOf
from domain.home import Home
from domain.log import Log, QuarantineEntry
from projections.engine import Engine
from projections.kpis import BY_KEY, KPIS
from projections.reader import Reader

ENTRY = (
    "position",
    "event_id",
    "occurred_at",
    "recorded_at",
    "source",
    "channel",
    "direction",
    "actor",
    "kind",
    "case",
    "summary",
    "digest",
    "topic",
    "verdict",
    "elapsed_s",
    "target_s",
    "repeated",
    "erased",
)


class AnswerError(Exception):
    """A question that cannot be answered as it was put; the message is one sentence for people."""


def instant(moment: datetime) -> str:
    """An instant as scripts read it: UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """A frame as JSON rows: instants in UTC, days in ISO form."""
    return [{name: _plain(value) for name, value in row.items()} for row in frame.to_dicts()]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else value


def at(engine: Engine, now: Callable[[], datetime], as_of: AsOf | None) -> Reader:
    """A reader of the views as they are, or of what an `AsOf` admits."""
    present = Reader(engine, now())
    return present.at(as_of) if as_of else present


def door(
    engine: Engine, now: datetime, at: str | None, position: int | None, *, replay: bool, project: bool
) -> Reader:
    """Who answers a question: the views, caught up, or a replay as of an instant or a position."""
    reader = Reader(engine, now)
    if at or position is not None or replay:
        return reader.at(admitted(engine.log, at=at, position=position, now=now, zone=reader.zone))
    if project:
        engine.catch_up(now=now)
        return Reader(engine, now)
    return reader


def admitted(log: Log, *, at: str | None, position: int | None, now: datetime, zone: ZoneInfo) -> AsOf:
    """What a question admits: events known at an instant, or the log up to a position as it stood then."""
    if position is not None and position > log.head():
        raise AnswerError(f"The log ends at position {log.head()}; there is no position {position} yet.")
    if at is not None:
        return AsOf(instant=_moment(at, zone), position=position, known=True)
    if not position:
        return AsOf(instant=now, position=position)
    last = log.arrow(after=position - 1, upto=position)["recorded_at"][0].as_py()
    return AsOf(instant=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=last), position=position)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise AnswerError(f"'{text}' is not an instant; write it like 2026-04-01T12:00:00Z.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def catalogue() -> list[dict[str, Any]]:
    """Every KPI that can be asked for."""
    keys = ("key", "title", "question", "kind", "target", "source", "version")
    return [{key: getattr(kpi, key) for key in keys} for kpi in KPIS]


def kpi(
    reader: Reader,
    key: str,
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    channels: Sequence[str] | None = None,
) -> dict[str, Any]:
    """One KPI's answer over local days [since, until), by dimensions."""
    declared = BY_KEY.get(key)
    if not declared:
        raise AnswerError(f"There is no KPI '{key}'{_meant(key, list(BY_KEY))}; `omniline kpi` lists them.")
    start, end = (day.date() if day else None for day in (since, until))
    if start and end and end <= start:
        raise AnswerError(f"The period ends on {end}, not after {start}, where it starts.")
    if (start or end) and declared.kind == "stock":
        raise AnswerError(f"{key} is counted at an instant, not over a period: ask with --as-of.")
    if channels and not reader.by_channel(key):
        raise AnswerError(f"{key} knows no channel.")
    if unknown := set(channels or ()) - (names := _channels(reader)):
        raise AnswerError(f"There is no channel '{min(unknown)}'{_meant(min(unknown), sorted(names))}.")
    frame = reader.kpi(key, by=tuple(by), start=start, end=end, channels=channels)
    return {
        "key": key,
        "title": declared.title,
        "version": declared.version,
        "kind": declared.kind,
        "as_of": {"position": reader.position, "time": instant(reader.instant)},
        "from": start.isoformat() if start else None,
        "to": end.isoformat() if end else None,
        "by": list(by),
        "rows": rows(frame),
    }


def _channels(reader: Reader) -> set[str]:
    """The channels that the policy in force or any contact names."""
    told = reader.facts("contacts")["channel"].drop_nulls().unique()
    return {channel.code for channel in reader.channels()} | set(told)


def _meant(word: str, words: list[str]) -> str:
    near = get_close_matches(word, words, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def timeline(reader: Reader, identifier: str) -> dict[str, Any]:
    """The line of the one person behind an identifier of any kind."""
    persons = reader.find(identifier)
    if not persons:
        raise AnswerError(
            f"Nobody is known under '{identifier}'; give an e-mail, a phone, an order, a case or an event id."
        )
    if len(persons) > 1:
        raise AnswerError(
            f"'{identifier}' belongs to {len(persons)} persons; name one of them: {', '.join(persons[:10])}."
        )
    line = reader.person(persons[0])
    return {
        "person": line.person,
        "identified": line.identified,
        "identifiers": rows(line.identifiers),
        "as_of": {"position": reader.position, "time": instant(reader.instant)},
        "entries": rows(line.entries.select(ENTRY)),
    }


def refusals(home: Home, source: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """The records that were refused, newest first."""
    with home.log() as log:
        return [_refused(entry) for entry in log.quarantined(source=source, limit=limit)]


def refusal(home: Home, entry: int) -> dict[str, Any]:
    """One refused record, whole, with its reason."""
    with home.log() as log:
        return _refused(log.quarantine_entry(entry))


def _refused(entry: QuarantineEntry) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(entry).items()}


def policy(home: Home) -> dict[str, Any]:
    """The policy in force, word for word."""
    with home.log() as log:
        found = policies_of(log).at(home.now())
    return {"version": found.version, "zone": found.zone, "digest": found.digest, "content": found.content}
