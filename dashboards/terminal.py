"""What a person sees in a terminal: one table per answer, one moving line while something long runs."""

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.poison import trace_of

SHARES = ("value", "low", "high", "share_in_target")
SECONDS = ("median_s", "p90_s", "median_calendar_s", "p90_calendar_s", "elapsed_s", "target_s", "oldest_s")
WIDTH = 140
PACKAGES = ("domain", "ingestion", "projections", "dashboards")
"""An exception of one of these carries a sentence for people."""


def number(value: Any) -> str:
    """A figure with thousands apart; nothing to say is a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.2f}"
        if isinstance(value, float)
        else str(value)
    )


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 45 s, 12 min, 2 h 05 min, 3 d 04 h."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24:02} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def room(count: int | None) -> str:
    """Bytes as people say them: 640 B, 3.1 kB, 53.1 MB."""
    if count is None:
        return "–"
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def share(value: float | None) -> str:
    """A fraction in per cent, one decimal."""
    return "–" if value is None else f"{100 * value:.1f} %"


def cell(name: str, value: Any) -> str:
    """One value in the form that its column asks for."""
    if name in SHARES:
        return share(value)
    return duration(value) if name in SECONDS else number(value)


def table(
    rows: Sequence[Mapping[str, Any]],
    *,
    title: str = "",
    note: str = "",
    empty: str = "",
    red: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> None:
    """Print rows as one table; figures stand right, words left, rows that are `red` in red."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    if title:
        console.print(Text(title, style="bold"))
    if rows:
        console.print(_grid(rows, list(rows[0]), red))
    elif empty:
        console.print(Text(empty))
    if note:
        console.print(Text(note, style="dim"))


def _grid(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], red: Callable[[Mapping[str, Any]], bool]
) -> Table:
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for name in names:
        figures = all(isinstance(row[name], int | float | None) for row in rows)
        heading = name.removesuffix("_s") if name in SECONDS else name
        grid.add_column(
            Text(heading.replace("_", " ")), justify="right" if figures else "left", overflow="fold"
        )
    for row in rows:
        grid.add_row(*(Text(cell(name, row[name])) for name in names), style="red" if red(row) else None)
    return grid


def alarm(sentences: Sequence[str]) -> None:
    """Print what is wrong, a line each, in red."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=True)
    for sentence in sentences:
        console.print(Text(f"✗ {sentence}", style="red"))


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None] | None]:
    """A moving count on stderr where it is a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with Console(stderr=True).status(what) as line:
        yield lambda done: line.update(f"{what}: {done:,} records")


def say(sentence: str) -> None:
    """One line to the person, on stderr."""
    print(" ".join(sentence.split()), file=sys.stderr, flush=True)


def show(document: Any, as_json: bool, human: Callable[[Any], None]) -> None:
    """One JSON document on stdout, or its human form."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False), flush=True)
    else:
        human(document)


def failed(error: Exception) -> str:
    """The one line that a failure is worth; what nobody foresaw goes to the log file with its trace."""
    if hasattr(error, "format_message"):
        return str(error.format_message())
    if type(error).__module__.partition(".")[0] in PACKAGES:
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    logging.critical("unforeseen: %s", trace_of(error))
    return (
        f"Something unforeseen went wrong: {type(error).__name__}: {error} (omniline.log at home has more)."
    )


def words(options: Sequence[str] | None) -> list[str]:
    """Words given comma-separated or repeated."""
    return [word.strip() for option in options or () for word in option.split(",") if word.strip()]


def home_first(arguments: Sequence[str]) -> list[str]:
    """`--home` may stand anywhere on the line, though it belongs before the command."""
    for place, word in enumerate(arguments):
        if word == "--home" or word.startswith("--home="):
            after = place + (1 if "=" in word else 2)
            return [*arguments[place:after], *arguments[:place], *arguments[after:]]
    return list(arguments)


def told_to_stop() -> threading.Event:
    """Set when the terminal (Ctrl-C) or the system (SIGTERM) asks this process to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
