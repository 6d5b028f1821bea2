"""The command line as tests use it: one call is one command, in this process or in one of its own."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import omniline

FRIDAY, MONDAY = "2026-10-23T14:30:00Z", "2026-10-26T11:40:00Z"
ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
"""Real sample data beside the repository; absent outside the project's own machines."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document on stdout of a command that succeeded."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def sentence(self) -> str:
        """The one line on stderr of a command that failed."""
        assert self.code != 0, self.out
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err + self.out
        return self.err.strip()


def typed(*words: str) -> Outcome:
    """One command in this process, as typed after `omniline`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            omniline.main(list(words))
        except SystemExit as left:
            code = int(left.code or 0)
    return Outcome(code=code, out=out.getvalue(), err=err.getvalue())


def run(home: Path, *words: str) -> Outcome:
    """One command over a home in this process."""
    return typed("--home", str(home), *words)


def start(home: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """One command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "omniline", "--home", str(home), *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], seconds: float = 120) -> Outcome:
    """What a started command left."""
    out, err = process.communicate(timeout=seconds)
    return Outcome(code=process.returncode, out=out, err=err)


def record(id: str, at: str, **fields: Any) -> dict[str, Any]:
    """A canonical record: an e-mail that a customer sent, unless told otherwise."""
    return {
        "type": "ContactReceived",
        "id": id,
        "subject": f"contact:{id}",
        "occurred_at": at,
        "channel": "email",
        "direction": "inbound",
        "actor": {"kind": "customer"},
        **fields,
    }


def exchange(number: int = 1) -> list[dict[str, Any]]:
    """A question of Anna's and its answer, one case."""
    subject = {"subject": f"contact:{number}", "case": f"C-{number}"}
    anna = [{"ns": "email", "value": "anna@example.com", "obtained": "header"}]
    return [
        record(f"{number}/in", FRIDAY, **subject, text="Where is my parcel?", identifiers=anna),
        record(
            f"{number}/out", MONDAY, **subject, type="ContactAnswered", direction="outbound",
            actor={"kind": "human_agent", "id": "ada"},
        ),
    ]  # fmt: skip


def balanced(document: dict[str, Any]) -> bool:
    """Whether every record that was read is accounted for."""
    parts = ("stored", "duplicate", "conflict", "ignored", "quarantined")
    return bool(document["read"] == sum(document[part] for part in parts))


def lines(file: Path, records: Iterable[Mapping[str, Any]]) -> str:
    """The records as a JSON lines file; its path as a word of a command."""
    file.write_text("".join(f"{json.dumps(one)}\n" for one in records), "utf-8")
    return str(file)
