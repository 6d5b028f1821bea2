"""One home kept true: its views at the log's head, its log signed; what goes wrong is told once and tried again."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import Any

from domain.home import Home
from domain.keys import KeysError
from domain.log import LogError
from projections.asking import engine_of
from projections.engine import Engine, Progress, ViewsError
from projections.poison import place_of, trace_of

PATIENCE = 1.0
"""Seconds between two looks at a log that does not grow: what failed is tried again, what is due is signed."""
RETRY = 60.0
"""Seconds before a log that could not be signed is tried again: finding out why may mean reading all of it."""
DAY = timedelta(days=1)
GRACE = 10.0
"""Seconds that a run may still take when told to stop; cut off, it leaves nothing half done."""
LOGGER = logging.getLogger(__name__)


class Keeper:
    """Brings up the views and signs the log of one home; `tell` hears every trouble when it begins."""

    def __init__(self, home: Home, engine: Engine, tell: Callable[[str], object]) -> None:
        self.home = home
        self.engine = engine
        self._tell = tell
        self._troubles: dict[str, str | None] = {}
        self._head = 0
        self._signs_at = 0.0

    def refresh(self) -> Progress:
        """Bring the views to the log's head, then sign what is due; a log that cannot be signed is told."""
        progress = self.engine.catch_up(now=self.home.now())
        self._sign()
        return progress

    def follow(self, stop: Event) -> None:
        """Refresh as soon as the log has grown, until told to stop; a log that is not signed holds up no view."""
        while not stop.is_set():
            fresh = self._trying("views", self._bring_up)
            self._sign()
            if not (fresh and self._trying("log", self._wait)):
                stop.wait(PATIENCE)

    def verify(self) -> None:
        """Verify the whole log once a day; what is wrong is told, and `omniline status` shows it until it is right.

        A new home has nothing to be verified; a log that never was is signed first.
        """
        notary, now = self.home.notary, self.home.clock()
        last = notary.last()
        if notary.checks and (last is None or now - datetime.fromisoformat(last["at"]) >= DAY):
            self._trying("verification", self._verify)

    def job(self, what: str, do: Callable[..., object], *given: Any, **named: Any) -> Callable[[], object]:
        """Something to be done again and again: its trouble is told when it begins or becomes another."""
        return partial(self._trying, what, partial(do, *given, **named))

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow on a thread of its own until it is left."""
        stop = Event()
        thread = Thread(target=self.follow, args=(stop,), name="keeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(GRACE)

    def _bring_up(self) -> None:
        progress = self.engine.catch_up(now=self.home.now())
        self._head = progress.head
        for note in progress.notes:
            self._tell(note)
        for name, view in progress.views.items():
            self._noted(name, view.error if view.state == "failed" else None)

    def _wait(self) -> None:
        self.engine.log.wait(self._head, timeout=PATIENCE)

    def _sign(self) -> None:
        if monotonic() >= self._signs_at:
            now = self.home.clock()
            done = self._trying("signing", lambda: self.home.notary.sign(self.engine.log, now=now))
            self._signs_at = 0.0 if done else monotonic() + RETRY

    def _verify(self) -> None:
        notary, log, now = self.home.notary, self.engine.log, self.home.clock()
        if notary.last() is None:
            if not log.head():
                return
            notary.sign(log, now=now)
        found = notary.verify(log, now=now).findings
        self._noted("altered", found[0].message if found else None)

    def _trying(self, what: str, job: Callable[[], object]) -> bool:
        """Whether a job was done; its trouble is told when it begins or becomes another."""
        try:
            job()
        except (LogError, KeysError, ViewsError) as error:
            self._noted(what, str(error))
        except Exception as error:
            if self._noted(what, f"Something unforeseen went wrong: {place_of(error)}."):
                LOGGER.error("unforeseen: %s", trace_of(error))  # noqa: TRY400
        else:
            self._noted(what, None)
            return True
        return False

    def _noted(self, what: str, trouble: str | None) -> bool:
        """Whether a trouble is news, and then told; None ends it."""
        news = trouble is not None and self._troubles.get(what) != trouble
        self._troubles[what] = trouble
        if trouble and news:
            self._tell(trouble)
        return news


@contextmanager
def keeper_of(
    home: Home, tell: Callable[[str], object], *, create: bool = False, check: bool = False
) -> Iterator[Keeper]:
    """The keeper of a home over its open log; `check` refuses views that do not follow from it before anything."""
    with engine_of(home, create=create) as engine:
        if check:
            engine.check()
        yield Keeper(home, engine, tell)
