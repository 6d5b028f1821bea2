"""A process that follows: python -m tests.projections.follower LOG KEYS VIEWS PATIENCE; until its input ends.

It prints a line per run: how many events it brought into the views, or that it yielded.
"""

import select
import sys
from contextlib import closing
from pathlib import Path

from domain.log import open_log
from projections.engine import Engine
from tests.given import FAR
from tests.projections.homes import SHIPPED, fact


def run(engine: Engine) -> bool:
    """One run; whether it yielded to another process."""
    progress = engine.catch_up(now=FAR)
    print("yielded" if progress.busy else progress.events, flush=True)
    return progress.busy


def main(url: str, keys: str, views: str, patience: str) -> None:
    """Run again and again; once more after the input has ended, until that run did not yield."""
    with (
        closing(open_log(url, keys=Path(keys))) as log,
        closing(Engine(log, views, [fact()], shipped=SHIPPED, patience=int(patience))) as engine,
    ):
        while not select.select([sys.stdin], [], [], 0)[0]:
            run(engine)
        while run(engine):
            select.select([], [], [], 0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
