"""A process that projects: python -m tests.faults.projecting LOG KEYS VIEWS PLAN FIRST.

It appends a batch, acknowledges it, brings the views up to it, and says so; every fourth time it rebuilds them.
"""

import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from types import ModuleType

from domain.log import open_log
from projections.engine import Engine
from projections.facts import FACTS
from tests.faults.batches import NOW, Plan
from tests.faults.sending import deliver, told, trouble

EVERY = 4


def main(url: str, keys: str, views: str, plan: str, first: str) -> None:
    """Append and project until somebody ends it."""
    told(ready=True)
    log = open_log(url, keys=Path(keys), create=True)
    with closing(Engine(log, views)) as engine:
        for number in count(int(first)):
            deliver(log, Plan.of(plan), number)
            told(projected=projected(engine, anew=number % EVERY == EVERY - 1))


def raised(by: int) -> list[ModuleType]:
    """The facts as a later Omniline builds them: the same rows, under versions that are higher by so much."""
    made = []
    for fact in FACTS:
        later = ModuleType(fact.__name__)
        later.__dict__.update(vars(fact), VERSION=fact.VERSION + by)
        made.append(later)
    return made


def projected(engine: Engine, *, anew: bool = False) -> int:
    """Where the views stand once they have caught up, however often that takes."""
    while True:
        try:
            if anew:
                engine.rebuild(now=NOW)
            return min(view.position for view in engine.catch_up(now=NOW).views.values())
        except Exception as error:
            trouble(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
