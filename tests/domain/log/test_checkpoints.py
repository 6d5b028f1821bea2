"""Checkpoints: when they are due, what they say, where they lie, and what is never signed."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="cryptography signs checkpoints and is not installed")

from domain.log import Log, LogDamaged, LogError
from domain.log.checkpoints import due, sign, start_copy
from domain.log.copies import read_copy
from domain.log.held import Mark, held, origin_of, prepare
from domain.log.notes import Checkpoint, NoteError, check_note, parse_keys, parse_note
from domain.log.rfc8032 import verify as plain_verify
from domain.log.signing import create_key, flaw_of, public_file, read_key, read_public
from domain.merkle import Frontier
from tests.domain.log.making import NOW
from tests.domain.log.proving import signed

MINUTE = timedelta(seconds=60)
LAST = Checkpoint(origin="omniline/a", size=1500, root=b"r" * 32, position=1500, signed_at=NOW)
GO_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
GO_SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="


@pytest.mark.parametrize(
    ("last", "size", "after", "sizes"),
    [
        (None, 0, MINUTE, []),
        (None, 1, timedelta(0), [1]),
        (None, 2500, timedelta(0), [1000, 2000, 2500]),
        (None, 2000, timedelta(0), [1000, 2000]),
        (LAST, 1500, MINUTE, []),
        (LAST, 1501, MINUTE - timedelta(microseconds=1), []),
        (LAST, 1501, MINUTE, [1501]),
        (LAST, 2499, timedelta(0), []),
        (LAST, 2500, timedelta(0), [2500]),
        (LAST, 4700, timedelta(0), [2500, 3500, 4500]),
        (LAST, 4700, MINUTE, [2500, 3500, 4500, 4700]),
        (LAST, 1501, -MINUTE, []),
    ],
)
def test_a_checkpoint_is_due_every_thousand_events_and_for_the_rest_after_a_minute(
    last: Checkpoint | None, size: int, after: timedelta, sizes: list[int]
) -> None:
    assert due(last, size, now=NOW + after) == sizes


def test_a_checkpoint_is_the_text_of_the_standard_and_two_lines_of_ours(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=3)
    (note,) = read_copy(home.copy).notes
    body, _, signature = note.text.partition("\n\n")
    lines = body.split("\n")
    assert lines[:2] == [f"omniline/{log.epoch}", "3"]
    assert lines[3:] == ["position 3", "signed_at 2026-03-02T12:00:00.000000+00:00"]
    assert signature.startswith(f"\u2014 omniline/{log.epoch} ")
    leaves = [bytes.fromhex(digest) for digest in log.digests([1, 2, 3]).values()]
    assert note.checkpoint.root == Frontier().extended(leaves).root()
    check_note(note, [home.public], plain_verify)


def test_the_published_note_of_the_standard_is_checked_and_a_changed_one_is_not() -> None:
    import base64

    (key,) = parse_keys(f"# a comment\n{GO_KEY}\n")
    assert key.line() == GO_KEY
    blob = base64.b64decode(GO_SIGNATURE)
    assert blob[:4] == key.id
    assert plain_verify(key.key, blob[4:], b"This is an example message.\n")
    assert not plain_verify(key.key, blob[4:], b"This is an example message!\n")


def test_plain_python_and_the_library_agree_about_signatures() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from domain.log.rfc8032 import L
    from domain.log.signing import _check

    for number in range(4):
        secret = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        public, text = secret.public_key().public_bytes_raw(), b"text" * number
        good = secret.sign(text)
        scalar = int.from_bytes(good[32:], "little")
        bad = [
            good[:-1] + bytes([good[-1] ^ 1]),
            bytes([good[0] ^ 1]) + good[1:],
            good[:32] + (scalar + L).to_bytes(32, "little"),
            good[:32] + bytes(32),
            b"\xff" * 32 + good[32:],
            good[:-1],
        ]
        assert plain_verify(public, good, text)
        assert _check(public, good, text)
        for signature in bad:
            assert not plain_verify(public, signature, text)
            assert not _check(public, signature, text)
    assert not plain_verify(b"\xff" * 32, good, text)
    assert not plain_verify(public[:-1], good, text)


def test_signing_stores_the_same_notes_inside_and_outside_and_goes_on_from_there(
    log: Log, tmp_path: Path
) -> None:
    home = signed(log, tmp_path, events=2300)
    assert [one.size for one in held(log)] == [1000, 2000, 2300]
    home.grow(2300, 2310)
    assert home.sign(NOW + MINUTE / 2) == []
    assert [note.checkpoint.size for note in home.sign(NOW + MINUTE)] == [2310]
    home.grow(2310, 4400)
    assert [note.checkpoint.size for note in home.sign(NOW + MINUTE)] == [3310, 4310]
    assert [note.text for note in read_copy(home.copy).notes] == [one.text for one in held(log)]
    leaves = [bytes.fromhex(digest) for digest in log.digests(list(range(1, 4401))).values()]
    assert [(one.checkpoint.size, one.checkpoint.root) for one in read_copy(home.copy).notes] == [
        (size, Frontier().extended(leaves[:size]).root()) for size in (1000, 2000, 2300, 2310, 3310, 4310)
    ]


def test_preparing_twice_is_preparing_once(log: Log) -> None:
    prepare(log)
    prepare(log)
    assert held(log) == []


def test_a_clock_that_goes_back_never_signs_an_earlier_instant(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=5)
    home.grow(5, 1100)
    (note,) = home.sign(NOW - timedelta(days=1))
    assert (note.checkpoint.size, note.checkpoint.signed_at) == (1005, NOW)


def test_what_a_crash_kept_from_the_copy_is_appended_before_anything_new(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=2300)
    first = read_copy(home.copy).notes[0]
    home.copy.write_text(f"{first.text}\n{first.checkpoint.origin}\n20", "utf-8")
    assert home.sign() == []
    copy = read_copy(home.copy)
    assert ([note.checkpoint.size for note in copy.notes], copy.debris) == ([1000, 2000, 2300], 1)
    assert home.verify().ok


def test_a_lost_table_of_checkpoints_is_made_again_from_copy_and_rows(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=2300)
    before = held(log)
    home.forge("DROP TABLE checkpoints")
    assert home.found() == [("checkpoint", 1000, 2300)]
    assert home.sign() == []
    assert held(home.log) == before
    assert home.verify().ok


@pytest.mark.parametrize("wipe", [[], ["DROP TABLE checkpoints"]])
def test_a_changed_log_is_not_signed_though_its_frontier_was_rebuilt(
    log: Log, tmp_path: Path, wipe: list[str]
) -> None:
    home = signed(log, tmp_path, events=1200)
    before = home.copy.read_bytes()
    home.cut(1100, *wipe)
    home.grow(1300, 1350)
    if wipe:
        with pytest.raises(LogDamaged, match="ends before its checkpoint of size 1200"):
            home.sign(NOW + MINUTE)
    home.grow(1350, 1500)
    with pytest.raises(LogDamaged, match="does not reproduce its checkpoint of size 1200"):
        home.sign(NOW + MINUTE)
    assert home.copy.read_bytes() == before
    assert [one.size for one in held(home.log)] == ([] if wipe else [1000, 1200])


def test_rows_that_do_not_continue_the_chain_are_not_signed(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=1200)
    home.grow(1200, 1300)
    before = home.copy.read_bytes()
    home.forge("UPDATE stored_events SET topic = 'note.added' WHERE @ = 1250")
    with pytest.raises(LogDamaged, match="position 1250 does not continue the log's chain"):
        home.sign(NOW + MINUTE)
    assert home.copy.read_bytes() == before
    assert [one.size for one in held(home.log)] == [1000, 1200]


def test_a_forged_frontier_in_the_database_is_not_believed(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=1200)
    home.forge("UPDATE checkpoints SET frontier = (SELECT frontier FROM checkpoints WHERE size = 1000)")
    home.grow(1200, 1300)
    assert [note.checkpoint.size for note in home.sign(NOW + MINUTE)] == [1300]
    assert home.verify().ok
    with pytest.raises(LogDamaged, match="not its own"):
        home.verify(since=1200)


def test_nothing_is_signed_without_the_copy_until_a_new_one_is_begun(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=1200)
    before = home.copy.read_bytes()
    home.copy.unlink()
    with pytest.raises(LogError, match="holds none: put it back, or begin a new copy"):
        home.sign(NOW + MINUTE)
    assert start_copy(home.log, home.copy) == 2
    assert home.copy.read_bytes() == before
    with pytest.raises(LogError, match="name a new file"):
        start_copy(home.log, home.copy)


def test_a_copy_of_another_log_is_refused(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=5)
    other = create_key(tmp_path / "other.key", origin="omniline/other")
    note = read_key(tmp_path / "other.key").sign(
        Checkpoint(origin="omniline/other", size=5, root=b"r" * 32, position=5, signed_at=NOW)
    )
    home.copy.write_text(f"{note.text}\n", "utf-8")
    with pytest.raises(LogDamaged, match="of the log omniline/other"):
        home.sign(NOW + MINUTE)
    assert flaw_of(note, [other]) is None
    assert flaw_of(note, [home.public]) == "it is not signed with the public key of omniline/other"


def test_a_key_of_another_log_signs_nothing(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=0)
    home.grow(0, 3)
    create_key(tmp_path / "other.key", origin="omniline/other")
    with pytest.raises(LogError, match="use the log's own"):
        sign(log, key=read_key(tmp_path / "other.key"), copy=home.copy, now=NOW)
    assert not home.copy.exists()


def test_the_secret_is_for_its_owner_and_the_public_key_for_all(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.key"
    public = create_key(path, origin="omniline/a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_public(public_file(path)) == (public,)
    assert read_key(path).public == public
    assert "PRIVATE" not in repr(read_key(path))
    with pytest.raises(LogError, match="already"):
        create_key(path, origin="omniline/a")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.key"
    create_key(path, origin="omniline/a")
    path.chmod(mode)
    with pytest.raises(LogError) as refused:
        read_key(path)
    assert str(refused.value) == (
        f"The signing key {path} can be read by others (mode {mode:o}): run `chmod 600 {path}`."
    )
    path.chmod(0o400)
    read_key(path)


@pytest.mark.parametrize(
    "text", ["", "PRIVATE+KEY+a+00000000+AAAA", "x+y+z", "PRIVATE+KEY+a+00000000+" + "A" * 44]
)
def test_what_is_no_key_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "k").write_text(text, "utf-8")
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(LogError, match="is no signing key"):
        read_key(tmp_path / "k")
    with pytest.raises(LogError, match="is no public key"):
        read_public(tmp_path / "k")
    with pytest.raises(LogError, match="cannot be read"):
        read_key(tmp_path / "absent")


@pytest.mark.parametrize(
    "change",
    [
        ("position 5", "position 05"),
        ("\n5\n", "\n+5\n"),
        ("signed_at ", "signed at "),
        ("+00:00", ""),
        ("\u2014 ", "- "),
        ("position 5\n", "position 5\nmore\n"),
        ("\n\n", "\n"),
    ],
)
def test_a_note_of_another_form_is_none(tmp_path: Path, change: tuple[str, str]) -> None:
    create_key(tmp_path / "k", origin="omniline/a")
    made = Checkpoint(
        origin="omniline/a", size=5, root=b"r" * 32, position=5, signed_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    text = read_key(tmp_path / "k").sign(made).text
    assert parse_note(text).checkpoint == made
    with pytest.raises(NoteError):
        parse_note(text.replace(*change))


def test_signers_at_the_same_time_sign_each_size_once(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=5)
    home.grow(5, 3300)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda seconds: home.sign(NOW + MINUTE + timedelta(seconds=seconds)), range(4)))
    assert sorted(note.checkpoint.size for notes in made for note in notes) == [1005, 2005, 3005, 3300]
    assert {note.text for note in read_copy(home.copy).notes} == {one.text for one in held(log)}
    assert home.verify().ok


def test_a_mark_reproduces_only_its_own_checkpoint(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=3)
    (one,) = held(log)
    (note,) = read_copy(home.copy).notes
    assert one.mark(note.checkpoint) == Mark(Frontier.from_bytes(one.frontier), 3)
    assert not Mark().reproduces(note.checkpoint)
    assert origin_of(log) == note.checkpoint.origin
