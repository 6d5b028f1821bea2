"""Events per source: every source once, though its name begins another's."""

from domain.log import Log
from tests.domain.log.making import append, mail

SOURCES = ["a", "crm", "crm-2", "crm1", "crm10", "crm}", "shop", "z"]


def test_events_are_counted_per_source(log: Log) -> None:
    assert log.counts() == {}
    append(log, *(mail(number, source=source) for source in SOURCES for number in range(len(source))))
    assert log.counts() == {source: len(source) for source in SOURCES}
