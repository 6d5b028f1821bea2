"""A process that follows: python -m tests.faults.following LOG KEYS VIEWS.

It waits for the log to grow, brings the views up to it, and says where they stand.
"""

import sys
from contextlib import closing
from pathlib import Path

from domain.log import open_log
from projections.engine import Engine
from tests.faults.projecting import projected
from tests.faults.sending import told, trouble

SECONDS = 5


def main(url: str, keys: str, views: str) -> None:
    """Follow until somebody ends it."""
    position = 0
    with closing(open_log(url, keys=Path(keys))) as log, closing(Engine(log, views)) as engine:
        while True:
            told(projected=(position := projected(engine)))
            try:
                log.wait(position, timeout=SECONDS)
            except Exception as error:
                trouble(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
