"""Whom nobody can name: where keys are gone, and the views that remembered, contacts hold together by their cases."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.given import FAR, asserted, event, given, local

AT = local("03-02 10:00")


def came(source: str, name: str, case: str | None, number: str | None = None) -> list[Any]:
    """A contact of a case, and the number it bears."""
    subject, how = f"contact:{name}", {"shop": "typed", "telephony": "caller_id"}[source]
    turn = event("ContactReceived", name, AT, subject, source=source, case=case, channel="email")
    return [turn, *([asserted(subject, "phone", number, AT, how, source=source)] if number else [])]


def together(folder: Path, events: Iterable[Any], *streams: str) -> list[list[str]]:
    """Who is whom, by the last word of each subject, once these keys are destroyed and the views deleted."""
    home = given(folder, events)
    home.log.keys.destroy([f"contact:{stream}" for stream in streams], now=FAR)
    home.engine.close()
    for file in folder.glob("views.db*"):
        file.unlink()
    home.engine.catch_up(now=FAR)
    groups = home.engine.facts("assignments").sort("subject").group_by("person").agg("subject")
    return sorted([subject.split(":", 1)[1] for subject in group] for group in groups["subject"])


ANNA, JAN, EVA = "601234567", "602345678", "603456789"


@pytest.mark.parametrize(
    ("events", "destroyed", "found"),
    [
        (
            [
                *came("shop", "1", "A", ANNA),
                *came("telephony", "2", "A", ANNA),
                *came("shop", "3", "B", ANNA),
            ],
            ["shop:1", "telephony:2", "shop:3"],
            [["shop:1", "telephony:2"], ["shop:3"]],
        ),
        (
            [*came("shop", "1", "A", ANNA), *came("shop", "2", "A", ANNA)],
            ["shop:2"],
            [["shop:1", "shop:2"]],
        ),
        (
            [*came("telephony", "1", "A", JAN), *came("shop", "2", "A", ANNA)],
            ["shop:2"],
            [["shop:2"], ["telephony:1"]],
        ),
        (
            [*came("shop", "1", "A", JAN), *came("shop", "2", "A", EVA), *came("shop", "3", "A", ANNA)],
            ["shop:3"],
            [["shop:1"], ["shop:2"], ["shop:3"]],
        ),
        (
            [*came("shop", "1", "A", ANNA), *came("shop", "2", "A")],
            ["shop:1"],
            [["shop:1", "shop:2"]],
        ),
        (
            [*came("shop", "1", None, ANNA), *came("shop", "2", None, ANNA)],
            ["shop:1", "shop:2"],
            [["shop:1"], ["shop:2"]],
        ),
    ],
    ids=[
        "those of one case hold together, whatever their sources",
        "one goes with the living person of its case",
        "but not with a case that another source calls the same",
        "nor with two persons",
        "the nameless go with what was somebody",
        "without a case nothing holds them",
    ],
)
def test_erased_contacts_hold_together_by_their_cases(
    tmp_path: Path, events: list[Any], destroyed: list[str], found: list[list[str]]
) -> None:
    assert together(tmp_path, events, *destroyed) == found


def test_a_denied_pair_stays_apart_though_nobody_can_name_either(tmp_path: Path) -> None:
    deny = event("LinkDenied", "d", AT, "link:d", one="contact:shop:1", other="contact:shop:2", known_at=AT)
    events = [*came("shop", "1", "A", ANNA), *came("shop", "2", "A", JAN), deny]
    found = together(tmp_path, events, "shop:1", "shop:2")
    assert [group for group in found if group != ["shop:d"]] == [["shop:1"], ["shop:2"]]
