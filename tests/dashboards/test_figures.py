"""Pictures as dicts: what is drawn, what is worded, and that nothing from data is read as markup."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from dashboards.figures.attainment import Attainment, Mark, attainment_lines
from dashboards.figures.canvas import date_ticks, month_starts, spread
from dashboards.figures.dumbbell import Row, dumbbell
from dashboards.figures.switching import sankey
from dashboards.palette import LIGHT
from dashboards.texts import Words

EN = Words(language="en", zone=ZoneInfo("Europe/Warsaw"))
PL = Words(language="pl", zone=ZoneInfo("Europe/Warsaw"))
CHANNELS = {"email": "E-mail", "phone": "Phone"}
MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)


def notes(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def weekly(*rows: tuple[int, str, int, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [(MONDAY + timedelta(weeks=week), code, of, value) for week, code, of, value in rows],
        schema=["period", "channel", "of", "value"],
        orient="row",
    )


def attained(frame: pl.DataFrame, **more: Any) -> Attainment:
    given = {"channels": CHANNELS, "goal": 0.9, "marks": [], "chosen": (MONDAY, MONDAY + timedelta(weeks=9))}
    return Attainment(weekly=frame, **(given | more))


def test_a_channel_is_a_line_named_at_its_end_in_text_colour_after_a_coloured_dash() -> None:
    rows = weekly(
        (0, "email", 50, 0.91), (1, "email", 60, 0.93), (0, "phone", 50, 0.7), (1, "phone", 40, 0.75)
    )
    figure = attainment_lines(attained(rows), LIGHT, EN)
    assert figure is not None
    assert [trace["y"] for trace in figure["data"]] == [[0.91, 0.93], [0.7, 0.75]]
    assert [trace["line"]["color"] for trace in figure["data"]] == ["#0072B2", "#D55E00"]
    ends = [note for note in figure["layout"]["annotations"] if "<span" in note["text"]]
    assert [note["text"].split("> ")[-1] for note in ends] == ["E-mail", "Phone"]
    assert {note["font"]["color"] for note in ends} == {LIGHT.text}
    assert "Goal 90\u202f%" in notes(figure)


def test_a_name_stands_at_the_height_and_in_the_colour_of_its_own_line() -> None:
    rows = weekly(
        (0, "phone", 50, 0.95),
        (0, "email", 50, 0.6),
        (1, "email", 60, 0.7),
        (2, "phone", 50, 0.9),
        (2, "email", 3, 0.1),
    )
    figure = attainment_lines(attained(rows), LIGHT, EN)
    assert figure is not None
    lines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    drawn = [
        (line["line"]["color"], line["x"], line["y"], line["text"][0].split("</b>")[0]) for line in lines
    ]
    assert drawn == [
        ("#0072B2", ["2026-03-02", "2026-03-09", "2026-03-16"], [0.6, 0.7, None], "<b>E-mail"),
        ("#D55E00", ["2026-03-02", "2026-03-16"], [0.95, 0.9], "<b>Phone"),
    ]
    ends = [note for note in figure["layout"]["annotations"] if "<span" in note["text"]]
    named = [(note["text"].split("'")[1], note["text"].split("> ")[-1], note["y"]) for note in ends]
    assert named == [("color:#0072B2", "E-mail", 0.7), ("color:#D55E00", "Phone", 0.9)]


def test_weeks_with_few_promises_are_hollow_grey_dots_and_not_in_the_line() -> None:
    rows = weekly((0, "email", 50, 0.91), (1, "email", 3, 0.33), (1, "phone", 40, 0.3))
    figure = attainment_lines(attained(rows), LIGHT, EN)
    assert figure is not None
    few, email, _ = figure["data"]
    assert few["mode"] == "markers"
    assert few["y"] == [0.33]
    assert email["y"] == [0.91, None]


def test_go_lives_inside_the_range_are_marked_and_others_are_not() -> None:
    rows = weekly((0, "email", 50, 0.91), (6, "email", 60, 0.93))
    marks = [
        Mark(on=MONDAY + timedelta(days=10), label="Chat live"),
        Mark(on=date(2020, 1, 1), label="Old live"),
    ]
    figure = attainment_lines(attained(rows, marks=marks), LIGHT, EN)
    assert figure is not None
    assert "Chat live" in notes(figure)
    assert "Old live" not in notes(figure)


def test_a_chosen_part_of_the_range_is_shaded() -> None:
    rows = weekly((0, "email", 50, 0.91), (6, "email", 60, 0.93))
    chosen = (MONDAY + timedelta(weeks=5), MONDAY + timedelta(weeks=9))
    figure = attainment_lines(attained(rows, chosen=chosen), LIGHT, EN)
    assert figure is not None
    band = next(shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect")
    assert (band["x0"], band["x1"]) == ("2026-04-06", "2026-04-13")


def test_nothing_due_draws_nothing() -> None:
    assert (
        attainment_lines(
            attained(weekly().cast({"period": pl.Date, "of": pl.Int64, "value": pl.Float64})), LIGHT, EN
        )
        is None
    )
    assert (
        dumbbell([Row(code="email", label="E-mail", now=None, of=0, then=None, goal=0.9)], LIGHT, EN) is None
    )


def test_the_dumbbell_says_met_or_missed_by_sign_word_and_colour() -> None:
    rows = [
        Row(code="email", label="E-mail", now=0.95, of=100, then=0.9, goal=0.9),
        Row(code="phone", label="Phone", now=0.82, of=100, then=None, goal=0.9),
        Row(code="chat", label="Chat", now=0.5, of=4, then=None, goal=0.9),
        Row(code="sms", label="SMS", now=None, of=0, then=None, goal=None),
    ]
    figure = dumbbell(rows, LIGHT, EN)
    assert figure is not None
    told = {
        note["text"].replace("\u202f", " ").replace("\u2002", " "): note["font"]["color"]
        for note in figure["layout"]["annotations"]
    }
    assert told == {
        "<b>95.0 %</b> ✓ 5.0 pp": LIGHT.good,
        "<b>82.0 %</b> ▼ 8.0 pp": LIGHT.bad,
        "<b>50.0 %</b> n = 4": LIGHT.muted,
        "no data": LIGHT.muted,
        "Goal 90 %": LIGHT.text,
    }


def test_switches_flow_from_left_to_right_with_shares_of_each_side() -> None:
    moved = pl.DataFrame(
        {
            "from_channel": ["phone", "email", "fax"],
            "to_channel": ["email", "phone", "email"],
            "switches": [1, 3, 9],
            "cases": [1, 2, 9],
        }
    )
    figure = sankey(moved, CHANNELS, LIGHT, EN)
    assert figure is not None
    trace = figure["data"][0]
    assert [label.replace("\u202f", " ") for label in trace["node"]["label"]] == [
        "E-mail 75 %",
        "Phone 25 %",
        "E-mail 25 %",
        "Phone 75 %",
    ]
    assert (trace["link"]["source"], trace["link"]["target"], trace["link"]["value"]) == (
        [0, 1],
        [3, 2],
        [3, 1],
    )
    assert sankey(moved.clear(), CHANNELS, LIGHT, EN) is None


def test_labels_are_spread_apart_inside_their_bounds() -> None:
    assert spread([0.5, 0.5, 0.1], 0.1, 0, 1) == [0.5, 0.6, 0.1]
    assert spread([1.0, 1.0], 0.1, 0, 1) == [0.9, 1.0]
    assert spread([], 0.1, 0, 1) == []


def test_ticks_are_worded_here_and_few_enough_for_a_phone() -> None:
    year = date_ticks(date(2025, 11, 20), date(2026, 11, 21), PL)
    assert year == {
        "tickvals": ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"],
        "ticktext": ["sty 26", "kwi 26", "lip 26", "paź 26"],
    }
    assert len(date_ticks(MONDAY, MONDAY + timedelta(days=29), EN)["tickvals"]) <= 5
    assert date_ticks(MONDAY, MONDAY, EN)["tickvals"] == ["2026-03-02"]
    assert month_starts(date(2026, 1, 2), date(2026, 1, 30), 4) == []
