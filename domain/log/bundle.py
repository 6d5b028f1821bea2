"""One check of an evidence bundle: `python BUNDLE --key PUBLIC_KEY`, with Python's standard library alone.

A bundle is a zip: events as stored, a proof for each, signed checkpoints, a manifest of digests, and this program.
It believes the public key that it is given and nothing in the bundle; whoever doubts the program brings an own one.
"""

import argparse
import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from domain.log import rfc8032
from domain.log.chain import COLUMNS, leaf
from domain.log.notes import Checkpoint, NoteError, PublicKey, check_note, parse_keys, split_notes
from domain.merkle import root_from

BYTES = ("sealed", "payload_hash")
"""Columns that the bundle writes in hexadecimal."""
NUMBERS = (
    "index",
    "checkpoint",
    "position",
    "originator_version",
    "occurred_at",
    "known_at",
    "recorded_at",
    "run_id",
)
"""What is a whole number on an event's line."""
KEYS = {"index", "checkpoint", *COLUMNS, "proof"}
"""All that an event's line says."""
MANIFEST, EVENTS, CHECKPOINTS = "manifest.json", "events.jsonl", "checkpoints.txt"
CLAIMED = "claimed by whoever made it, not signed"
"""What holds for the manifest's words on exporter, receiver and time."""
UNREADABLE = OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error
MALFORMED = LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error
GAPS = 5
"""So many gaps between positions are named."""


class BundleError(Exception):
    """What is wrong with a bundle, in a sentence."""


def line(row: Sequence[Any], *, index: int, size: int, proof: Sequence[bytes]) -> str:
    """A stored row and its proof as a line of the bundle; bytes that are no UTF-8 survive as lone surrogates."""
    named = dict(zip(COLUMNS, row, strict=True))
    named["state"] = bytes(named["state"]).decode("utf-8", "surrogateescape")
    named |= {name: bytes(named[name]).hex() for name in BYTES}
    return json.dumps({"index": index, "checkpoint": size, **named, "proof": [one.hex() for one in proof]})


def check(bundle: Path, keys: Sequence[PublicKey], known: str | None = None) -> list[str]:
    """What was proven, line by line; BundleError for the first thing that was not.

    `known` is what the examiner's own copy of the checkpoints says; the bundle's must stand in it.
    """
    try:
        files = _files(bundle)
        manifest = _loaded(files[MANIFEST])
        checkpoints = _checkpoints(files[CHECKPOINTS].decode(), keys, known)
        texts = files[EVENTS].decode().splitlines()
        rows = [_proven(number, text, checkpoints) for number, text in enumerate(texts, 1)]
        positions = sorted({row["position"] for row in rows})
        if not rows or len(positions) != len(rows) or _differ(manifest["events"], len(rows)):
            raise BundleError(
                f"The manifest tells {clean(str(manifest['events']))} events, "
                f"the bundle holds {len(rows)} at {len(positions)} positions."
            )
        _fits(manifest, positions, checkpoints)
        by, receiver, at = (clean(manifest[name]) for name in ("exported_by", "received_by", "exported_at"))
    except MALFORMED as error:
        raise BundleError(f"{bundle} is no evidence bundle of Omniline ({_short(error)}).") from error
    origin = clean(manifest["origin"])
    return [
        f"{_told(positions)}: unaltered since {len(checkpoints)} checkpoints of {origin} were signed.",
        f"Exported by {by} for {receiver} at {at} ({CLAIMED}).",
    ]


def clean(text: str) -> str:
    """A text of the bundle on one line, without what steers a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _short(error: BaseException) -> str:
    return clean(f"{type(error).__name__}: {error}")[:200]


def _differ(told: object, found: object) -> bool:
    """Whether the manifest says something else; 1, 1.0 and true are not the same."""
    return json.dumps(told) != json.dumps(found)


def _fits(manifest: dict[str, Any], positions: list[int], checkpoints: dict[int, Checkpoint]) -> None:
    """BundleError if the manifest, which nobody signed, says else than what was proven."""
    if _differ(manifest["positions"], [positions[0], positions[-1]]):
        raise BundleError(
            f"The manifest tells other positions than those proven: {positions[0]} to {positions[-1]}."
        )
    if {one.origin for one in checkpoints.values()} != {manifest["origin"]}:
        raise BundleError("The manifest tells another log than the checkpoints.")


def _told(positions: list[int]) -> str:
    """How many events lie where; a range only if it is complete, else the gaps in it."""
    first, last = positions[0], positions[-1]
    count = f"{len(positions)} event{'' if len(positions) == 1 else 's'}"
    if first == last:
        return f"{count}, position {first}"
    gaps = [(one + 1, other - 1) for one, other in pairwise(positions) if other - one > 1]
    if not gaps:
        return f"{count}, positions {first} to {last}"
    named = ", ".join(f"{one}" if one == other else f"{one} to {other}" for one, other in gaps[:GAPS])
    more = f" and {len(gaps) - GAPS} more gaps" if len(gaps) > GAPS else ""
    return f"{count} between positions {first} and {last}, none of {named}{more}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that says nothing twice."""
    if len(named := dict(pairs)) != len(pairs):
        raise ValueError("a key is there twice")
    return named


def _loaded(text: str | bytes) -> dict[str, Any]:
    found = json.loads(text, object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise TypeError("it is no object")
    return found


def _files(bundle: Path) -> dict[str, bytes]:
    """The files of a bundle, once they are those of its manifest."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            names = archive.namelist()
            if any(one.compress_type not in (0, zipfile.ZIP_DEFLATED) for one in archive.infolist()):
                raise BundleError(f"{bundle} is packed in another way than Omniline packs evidence.")
            files = {name: archive.read(name) for name in names}
    except UNREADABLE as error:
        raise BundleError(f"{bundle} cannot be read as an evidence bundle ({_short(error)}).") from error
    if MANIFEST not in files:
        raise BundleError(f"{bundle} holds no {MANIFEST}: it is no evidence bundle.")
    digests = {name: sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
    listed = _loaded(files[MANIFEST])["files"]
    wrong = sorted(name for name in {*digests, *listed} if digests.get(name) != listed.get(name))
    if wrong or len(names) != len(files):
        told = clean(", ".join(wrong)) or "doubles"
        raise BundleError(f"The manifest does not fit the files of the bundle: {told}.")
    return files


def _checkpoints(text: str, keys: Sequence[PublicKey], known: str | None) -> dict[int, Checkpoint]:
    notes, debris = split_notes(text)
    if debris or not notes:
        raise BundleError(f"{CHECKPOINTS} holds something else than checkpoints.")
    own = None if known is None else {note.text for note in split_notes(known)[0]}
    for note in notes:
        size = note.checkpoint.size
        try:
            check_note(note, keys, rfc8032.verify)
        except NoteError as error:
            raise BundleError(f"The checkpoint of size {size} cannot be believed: {error}.") from error
        if own is not None and note.text not in own:
            raise BundleError(f"The checkpoint of size {size} is not among those that you hold.")
    return {note.checkpoint.size: note.checkpoint for note in notes}


def _proven(number: int, text: str, checkpoints: dict[int, Checkpoint]) -> dict[str, Any]:
    """The row on a line, once its proof leads to a signed root."""
    row = _loaded(text)
    if row.keys() != KEYS:
        odd = clean(", ".join(sorted(row.keys() ^ KEYS)))[:200]
        raise BundleError(f"Line {number} of {EVENTS} says more or less than a stored event: {odd}.")
    if any(type(row[name]) is not int for name in NUMBERS):
        raise BundleError(f"Line {number} of {EVENTS} is no stored event: a number is none.")
    stored = row | {name: bytes.fromhex(row[name]) for name in BYTES}
    stored["state"] = row["state"].encode("utf-8", "surrogateescape")
    checkpoint = checkpoints[row["checkpoint"]]
    proof = [bytes.fromhex(one) for one in row["proof"]]
    digest = leaf(tuple(stored[column] for column in COLUMNS))
    if root_from(digest, row["index"], checkpoint.size, proof) != checkpoint.root:
        raise BundleError(
            f"Event {clean(row['event_id'])} at position {row['position']} (line {number}) is not what was signed."
        )
    return row


def _text(path: Path) -> str:
    """What a file that the examiner brings says."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read as text ({_short(error)}).") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything is proven, 1 if not."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle of Omniline.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(sys.argv[0]))
    parser.add_argument("--key", type=Path, required=True, help="the log's public key, from its operator")
    parser.add_argument("--checkpoints", type=Path, help="your own copy of the checkpoints")
    told = parser.parse_args(arguments)
    try:
        keys = parse_keys(_text(told.key))
        known = _text(told.checkpoints) if told.checkpoints else None
        lines = check(told.bundle, keys, known)
    except NoteError as error:
        print(f"{told.key} is no public key of a log: {error}.", file=sys.stderr)
        return 1
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0
