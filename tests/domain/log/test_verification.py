"""Verification: every tampering is found and located within a thousand events, and an intact log passes."""

from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="cryptography signs checkpoints and is not installed")

from domain.log import Log, LogError, open_log
from domain.log.copies import read_copy
from domain.log.signing import create_key, read_key
from domain.log.verification import Report
from tests.domain.log.making import NOW
from tests.domain.log.proving import COLUMNS, Signed, signed

EVENTS = 2300


@pytest.fixture
def home(log: Log, tmp_path: Path) -> Signed:
    """2,300 mails under checkpoints of 1,000, 2,000 and 2,300."""
    return signed(log, tmp_path, events=EVENTS)


def message(home: Signed) -> str:
    (finding,) = home.verify().findings
    return finding.message


def test_an_intact_log_passes_whole_and_since_any_checkpoint(home: Signed) -> None:
    assert home.verify() == Report(events=2300, signed=2300, checkpoints=3, since=0, findings=())
    assert home.verify(since=2100) == Report(events=300, signed=300, checkpoints=1, since=2000, findings=())
    assert home.verify(since=2300) == Report(events=0, signed=0, checkpoints=0, since=2300, findings=())
    home.grow(EVENTS, EVENTS + 7)
    assert home.verify() == Report(events=2307, signed=2300, checkpoints=3, since=0, findings=())
    assert home.verify().lines() == [
        "2,307 events read, 2,300 of them under 3 signed checkpoints.",
        "Unaltered.",
    ]
    with pytest.raises(LogError, match="No checkpoint of 999 events or fewer"):
        home.verify(since=999)
    with pytest.raises(LogError, match=r"^2,301 names no checkpoint: the newest covers 2,300 events\.$"):
        home.verify(since=2301)


def test_an_empty_log_passes_and_an_unsigned_one_is_unproven(log: Log, tmp_path: Path) -> None:
    home = signed(log, tmp_path, events=0)
    assert home.verify(copies=[]) == Report(events=0, signed=0, checkpoints=0, since=0, findings=())
    home.grow(0, 3)
    assert [one.kind for one in home.verify(copies=[]).findings] == ["unproven"]


def test_whoever_may_only_read_a_log_can_verify_it(home: Signed) -> None:
    if home.log.dialect == "sqlite":
        home.log.close()
        url = f"sqlite:///file:{home.folder}/log.db?mode=ro&uri=true"
        home.log = open_log(url, keys=home.folder / "keys.db")
    assert home.verify().ok


def test_a_stranger_s_checkpoint_in_the_copy_is_found(home: Signed) -> None:
    create_key(home.folder / "forged.key", origin=home.public.name)
    forged = read_key(home.folder / "forged.key").sign(read_copy(home.copy).notes[0].checkpoint)
    home.copy.write_text(f"{forged.text}\n{home.copy.read_text('utf-8')}", "utf-8")
    assert home.found() == [("copy", 1000, 1000)]


def test_tampering_1_a_changed_byte(home: Signed) -> None:
    home.forge("UPDATE stored_events SET metadata = '{ }' WHERE @ = 1500")
    assert home.found() == [("altered", 1001, 2000)]
    assert message(home) == (
        "Positions 1001 to 2000 hold other content than was signed. Position 1500 is the first that breaks the chain."
    )


def test_tampering_2_a_changed_topic(home: Signed) -> None:
    home.forge("UPDATE stored_events SET topic = 'contact.answered' WHERE @ = 1000")
    assert home.found() == [("altered", 1, 1000)]


def test_tampering_3_two_rows_swapped(home: Signed) -> None:
    swap = "UPDATE stored_events SET @ = #1 WHERE @ = #2"
    steps = [(2001, 1_000_000), (2300, 2001), (1_000_000, 2300)]
    home.forge(*(swap.replace("#2", str(at)).replace("#1", str(to)) for at, to in steps))
    assert home.found() == [("altered", 2001, 2300)]


def test_tampering_4_a_deleted_row(home: Signed) -> None:
    home.forge("DELETE FROM stored_events WHERE @ = 1700")
    assert home.found() == [("missing", 1001, 2000)]
    if home.log.dialect == "sqlite":
        assert message(home) == (
            "Positions 1001 to 2000 hold 999 events, 1000 were signed. Position 1700 is missing."
        )


def test_tampering_5_a_deleted_row_and_a_vacuum(home: Signed) -> None:
    home.forge("DELETE FROM stored_events WHERE @ = 1001", "VACUUM")
    assert home.found() == [("missing", 1001, 2000)]


def test_tampering_6_a_deleted_row_and_the_rest_renumbered(home: Signed) -> None:
    home.cut(
        2299,
        "DELETE FROM stored_events WHERE @ = 1700",
        "UPDATE stored_events SET @ = @ + 1000000 WHERE @ > 1700",
        "UPDATE stored_events SET @ = @ - 1000001 WHERE @ > 1000000",
    )
    assert home.found() == [("altered", 1001, 2000)]


def test_tampering_7_a_tail_cut_off(home: Signed) -> None:
    home.cut(2250)
    assert home.found() == [("cut", 2001, 2300)]
    home.cut(900)
    assert home.found() == [("cut", 1, 1000)]
    assert message(home) == "Positions 1 to 1000 hold 900 events, 1000 were signed: the log ends at 900."


def test_tampering_8_a_tail_cut_off_and_written_again(home: Signed) -> None:
    home.cut(2250)
    home.grow(5000, 5050)
    assert home.log.head() == EVENTS
    assert home.found() == [("altered", 2001, 2300)]
    assert message(home) == "Positions 2001 to 2300 hold other content than was signed."


@pytest.mark.parametrize("position", [-5, 0])
def test_a_row_before_the_first_is_found(home: Signed, position: int) -> None:
    values = COLUMNS.replace("event_id", "'x|1|1'").replace("originator_id", "'x'")
    insert = "INSERT INTO stored_events (@, COLUMNS) SELECT POSITION, VALUES_ FROM stored_events WHERE @ = 9"
    for mark, text in (("COLUMNS", COLUMNS), ("POSITION", str(position)), ("VALUES_", values)):
        insert = insert.replace(mark, text)
    home.forge(insert)
    assert [kind for kind, *_ in home.found()] == ["added"]


def test_rows_at_positions_far_beyond_are_found(home: Signed) -> None:
    far = ["UPDATE stored_events SET @ = @ + 4000000000000 WHERE @ > 2100"]
    if home.log.dialect == "sqlite":
        far.append("UPDATE sqlite_sequence SET seq = 4000000002300 WHERE name = 'stored_events'")
    home.forge(*far)
    assert home.found() == [("missing", 2001, 2300)]


def test_changed_chain_values_alone_are_found_where_they_stand(home: Signed) -> None:
    home.forge("UPDATE stored_events SET chain = payload_hash WHERE @ = 1500")
    assert home.found() == [("chain", 1001, 2000)]
    assert "Position 1500 is the first" in message(home)


def test_damage_after_the_last_checkpoint_shows_in_the_chain(home: Signed) -> None:
    home.grow(EVENTS, EVENTS + 20)
    home.forge("UPDATE stored_events SET topic = 'contact.answered' WHERE @ = 2310")
    assert home.found() == [("chain", 2301, 2320)]


def test_damage_before_the_checkpoint_that_one_starts_from_is_left_to_the_whole_verification(
    home: Signed,
) -> None:
    home.forge("UPDATE stored_events SET topic = 'contact.answered' WHERE @ = 1500")
    assert home.verify(since=2000).ok
    assert [one.kind for one in home.verify(since=1000).findings] == ["altered"]


def test_a_missing_last_row_of_the_checkpoint_that_one_starts_from_is_refused(home: Signed) -> None:
    home.cut(2299)
    with pytest.raises(LogError, match="Position 2300"):
        home.verify(since=2300)


def test_a_value_of_a_foreign_kind_is_found(home: Signed) -> None:
    if home.log.dialect == "sqlite":
        home.forge("UPDATE stored_events SET state = CAST(state AS TEXT) WHERE @ = 1500")
        assert "The row at position 1500 holds what the log never writes" in message(home)
        home.forge("UPDATE stored_events SET topic = CAST(X'ff' AS TEXT) WHERE @ = 1500")
    else:
        home.forge("UPDATE stored_events SET state = ''::bytea WHERE @ = 1500")
    assert home.found() == [("altered", 1001, 2000)]


def test_a_checkpoint_whose_signature_does_not_hold_is_found(home: Signed) -> None:
    home.forge(
        "UPDATE checkpoints SET note = replace(note, 'position 2000', 'position 1999') WHERE size = 2000"
    )
    assert home.found() == [("checkpoint", 2000, 2000), ("checkpoint", 2000, 2000)]
    assert [one.kind for one in home.verify(copies=[]).findings] == ["checkpoint"]


def test_checkpoints_missing_on_either_side_are_found(home: Signed) -> None:
    first, second, third = read_copy(home.copy).notes
    home.copy.write_text(f"{first.text}\n{third.text}\n", "utf-8")
    assert home.found() == [("copy", 2000, 2000)]
    home.copy.write_text(f"{first.text}\n{second.text}\n", "utf-8")
    assert home.found() == []
    home.copy.write_text("", "utf-8")
    assert home.found() == [("copy", 0, 0)]
    home.copy.unlink()
    assert [one.message for one in home.verify().findings] == [
        f"The copy of the checkpoints {home.copy} is missing: put it back."
    ]
    home.copy.write_text("".join(f"{note.text}\n" for note in (first, second, third)), "utf-8")
    home.forge("DELETE FROM checkpoints WHERE size > 1000")
    assert home.found() == [("checkpoint", 2000, 2300)]


def test_a_forger_who_cuts_rows_and_checkpoints_alike_is_found_by_the_copy(home: Signed) -> None:
    home.cut(2000)
    home.forge("DELETE FROM checkpoints WHERE size > 2000")
    assert home.verify(copies=[]).ok
    assert home.found() == [("checkpoint", 2300, 2300), ("cut", 2001, 2300)]


def test_two_signed_roots_of_one_size_are_found(home: Signed) -> None:
    home.cut(2250, "DELETE FROM checkpoints WHERE size = 2300")
    home.grow(2400, 2450)
    copy = home.copy.read_bytes()
    home.copy.write_bytes(b"".join(f"{note.text}\n".encode() for note in read_copy(home.copy).notes[:2]))
    home.sign(NOW.replace(hour=13))
    home.copy.write_bytes(copy)
    assert ("checkpoint", 2300, 2300) in home.found()
    assert any("Two roots were signed" in one.message for one in home.verify().findings)
