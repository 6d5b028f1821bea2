"""The terminal sessions of the README: one session is a command and what it prints over the demo.

`python -m tests.readme HOME` writes the outputs anew from a filled demo home.
"""

import contextlib
import re
import shlex
import sys
from pathlib import Path

from tests.command import ROOT, run

README = ROOT / "README.md"
PROMPT = "$ omniline --home omniline-demo "
BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?omniline (.+)$", re.MULTILINE)


def output(home: Path, command: str) -> str:
    """What a command prints."""
    with contextlib.chdir(ROOT):
        done = run(home, *shlex.split(command))
    assert done.code == 0, done.err
    return "".join(f"{line.rstrip()}\n" for line in done.out.splitlines())


def sessions(text: str) -> dict[str, str]:
    """Every command of a session, and what the text says that it prints."""
    found: dict[str, str] = {}
    for block in BLOCK.finditer(text):
        for part in block[1].split(PROMPT)[1:]:
            command, _, printed = part.partition("\n")
            found[command] = printed
    return found


def rewritten(text: str, home: Path) -> str:
    """The text with every session's output as it is now."""

    def anew(block: re.Match[str]) -> str:
        parts = [part.partition("\n")[0] for part in block[1].split(PROMPT)[1:]]
        told = "".join(PROMPT + one + "\n" + output(home, one) for one in parts)
        return f"```console\n{told}```\n"

    return BLOCK.sub(anew, text)


def commands(text: str) -> list[str]:
    """Every command that the text tells people to type."""
    return [found[1].partition("#")[0].strip() for found in COMMAND.finditer(text)]


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text("utf-8"), Path(sys.argv[1])), "utf-8")
