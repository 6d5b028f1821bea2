"""What every picture shares: transparent ground, fixed height, quiet axes, server-made date ticks."""

from datetime import date, datetime, timedelta
from html import escape
from typing import Any

from dashboards.palette import Shades
from dashboards.texts import Words

Figure = dict[str, Any]
FONT = "Source Sans, sans-serif"
CONFIG: dict[str, Any] = {
    "displayModeBar": False,
    "scrollZoom": False,
    "doubleClick": False,
    "responsive": True,
    "showTips": False,
    "showAxisDragHandles": False,
}


def safe(text: object) -> str:
    """Plotly reads a little HTML in its texts: what comes from data is escaped."""
    return escape(str(text), quote=False)


def layout(shades: Shades, words: Words, height: int, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "dragmode": False,
        "separators": f"{words.t('format.decimal')}\u202f",
        "font": {"family": FONT, "size": 13, "color": shades.text},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hoverlabel": {
            "bgcolor": shades.background,
            "bordercolor": shades.rule,
            "font": {"family": FONT, "size": 13, "color": shades.text},
            "align": "left",
        },
    }
    return base | more


def axis(shades: Shades, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "fixedrange": True,
        "zeroline": False,
        "showline": False,
        "gridcolor": shades.grid,
        "tickfont": {"size": 12, "color": shades.muted},
        "ticks": "",
        "automargin": True,
        "tickangle": 0,
    }
    return base | more


def line(x0: Any, y0: Any, x1: Any, y1: Any, colour: str, **more: Any) -> dict[str, Any]:
    """A thin line as a layout shape, which costs nothing to draw."""
    dash = more.pop("dash", "solid")
    width = more.pop("width", 1)
    ends = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
    return {"type": "line", "line": {"color": colour, "width": width, "dash": dash}, **ends, **more}


def note(text: str, x: Any, y: Any, colour: str, **more: Any) -> dict[str, Any]:
    """A text without an arrow."""
    size = more.pop("size", 12)
    font = {"size": size, "color": colour, "family": FONT}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font, **more}


def month_starts(first: date, last: date, most: int) -> list[date]:
    """First days of months inside the range, thinned evenly to at most `most`."""
    months, day = [], first.replace(day=1)
    while day <= last:
        if day >= first:
            months.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    step = next(n for n in (1, 2, 3, 4, 6, 12, 24, 60, 120) if len(months) <= n * most)
    return [month for month in months if (month.year * 12 + month.month - 1) % step == 0]


def date_ticks(first: date, last: date, words: Words, most: int = 4) -> dict[str, Any]:
    """Ticks made here, because Plotly speaks English only: months, or days in a short range."""
    if (last - first).days > 75:
        days = month_starts(first, last, most)
        return {"tickvals": [day.isoformat() for day in days], "ticktext": [words.month(day) for day in days]}
    step = max(1, -(-(last - first).days // 4))
    days = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)]
    return {
        "tickvals": [day.isoformat() for day in days],
        "ticktext": [words.day(day, year=day == first) for day in days],
    }


def wall(instant: datetime, words: Words) -> str:
    """An instant as Plotly draws it: the wall clock of the reporting zone."""
    return words.local(instant).replace(tzinfo=None).isoformat(timespec="seconds")


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, at least `gap` apart and inside [low, high]; order is kept."""
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    places = [0.0] * len(wanted)
    floor = low
    for at in order:
        places[at] = max(wanted[at], floor)
        floor = places[at] + gap
    ceiling = high
    for at in reversed(order):
        places[at] = min(places[at], ceiling)
        ceiling = places[at] - gap
    return places
