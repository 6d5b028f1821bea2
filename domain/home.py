"""One home folder: where a log, its views, its keys and its settings lie."""

import fcntl
import logging
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domain.log import Log, open_log


class HomeError(Exception):
    """A home folder that cannot be used as asked; the message is one sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """A folder, and the two database addresses that belong to it or are set beside it."""

    path: Path
    log_url: str
    views_url: str
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """The present: the clock's, or the instant at which this home's generated history ends."""
        pinned = self.settings().get("now")
        return pinned if isinstance(pinned, datetime) else self.clock()

    @property
    def inbox(self) -> Path:
        """The folder that the worker watches: inbox/SOURCE/FILE."""
        return self.path / "inbox"

    def settings(self) -> dict[str, Any]:
        """What settings.toml says; an absent file says nothing."""
        file = self.path / "settings.toml"
        try:
            return tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise HomeError(f"{file} is not TOML: {error}; correct it or delete it.") from error

    def keep_log(self) -> None:
        """Write what nobody but an operator wants to read to omniline.log, if there is a folder for it.

        The scheduler's word for every tick would push out, within a day, what somebody may look for.
        """
        if self.path.is_dir():
            file = RotatingFileHandler(
                self.path / "omniline.log", maxBytes=5_000_000, backupCount=2, delay=True
            )
            form = "%(asctime)s %(levelname)s %(name)s %(message)s"
            logging.basicConfig(handlers=[file], level=logging.INFO, format=form)
            logging.getLogger("apscheduler").setLevel(logging.WARNING)

    def mark_demo(self, now: datetime) -> None:
        """Note that this home's history is generated, and at which instant it ends."""
        partial = self.path / "settings.toml.partial"
        partial.write_text(f"demo = true\nnow = {now.isoformat()}\n", "utf-8")
        partial.replace(self.path / "settings.toml")

    @property
    def demo(self) -> bool:
        """Whether the history is generated, and complete."""
        return bool(self.settings().get("demo"))

    @contextmanager
    def trial(self, dry: bool) -> Iterator["Home"]:
        """Where a dry run happens: here, or in an empty folder while there is no log here."""
        absent = self.log_url == _file(self.path, "log.db") and not (self.path / "log.db").exists()
        if not (dry and absent):
            yield self
            return
        with TemporaryDirectory() as folder:
            yield home_at(Path(folder), {}, self.clock)

    @contextmanager
    def sole(self, what: str) -> Iterator[None]:
        """Be the only one of a kind that runs for this home."""
        with locked(
            self.path / f"{what}.lock", f"A {what} runs for {self.path} already; stop that one first."
        ):
            yield

    @contextmanager
    def log(self, *, create: bool = False, server: bool = False) -> Iterator[Log]:
        """The open log; `create` makes an absent SQLite file, `server` a log anywhere."""
        make = server or (create and self.log_url.startswith("sqlite"))
        if make:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = open_log(self.log_url, keys=self.path / "keys.db", create=make)
        with closing(log):
            yield log


def home_at(path: Path, environment: Mapping[str, str], clock: Callable[[], datetime]) -> Home:
    """The home in a folder, as the two OMNILINE_*_URL variables amend it."""
    folder = path.absolute()
    return Home(
        path=folder,
        log_url=environment.get("OMNILINE_LOG_URL") or _file(folder, "log.db"),
        views_url=environment.get("OMNILINE_VIEWS_URL") or _file(folder, "views.db"),
        clock=clock,
    )


def _file(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}"


@contextmanager
def locked(path: Path, refusal: str | None = None) -> Iterator[None]:
    """Hold a file's advisory lock, which dies with the process: wait for it, or refuse with a sentence."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise HomeError(f"The home folder {path.parent} cannot be written: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if refusal else 0))
        except BlockingIOError as error:
            raise HomeError(refusal or "") from error
        yield
