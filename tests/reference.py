"""Two reference pages, written from the code: `python -m tests.reference` writes them, a test compares them."""

import inspect
import types
import typing
from typing import Annotated, Any

import msgspec

from domain.events import CLASSES, Event
from domain.events.decisions import __name__ as DECISIONS
from domain.events.envelope import own_fields
from projections.kpis import KPIS
from tests.command import ROOT

ENVELOPE = """# Events

Written from `domain/events/` by `python -m tests.reference`.

## A canonical record

A source that can write JSON lines needs no mapping: one object is one event. `omniline ingest FILE.jsonl --source NAME`
takes it.

```json
{example}
```

| key | means |
|---|---|
| `type` | one of the events below |
| `id` | the source's id of this event; the log keeps `source\\|id\\|revision` once |
| `revision` | the source's number of this version; 1 if not given, the highest wins |
| `subject` | what it is about, `type:id` in the source's words: `contact:88120`, `order:310616` |
| `occurred_at`, `known_at` | when it happened, and when the source itself recorded it; ISO 8601 with a zone |
| `precision`, `seq` | `day`, `minute`, `second` or `microsecond`; the order among events of one instant |
| `actor` | `kind` (human_agent, bot, automation, customer, third_party, system) and `id` |
| `channel`, `direction` | a channel of the policy; `inbound`, `outbound` or `internal` |
| `identifiers` | what the subject bears: `ns`, `value`, `obtained` (how it came to be known), `verified_by` |
| `case`, `thread`, `order`, `offer`, `topic` | references and a topic code in the source's words |
| `text` | what people wrote or said |
| `data` | the fields of the event below |

`source` may stand in a record where one file holds several. Decisions are not for sources: there are commands for them.

## Every event

Privacy of a field: *none*, *contact* (reaches or names a person), *content* (what people wrote or said).
"""

KPI_HEAD = """# KPIs

Written from `projections/kpis/` by `python -m tests.reference`. `omniline kpi KEY` answers each.
"""


def type_name(hint: Any) -> str:
    """A field's type in words."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin in (types.UnionType, typing.Union):
        return " or ".join(type_name(one) for one in arguments if one is not type(None))
    if origin is typing.Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin is not None:
        return f"{origin.__name__} of {', '.join(type_name(one) for one in arguments if one is not Ellipsis)}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return " ".join(f"`{name}`" for name in hint.__struct_fields__)
    return str(getattr(hint, "__name__", hint))


def privacy(hint: Any) -> str:
    """The class of a field's content."""
    for one in (hint, *typing.get_args(hint)):
        for note in getattr(one, "__metadata__", ()):
            if isinstance(note, msgspec.Meta) and note.extra:
                return str(note.extra["pii"])
    return "none"


def event_section(event: type[Event]) -> str:
    """One event: topic, meaning, own fields."""
    required = {field.name for field in msgspec.structs.fields(event) if field.required}
    said = " ".join(inspect.cleandoc(event.__doc__ or "").split())
    decision = " A decision." if event.__module__ == DECISIONS else ""
    rows = [
        f"| `{name}`{' (required)' if name in required else ''} | {type_name(hint)} | {privacy(hint)} |"
        for name, hint in own_fields(event).items()
    ]
    table = "\n".join(["", "| field | type | privacy |", "|---|---|---|", *rows, ""]) if rows else ""
    return f"\n### {event.__name__} · `{event.TOPIC}`\n\n{said}{decision}\n{table}"


def events_page() -> str:
    """The event catalogue."""
    example = (ROOT / "docs" / "samples" / "desk.jsonl").read_text("utf-8").splitlines()[0]
    told = msgspec.json.format(example, indent=2)
    return ENVELOPE.format(example=told) + "".join(event_section(event) for event in CLASSES)


def kpis_page() -> str:
    """The KPI catalogue."""
    parts = [KPI_HEAD]
    for kpi in KPIS:
        target = f" Target {kpi.target:g}." if kpi.target is not None else ""
        moves = "" if kpi.level == "contact" else " Erasing personal data may move it."
        parts.append(
            f"\n## `{kpi.key}` {kpi.title}\n\n*{kpi.question}* A {kpi.kind}, version {kpi.version}.{target}{moves}\n\n"
            f"{kpi.definition} (Source: {kpi.source}.)\n"
        )
    return "".join(parts)


PAGES = {"events.md": events_page, "kpi-catalogue.md": kpis_page}


def written(name: str) -> str:
    """A page as it lies in the repository."""
    return (ROOT / "docs" / name).read_text("utf-8")


if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), "utf-8")
