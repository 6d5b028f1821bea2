"""A fresh copy of the repository: `make demo` from nothing to the first page, then a second time."""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from tests.command import ROOT

FIRST, SECOND = 180, 15
"""Seconds to the first page, with a warm package cache; ours are shared cores."""
LEFT_OUT = (".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "omniline-d*", "__pycache__")

pytestmark = pytest.mark.soak


def seconds_to_first_page(clone: Path) -> float:
    """How long `make demo` takes until its address answers; it is stopped afterwards."""
    begun = time.monotonic()
    process = subprocess.Popen(
        ["make", "demo", "ARGS=--port 8531"],
        cwd=clone,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            if address:
                urllib.request.urlopen(address[0], timeout=60).read()
                return time.monotonic() - begun
        raise AssertionError("make demo ended without an address")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_fresh_copy_shows_the_demo_soon_and_the_second_time_at_once(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT, clone, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    assert seconds_to_first_page(clone) < FIRST
    assert seconds_to_first_page(clone) < SECOND
