"""A file that may not grow: a clear sentence, nothing lost, and the same process goes on once there is room again."""

import resource
from contextlib import closing

import pytest

from domain.log import Log
from tests.faults.batches import NOW, Plan
from tests.faults.children import Child, Fact, child
from tests.faults.judging import Place, Sent

BYTES = 65_536
FULL = "The disk of the {} is full or fails: free space and try again; nothing was lost."
TIMES = [1, pytest.param(20, marks=pytest.mark.soak)]


def room(process: Child, size: int) -> None:
    """Let no file of a running process grow beyond this."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def troubles(facts: list[Fact]) -> list[str]:
    """What went wrong."""
    return [fact["trouble"] for fact in facts if "trouble" in fact]


def starved(process: Child, size: int) -> list[str]:
    """What a process says while it has no room, until it has tried three times."""
    room(process, size)
    before = len(troubles(process.facts))
    process.until(lambda facts: len(troubles(facts)) >= before + 3)
    told = troubles(process.facts)[before:]
    room(process, resource.RLIM_INFINITY)
    return told


def fed(process: Child, word: str) -> None:
    """Wait until a process that has room again has done three more things."""
    done = sum(word in fact for fact in process.facts)
    process.until(lambda facts: sum(word in fact for fact in facts) >= done + 3)


@pytest.mark.parametrize("times", TIMES)
def test_a_log_without_room_refuses_and_goes_on_when_there_is_some(sqlite_place: Place, times: int) -> None:
    place, sent = sqlite_place, Sent(Plan(seed=31, sizes=(1, 7, 50), contacts=20))
    with child("sending", place.log_url, place.keys, sent.plan.word(), 0) as process:
        process.until(lambda facts: sum("batch" in fact for fact in facts) >= 20)
        for _ in range(times):
            assert set(starved(process, BYTES)) == {FULL.format(f"log {place.folder}/log.db")}
            fed(process, "batch")
        sent.take(process.kill())
    place.holds(sent)


@pytest.mark.parametrize("times", TIMES)
def test_views_without_room_say_so_and_follow_when_there_is_some(sqlite_place: Place, times: int) -> None:
    place, sent = sqlite_place, Sent(Plan(seed=33, sizes=(50,)))
    with (
        closing(place.log(create=True)) as log,
        child("following", place.log_url, place.keys, place.views_url) as process,
    ):
        for number in range(times):
            grown(log, sent, 2 * number)
            process.until(lambda facts: any(fact.get("projected") == log.head() for fact in facts))
            room(process, 0)
            grown(log, sent, 2 * number + 1)
            assert set(starved(process, 0)) == {
                f"The disk of the views {place.views_url} is full or fails: free space and try again; "
                "they stand where they stood."
            }
            process.until(lambda facts: any(fact.get("projected") == log.head() for fact in facts))
    place.holds(sent)


def grown(log: Log, sent: Sent, number: int) -> None:
    """Store one more batch."""
    receipts = log.append_batch(sent.plan.batch(number), run=1, now=NOW)
    sent.acked[number] = (receipts[0].position or 0, receipts[-1].position or 0)


@pytest.mark.parametrize("times", TIMES)
def test_keys_without_room_keep_their_events_out_until_there_is_some(place: Place, times: int) -> None:
    """A batch that had its keys just before room ran out fails at the log, the next one at its keys."""
    sent, wanted = Sent(Plan(seed=32, sizes=(7,))), FULL.format(f"key store {place.keys}")
    either, met = {wanted, FULL.format(f"log {place.folder}/log.db")}, 0
    with child("sending", place.log_url, place.keys, sent.plan.word(), 0) as process:
        process.until(lambda facts: any("batch" in fact for fact in facts))
        for _ in range(10 * times):
            (sentence,) = set(starved(process, 0))
            assert sentence in either
            fed(process, "batch")
            met += sentence == wanted
            if met == times:
                break
        sent.take(process.kill())
    assert met == times
    place.holds(sent)
