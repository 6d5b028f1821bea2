"""Mutants: one row of `mutants.toml` is a wrong edit of one file, and the tests that must notice it.

`python -m tests.mutants [name …]` tries all, or those whose names contain a word, each in a fresh copy of the
tracked files; the working tree is never touched. It ends with 1 if a mutant survived or could not be tried.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTED = Path(__file__).with_suffix(".toml")
PYTEST = ("-x", "-q", "--no-header", "-p", "no:cacheprovider")
FAILED = 1
"""How pytest ends when tests ran and one failed; anything above is no verdict."""


class MutantError(Exception):
    """A mutant that says nothing about the tests; the message is one sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`before` stands exactly once in `file`; with `after` in its place one of `tests` must fail."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's text with the edit."""
        found = text.count(self.before)
        if found != 1:
            raise MutantError(
                f"{self.name}: `before` stands {found} times in {self.file}, not once; write it anew."
            )
        return text.replace(self.before, self.after)


def listed() -> list[Mutant]:
    """Every mutant, in the order of the file."""
    rows = tomllib.loads(LISTED.read_text("utf-8"))
    return [
        Mutant(name=name, **{**row, "tests": tuple(shlex.split(row["tests"]))}) for name, row in rows.items()
    ]


@contextmanager
def copied() -> Iterator[Path]:
    """A scratch folder with the tracked files as they lie in the working tree."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for name in os.fsdecode(names).strip("\0").split("\0"):
            if (ROOT / name).is_file():
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target)
        yield Path(folder)


def tested(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """How pytest ends on these tests in a copy, and the last it says."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PYTEST, *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode, (said or (done.stdout + done.stderr).splitlines() or [""])[-1]


def killed(mutant: Mutant) -> str | None:
    """The first test that notices the mutant, None if it survives."""
    with copied() as folder:
        file = folder / mutant.file
        file.write_text(mutant.applied(file.read_text("utf-8")), "utf-8")
        code, said = tested(folder, mutant.tests)
    if code > FAILED:
        raise MutantError(f"{mutant.name}: pytest ended with {code}, which is no verdict: {said}")
    return said.removeprefix("FAILED ").partition(" - ")[0] if code else None


def check_sound(mutants: Sequence[Mutant]) -> None:
    """Without any edit all these tests pass, so that only a mutant can fail them."""
    with copied() as folder:
        code, said = tested(folder, sorted({test for mutant in mutants for test in mutant.tests}))
    if code:
        raise MutantError(f"The tests fail without any mutant; mend them first: {said}")


def main(words: Sequence[str]) -> int:
    """Try the mutants; 1 if one survived or could not be tried."""
    mutants = [mutant for mutant in listed() if not words or any(word in mutant.name for word in words)]
    if not mutants:
        raise MutantError(f"No mutant is named {' or '.join(words)}; they stand in {LISTED.name}.")
    check_sound(mutants)
    dead = 0
    for mutant in mutants:
        try:
            by = killed(mutant)
        except MutantError as error:
            print(f"NOT TRIED {error}", flush=True)
            continue
        dead += by is not None
        print(f"{'killed   ' if by else 'SURVIVED '} {mutant.name}  {by or ''}".rstrip(), flush=True)
    print(f"{dead} of {len(mutants)} mutants killed.")
    return int(dead < len(mutants))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MutantError as error:
        sys.exit(str(error))
