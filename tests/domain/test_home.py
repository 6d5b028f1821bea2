"""A home: where its key and its checkpoints lie, who signs, and what is said about settings that make no sense."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.home import Home, HomeError, home_at
from domain.log import LogDamaged, LogError
from domain.log.copies import read_copy
from tests.domain.log.making import append, mail

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with two places for checkpoints and a log of three mails."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "settings.toml").write_text('checkpoints = ["near.txt", "../far/away.txt"]\n', "utf-8")
    made = home_at(folder, {}, lambda: NOW)
    with made.log(create=True) as log:
        append(log, *(mail(number) for number in range(3)))
        made.notary.sign(log, now=NOW)
    return made


def sizes(path: Path) -> list[int]:
    return [note.checkpoint.size for note in read_copy(path).notes]


def sign(home: Home, first: int, end: int, *, now: datetime) -> None:
    """Let the log grow, and sign it."""
    with home.log() as log:
        append(log, *(mail(number) for number in range(first, end)))
        home.notary.sign(log, now=now)


def test_every_copy_gets_every_checkpoint(home: Home) -> None:
    near, far = home.notary.copies
    assert (near, far) == (home.path / "near.txt", home.path / "../far/away.txt")
    sign(home, 3, 5, now=NOW + timedelta(minutes=1))
    assert (sizes(near), sizes(far)) == ([3, 5], [3, 5])


def test_a_copy_that_fell_behind_or_was_lost_follows_the_fullest(home: Home) -> None:
    near, far = home.notary.copies
    near.unlink()
    sign(home, 3, 5, now=NOW + timedelta(minutes=1))
    assert (sizes(near), sizes(far)) == ([3, 5], [3, 5])
    kept = far.read_bytes()
    sign(home, 5, 9, now=NOW + timedelta(minutes=2))
    far.write_bytes(kept)
    sign(home, 9, 11, now=NOW + timedelta(minutes=3))
    assert (sizes(near), sizes(far)) == ([3, 5, 9, 11], [3, 5, 9, 11])


def test_nothing_is_signed_when_every_copy_is_lost(home: Home) -> None:
    for copy in home.notary.copies:
        copy.unlink()
    with pytest.raises(LogError, match="put it back"):
        sign(home, 3, 5, now=NOW + timedelta(minutes=1))


def test_copies_that_contradict_each_other_are_refused(home: Home) -> None:
    near, far = home.notary.copies
    far.write_text(near.read_text("utf-8").replace("\n3\n", "\n2\n"), "utf-8")
    with pytest.raises(LogDamaged, match="contradict each other"):
        sign(home, 3, 5, now=NOW + timedelta(minutes=1))


def test_a_host_without_the_key_or_with_a_log_to_read_alone_signs_nothing(home: Home, tmp_path: Path) -> None:
    near = home.notary.copies[0]
    url = f"sqlite:///file:{home.path}/log.db?mode=ro&uri=true"
    sign(home, 3, 5, now=NOW)
    reading = home_at(home.path, {"OMNILINE_LOG_URL": url}, lambda: NOW)
    with reading.log() as log:
        reading.notary.sign(log, now=NOW + timedelta(minutes=1))
        assert reading.notary.verify(log, now=NOW).ok
    (home.path / "signing.key").rename(tmp_path / "elsewhere.key")
    sign(home, 5, 7, now=NOW + timedelta(minutes=1))
    assert sizes(near) == [3]


def test_the_environment_goes_before_the_settings(home: Home, tmp_path: Path) -> None:
    places = {"OMNILINE_CHECKPOINTS": f"{tmp_path}/a.txt:{tmp_path}/b.txt", "OMNILINE_SIGNING_KEY": "k/s.key"}
    notary = home_at(home.path, places, lambda: NOW).notary
    assert notary.copies == (tmp_path / "a.txt", tmp_path / "b.txt")
    assert notary.key == Path("k/s.key").absolute()


def test_a_setting_that_is_no_path_is_told(home: Home) -> None:
    (home.path / "settings.toml").write_text("checkpoints = 3\n", "utf-8")
    with pytest.raises(HomeError, match=r"checkpoints in .* is no path"):
        _ = home.notary


def test_a_verification_is_remembered_until_the_next(home: Home) -> None:
    assert home.notary.last() is None
    with home.log() as log:
        home.notary.verify(log, now=NOW)
    assert home.notary.last() == {"at": NOW.isoformat(), "events": 3, "ok": True, "problem": None}
    home.notary.copies[1].unlink()
    with home.log() as log:
        home.notary.verify(log, now=NOW + timedelta(days=1))
        home.notary.verify(log, now=NOW + timedelta(days=2), since=3)
    told = home.notary.last()
    assert told is not None
    assert (told["ok"], told["at"]) == (False, (NOW + timedelta(days=1)).isoformat())


def test_a_demo_keeps_the_settings_that_were_there(home: Home) -> None:
    home.mark_demo(NOW)
    assert home.settings() == {"demo": True, "now": NOW, "checkpoints": ["near.txt", "../far/away.txt"]}
