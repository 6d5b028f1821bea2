"""The answers of the command line as people read them: one call prints one document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.terminal import number, table
from projections.engine import Progress, Rebuilt

Document = Mapping[str, Any]
ASSERTED = "identifier.asserted"
ERASED = "erased"
SUMMARY = 32
OUTCOMES = ("stored", "duplicate", "conflict", "ignored", "quarantined")


class ViewsFailed(Exception):
    """Some views could not be brought up; the message is one sentence for people."""


def balance(done: Document) -> None:
    """What became of every record that was read."""
    parts = " + ".join(f"{number(done[outcome])} {outcome}" for outcome in OUTCOMES)
    print(f"{done['source']}: {number(done['read'])} read = {parts}")
    table([{"event": name, "stored": count} for name, count in done["events"].items()])
    for what in ("reasons", "flagged"):
        if done[what]:
            print(f"{what}: {', '.join(f'{name} {number(count)}' for name, count in done[what].items())}")
    for pair in done["untrusted"]:
        print(f"trusted for nothing until the mapping or the policy says how far: {pair}")
    for note in done["notes"]:
        print(f"note: {note}")


def warning(done: Document, *, dry_run: bool) -> str:
    """What to say when records were refused; nothing when none were."""
    refused = done["quarantined"] + done["conflict"]
    kept = "" if dry_run else "; `omniline quarantine list` tells why"
    return (
        f"Warning: {number(refused)} of {number(done['read'])} records not accepted{kept}." if refused else ""
    )


def refusals(entries: Sequence[Document]) -> None:
    """The quarantine's list."""
    shown = ("id", "source", "file", "line", "reason", "detail", "count")
    table([{name: entry[name] for name in shown} for entry in entries], empty="Nothing is in quarantine.")


def fields(document: Document) -> None:
    """One thing, a line per field."""
    for name, value in document.items():
        print(f"{name:>12}  {number(value) if value is not None else '–'}")


def content(document: Document) -> None:
    """A file's content, byte for byte."""
    print(document["content"], end="")


def catalogue(kpis: Sequence[Document]) -> None:
    """Every KPI with its question."""
    shown = ("key", "kind", "title", "question")
    table([{name: kpi[name] for name in shown} for kpi in kpis], title="KPIs")


def answer(document: Document) -> None:
    """One KPI's rows under its title, and what they were asked of."""
    at = document["as_of"]
    period = f", {document['from'] or 'the beginning'} to {document['to'] or 'now'}"
    table(
        document["rows"],
        title=f"{document['title']}{period if document['from'] or document['to'] else ''}",
        note=f"{document['key']} v{document['version']}, position {at['position']:,}, judged at {at['time']}",
        empty="Nothing to measure.",
    )


def timeline(document: Document, zone: ZoneInfo) -> None:
    """A customer's line, oldest first, in local time; what only tells identifiers stands in the heading."""
    known = sorted({f"{row['ns']}:{row['value'] or ERASED}" for row in document["identifiers"]})
    told = [entry for entry in document["entries"] if entry["kind"] != ASSERTED]
    table(
        [_entry(entry, zone) for entry in told],
        title=f"{document['person']}  {', '.join(known)}",
        note=f"{len(document['entries']):,} entries, {len(told):,} shown, ✚ explained again, times of {zone.key}",
    )


def _entry(entry: Document, zone: ZoneInfo) -> dict[str, Any]:
    said = [word for word in (entry["summary"], ERASED if entry["erased"] else "") if word]
    shown = ("channel", "actor", "kind", "case")
    return {
        "at": local(entry["occurred_at"], zone),
        **{name: entry[name] for name in shown},
        "promise": entry["verdict"],
        "summary": shorten(
            f"{'✚ ' if entry['repeated'] else ''}{' · '.join(said)}", SUMMARY, placeholder="…"
        ),
        "position": entry["position"],
    }


def local(moment: str, zone: ZoneInfo) -> str:
    """An instant of a document on the clock of a zone."""
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"


def progress(done: Progress) -> None:
    """What bringing the views up did."""
    if done.busy:
        print("Another process is bringing the views up.")
        return
    print(
        f"{number(done.events)} events read, {number(done.persons)} persons touched, {number(done.added)} rows "
        f"added, {number(done.removed)} removed; position {number(done.head)}."
    )
    for note in done.notes:
        print(note)
    _check((name, view.error) for name, view in done.views.items())


def rebuilt(views: Sequence[Rebuilt]) -> None:
    """What building views anew found against the old ones, row by row; refuses where the old ones stay."""
    shown = ("view", "position", "outcome", "rows", "differing", "added", "removed")
    table([{name: getattr(view, name) for name in shown} for view in views])
    if told := [{"view": view.view, **asdict(row)} for view in views for row in view.differences]:
        table(told, title="Differing rows, the first of each table")
    _check((view.view, view.error) for view in views)
    for view in views:
        if view.outcome == "kept":
            raise ViewsFailed(
                f"{number(view.differing)} rows of {view.view} differ from what the log gives, the old ones stay: "
                f"run `omniline rebuild {view.view} --accept` to take the new ones."
            )


def _check(errors: Iterable[tuple[str, str | None]]) -> None:
    failed = {name: error for name, error in errors if error}
    if failed:
        name, error = next(iter(failed.items()))
        raise ViewsFailed(f"{len(failed)} views failed, first '{name}': {error}.")
