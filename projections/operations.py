"""What an operator does to a home: each call does one thing and tells what became of it."""

from datetime import date
from pathlib import Path
from typing import Any

from domain.adoption import adopt as adopted
from domain.adoption import policy_in
from domain.home import Home
from projections.answers import AnswerError, instant

Document = dict[str, Any]


def init(home: Home) -> Document:
    """Create the log that the settings name, on PostgreSQL too; harmless where it is there."""
    with home.log(create=True, server=True) as log:
        return {"dialect": log.dialect, "position": log.head(), "signs": home.notary.signs}


def adopt(home: Home, file: Path, since: str | None = None) -> Document:
    """Put another policy in force, now or since a local day: a decision, kept word for word in the log."""
    policy = policy_in(file)
    try:
        day = date.fromisoformat(since) if since else None
    except ValueError as error:
        raise AnswerError(f"'{since}' is no day; write it like 2026-04-01.") from error
    with home.log(create=True) as log:
        event, receipt = adopted(log, policy, since=day, now=home.clock())
    return {
        "version": event.version,
        "starts_at": instant(event.starts_at),
        "outcome": receipt.outcome,
        "position": receipt.position,
    }


def rewrap(home: Home) -> Document:
    """Wrap all keys of personal data under the newest master key; those before it are not needed any more."""
    with home.log() as log:
        return {"rewrapped": log.keys.rewrap()}
