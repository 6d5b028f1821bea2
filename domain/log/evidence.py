"""One evidence bundle: events with proofs to take away; `python -m domain.log.evidence BUNDLE --key PUBLIC_KEY`."""

import inspect
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import domain.merkle
from domain.log import bundle, chain, notes, rfc8032
from domain.log.bundle import CHECKPOINTS, EVENTS, MANIFEST, line, main
from domain.log.checks import trusted
from domain.log.errors import LogError
from domain.log.held import origin_of
from domain.log.log import Log
from domain.log.notes import PublicKey
from domain.log.proofs import proofs
from domain.log.scan import pages

PROGRAM: tuple[ModuleType, ...] = (domain.merkle, chain, notes, rfc8032, bundle)
"""What checks a bundle, without anything else of ours."""

START = """import sys

from domain.log.bundle import main

sys.exit(main())
"""


def export(
    log: Log,
    path: Path,
    *,
    positions: Sequence[int],
    keys: Sequence[PublicKey],
    copies: Sequence[Path] = (),
    exported_by: str,
    received_by: str,
    now: datetime,
) -> int:
    """Write the events at these positions, their proofs and what checks them to `path`; how many events."""
    proven = list(proofs(log, positions, keys=keys, copies=copies))
    sizes = {proof.checkpoint.size for proof in proven}
    signed = trusted(log, keys, copies).notes
    lines = [line(one.row, index=one.index, size=one.checkpoint.size, proof=one.path) for one in proven]
    files = {
        "__main__.py": START,
        EVENTS: "".join(f"{text}\n" for text in lines),
        CHECKPOINTS: "".join(f"{signed[size].text}\n" for size in sorted(sizes)),
        "public_key.txt": "".join(f"{key.line()}\n" for key in keys),
        **_program(),
    }
    manifest = {
        "origin": origin_of(log),
        "events": len(lines),
        "positions": [min(one.row[0] for one in proven), max(one.row[0] for one in proven)],
        "exported_at": now.isoformat(),
        "exported_by": exported_by,
        "received_by": received_by,
        "files": {name: sha256(text.encode()).hexdigest() for name, text in files.items()},
    }
    files[MANIFEST] = json.dumps(manifest, indent=2) + "\n"
    _write(path, files, now)
    return len(lines)


def between(log: Log, first: int, last: int) -> list[int]:
    """The positions from one to another at which there are events."""
    found = [row[0] for page in pages(log, after=first - 1, upto=last) for row in page]
    if not found:
        raise LogError(f"There is no event at positions {first} to {last}: name others.")
    return found


def _program() -> dict[str, str]:
    """The sources that check a bundle; the packages around them are empty there."""
    sources = {f"{module.__name__.replace('.', '/')}.py": inspect.getsource(module) for module in PROGRAM}
    return {"domain/__init__.py": "", "domain/log/__init__.py": "", **sources}


def _write(path: Path, files: dict[str, str], now: datetime) -> None:
    """A zip that is there whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)
        partial.replace(path)
    except OSError as error:
        raise LogError(
            f"The bundle {path} cannot be written ({error.strerror}): check the folder."
        ) from error


if __name__ == "__main__":
    raise SystemExit(main())
