"""One verification: leaves and roots recomputed from stored bytes and held against signed checkpoints.

Neither the chain nor a kept frontier is believed; public keys come from the caller, checkpoints also from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.log.chain import START, link
from domain.log.checks import Finding, Trusted, trusted
from domain.log.errors import LogBusy, LogDamaged, LogError
from domain.log.held import Mark
from domain.log.log import Log
from domain.log.notes import Checkpoint, PublicKey
from domain.log.scan import chain_at, leaves, pages


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was verified: events read, those under a signature, checkpoints met, and everything that is wrong."""

    events: int
    signed: int
    checkpoints: int
    since: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def lines(self) -> list[str]:
        """The report for people."""
        met = f"{self.events:,} events read, {self.signed:,} of them under {self.checkpoints:,} signed checkpoints"
        start = f", after the checkpoint of {self.since:,} events" if self.since else ""
        return [f"{met}{start}.", *(finding.message for finding in self.findings)] + ["Unaltered."] * self.ok


@dataclass
class Span:
    """The rows read since the last checkpoint that fitted, and the first oddities among them."""

    mark: Mark
    chain: bytes
    gap: int | None = None
    broken: int | None = None
    unreadable: str = ""

    def read(self, log: Log, upto: int) -> None:
        """Take in the rows up to a position."""
        self.gap, self.broken, self.unreadable = None, None, ""
        try:
            for rows in pages(log, after=self.mark.position, upto=upto):
                self._take(rows, leaves(rows), gapless=log.dialect == "sqlite")
        except LogBusy:
            raise
        except LogError as error:
            self.unreadable = str(error)

    def _take(self, rows: Sequence[tuple[Any, ...]], found: Sequence[bytes], *, gapless: bool) -> None:
        at, chain = max(self.mark.position, 0), self.chain
        for row, leaf in zip(rows, found, strict=True):
            position, chain = row[0], link(chain, leaf)
            if chain != row[-1]:
                self.broken = self.broken or position
                chain = row[-1] if isinstance(row[-1], bytes) else START
            if gapless and position != at + 1:
                self.gap = self.gap or at + 1
            at = position
        self.mark, self.chain = Mark(self.mark.frontier.extended(found), at), chain

    def hint(self) -> str:
        """Which row to look at first, where it shows."""
        if self.unreadable:
            return f" {self.unreadable}"
        if self.gap is not None:
            return f" Position {self.gap} is missing."
        return "" if self.broken is None else f" Position {self.broken} is the first that breaks the chain."


def verify(
    log: Log, *, keys: Sequence[PublicKey], copies: Sequence[Path] = (), since: int | None = None
) -> Report:
    """Everything about the whole log, or about what came after the last checkpoint of at most `since` events."""
    known = trusted(log, keys, copies)
    checkpoints, start = known.checkpoints, _start(known, since)
    span, findings = Span(start, _chain(log, start)), list(known.findings)
    met, signed = 0, start.frontier.size
    head = log.head()
    for size in sorted(size for size in checkpoints if size > start.frontier.size):
        before = span.mark
        span.read(log, checkpoints[size].position)
        finding = _compared(span, before, checkpoints[size], head)
        findings += [finding] if finding else []
        if finding and finding.kind != "chain":
            break
        met, signed = met + 1, size
    else:
        before = span.mark
        span.read(log, head)
        findings += _unsigned(span, before, proven=bool(checkpoints))
    return Report(
        events=span.mark.frontier.size - start.frontier.size,
        signed=signed - start.frontier.size,
        checkpoints=met,
        since=start.frontier.size,
        findings=tuple(findings),
    )


def _start(known: Trusted, since: int | None) -> Mark:
    """Where to begin: at the frontier kept beside a checkpoint if that reproduces it, else at the first row."""
    if since is None:
        return Mark()
    if since > (newest := max(known.checkpoints, default=since)):
        raise LogError(f"{since:,} names no checkpoint: the newest covers {newest:,} events.")
    size = max((size for size in known.checkpoints if size <= since), default=None)
    if size is None:
        raise LogError(
            f"No checkpoint of {since:,} events or fewer is known: name a later one, or verify all."
        )
    kept = known.inside.get(size)
    mark = kept.mark(known.checkpoints[size]) if kept else None
    if mark is None:
        raise LogDamaged(
            f"The frontier kept with the checkpoint of {size:,} events is not its own: verify all."
        )
    return mark


def _chain(log: Log, start: Mark) -> bytes:
    if not start.frontier.size:
        return START
    if (chain := chain_at(log, start.position)) is None:
        raise LogDamaged(f"Position {start.position}, the last of its checkpoint, is missing: verify all.")
    return chain


def _compared(span: Span, before: Mark, checkpoint: Checkpoint, head: int) -> Finding | None:
    """What is wrong with the rows between two checkpoints; None if they are those that were signed."""
    first, last = max(before.position, 0) + 1, checkpoint.position
    wanted, found = checkpoint.size - before.frontier.size, span.mark.frontier.size - before.frontier.size
    if span.mark.reproduces(checkpoint) and not span.unreadable:
        if span.broken is None:
            return None
        kind, what = "chain", "are the events that were signed, but their chain values were changed"
    elif span.unreadable:
        kind, what = "altered", "cannot be read as they were signed"
    elif found < wanted:
        cut = head < last
        kind, what = "cut" if cut else "missing", f"hold {found} events, {wanted} were signed"
        what += f": the log ends at {head}" if cut else ""
    elif found > wanted:
        kind, what = "added", f"hold {found} events, {wanted} were signed"
    else:
        kind, what = "altered", "hold other content than was signed"
    return Finding(kind, first, last, f"Positions {first} to {last} {what}.{span.hint()}")


def _unsigned(span: Span, before: Mark, *, proven: bool) -> list[Finding]:
    """What shows in the rows that no checkpoint covers yet."""
    first, last = max(before.position, 0) + 1, span.mark.position
    findings = []
    if span.unreadable or span.gap is not None or span.broken is not None:
        message = f"The rows from {first} on, not signed yet, are not as they were written.{span.hint()}"
        findings.append(Finding("chain", first, last, message))
    if not proven and span.mark.frontier.size:
        message = f"No checkpoint was ever signed: nothing proves these {span.mark.frontier.size:,} events."
        findings.append(Finding("unproven", first, last, message))
    return findings
