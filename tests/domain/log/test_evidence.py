"""Evidence: one event's proof, and a bundle that anybody checks with Python and the public key alone."""

import contextlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="cryptography signs checkpoints and is not installed")

from domain.log import Log, LogDamaged, LogError
from domain.log.bundle import BundleError, check, main
from domain.log.evidence import between, export
from domain.log.proofs import prove
from domain.log.signing import create_key, public_file
from tests.domain.log.making import NOW, append, mail
from tests.domain.log.proving import Signed, signed


@pytest.fixture
def home(log: Log, tmp_path: Path) -> Signed:
    """1,210 mails, the first 1,205 of them under checkpoints of 1,000, 1,200 and 1,205."""
    made = signed(log, tmp_path, events=1200)
    append(log, mail(2000, text="zażółć \U0001f98a"), *(mail(number) for number in range(2001, 2005)))
    made.sign(NOW + timedelta(minutes=1))
    made.grow(3000, 3005)
    return made


def bundled(home: Signed, first: int = 990, last: int = 1205) -> Path:
    path = home.folder / "bundles" / "evidence.zip"
    count = export(
        home.log,
        path,
        positions=between(home.log, first, last),
        keys=[home.public],
        copies=[home.copy],
        exported_by="Anna",
        received_by="the auditor",
        now=NOW,
    )
    assert count == last - first + 1
    return path


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None], *, manifest: bool = True) -> None:
    """Change a bundle's files; its manifest too, as a forger would."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    if manifest:
        told = json.loads(files["manifest.json"])
        told["events"] = len(files["events.jsonl"].splitlines())
        told["files"] = {
            name: sha256(text).hexdigest() for name, text in files.items() if name != "manifest.json"
        }
        files["manifest.json"] = json.dumps(told).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def edit(name: str, before: bytes, after: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert before in files[name]
        files[name] = files[name].replace(before, after, 1)

    return change


@pytest.mark.parametrize("number", [0, 999, 1000, 1199])
def test_one_event_is_proven_under_the_checkpoint_that_came_next(home: Signed, number: int) -> None:
    proof = prove(home.log, f"crm1|{number}|1", keys=[home.public], copies=[home.copy])
    assert proof.holds
    assert (proof.index, proof.row[6]) == (number, f"crm1|{number}|1")
    assert proof.checkpoint.size == {0: 1000, 999: 1000}.get(number, 1200)
    assert proof.leaf.hex() == home.log.digests([number + 1])[number + 1]
    assert not replace(proof, leaf=bytes(32)).holds


def test_an_absent_an_unsigned_and_a_changed_event_are_told_apart(home: Signed) -> None:
    with pytest.raises(LogError, match="holds no event crm1"):
        prove(home.log, "crm1|99999|1", keys=[home.public])
    with pytest.raises(LogError, match="No checkpoint covers position 1206 yet"):
        prove(home.log, "crm1|3000|1", keys=[home.public])
    home.forge("UPDATE stored_events SET metadata = '{ }' WHERE @ = 300")
    with pytest.raises(LogDamaged, match="Positions 1 to 1000 are not what was signed"):
        prove(home.log, "crm1|0|1", keys=[home.public])
    assert prove(home.log, "crm1|1100|1", keys=[home.public]).holds


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET note = 'none'",
        "UPDATE checkpoints SET size = size + 1",
    ],
)
def test_an_event_is_proven_from_a_copy_where_the_database_s_checkpoints_are_gone_or_forged(
    home: Signed, change: str
) -> None:
    home.forge(change)
    proof = prove(home.log, "crm1|1100|1", keys=[home.public], copies=[home.copy])
    assert proof.holds
    assert (proof.index, proof.checkpoint.size) == (1100, 1200)
    with pytest.raises(LogError, match="No checkpoint covers position 1101 yet"):
        prove(home.log, "crm1|1100|1", keys=[home.public])


def test_a_bundle_is_checked_by_itself_with_nothing_but_python_and_the_public_key(home: Signed) -> None:
    path, key = bundled(home), public_file(home.key)
    done = subprocess.run(
        [sys.executable, "-I", "-S", path, "--key", key, "--checkpoints", home.copy],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"216 events, positions 990 to 1205: unaltered since 3 checkpoints of omniline/{home.log.epoch} were signed.",
        f"Exported by Anna for the auditor at {NOW.isoformat()} (claimed by whoever made it, not signed).",
    ]


def test_a_bundle_is_checked_by_the_command_too(home: Signed, capsys: pytest.CaptureFixture[str]) -> None:
    path, key = bundled(home, 1201, 1201), public_file(home.key)
    done = subprocess.run(
        [sys.executable, "-m", "domain.log.evidence", path, "--key", key], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    rewrite(path, edit("events.jsonl", b"crm1|2000|1", b"crm1|2009|1"))
    assert main([str(path), "--key", str(key)]) == 1
    assert capsys.readouterr().err == (
        "Event crm1|2009|1 at position 1201 (line 1) is not what was signed.\n"
    )
    assert main([str(path), "--key", str(home.folder / "absent")]) == 1


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("events.jsonl", b'"sealed": "02', b'"sealed": "03', "at position 990"),
        ("events.jsonl", b'"recorded_at": 1', b'"recorded_at": 2', "at position 990"),
        ("events.jsonl", b'"index": 989', b'"index": 990', "at position 990"),
        ("events.jsonl", b'"checkpoint": 1000', b'"checkpoint": 1200', "at position 990"),
        ("events.jsonl", b'"checkpoint": 1000', b'"checkpoint": 7', "no evidence bundle"),
        ("events.jsonl", b'"proof": ["', b'"proof": ["0', "no evidence bundle"),
        ("checkpoints.txt", b"position 1200", b"position 1201", "does not fit its text"),
        ("checkpoints.txt", b"\n1200\n", b"\n1201\n", "does not fit its text"),
        ("checkpoints.txt", b"omniline/", b"omnilane/", "not signed with the public key"),
        ("checkpoints.txt", b"position", b"", "something else than checkpoints"),
    ],
)
def test_every_forged_file_of_a_bundle_is_found_though_the_manifest_was_forged_too(
    home: Signed, name: str, before: bytes, after: bytes, message: str
) -> None:
    path = bundled(home)
    assert check(path, [home.public])
    rewrite(path, edit(name, before, after))
    with pytest.raises(BundleError, match=message):
        check(path, [home.public])


def test_an_event_told_twice_or_a_file_that_the_manifest_does_not_list_is_refused(home: Signed) -> None:
    path = bundled(home, 1, 2)

    def twice(files: dict[str, bytes]) -> None:
        files["events.jsonl"] = files["events.jsonl"].splitlines(keepends=True)[0] * 2

    rewrite(path, twice)
    with pytest.raises(BundleError, match="The manifest tells 2 events"):
        check(path, [home.public])
    path = bundled(home, 1, 2)
    rewrite(path, edit("public_key.txt", b"omniline", b"omnilane"), manifest=False)
    with pytest.raises(BundleError, match=r"does not fit the files of the bundle: public_key\.txt"):
        check(path, [home.public])
    path.write_bytes(b"PK")
    with pytest.raises(BundleError, match="cannot be read"):
        check(path, [home.public])


def test_another_key_and_another_copy_of_the_checkpoints_prove_nothing(home: Signed) -> None:
    path = bundled(home)
    other = create_key(home.folder / "other.key", origin=home.public.name)
    with pytest.raises(BundleError, match="not signed with the public key"):
        check(path, [other])
    assert check(path, [other, home.public], home.copy.read_text("utf-8"))
    with pytest.raises(BundleError, match="size 1000 is not among those that you hold"):
        check(path, [home.public], "")


def test_bytes_that_are_no_text_survive_the_way_through_a_bundle(log: Log, tmp_path: Path) -> None:
    from eventsourcing.persistence import StoredEvent

    home = signed(log, tmp_path, events=0)
    log.recorder.insert_events([StoredEvent("goal:a", 1, "goal.set", bytes(range(256)))])
    home.sign()
    assert check(bundled(home, 1, 1), [home.public])


def test_an_empty_or_unsigned_range_makes_no_bundle(home: Signed) -> None:
    with pytest.raises(LogError, match="no event at positions 5000 to 6000"):
        bundled(home, 5000, 6000)
    with pytest.raises(LogError, match="covers position 1206 yet"):
        bundled(home, 1200, 1210)
    assert not (home.folder / "bundles").exists()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b'"run_id": ', b'"run_id": null, "x": ', "says more or less than a stored event: x"),
        (b'"index": 0', b'"index": 0, "index": 0', "twice"),
        (b'"position": 1,', b'"position": true,', "a number is none"),
        (b'"position": 1,', b'"position": null,', "a number is none"),
        (b'"position": 1,', b'"position": Infinity,', "a number is none"),
        (b'"position": 1,', b'"position": 1%s,' % (b"0" * 40), "no evidence bundle"),
        (b'"proof": [', b'"proof": ' + b"[" * 200_000, "no evidence bundle"),
    ],
)
def test_a_line_that_is_no_stored_event_is_refused_in_a_sentence(
    home: Signed, before: bytes, after: bytes, message: str
) -> None:
    path = bundled(home, 1, 2)
    rewrite(path, edit("events.jsonl", before, after))
    with pytest.raises(BundleError, match=message):
        check(path, [home.public])


def test_a_bundle_that_is_damaged_anywhere_is_refused_in_a_sentence(home: Signed) -> None:
    path = bundled(home, 1, 2)
    whole = path.read_bytes()
    for at in range(0, len(whole), 211):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with contextlib.suppress(BundleError):
            assert "2 events, positions 1 to 2" in check(path, [home.public])[0]


def test_a_key_that_is_no_text_is_refused_in_a_sentence(
    home: Signed, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bundled(home, 1, 2)
    assert main([str(path), "--key", str(path)]) == 1
    assert "cannot be read as text" in capsys.readouterr().err


def test_positions_are_those_proven_and_a_gap_is_named(home: Signed) -> None:
    path = bundled(home, 1, 5)

    def without(files: dict[str, bytes]) -> None:
        lines = files["events.jsonl"].splitlines(keepends=True)
        files["events.jsonl"] = b"".join(lines[:2] + lines[3:])

    rewrite(path, without)
    assert check(path, [home.public])[0].startswith("4 events between positions 1 and 5, none of 3: ")
    rewrite(path, lambda files: files.update({"events.jsonl": files["events.jsonl"].split(b"\n", 1)[1]}))
    with pytest.raises(BundleError, match="other positions than those proven: 2 to 5"):
        check(path, [home.public])
