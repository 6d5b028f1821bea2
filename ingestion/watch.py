"""One call takes in the files of a watched folder: inbox/SOURCE/FILE is claimed, ingested and put away.

A claimed file lies in `processing`, beside the inbox; afterwards in `archive`, or in `failed` with the reason in a
text file next to it. Whoever is killed in between leaves it in `processing`, where the next call takes it again:
the log stores every record once, however often its file is read.
"""

import fcntl
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.adoption import policies_of
from domain.log import Log, LogError
from domain.policy import Policy
from ingestion.intake import Balance, IngestError, ingest
from ingestion.language import SourceMapping
from ingestion.mapping import find_mapping, load_mapping

LOGGER = logging.getLogger(__name__)
SETTLE = timedelta(seconds=2)
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
Now = Callable[[], datetime] | datetime


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """The folders of a watched inbox; all on one file system, so that a file moves in one step."""

    inbox: Path
    processing: Path
    archive: Path
    failed: Path
    mappings: Path


def rooms(inbox: Path) -> Rooms:
    """The rooms beside an inbox."""
    home = inbox.absolute().parent
    return Rooms(
        inbox=inbox,
        processing=home / "processing",
        archive=home / "archive",
        failed=home / "failed",
        mappings=home / "mappings",
    )


def pick_up(
    log: Log,
    inbox: Path,
    *,
    now: Now,
    settle: timedelta = SETTLE,
    tell: Callable[[str], object] = LOGGER.warning,
) -> list[Balance]:
    """Take in every file that has not changed for `settle`; a balance for each, `tell` hears of the failed.

    A source's mapping is mappings/SOURCE.toml beside the inbox, else the shipped one of its name; without
    either its files are canonical records. While another process is at it nothing happens.
    """
    found = rooms(inbox)
    instant = now if isinstance(now, datetime) else now()
    balances: list[Balance] = []
    with _alone(found.processing) as alone:
        if not alone:
            return balances
        policy: Policy | None = None
        for path in (*_left(found), *_claimed(found, instant - settle)):
            policy = policy or policies_of(log).at(instant)
            balance = _take_in(log, path, found, now=now, policy=policy, tell=tell)
            balances.extend([balance] if balance else [])
    return balances


@contextmanager
def _alone(processing: Path) -> Iterator[bool]:
    """Whether nobody else is at it; the lock dies with the process."""
    processing.mkdir(parents=True, exist_ok=True)
    with (processing / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _files(room: Path) -> Iterator[Path]:
    """The files in a room's folders, one folder per source, in a fixed order; links are not followed."""
    for folder in sorted(path for path in room.glob("*") if path.is_dir() and not path.is_symlink()):
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and not path.name.lower().endswith(UNFINISHED):
                yield path


def _left(found: Rooms) -> Iterator[Path]:
    """What somebody claimed and was killed over."""
    yield from list(_files(found.processing))


def _claimed(found: Rooms, before: datetime) -> Iterator[Path]:
    """The inbox's finished files, each moved to `processing` when its turn comes."""
    for path in list(_files(found.inbox)):
        status = _regular(path)
        if status is not None and _changed_at(status) <= before:
            target = _free(found.processing / path.parent.name / path.name)
            try:
                path.rename(target)
            except FileNotFoundError:
                continue
            yield target


def _regular(path: Path) -> os.stat_result | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _changed_at(status: os.stat_result) -> datetime:
    """The later of content and inode change: copying tools may set the first, nobody sets the second."""
    return datetime.fromtimestamp(max(status.st_mtime, status.st_ctime), UTC)


def _free(path: Path) -> Path:
    """The path, numbered if a file of that name lies there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{number}-{path.name}")
    return free


def _take_in(
    log: Log, path: Path, found: Rooms, *, now: Now, policy: Policy, tell: Callable[[str], object]
) -> Balance | None:
    source, before = path.parent.name, _stamp(path)
    try:
        mapping = _mapping(found, source)
        balance = ingest(log, [path], source=source, mapping=mapping, now=now, policy=policy)
    except IngestError as error:
        tell(_put_aside(path, found, str(error)))
        return None
    except LogError:
        raise
    except Exception as error:
        tell(_put_aside(path, found, f"{path.name} could not be read: {type(error).__name__}: {error}"))
        return None
    room = found.archive if _stamp(path) == before else found.inbox
    path.rename(_free(room / source / path.name))
    return balance


def _put_aside(path: Path, found: Rooms, reason: str) -> str:
    """Move a file that failed to where its reason lies; one bad file must not hold up the others."""
    source = path.parent.name
    target = _free(found.failed / source / path.name)
    target.with_name(f"{target.name}.reason.txt").write_text(f"{reason}\n", "utf-8")
    path.rename(target)
    return f"{source}: {reason}"


def _stamp(path: Path) -> tuple[int, int]:
    """Tells whether somebody went on writing while the file was read; then it is read again."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _mapping(found: Rooms, source: str) -> SourceMapping | None:
    own = found.mappings / f"{source}.toml"
    return load_mapping(own) if own.is_file() else find_mapping(source)
