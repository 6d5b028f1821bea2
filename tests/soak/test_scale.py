"""Ten million events, or SCALE: the rate holds, memory stays bounded, the whole log reads and verifies."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.command import ROOT

EVENTS = int(os.environ.get("SCALE", "10_000_000"))
GIBIBYTES, BYTES = 4, 1_000
"""What one process may take at most, and what an event takes with its indexes and its part of a key at most."""

pytestmark = pytest.mark.soak


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the log's files lie; too big to be kept."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def worked(work: str, folder: Path, url: str) -> dict[str, Any]:
    """What a process of its own tells about its work on the log."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.soak.scaling", work, str(folder), url, str(EVENTS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def size(folder: Path, url: str) -> int:
    """Bytes of the log and its keys."""
    files = sum(file.stat().st_size for file in folder.glob("*.db*"))
    if url.startswith("sqlite"):
        return files
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return files + int(row[0])


def test_a_log_of_millions_keeps_its_rate_its_memory_and_its_proofs(
    log_url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = worked("fill", folder, log_url)
    read = worked("read", folder, log_url)
    proven = worked("prove", folder, log_url)
    each = size(folder, log_url) / EVENTS
    with capsys.disabled():
        print(f"\n{log_url.partition(':')[0]}, {EVENTS:,} events, {each:.0f} bytes each")
        for work, told in (("filled", filled), ("read and opened", read), ("signed and verified", proven)):
            print(f"  {work} in {told['seconds']:.0f} s, at most {told['gibibytes']:.2f} GiB")
    assert (read["rows"], read["opened"], read["head"]) == (EVENTS, EVENTS, EVENTS)
    assert proven["ok"]
    assert (proven["verified"], proven["signed"]) == (EVENTS, EVENTS)
    assert filled["tenths"][0] >= 0.5 * filled["tenths"][-1]
    assert max(told["gibibytes"] for told in (filled, read, proven)) <= GIBIBYTES
    assert each <= BYTES
