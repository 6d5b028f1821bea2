"""kill -9 in append and in projection, at random instants and at given lines: nothing is torn, lost or doubled."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.faults.batches import Plan
from tests.faults.children import Child, Fact
from tests.faults.judging import Place, Sent
from tests.faults.projecting import raised

LONG = pytest.mark.soak
OPENING = 5
"""Every so many kills one comes while the log is opened, the first one while it is made."""
STORES = ("sqlite", "postgresql")
Heard = Callable[[list[Fact]], bool]


def killed_again_and_again(
    sent: Sent, begin: Callable[[int], Child], *, at_work: Heard, kills: int, longest: float
) -> None:
    """Begin a process where the last one was killed, and kill it at a random instant, so many times."""
    chance = Random(sent.plan.seed)
    for kill in range(kills):
        process = begin(sent.next)
        try:
            opening = kill % OPENING == 0
            process.until(bool if opening else at_work)
            process.listen(chance.uniform(0, 0.1 if opening else longest))
        finally:
            sent.take(process.kill())


@pytest.mark.parametrize(("kills", "longest"), [(2, 0.2), pytest.param(40, 0.4, marks=LONG)])
def test_an_append_killed_at_any_instant_leaves_whole_batches_and_all_that_was_acknowledged(
    place: Place, kills: int, longest: float
) -> None:
    sent = Sent(Plan(seed=11))
    killed_again_and_again(
        sent,
        lambda first: Child("sending", place.log_url, place.keys, sent.plan.word(), first),
        at_work=lambda facts: any("batch" in fact for fact in facts),
        kills=kills,
        longest=longest,
    )
    place.holds(sent)


@pytest.mark.parametrize(
    ("log_url", "kills", "longest"),
    [("postgresql", 2, 0.4), *(pytest.param(store, 40, 2, marks=LONG) for store in STORES)],
    indirect=["log_url"],
)
def test_a_projection_killed_at_any_instant_goes_on_as_if_nothing_had_happened(
    place: Place, kills: int, longest: float
) -> None:
    sent = Sent(Plan(seed=12))
    words = (place.log_url, place.keys, place.views_url, sent.plan.word())
    killed_again_and_again(
        sent,
        lambda first: Child("projecting", *words, first),
        at_work=lambda facts: any("projected" in fact for fact in facts),
        kills=kills,
        longest=longest,
    )
    place.holds(sent)


@pytest.mark.parametrize(
    ("log_url", "job", "kills"),
    [
        ("sqlite", "append", 4),
        ("postgresql", "append", 4),
        *(pytest.param(store, "append", 400, marks=LONG) for store in STORES),
        *(pytest.param(store, "project", 40, marks=LONG) for store in STORES),
    ],
    indirect=["log_url"],
)
def test_whatever_line_a_process_dies_at_the_next_one_repeats_its_batch_and_goes_on(
    place: Place, job: str, kills: int
) -> None:
    sent = Sent(Plan(seed=13, sizes=(7,)))
    words = (place.log_url, place.keys, place.views_url, sent.plan.word(), kills)
    sent.take(Child("stepping", job, *words).finished())
    assert sent.next == kills + 1
    place.holds(sent)


@pytest.mark.soak
def test_whatever_line_a_later_omniline_dies_at_while_it_builds_its_views_the_next_one_has_them(
    place: Place,
) -> None:
    sent = Sent(Plan(seed=15, sizes=(7,)))
    words = (place.log_url, place.keys, place.views_url, sent.plan.word(), 20)
    sent.take(Child("stepping", "upgrade", *words).finished())
    place.holds(sent, facts=raised(20))


SIGNING = (
    *("domain.log.signing.create_key", "domain.log.signing.publish", "pathlib.write_text"),
    *("domain.log.signer.appoint", "domain.log.checkpoints.sign"),
)
MAKING = (
    *SIGNING,
    *("domain.keys.master.appearing", "domain.keys.master.create_master", "domain.keys.opening._make"),
    *("domain.keys.opening._fill", "domain.keys.opening._create", "domain.keys.opening.master_beside"),
    *("domain.log.opening.open_log", "domain.log.opening._create", "domain.log.copies.append_copy"),
    *("domain.log.held.keep", "domain.log.held.prepare", "domain.home.log"),
)


@pytest.mark.parametrize(
    "functions", [SIGNING, pytest.param(MAKING, marks=LONG), pytest.param((), marks=LONG)]
)
def test_whatever_line_a_process_dies_at_that_makes_a_home_and_signs_it_the_next_one_completes_it(
    tmp_path: Path, functions: tuple[str, ...]
) -> None:
    plan = Plan(seed=14, sizes=(7,))
    process = Child("stepping", "make", "", tmp_path / "keys.db", "", plan.word(), 300, *functions)
    facts = process.finished()
    made = {(fact["made"], fact["findings"]) for fact in facts if "made" in fact}
    assert made == {(number, 0) for number in range(facts[-1]["kills"] + 1)}
