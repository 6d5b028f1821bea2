"""Who signs and checks one home's log: where its key and the copies of its checkpoints lie, and the last verdict."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.log import Log, LogReadOnly
from domain.log.checkpoints import sign
from domain.log.copies import bring_up, read_copy
from domain.log.glance import Glance, glance
from domain.log.notes import PublicKey
from domain.log.signing import public_file, read_key, read_public
from domain.log.verification import Report, verify


@dataclass(frozen=True, kw_only=True)
class Notary:
    """The signing key of a log, the copies of its checkpoints, and the file that tells the last verification."""

    key: Path
    copies: tuple[Path, ...]
    verdict: Path

    @property
    def signs(self) -> bool:
        """Whether the key lies here; a host that only reads has none."""
        return self.key.exists()

    @property
    def checks(self) -> bool:
        """Whether the public key lies here."""
        return public_file(self.key).exists()

    def public(self) -> tuple[PublicKey, ...]:
        """The public keys of the log: the present one, and those before it."""
        return read_public(public_file(self.key))

    def known(self) -> tuple[PublicKey, ...]:
        """The same, or none where they do not lie here."""
        return self.public() if self.checks else ()

    def sign(self, log: Log, *, now: datetime) -> None:
        """Sign what is due and put it into every copy; nothing where the key is not, or the log only read.

        The fullest copy decides: what it holds must be reproduced first, and the others follow it.
        """
        if not self.signs:
            return
        full, *others = sorted(self.copies, key=_size, reverse=True)
        try:
            sign(log, key=read_key(self.key), copy=full, now=now, older=self.public())
        except LogReadOnly:
            return
        for copy in others:
            bring_up(copy, source=full)

    def glance(self, log: Log) -> Glance:
        """How the log stands to its newest checkpoint."""
        return glance(
            log, keys=self.known(), copies=self.copies if self.signs else [*filter(Path.exists, self.copies)]
        )

    def verify(
        self,
        log: Log,
        *,
        now: datetime,
        since: int | None = None,
        keys: Sequence[PublicKey] = (),
        more: Sequence[Path] = (),
    ) -> Report:
        """Hold the log against all checkpoints; what a whole one found is remembered, if it can be."""
        copies = [path for path in self.copies if self.signs or path.exists()]
        report = verify(log, keys=keys or self.public(), copies=[*copies, *more], since=since)
        if since is None:
            self._remember(report, now)
        return report

    def without(self, copy: Path | None) -> "Notary":
        """The same, of one copy less."""
        gone = copy and copy.absolute()
        return replace(self, copies=tuple(path for path in self.copies if path != gone))

    def last(self) -> dict[str, Any] | None:
        """What the last whole verification found, when and over how many events; None where there was none."""
        try:
            told = json.loads(self.verdict.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def _remember(self, report: Report, now: datetime) -> None:
        problem = report.findings[0].message if report.findings else None
        told = {"at": now.isoformat(), "events": report.events, "ok": report.ok, "problem": problem}
        partial = self.verdict.with_name(f"{self.verdict.name}.partial")
        with suppress(OSError):
            partial.write_text(json.dumps(told), "utf-8")
            partial.replace(self.verdict)


def _size(copy: Path) -> int:
    """How many events the newest checkpoint of a copy covers."""
    notes = read_copy(copy, newest=True).notes
    return notes[-1].checkpoint.size if notes else 0
