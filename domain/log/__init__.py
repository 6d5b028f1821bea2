"""The log: every event once, in the order in which it arrived, never changed; `open_log` is the way in."""

from domain.log.arrow import EVERY
from domain.log.errors import LogBusy, LogDamaged, LogError, LogMismatch, LogMissing, LogReadOnly
from domain.log.log import Log
from domain.log.mapper import flaw
from domain.log.opening import open_log
from domain.log.records import Changed, Outcome, Pending, QuarantineEntry, Receipt, Refused
from domain.log.states import UNOPENED

__all__ = [
    "EVERY",
    "UNOPENED",
    "Changed",
    "Log",
    "LogBusy",
    "LogDamaged",
    "LogError",
    "LogMismatch",
    "LogMissing",
    "LogReadOnly",
    "Outcome",
    "Pending",
    "QuarantineEntry",
    "Receipt",
    "Refused",
    "flaw",
    "open_log",
]
