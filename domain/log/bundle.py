"""One check of an evidence bundle: `python BUNDLE --key PUBLIC_KEY`, with Python's standard library alone.

A bundle is a zip: events as stored, a proof for each, signed checkpoints, a manifest of digests, and this program.
It believes the public key that it is given and nothing in the bundle; whoever doubts the program brings an own one.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from domain.log import rfc8032
from domain.log.chain import COLUMNS, leaf
from domain.log.notes import Checkpoint, NoteError, PublicKey, check_note, parse_keys, split_notes
from domain.merkle import root_from

BYTES = ("sealed", "payload_hash")
"""Columns that the bundle writes in hexadecimal."""
MANIFEST, EVENTS, CHECKPOINTS = "manifest.json", "events.jsonl", "checkpoints.txt"


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
        manifest = json.loads(files[MANIFEST])
        checkpoints = _checkpoints(files[CHECKPOINTS].decode(), keys, known)
        texts = files[EVENTS].decode().splitlines()
        rows = [_proven(number, text, checkpoints) for number, text in enumerate(texts, 1)]
        if len(rows) != manifest["events"] or len({row["position"] for row in rows}) != len(rows):
            raise BundleError(
                f"The manifest tells {manifest['events']} events, the bundle holds {len(rows)}."
            )
        told = f"Exported by {manifest['exported_by']} for {manifest['received_by']} at {manifest['exported_at']}."
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(f"{bundle} is no evidence bundle of Omniline ({error!r}).") from error
    origins = ", ".join(sorted({one.origin for one in checkpoints.values()}))
    span = f", positions {rows[0]['position']} to {rows[-1]['position']}" if rows else ""
    proven = (
        f"{len(rows)} events{span}: unaltered since {len(checkpoints)} checkpoints of {origins} were signed."
    )
    return [proven, told]


def _files(bundle: Path) -> dict[str, bytes]:
    """The files of a bundle, once they are those of its manifest."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            names = archive.namelist()
            files = {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise BundleError(f"{bundle} cannot be read as an evidence bundle ({error}).") from error
    if MANIFEST not in files:
        raise BundleError(f"{bundle} holds no {MANIFEST}: it is no evidence bundle.")
    digests = {name: sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
    listed = json.loads(files[MANIFEST])["files"]
    wrong = sorted(name for name in {*digests, *listed} if digests.get(name) != listed.get(name))
    if wrong or len(names) != len(files):
        raise BundleError(
            f"The manifest does not fit the files of the bundle: {', '.join(wrong) or 'doubles'}."
        )
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
    row: dict[str, Any] = json.loads(text)
    stored = row | {name: bytes.fromhex(row[name]) for name in BYTES}
    stored["state"] = row["state"].encode("utf-8", "surrogateescape")
    checkpoint = checkpoints[row["checkpoint"]]
    proof = [bytes.fromhex(one) for one in row["proof"]]
    digest = leaf(tuple(stored[column] for column in COLUMNS))
    if root_from(digest, row["index"], checkpoint.size, proof) != checkpoint.root:
        raise BundleError(
            f"Event {row['event_id']} at position {row['position']} (line {number}) is not what was signed."
        )
    return row


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything is proven, 1 if not."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle of Omniline.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(sys.argv[0]))
    parser.add_argument("--key", type=Path, required=True, help="the log's public key, from its operator")
    parser.add_argument("--checkpoints", type=Path, help="your own copy of the checkpoints")
    told = parser.parse_args(arguments)
    try:
        keys = parse_keys(told.key.read_text("utf-8"))
        known = told.checkpoints.read_text("utf-8") if told.checkpoints else None
        lines = check(told.bundle, keys, known)
    except (OSError, NoteError, BundleError) as error:
        print(error, file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0
