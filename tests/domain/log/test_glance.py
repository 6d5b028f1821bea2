"""The quick look: the newest checkpoint, what came after it, and trouble with the last thousand events."""

from pathlib import Path

import pytest

from domain.log import Log
from domain.log.glance import Glance, glance
from domain.log.signer import appoint, signer
from domain.log.signing import create_key, public_file, read_key
from tests.domain.log.making import NOW
from tests.domain.log.proving import Signed, signed


@pytest.fixture
def home(log: Log, tmp_path: Path) -> Signed:
    """1,200 mails under checkpoints of 1,000 and 1,200, and five more."""
    made = signed(log, tmp_path, events=1200)
    made.grow(1200, 1205)
    return made


def look(home: Signed) -> Glance:
    return glance(home.log, keys=[home.public], copies=[home.copy])


def test_an_intact_log_shows_its_newest_checkpoint_and_what_came_after(home: Signed) -> None:
    assert look(home) == Glance(size=1200, signed_at=NOW, unsigned=5, problem=None)


def test_a_log_without_checkpoints_is_all_unsigned(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=0)
    assert look(home) == Glance(size=0, signed_at=None, unsigned=0, problem=None)
    home.grow(0, 3)
    assert look(home) == Glance(size=0, signed_at=None, unsigned=3, problem=None)


def test_a_tail_that_was_cut_or_written_again_shows(home: Signed) -> None:
    home.cut(1190)
    wrong = "The log does not reproduce the checkpoint of 1,200 events: run `omniline verify`."
    assert look(home).problem == wrong
    home.grow(2000, 2100)
    assert look(home).problem == wrong


def test_what_lies_further_back_is_left_to_a_verification(home: Signed) -> None:
    home.forge("UPDATE stored_events SET metadata = '{ }' WHERE @ = 300")
    assert look(home).problem is None
    home.forge("UPDATE stored_events SET metadata = '{ }' WHERE @ = 1100")
    assert look(home).problem is not None


def test_a_checkpoint_that_is_missing_inside_or_outside_shows(home: Signed) -> None:
    kept = home.copy.read_bytes()
    home.copy.unlink()
    assert look(home).problem == f"The copy of the checkpoints {home.copy} is missing: put it back."
    home.copy.write_bytes(kept)
    home.forge("DELETE FROM checkpoints WHERE size = 1200")
    assert look(home).problem == (
        "The log's database lacks the checkpoint of 1,200 events that was signed: run `omniline verify`."
    )
    home.forge("DROP TABLE checkpoints")
    assert look(home).problem is not None


def test_a_stranger_s_checkpoint_shows(home: Signed) -> None:
    other = create_key(home.folder / "other.key", origin=home.public.name)
    told = glance(home.log, keys=[other], copies=[home.copy]).problem
    assert told is not None
    assert told.startswith("The checkpoint of 1,200 events cannot be believed (it is not signed with")


def test_a_forged_frontier_beside_the_checkpoint_before_shows(home: Signed) -> None:
    home.forge("UPDATE checkpoints SET frontier = (SELECT frontier FROM checkpoints WHERE size = 1200)")
    assert look(home).problem == (
        "What leads to the checkpoint of 1,200 events is not what was kept with it: run `omniline verify`."
    )


def test_one_key_alone_is_appointed_to_sign_a_log(log: Log, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "signing.key", tmp_path / "b" / "signing.key"
    assert signer(log) is None
    public = appoint(log, first)
    assert public == read_key(first).public
    assert public is not None
    assert signer(log) == public.line()
    assert appoint(log, second) is None
    assert not second.exists()
    assert not public_file(second).exists()


def test_a_key_whose_appointment_a_crash_prevented_is_appointed_later(log: Log, tmp_path: Path) -> None:
    from domain.log.held import origin_of

    public = create_key(tmp_path / "signing.key", origin=origin_of(log))
    assert appoint(log, tmp_path / "signing.key") == public
