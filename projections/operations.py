"""What an operator does to a home: each call does one thing and tells what became of it."""

from datetime import date
from pathlib import Path
from typing import Any

from domain.adoption import adopt as adopted
from domain.adoption import policy_in
from domain.home import Home
from domain.keys import has_keys, read_master
from domain.log.backup import backup as copied
from domain.log.copies import bring_up, read_copy
from domain.log.manifest import CHECKPOINTS
from domain.log.restore import restore as put_back
from domain.log.restore import restore_check as checked
from projections.answers import AnswerError, instant

Document = dict[str, Any]


def init(home: Home) -> Document:
    """Create the log that the settings name, on PostgreSQL too; harmless where it is there."""
    with home.log(create=True, server=True) as log:
        return {"dialect": log.dialect, "position": log.head(), "signs": home.notary.signs}


def backup(home: Home, to: Path) -> Document:
    """Copy log, keys and checkpoints as they are at one instant into a new folder, while others read and write."""
    with home.log() as log:
        made = copied(log, to, copies=home.notary.copies, now=home.clock())
    return {
        "folder": str(to),
        "events": made.events,
        "position": made.contents.head,
        "bytes": sum(file.bytes for file in made.files.values()),
        "left_out": made.left_out,
    }


def restore_check(home: Home, folder: Path, scratch: str | None = None) -> Document:
    """Put a backup back for trial, open it with its keys, verify it, and throw the trial away.

    The trial needs a folder with room, or for a log on PostgreSQL a database: the home and its own if not named.
    """
    on_server = not home.log_url.startswith("sqlite")
    place = scratch or (home.log_url if on_server else str(home.path) if home.path.is_dir() else None)
    master, keys = home.master() or read_master(home.path / "master.key"), home.notary.known()
    found = checked(folder, master=master, keys=keys, scratch=place)
    return {
        "ok": found.ok,
        "folder": str(folder),
        "made_at": instant(found.manifest.made_at),
        "events": found.manifest.events,
        "position": found.manifest.contents.head,
        "told": found.lines(),
        "problems": [finding.message for finding in found.findings],
    }


def restore(home: Home, folder: Path) -> Document:
    """Put a backup into a home that has no log; its views are built anew, its master key comes from elsewhere."""
    keys = None if has_keys(home.keys) else home.keys
    made = put_back(folder, home.log_url, keys=keys)
    for copy in home.notary.copies:
        if not read_copy(copy).notes:
            bring_up(copy, source=folder / CHECKPOINTS)
    return {"events": made.events, "position": made.contents.head, "keys": keys is not None}


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
