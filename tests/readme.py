"""The terminal sessions of the README: commands typed one after another beside a demo home, and what they print.

`python -m tests.readme HOME` writes the outputs anew from a filled demo home, which stays as it is.
"""

import contextlib
import re
import shlex
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.command import ROOT, typed

README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?omniline (.+)$", re.MULTILINE)
VOLATILE = (
    re.compile(r"(?<= )[\d,. ]*(?:\d+ (?:d|h|min|s)\b ?)+ago"),
    re.compile(r"(?<=(?:vents|orted) at )\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"),
    re.compile(r"(?<=Backup of )\d{4}-\d\d-\d\d \d\d:\d\d"),
    re.compile(r"\b[\d,.]+ (?:k|M|G)?B\b"),
    re.compile(r"\b[\d,.]+ (?=events in the last)"),
)
"""What is another figure each time: how long ago, when it was done, how large the files are."""


def masked(text: str) -> str:
    """The text without what is another figure each time."""
    for pattern in VOLATILE:
        text = pattern.sub("#", text)
    return text


def sessions(text: str) -> list[tuple[str, str]]:
    """Every command that the sessions show, in order, and what the text says that it prints."""
    parts = [
        part for block in BLOCK.finditer(text) for part in re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]
    ]
    return [(command, printed) for command, _, printed in (part.partition("\n") for part in parts)]


@contextlib.contextmanager
def beside(demo: Path) -> Iterator[None]:
    """In a folder with a copy of a demo home and the sample files, to be written at will."""
    with tempfile.TemporaryDirectory(prefix="readme-") as folder:
        shutil.copytree(demo, Path(folder, "omniline-demo"))
        Path(folder, "docs").symlink_to(ROOT / "docs")
        with contextlib.chdir(folder):
            yield


def output(command: str) -> str:
    """What a typed command prints, good and bad."""
    program, *words = shlex.split(command)
    if program == "cp":
        shutil.copytree(words[1], words[2])
        return ""
    if program == "sqlite3":
        with contextlib.closing(sqlite3.connect(words[0], isolation_level=None)) as database:
            database.execute(words[1])
        return ""
    assert program == "omniline", command
    done = typed(*words)
    return "".join(f"{line.rstrip()}\n" for line in (done.out + done.err).splitlines())


def outputs(demo: Path, text: str) -> list[str]:
    """What the commands of all sessions print, typed in order."""
    with beside(demo):
        return [output(command) for command, _ in sessions(text)]


def rewritten(text: str, demo: Path) -> str:
    """The text with every session's output as it is now."""
    printed = iter(outputs(demo, text))

    def anew(block: re.Match[str]) -> str:
        told = "".join(f"$ {command}\n{next(printed)}" for command, _ in sessions(block[0]))
        return f"```console\n{told}```\n"

    return BLOCK.sub(anew, text)


def commands(text: str) -> list[str]:
    """Every command that the text tells people to type."""
    return [found[1].partition("#")[0].strip() for found in COMMAND.finditer(text)]


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text("utf-8"), Path(sys.argv[1]).absolute()), "utf-8")
