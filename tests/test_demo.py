"""The demo from its command to its first page."""

import json
import re
import shutil
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.command import finish, run, start


@pytest.fixture
def copy(demo_home: Path, tmp_path: Path) -> Path:
    """A demo home of one's own."""
    return Path(shutil.copytree(demo_home, tmp_path / "omniline-demo"))


def test_the_demo_is_as_large_as_promised(demo_home: Path) -> None:
    status = run(demo_home, "status", "--json").json()
    assert status["log"]["events"] >= 100_000
    assert status["ok"]
    assert all(view["lag"] == 0 for view in status["views"].values())
    assert run(demo_home, "kpi", "persons", "--json").json()["rows"][0]["persons"] >= 5_000


def test_the_truth_lies_beside_the_demo(demo_home: Path) -> None:
    truth = json.loads((demo_home / "truth.json").read_text("utf-8"))
    assert {"patterns", "clocks", "totals"} <= set(truth)


def test_the_demo_is_filled_once(copy: Path) -> None:
    before = run(copy, "status", "--json").json()["log"]
    (copy / "settings.toml").unlink()
    assert run(copy, "demo", "--no-serve").code == 0, "a half-filled home is continued"
    assert run(copy, "demo", "--no-serve").code == 0
    assert run(copy, "status", "--json").json()["log"] == before


def test_the_demo_answers_as_of_its_own_end(demo_home: Path) -> None:
    document = run(demo_home, "kpi", "backlog", "--json").json()
    assert document["as_of"]["time"] == "2026-11-21T20:00:00Z"


def test_the_demo_serves_on_the_next_free_port(copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(copy, "demo", "--port", str(taken.getsockname()[1]))
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert address
        assert int(address[1]) != taken.getsockname()[1]
        with urllib.request.urlopen(address[0], timeout=60) as page:
            assert page.status == 200
            assert b"<title>" in page.read()
    process.send_signal(signal.SIGTERM)
    assert finish(process, 30).code in (0, -signal.SIGTERM)


def test_a_taken_port_is_one_clear_line(copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in finish(start(copy, "serve", "--port", port), 60).sentence()
