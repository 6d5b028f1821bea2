"""The state of a home: one document says what the log holds, how the views stand, what is signed, and what is wrong."""

from typing import Any

from domain.home import Home
from domain.log import Log, LogDamaged
from domain.log.sizes import sizes
from projections.answers import instant
from projections.engine import Engine

RED = ("failed", "refused")
"""States of a view that mend themselves by no waiting."""

SIZES = (
    "bytes",
    "bytes_per_event",
    "index_bytes",
    "wal_bytes",
    "keys_bytes",
    "last_hour",
    "last_day",
)

Document = dict[str, Any]


def status(home: Home, engine: Engine) -> Document:
    """Positions, lag, counts per source, checkpoints, quarantine, health; `problems` are sentences for people."""
    log, views = engine.log, engine.positions()
    sources, signed, room = log.counts(), _signed(home, log), _sizes(home, log)
    problems = [*dict.fromkeys(view.error or name for name, view in views.items() if view.state in RED)]
    problems += [part["problem"] for part in (signed, room) if part.get("problem")] + _verdict(home)
    return {
        "log": {"position": log.head(), "events": sum(sources.values()), "by_source": sources},
        "views": {
            name: {"position": view.position, "lag": view.lag, "state": view.state, "error": view.error}
            for name, view in views.items()
        },
        "quarantine": log.quarantine_counts(),
        "sizes": room,
        "signed": signed,
        "verified": home.notary.last(),
        "passed_over": list(engine.passed_over()),
        "problems": problems,
        "ok": not problems and all(view.state in ("ok", "behind") for view in views.values()),
    }


def _sizes(home: Home, log: Log) -> Document:
    """Bytes of events and keys, and how many events came in the last hour and day."""
    try:
        told = sizes(log, now=home.now())
    except LogDamaged as error:
        return {"problem": str(error)}
    found = {name: getattr(told, name) for name in SIZES}
    ends = {
        name: instant(at) if at else None
        for name, at in (("first_at", told.first_at), ("last_at", told.last_at))
    }
    return {**found, **ends}


def _signed(home: Home, log: Log) -> Document:
    """The newest checkpoint and its age; whether this host signs."""
    seen = home.notary.glance(log)
    age = (home.clock() - seen.signed_at).total_seconds() if seen.signed_at else None
    return {
        "size": seen.size,
        "signed_at": instant(seen.signed_at) if seen.signed_at else None,
        "age_s": age,
        "unsigned": seen.unsigned,
        "here": home.notary.signs,
        "problem": seen.problem,
    }


def _verdict(home: Home) -> list[str]:
    """What the last whole verification found wrong: it holds until another one passes."""
    last = home.notary.last()
    return (
        [f"{last['problem']} (found by `omniline verify` at {last['at']})"]
        if last and last["problem"]
        else []
    )
