"""The documents of an audit: one call proves a whole log, one event of it, or a bundle that somebody took away."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.home import Home
from domain.log import Log, LogDamaged
from domain.log.bundle import CHECKPOINTS, MANIFEST, BundleError, check
from domain.log.chain import COLUMNS
from domain.log.checkpoints import start_copy
from domain.log.checks import Finding
from domain.log.evidence import between, export
from domain.log.notes import PublicKey, split_notes
from domain.log.proofs import Proof, proofs
from domain.log.scan import position_of
from domain.log.signing import read_public
from projections.answers import AnswerError, instant

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be proven: a whole log, what came `since` a checkpoint, one `event`, or a `bundle` without any log.

    `key` and `checkpoints` are those that the asker brings; a whole log that was proven may `begin` another copy.
    """

    since: int | None = None
    event: str | None = None
    bundle: Path | None = None
    key: Path | None = None
    checkpoints: Path | None = None
    begin: Path | None = None

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys to believe before the home's own."""
        return read_public(self.key) if self.key else ()

    @property
    def more(self) -> list[Path]:
        """A copy of the checkpoints beside those of the home."""
        return [self.checkpoints] if self.checkpoints else []


def verified(home: Home, asked: Asked) -> Document:
    """What was proven."""
    if sum(one is not None for one in (asked.since, asked.event, asked.bundle, asked.begin)) > 1:
        raise AnswerError("Ask for one of --since, --event, --bundle and --begin-copy.")
    if asked.bundle:
        return _bundle(asked.bundle, asked)
    try:
        with home.log(torn=True) as log:
            return _event(home, log, asked.event, asked) if asked.event else _whole(home, log, asked)
    except LogDamaged as error:
        return _failed("altered", str(error))


def _whole(home: Home, log: Log, asked: Asked) -> Document:
    notary, now = home.notary.without(asked.begin), home.clock()
    report = notary.verify(log, now=now, since=asked.since, keys=asked.keys, more=asked.more)
    if asked.begin and report.ok:
        start_copy(log, asked.begin)
    problems = [_problem(finding) for finding in report.findings]
    return {
        "ok": report.ok,
        "events": report.events,
        "signed": report.signed,
        "checkpoints": report.checkpoints,
        "since": report.since,
        "problem": problems[0] if problems else None,
        "problems": problems,
    }


def _problem(finding: Finding) -> Document:
    return {"kind": finding.kind, "from": finding.first, "to": finding.last, "detail": finding.message}


def _failed(kind: str, detail: str) -> Document:
    """What could not be read far enough to say more."""
    problem = {"kind": kind, "from": None, "to": None, "detail": detail}
    return {"ok": False, "events": 0, "checkpoints": 0, "problem": problem, "problems": [problem]}


def _event(home: Home, log: Log, event: str, asked: Asked) -> Document:
    notary = home.notary
    copies = [*notary.copies, *asked.more]
    (proof,) = proofs(log, [_position(log, event)], keys=asked.keys or notary.public(), copies=copies)
    return {
        "ok": proof.holds,
        "events": 1,
        "checkpoints": 1,
        "problem": None,
        "problems": [],
        "event_id": proof.row[COLUMNS.index("event_id")],
        "position": proof.row[0],
        "digest": proof.leaf.hex(),
        "proof": _proof(proof),
    }


def _proof(proof: Proof) -> Document:
    """What leads from the event's digest to a signed root (RFC 6962)."""
    checkpoint = proof.checkpoint
    return {
        "index": proof.index,
        "path": [one.hex() for one in proof.path],
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signed_at": instant(checkpoint.signed_at),
        "origin": checkpoint.origin,
    }


def _bundle(bundle: Path, asked: Asked) -> Document:
    if not asked.key:
        raise AnswerError("A bundle is checked with the log's public key: name its file with --key.")
    try:
        known = asked.checkpoints.read_text("utf-8") if asked.checkpoints else None
        check(bundle, asked.keys, known)
    except BundleError as error:
        return _failed("bundle", str(error))
    with zipfile.ZipFile(bundle) as archive:
        manifest: Mapping[str, Any] = json.loads(archive.read(MANIFEST))
        signed = split_notes(archive.read(CHECKPOINTS).decode())[0]
    told = ("positions", "origin", "exported_at", "exported_by", "received_by")
    return {
        "ok": True,
        "events": manifest["events"],
        "checkpoints": len(signed),
        "problem": None,
        "problems": [],
        **{name: manifest[name] for name in told},
    }


def bundled(
    home: Home,
    path: Path,
    *,
    events: Sequence[str],
    positions: str | None,
    exported_by: str,
    received_by: str,
) -> Document:
    """Write events with their proofs to a bundle that anybody can check; what it holds."""
    notary = home.notary
    with home.log() as log:
        wanted = _positions(log, events, positions)
        count = export(
            log,
            path,
            positions=wanted,
            keys=notary.public(),
            copies=notary.copies,
            exported_by=exported_by,
            received_by=received_by,
            now=home.clock(),
        )
    return {
        "file": str(path),
        "events": count,
        "positions": [wanted[0], wanted[-1]],
        "exported_by": exported_by,
        "received_by": received_by,
    }


def _positions(log: Log, events: Sequence[str], positions: str | None) -> list[int]:
    """The positions of the events named, and those of a range like 80001-80100."""
    first, _, last = (positions or "0").partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise AnswerError(f"'{positions}' is no range of positions; write it like 80001-80100.")
    found = {*between(log, int(first), int(last or first))} if positions else set()
    found |= {_position(log, event) for event in events}
    if not found:
        raise AnswerError(
            "Name the events: --event ID, several times if you like, or --positions FIRST-LAST."
        )
    return sorted(found)


def _position(log: Log, event: str) -> int:
    """Where an event stands, by its id or by its position."""
    position = int(event) if event.isdecimal() else position_of(log, event)
    if position is None:
        raise AnswerError(f"The log holds no event {event}: check the id.")
    return position
