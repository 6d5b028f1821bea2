"""The terminal sessions of the README: one session is a command and what it prints over the demo.

`python -m tests.readme HOME` writes the outputs anew from a filled demo home.
"""

import re
import shlex
import sys
from pathlib import Path

from tests.command import ROOT, run

README = ROOT / "README.md"
SESSION = re.compile(r"```console\n\$ omniline --home omniline-demo (.*)\n((?:.*\n)*?)```\n")
COMMAND = re.compile(r"^(?:\$ )?omniline (.+)$", re.MULTILINE)


def output(home: Path, command: str) -> str:
    """What a command prints."""
    done = run(home, *shlex.split(command))
    assert done.code == 0, done.err
    return "".join(f"{line.rstrip()}\n" for line in done.out.splitlines())


def rewritten(text: str, home: Path) -> str:
    """The text with every session's output as it is now."""
    return SESSION.sub(
        lambda found: (
            f"```console\n$ omniline --home omniline-demo {found[1]}\n{output(home, found[1])}```\n"
        ),
        text,
    )


def commands(text: str) -> list[str]:
    """Every command that the text tells people to type."""
    return [found[1].partition("#")[0].strip() for found in COMMAND.finditer(text)]


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text("utf-8"), Path(sys.argv[1])), "utf-8")
