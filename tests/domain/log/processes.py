"""Other processes on the log under test: begun together, ended well."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 120

Process = subprocess.Popen[str]


def begun(module: str, *words: object) -> Process:
    """A process that runs a module of these tests; warnings are errors there too."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", f"tests.domain.log.{module}", *map(str, words)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: Process) -> str:
    """What it told, once it has ended well."""
    told, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, ""), errors
    return told
