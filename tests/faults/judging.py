"""What must be true after any fault: acknowledged events once, whole batches, a log that verifies, views as rebuilt."""

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

from domain.log import EVERY, Log, open_log
from domain.log.checkpoints import sign
from domain.log.held import origin_of
from domain.log.signing import create_key, read_key, read_public
from domain.log.verification import verify
from projections.engine import Engine
from projections.facts import FACTS
from tests.faults.batches import NOW, Plan, place_of
from tests.faults.children import Fact

IDENTITY = ("assignments", "identifiers", "subject_references")
LATER = NOW + timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a log lies; its keys and views are in the folder, or the views with a log on PostgreSQL."""

    folder: Path
    log_url: str

    @property
    def keys(self) -> Path:
        """The key store."""
        return self.folder / "keys.db"

    @property
    def views_url(self) -> str:
        """The views."""
        return f"sqlite:///{self.folder}/views.db" if self.log_url.startswith("sqlite") else self.log_url

    def log(self, *, create: bool = False) -> Log:
        """The open log."""
        return open_log(self.log_url, keys=self.keys, create=create)

    def holds(self, *senders: "Sent", facts: Sequence[ModuleType] = FACTS) -> None:
        """All that was acknowledged is there, whole, readable and provable, and the views are as a rebuild's."""
        with closing(self.log()) as log:
            intact(log, senders)
            readable(log, senders)
            proven(log, self.folder)
            as_rebuilt(log, self.views_url, facts)


@dataclass
class Sent:
    """What one sender was told is stored: the positions of each batch."""

    plan: Plan
    acked: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def next(self) -> int:
        """The first batch that was never acknowledged."""
        return max(self.acked, default=-1) + 1

    def take(self, facts: Iterable[Fact]) -> None:
        """Note the acknowledgements; a batch is new as a whole, or known as a whole."""
        for fact in facts:
            if "batch" in fact:
                assert fact["outcomes"] in (["stored"], ["duplicate"]), fact
                first, last = fact["positions"]
                assert self.acked.setdefault(fact["batch"], (first, last)) == (first, last)

    def ids(self, number: int) -> list[str]:
        """The events of one batch."""
        return [one.event.event_id for one in self.plan.batch(number)]


def intact(log: Log, senders: Sequence[Sent]) -> None:
    """Every sender's batches are in the log whole, once, in order and where it was told; and nothing else is."""
    table = log.arrow()
    stored = list(zip(table["position"].to_pylist(), table["event_id"].to_pylist(), strict=True))
    if log.dialect == "sqlite":
        assert [position for position, _ in stored] == list(range(1, len(stored) + 1))
    assert {key.partition("|")[0] for _, key in stored} <= {sender.plan.source for sender in senders}
    for sender in senders:
        own = [one for one in stored if one[1].startswith(f"{sender.plan.source}|")]
        batches = [list(run) for _, run in groupby(own, key=lambda one: place_of(one[1])[0])]
        assert [[key for _, key in run] for run in batches] == [*map(sender.ids, range(len(batches)))]
        places = [(run[0][0], run[-1][0]) for run in batches]
        assert [last - first + 1 for first, last in places] == [*map(len, batches)]
        assert {number: places[number] for number in sender.acked} == sender.acked
        assert len(batches) - sender.next in (0, 1)


def proven(log: Log, folder: Path) -> None:
    """The log still reproduces what was signed before; what came since is signed, and all of it verifies.

    It is signed the later the longer it is, for the end of a log is signed once a minute.
    """
    key, copy = folder / "signing.key", folder / "outside" / "checkpoints.txt"
    if not key.exists():
        create_key(key, origin=origin_of(log))
    sign(log, key=read_key(key), copy=copy, now=NOW + timedelta(minutes=log.head()))
    report = verify(log, keys=read_public(key.with_name("signing.key.pub")), copies=[copy])
    assert report.findings == ()
    assert report.events == report.signed == log.arrow().num_rows


def as_rebuilt(log: Log, views_url: str, facts: Sequence[ModuleType]) -> None:
    """The views catch up by themselves, and a rebuild finds nothing to change in them."""
    with closing(Engine(log, views_url, facts)) as engine:
        engine.catch_up(now=LATER)
        standing = {(view.position, view.state) for view in engine.positions().values()}
        assert standing == {(log.head(), "ok")}
        tables = rows(engine)
        found = [(one.added, one.removed) for one in engine.rebuild(now=LATER)]
        assert found == [(0, 0)] * len(engine.positions())
        assert rows(engine) == tables


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the views hold."""
    names = (*IDENTITY, *(name for name in engine.positions() if name != "identity"))
    return {name: sorted(engine.facts(name).rows(), key=repr) for name in names}


def readable(log: Log, senders: Sequence[Sent]) -> None:
    """Every sealed field opens, and tells what was sent."""
    plans = {sender.plan.source: sender.plan for sender in senders}
    table = log.arrow(opened=EVERY)
    for key, state in zip(table["event_id"].to_pylist(), table["state"].to_pylist(), strict=True):
        sent, found = plans[key.partition("|")[0]].event(*place_of(key)), json.loads(state)
        assert found.get("text") == sent.text
        assert found.get("value") == getattr(sent, "value", None)
