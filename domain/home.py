"""One home folder: where a log, its views, its keys and its settings lie.

An OMNILINE_ variable of the environment goes before settings.toml, that before what lies in the folder.
"""

import fcntl
import logging
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domain.keys import Master, master_beside, master_from, read_master
from domain.log import Log, open_log
from domain.log.signer import appoint, signer
from domain.notary import Notary


class HomeError(Exception):
    """A home folder that cannot be used as asked; the message is one sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """A folder, and what belongs to it or is set beside it."""

    path: Path
    environment: Mapping[str, str]
    clock: Callable[[], datetime]

    @property
    def log_url(self) -> str:
        """The address of the events."""
        return self.environment.get("OMNILINE_LOG_URL") or self._file("log.db")

    @property
    def views_url(self) -> str:
        """The address of everything computed."""
        return self.environment.get("OMNILINE_VIEWS_URL") or self._file("views.db")

    @property
    def keys(self) -> Path | str:
        """Where the keys of personal data lie: a file, or the URL of a store that several machines share."""
        return self.environment.get("OMNILINE_KEYS_URL") or self.path / "keys.db"

    def master(self, *, create: bool = False) -> Master | None:
        """The master key: of the environment, of a file that it names, or of master.key in the home.

        None leaves it to the log to read or make that one, together with the key store in the home.
        """
        if text := self.environment.get("OMNILINE_MASTER_KEY"):
            return master_from(text)
        if file := self.environment.get("OMNILINE_MASTER_KEY_FILE"):
            return read_master(Path(file))
        if isinstance(self.keys, Path):
            return None
        with locked(self.path / ".starting") if create else nullcontext():
            return master_beside(self.path / "master.key", keys=self.keys, create=create)

    @property
    def notary(self) -> Notary:
        """Who signs the log: `signing_key` names the key, `checkpoints` one copy of what was signed, or several."""
        key, copies = (
            self._places("signing_key", "signing.key"),
            self._places("checkpoints", "checkpoints.txt"),
        )
        return Notary(key=key[0], copies=copies, verdict=self.path / "verified.json")

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
        """Write what nobody but an operator wants to read to omniline.log, as soon and as far as that can be written.

        The scheduler's word for every tick would push out, within a day, what somebody may look for.
        """
        file = RotatingFileHandler(self.path / "omniline.log", maxBytes=5_000_000, backupCount=2, delay=True)
        form = "%(asctime)s %(levelname)s %(name)s %(message)s"
        logging.raiseExceptions = False
        logging.basicConfig(handlers=[file], level=logging.INFO, format=form)
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def mark_demo(self, now: datetime) -> None:
        """Note that this home's history is generated, and at which instant it ends."""
        file, partial = self.path / "settings.toml", self.path / "settings.toml.partial"
        before = file.read_text("utf-8") if file.exists() else ""
        partial.write_text(f"demo = true\nnow = {now.isoformat()}\n{before}", "utf-8")
        partial.replace(file)

    @property
    def demo(self) -> bool:
        """Whether the history is generated, and complete."""
        return bool(self.settings().get("demo"))

    @contextmanager
    def trial(self, dry: bool) -> Iterator["Home"]:
        """Where a dry run happens: here, or in an empty folder while there is no log here."""
        absent = self.log_url == self._file("log.db") and not (self.path / "log.db").exists()
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
    def log(self, *, create: bool = False, server: bool = False, torn: bool = False) -> Iterator[Log]:
        """The open log; `create` makes an absent SQLite file, `server` a log anywhere, both its signing key.

        `torn` opens one whose tail was cut off too.
        """
        make = server or (create and self.log_url.startswith("sqlite"))
        if make:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = open_log(self.log_url, keys=self.keys, master=self.master(create=make), create=make, torn=torn)
        with closing(log):
            if make and signer(log) is None:
                with locked(self.path / ".starting"):
                    appoint(log, self.notary.key)
            yield log

    def _file(self, name: str) -> str:
        return f"sqlite:///{self.path / name}"

    def _places(self, name: str, usual: str) -> tuple[Path, ...]:
        """The files that a setting names, in the home unless it says otherwise."""
        variable = self.environment.get(f"OMNILINE_{name.upper()}")
        told = variable.split(os.pathsep) if variable else self.settings().get(name) or usual
        texts = [told] if isinstance(told, str) else told
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise HomeError(f"{name} in {self.path / 'settings.toml'} is no path: write it in quotes.")
        return tuple(
            (Path() if variable else self.path).absolute() / Path(text).expanduser() for text in texts
        )


def home_at(path: Path, environment: Mapping[str, str], clock: Callable[[], datetime]) -> Home:
    """The home in a folder, as the OMNILINE_ variables amend it."""
    return Home(path=path.absolute(), environment=environment, clock=clock)


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
