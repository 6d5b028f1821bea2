"""One home kept true: its views at the log's head, its log signed; what goes wrong is told once and tried again."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from domain.home import Home
from domain.log import LogError
from projections.asking import engine_of
from projections.engine import Engine, Progress, ViewsError

PATIENCE = 1.0
"""Seconds between two looks at a log that does not grow: what failed is tried again, what is due is signed."""
GRACE = 10.0
"""Seconds that a run may still take when told to stop; cut off, it leaves nothing half done."""
LOGGER = logging.getLogger(__name__)


class Keeper:
    """Brings up the views and signs the log of one home; `tell` hears every trouble when it begins."""

    def __init__(self, home: Home, engine: Engine, tell: Callable[[str], object]) -> None:
        self.home = home
        self.engine = engine
        self._tell = tell
        self._troubles: dict[str, str] = {}

    def refresh(self) -> Progress:
        """Bring the views to the log's head, then sign what is due; a log that cannot be signed is told."""
        progress = self.engine.catch_up(now=self.home.now())
        self._trying("signing", self._sign)
        return progress

    def follow(self, stop: Event) -> None:
        """Refresh whenever the log has grown, until told to stop."""
        while not stop.is_set():
            self._trying("views", self._views)
            self._trying("signing", self._sign)
            stop.wait(PATIENCE)

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

    def _views(self) -> None:
        self.engine.catch_up(now=self.home.now())

    def _sign(self) -> None:
        self.home.notary.sign(self.engine.log, now=self.home.clock())

    def _trying(self, what: str, job: Callable[[], object]) -> None:
        """Do a job; its trouble is told when it begins or becomes another."""
        try:
            job()
        except (LogError, ViewsError) as error:
            self._trouble(what, str(error))
        except Exception as error:
            LOGGER.exception("unforeseen")
            self._trouble(what, f"Something unforeseen went wrong: {type(error).__name__}: {error}.")
        else:
            self._troubles.pop(what, None)

    def _trouble(self, what: str, sentence: str) -> None:
        if self._troubles.get(what) != sentence:
            self._troubles[what] = sentence
            self._tell(sentence)


@contextmanager
def keeper_of(home: Home, tell: Callable[[str], object], *, create: bool = False) -> Iterator[Keeper]:
    """The keeper of a home over its open log."""
    with engine_of(home, create=create) as engine:
        yield Keeper(home, engine, tell)
