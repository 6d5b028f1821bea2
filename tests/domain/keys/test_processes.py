"""Several processes on one key store: one key per pair, whoever mints, destroys or is killed."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from domain.keys import Master, master_beside, open_keys
from tests.domain.keys.looking import statement, wraps
from tests.domain.keys.minting import PAIRS

ROOT = Path(__file__).parents[3]


def together(task: str, url: str, master_file: Path, count: int) -> list[str]:
    """What so many processes print that do the same at once."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.domain.keys.minting",
        task,
        url,
        str(master_file),
        str(count),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_processes_that_start_together_share_one_new_store(keys_url: str, master_file: Path) -> None:
    marks = together("recognise", keys_url, master_file, 10)
    master = master_beside(master_file, keys=keys_url)
    with closing(open_keys(keys_url, master=master)) as store:
        assert marks == [store.mark("epoch")] * 10
    assert [file.name for file in master_file.parent.iterdir() if file.name.startswith(".")] == []


def test_processes_that_mint_the_same_pairs_at_once_get_the_same_keys(
    keys_url: str, master_file: Path
) -> None:
    digests = together("provide", keys_url, master_file, 10)
    assert len(digests) == 10
    assert len(set(digests)) == 1
    assert len(wraps(keys_url)) == len(PAIRS) / 2


def test_what_one_destroys_no_other_mints_again(keys_url: str, master_file: Path) -> None:
    assert together("contend", keys_url, master_file, 6) == ["done"] * 6
    with closing(open_keys(keys_url, master=master_beside(master_file, keys=keys_url))) as store:
        assert store.fetch(PAIRS) == dict.fromkeys(PAIRS)
    assert set(wraps(keys_url).values()) == {bytes(124)}
    assert statement(keys_url, "SELECT count(*) FROM destroyed_streams") == [(len(PAIRS) // 2,)]


def test_a_process_killed_between_key_and_event_leaves_a_key_that_the_next_one_uses(
    keys_url: str, master: Master, master_file: Path
) -> None:
    with closing(open_keys(keys_url, master=master, create=True)):
        code = (
            "import sys; from pathlib import Path; from domain.keys import open_keys, read_master;"
            "store = open_keys(sys.argv[1], master=read_master(Path(sys.argv[2])));"
            "key = store.provide({('contact:crm:1', 1)})['contact:crm:1', 1];"
            "print(key.hex(), flush=True); sys.stdin.read()"
        )
        command = [sys.executable, "-c", code, keys_url, str(master_file)]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as victim:
            assert victim.stdout is not None
            told = victim.stdout.readline().strip()
            os.kill(victim.pid, signal.SIGKILL)
        with closing(open_keys(keys_url, master=master)) as store:
            assert store.provide({("contact:crm:1", 1)}) == {("contact:crm:1", 1): bytes.fromhex(told)}


def test_a_process_killed_while_it_mints_loses_no_key_that_it_told(
    keys_url: str, master: Master, master_file: Path
) -> None:
    with closing(open_keys(keys_url, master=master, create=True)) as store:
        code = (
            "import sys; from pathlib import Path; from domain.keys import open_keys, read_master;"
            "store = open_keys(sys.argv[1], master=read_master(Path(sys.argv[2])));\n"
            "for n in range(1 << 30):\n"
            "    pairs = {(f'contact:crm:{10 * n + k}', 1) for k in range(10)}\n"
            "    print(*(f'{stream} {key.hex()}' for (stream, _), key in store.provide(pairs).items()), sep='\\n')\n"
            "    sys.stdout.flush()"
        )
        command = [sys.executable, "-c", code, keys_url, str(master_file)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
            assert victim.stdout is not None
            lines = [victim.stdout.readline() for _ in range(205)]
            os.kill(victim.pid, signal.SIGKILL)
            lines += victim.stdout.readlines()
        told = dict(line.split() for line in lines if line.endswith("\n") and len(line.split()[-1]) == 64)
        found = store.fetch({(stream, 1) for stream in told})
        assert {stream: (key or b"").hex() for (stream, _), key in found.items()} == told
        assert len(wraps(keys_url)) % 10 == 0
        assert store.provide({("contact:crm:last", 1)})[("contact:crm:last", 1)] is not None
