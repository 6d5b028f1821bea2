"""Processes that share a key store: python -m tests.domain.keys.minting TASK URL MASTER COUNT.

Each opens the store for itself and prints one line; all begin together.
"""

import hashlib
import multiprocessing
import os
import random
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from domain.keys import KeyStore, master_beside, open_keys

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PAIRS = [(f"contact:crm:{number}", code) for number in range(400) for code in (1, 2)]


def provide(store: KeyStore, seed: int) -> str:
    """Mint all pairs in an order of its own, in overlapping batches; a digest of the keys."""
    pairs, keys = list(PAIRS), dict[tuple[str, int], bytes | None]()
    random.Random(seed).shuffle(pairs)
    for start in range(0, len(pairs), 40):
        batch = store.provide(pairs[start : start + 80])
        assert {pair: keys[pair] for pair in batch if pair in keys} == {
            pair: key for pair, key in batch.items() if pair in keys
        }
        keys |= batch
    whole = b"".join(keys[pair] or b"" for pair in PAIRS)
    return hashlib.sha256(whole).hexdigest()


def contend(store: KeyStore, seed: int) -> str:
    """Every other process destroys what the rest mint; those print whose keys they still saw."""
    streams = [stream for stream, code in PAIRS if code == 1]
    random.Random(seed).shuffle(streams)
    for start in range(0, len(streams), 20):
        batch = streams[start : start + 20]
        if seed % 2:
            store.destroy(batch, now=NOW)
        else:
            store.provide({(stream, code) for stream in batch for code in (1, 2)})
    return "done"


def recognise(store: KeyStore, _: int) -> str:
    """What a log would remember of the store."""
    return store.mark("epoch")


TASKS = {"provide": provide, "contend": contend, "recognise": recognise}


def work(task: str, url: str, file: str, seed: int, gate: "multiprocessing.synchronize.Barrier") -> None:
    """One process's part."""
    gate.wait(60)
    master = master_beside(Path(file), keys=url, create=True)
    with closing(open_keys(url, master=master, create=True)) as store:
        os.write(1, f"{TASKS[task](store, seed)}\n".encode())


def main(task: str, url: str, file: str, count: str) -> None:
    """Run all processes; fail if one does."""
    forked = multiprocessing.get_context("fork")
    gate = forked.Barrier(int(count))
    workers = [forked.Process(target=work, args=(task, url, file, seed, gate)) for seed in range(int(count))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(max(abs(worker.exitcode or 0) for worker in workers))


if __name__ == "__main__":
    main(*sys.argv[1:])
