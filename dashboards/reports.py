"""What operators and auditors read in a terminal: the state of a home, and what was proven of its log."""

from collections.abc import Mapping
from typing import Any

from dashboards.terminal import alarm, duration, number, room, table
from domain.log.bundle import CLAIMED, clean
from projections.health import RED

Document = Mapping[str, Any]


class NotWell(Exception):
    """What was looked at is not as it should be; the message is one sentence for people."""


def health(document: Document) -> None:
    """Whether all is well, and where not."""
    log = document["log"]
    refused = document["quarantine"]
    sources = [
        {"source": source, "events": log["by_source"].get(source, 0), "quarantine": refused.get(source, 0)}
        for source in sorted(log["by_source"].keys() | refused.keys())
    ]
    table(sources, title=f"Log: {log['events']:,} events, position {log['position']:,}", empty="It is empty.")
    print(_sizes(document["sizes"]))
    views = [{"view": name} | dict(view) for name, view in document["views"].items()]
    table(views, title=f"Views: {_standing(document)}", red=lambda view: view["state"] in RED)
    print(_signed(document["signed"]), _verified(document["verified"]))
    for sentence in document["passed_over"]:
        print(sentence)
    alarm(document["problems"])


def _sizes(sizes: Document) -> str:
    """How large the log is and how fast it grows."""
    if "bytes" not in sizes:
        return "How large it is cannot be told."
    each = f", {room(sizes['bytes_per_event'])} an event" if sizes["bytes_per_event"] else ""
    grown = (
        f"{number(sizes['last_day'])} events in the last day, {number(sizes['last_hour'])} in the last hour"
    )
    return f"{room(sizes['bytes'])}{each}; keys {room(sizes['keys_bytes'])}; {grown}."


def _signed(signed: Document) -> str:
    """How far the log is signed."""
    if not signed["size"]:
        told = f"Nothing is signed, {_of(signed['unsigned'], 'event')} waiting."
    else:
        ago = duration(max(signed["age_s"], 0))
        told = f"Signed: {_of(signed['size'], 'event')}, {ago} ago; {number(signed['unsigned'])} since."
    return told if signed["here"] else f"{told} The signing key is not on this host."


def _verified(verified: Document | None) -> str:
    """What the last verification of the whole log found."""
    if verified is None:
        return "Never verified as a whole: run `omniline verify`."
    found = "unaltered" if verified["ok"] else "altered"
    return f"Verified: {_of(verified['events'], 'event')} at {verified['at'][:16]}Z, {found}."


def proven(document: Document) -> None:
    """What a verification proved."""
    if "event_id" in document:
        signed = f"signed under the checkpoint of {_of(document['proof']['size'], 'event')}"
        print(
            f"{document['event_id']} at position {number(document['position'])}: unaltered since it was {signed}."
        )
    elif "exported_by" in document:
        print(f"{_span(document)}: unaltered since signed.")
        at, by, receiver = (clean(document[name]) for name in ("exported_at", "exported_by", "received_by"))
        print(f"Exported at {at} by {by} for {receiver} ({CLAIMED}).")
    elif document["events"] or document["ok"]:
        met = _of(document["checkpoints"], "signed checkpoint")
        since = f" after the checkpoint of {number(document['since'])}" if document.get("since") else ""
        print(
            f"{_of(document['events'], 'event')} read{since}, {number(document.get('signed', 0))} of them under {met}."
        )
        alarm([problem["detail"] for problem in document["problems"][1:]])
        if document["ok"]:
            print("Unaltered.")


def bundled(document: Document) -> None:
    """What was put into an evidence bundle."""
    file = document["file"]
    print(f"{_span(document)}: with proofs in {file}.")
    print(f"To check: omniline verify --bundle {file} --key PUBLIC_KEY, or python {file} --key PUBLIC_KEY")


def _span(document: Document) -> str:
    """Some events, and from where to where they lie; a range only if there is one at each position."""
    first, last = document["positions"]
    if absent := last - first + 1 - document["events"]:
        ends = f"between positions {number(first)} and {number(last)}"
        return f"{_of(document['events'], 'event')} {ends}, none at {_of(absent, 'position')} of them"
    where = f"position {number(first)}" if first == last else f"positions {number(first)} to {number(last)}"
    return f"{_of(document['events'], 'event')}, {where}"


def _of(count: int, thing: str) -> str:
    """So many of something."""
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"


def passed(document: Any) -> None:
    """Refuse with the first problem's sentence where a document says that it is not well."""
    if not isinstance(document, Mapping) or document.get("ok", True):
        return
    told = [one["detail"] if isinstance(one, Mapping) else one for one in document["problems"]]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    raise NotWell(f"{told[0]}{more}" if told else "The views are not built yet: run `omniline project`.")


def _standing(document: Document) -> str:
    """How the views stand in one phrase, with what to do."""
    views = document["views"].values()
    if any(view["state"] in RED for view in views):
        return "not well"
    if any(view["state"] == "missing" for view in views):
        return "not built yet, run `omniline project`"
    lag = max((view["lag"] for view in views), default=0)
    return f"{lag:,} events behind, run `omniline project`" if lag else "all is well"


def ready(document: Document) -> None:
    """That a log can be used."""
    signs = "" if document["signs"] else " Its signing key is not on this host."
    print(f"The log is ready on {document['dialect']}, at position {number(document['position'])}.{signs}")


def rewrapped(document: Document) -> None:
    """That older master keys can go."""
    print(f"{_of(document['rewrapped'], 'key')} wrapped anew; all are under the newest master key.")


def backed_up(document: Document) -> None:
    """What a backup holds, and what it does not."""
    print(
        f"{_of(document['events'], 'event')} up to position {number(document['position'])}, {room(document['bytes'])}."
    )
    print(*document["left_out"], sep="\n")
    print("Views are not in it: they are built anew.")


def restorable(document: Document) -> None:
    """What a trial of a backup showed."""
    print(*(line for line in document["told"] if line not in document["problems"]), sep="\n")
    alarm(document["problems"][1:])


def restored(document: Document) -> None:
    """That a backup was put back."""
    keys = "" if document["keys"] else " The keys that were there stay."
    print(f"{_of(document['events'], 'event')} up to position {number(document['position'])} put back.{keys}")
