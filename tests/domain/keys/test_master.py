"""The master key: from text or file, for its owner alone, never shown."""

import base64
from dataclasses import astuple
from pathlib import Path

import pytest

from domain.keys import KeysError, Master, create_master, master_beside, master_from, open_keys, read_master

ADVICE = "write 32 random bytes in base64, as `openssl rand -base64 32` prints them."
ONE, TWO = (base64.b64encode(bytes(range(first, first + 32))).decode() for first in (0, 100))


def test_a_master_key_is_made_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "master.key"
    made = create_master(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(file.read_text().strip(), validate=True)) == 32
    assert [one.name for one in file.parent.iterdir()] == ["master.key"]
    assert read_master(file) == made == master_from(file.read_text())


def test_two_master_keys_differ(tmp_path: Path) -> None:
    assert create_master(tmp_path / "one") != create_master(tmp_path / "two")


def test_a_master_key_is_never_made_over_another(master: Master, master_file: Path) -> None:
    with pytest.raises(KeysError, match=r"^There is a master key at .*master\.key already: keep it, or name"):
        create_master(master_file)
    assert read_master(master_file) == master


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeysError, match=r"^The master key .* cannot be made \(.*\): check the folder\.$"):
        create_master(tmp_path / "file" / "master.key")


def test_the_first_line_names_the_master_key_and_all_lines_are_kept() -> None:
    both = master_from(f"\n  {TWO}  \n\n{ONE}\n")
    assert both.id == master_from(TWO).id
    assert both.keys == master_from(TWO).keys + master_from(ONE).keys


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", f"The master key is empty: {ADVICE}"),
        (" \n\n", f"The master key is empty: {ADVICE}"),
        ("hunter2!", f"The master key is no base64 text: {ADVICE}"),
        ("ключ", f"The master key is no base64 text: {ADVICE}"),
        (base64.b64encode(bytes(range(16))).decode(), f"The master key has 16 bytes, not 32: {ADVICE}"),
        (base64.b64encode(bytes(range(33))).decode(), f"The master key has 33 bytes, not 32: {ADVICE}"),
        (base64.b64encode(bytes(32)).decode(), f"The master key is not random: {ADVICE}"),
        (f"{ONE}\nhunter2!", f"The master key is no base64 text: {ADVICE}"),
    ],
)
def test_a_text_that_is_no_master_key_is_refused_without_being_shown(text: str, told: str) -> None:
    with pytest.raises(KeysError) as refused:
        master_from(text)
    assert str(refused.value) == told
    assert not text.strip() or text.strip() not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_master_key_that_others_can_reach_is_refused(master_file: Path, master: Master, mode: int) -> None:
    master_file.chmod(mode)
    with pytest.raises(KeysError) as refused:
        read_master(master_file)
    told = (
        f"The master key {master_file} can be read by others (mode {mode:o}): run `chmod 600 {master_file}`."
    )
    assert str(refused.value) == told
    master_file.chmod(0o400)
    assert read_master(master_file) == master


def test_a_missing_or_unreadable_master_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"^There is no master key at .*lost: put back the one that belongs"):
        read_master(tmp_path / "lost")
    (tmp_path / "noise").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "noise").chmod(0o600)
    with pytest.raises(KeysError, match=r"^The master key .*noise cannot be read: check the file"):
        read_master(tmp_path / "noise")
    (tmp_path / "short").write_text("c2hvcnQ=\n")
    (tmp_path / "short").chmod(0o600)
    with pytest.raises(KeysError, match=r"short holds no master key\. The master key has 5 bytes, not 32"):
        read_master(tmp_path / "short")


def test_nothing_printed_shows_a_secret(tmp_path: Path) -> None:
    master = create_master(tmp_path / "master.key")
    store = open_keys(tmp_path / "keys.db", master=master, create=True)
    key = astuple(master)[1][0][1]
    printed = f"{master} {master!r} {store} {store!r}"
    secrets = (key, store.secret("log"), store.secret("pepper"))
    assert [one for one in secrets if one.hex() in printed or repr(one) in printed] == []
    assert repr(master) == f"Master(id='{master.id}')"
    store.close()


class TestBesideItsKeyStore:
    """A home's own master key comes with its key store, and is never made anew for an old one."""

    def test_it_is_made_where_there_is_neither(self, keys_url: str, master_file: Path) -> None:
        made = master_beside(master_file, keys=keys_url, create=True)
        assert master_beside(master_file, keys=keys_url) == made == read_master(master_file)

    def test_it_is_not_made_unasked(self, keys_url: str, master_file: Path) -> None:
        with pytest.raises(KeysError, match=r"^There is no master key at "):
            master_beside(master_file, keys=keys_url)
        assert not master_file.exists()

    @pytest.mark.parametrize("create", [True, False])
    def test_a_lost_one_is_asked_for(self, keys_url: str, master_file: Path, create: bool) -> None:
        made = master_beside(master_file, keys=keys_url, create=True)
        open_keys(keys_url, master=made, create=True).close()
        master_file.unlink()
        with pytest.raises(KeysError) as refused:
            master_beside(master_file, keys=keys_url, create=create)
        assert str(refused.value) == (
            f"There is no master key at {master_file}, and only the one made with the key store opens it: put it back."
        )
        assert not master_file.exists()
