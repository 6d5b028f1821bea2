"""PostgreSQL restarted, or out of reach at the worst moment: processes resume by themselves and store once."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from domain.log import open_log
from tests.faults.batches import NOW, Plan
from tests.faults.children import Child, child
from tests.faults.judging import Place, Sent
from tests.faults.server import Moment, Server, line_to

RESTARTS = [1, pytest.param(10, marks=pytest.mark.soak)]


def progress(process: Child, word: str) -> None:
    """Wait until a process has done three more things."""
    done = sum(word in fact for fact in process.facts)
    process.until(lambda facts: sum(word in fact for fact in facts) >= done + 3)


@pytest.mark.parametrize("restarts", RESTARTS)
def test_writers_and_a_follower_outlive_restarts(server: Server, tmp_path: Path, restarts: int) -> None:
    place = Place(folder=tmp_path, log_url=server.database(f"restarted{restarts}"))
    place.log(create=True).close()
    senders = [Sent(Plan(seed=seed, sizes=(1, 7, 50), pause=0.02)) for seed in (51, 52)]
    with ExitStack() as running:
        writers = [
            running.enter_context(child("sending", place.log_url, place.keys, sent.plan.word(), 0))
            for sent in senders
        ]
        follower = running.enter_context(child("following", place.log_url, place.keys, place.views_url))
        processes = [*((writer, "batch") for writer in writers), (follower, "projected")]
        for mode in ("fast", "immediate") * restarts:
            for process, word in processes:
                progress(process, word)
            server.restart(mode)
        for process, word in processes:
            progress(process, word)
        for sent, writer in zip(senders, writers, strict=True):
            sent.take(writer.kill())
        told = {fact["trouble"] for process, _ in processes for fact in process.facts if "trouble" in fact}
    assert all(
        one.startswith(("The log ", "The views ", "The key store ")) and "\n" not in one for one in told
    )
    place.holds(*senders)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_batch_whose_connection_is_cut_at_its_commit_is_stored_once(
    server: Server, tmp_path: Path, moment: Moment
) -> None:
    """Cut after the commit, nobody can know that it was stored; the next attempt finds it."""
    place = Place(folder=tmp_path, log_url=server.database(f"cut_{moment}"))
    place.log(create=True).close()
    sent = Sent(Plan(seed=53, sizes=(50,)))
    with line_to(place.log_url) as line, closing(open_log(line.url, keys=place.keys)) as log:
        for number in range(4):
            if number % 2:
                line.cut(moment)
            receipts = log.append_batch(sent.plan.batch(number), run=1, now=NOW)
            assert [(one.event_id, one.outcome) for one in receipts] == [
                (key, "stored") for key in sent.ids(number)
            ]
            sent.acked[number] = (receipts[0].position or 0, receipts[-1].position or 0)
        assert line.cuts == 2
    place.holds(sent)
