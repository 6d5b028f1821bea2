"""What can be wrong with a log, each told in one sentence for people: what, where, what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_manager
import psycopg
import pyarrow as pa
from eventsourcing.persistence import IntegrityError, PersistenceError

from domain.keys import KeysBusy, KeysError
from domain.keys.errors import FULL


class LogError(Exception):
    """The log cannot do what was asked; the message is one sentence for people."""


class LogMissing(LogError):
    """There is no log at this address."""


class LogReadOnly(LogError):
    """The log was opened, or is granted, for reading alone."""


class LogBusy(LogError):
    """Another process kept the log's lock longer than we were told to wait."""


class LogMismatch(LogError):
    """What lies at this address is no log of ours, not with these keys, or not of this version."""


class LogDamaged(LogError):
    """The log is ours, but rows are missing or are not what was written."""


_FAILURES = (PersistenceError, sqlite3.Error, psycopg.Error, adbc_driver_manager.Error, pa.ArrowException)


@contextmanager
def told(shown: str) -> Iterator[None]:
    """Turn the failures of library, driver and key store into sentences about the log `shown`."""
    try:
        yield
    except KeysBusy as error:
        raise LogBusy(str(error)) from error
    except KeysError as error:
        raise LogMismatch(str(error)) from error
    except _FAILURES as error:
        raise sentence(error, shown) from error


def sentence(error: Exception, shown: str) -> LogError:
    """The error for people that a driver's error amounts to."""
    cause = error.__cause__ if isinstance(error, PersistenceError) else error
    text = " ".join(str(cause or error).split())
    low = text.lower()
    if isinstance(cause, (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)) or (
        "readonly database" in low
    ):
        return LogReadOnly(f"The log {shown} is read-only: open it with a writable address to append.")
    if isinstance(cause, psycopg.errors.LockNotAvailable) or "database is locked" in low:
        return LogBusy(f"The log {shown} is busy: another process is writing; try again in a moment.")
    if "not a database" in low or "malformed" in low:
        return LogMismatch(f"{shown} is no intact SQLite file: point to a log, or restore it from a backup.")
    if isinstance(cause, psycopg.errors.DiskFull) or any(word in low for word in FULL):
        return LogError(
            f"The disk of the log {shown} is full or fails: free space and try again; nothing was lost."
        )
    if isinstance(error, IntegrityError) or isinstance(cause, psycopg.errors.UniqueViolation):
        return LogDamaged(
            f"Something else writes into the log {shown} beside Omniline: revoke its INSERT right ({text})."
        )
    return LogError(f"The log {shown} cannot be used: {text}.")
