"""The truth beside the demo: what was planted, as the generator planned it, never read back from the events.

`patterns` holds one row per planted instance; `clocks` every promise of the plan with its verdict at the end of
the history; `totals` what plain counts must come to.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Truth = dict[str, Any]
"""JSON-serialisable; instants are UTC seconds in ISO form, persons labels that occur in no event but the CRM's."""

PATTERNS = {
    "late_recording": "contact began before item (recorded only at known_at) was known; all was linked",
    "identity_not_linked": "contact began before its person was tied (linked_at) to the earlier item",
    "context_complete": "contact began with everything recorded and linked",
    "shared_phone": "two persons with one number; exact matching merges them (totals.persons counts them once)",
    "order_number_only": "a stranger known by nothing but an order number",
    "repeat_contact": "contact came within 7 days of repeat_of on the same case or topic: every one there is",
    "same_topic_again": "a second case on the topic, days after the first was resolved",
    "other_topic_next": "control: a second case days later on another topic, which repeats nothing",
    "reopened_within_7_days": "the customer came back within 7 days of the resolution",
    "reopened_after_7_days": "the customer came back later than 7 days after the resolution",
    "reopened_by_us": "an agent opened the case again; no customer turn, hence no response clock",
    "awaiting_customer": "the resolution clock pauses from paused_from to paused_to",
    "left_open": "answered, but never resolved",
    "channel_switch": "turn is in channel `to`, the customer turn before it in `from`: every switch there is",
    "bounce": "redirected, and there within 48 hours",
    "bounce_excused": "the same for an identity check",
    "bounce_late": "redirected, and there only after more than 48 hours",
    "bounce_lost": "redirected and never seen there",
    "explained_again_stated": "level 1: the turn after a hand-over of which an agent said so (event stated)",
    "explained_again_restated": "level 2: the turn after a hand-over repeats the facts of turn restates",
    "explained_once": "control: a turn after a hand-over that says something new",
    "bot_solved": "the bot's answer was all: no clock of people starts",
    "callback_in_time": "one attempt, connected, within 60 working minutes",
    "callback_second_attempt": "kept by a second attempt within 60 working minutes",
    "callback_late": "kept after more than 60 working minutes",
    "callback_joined": "a second miss that joined the first one's obligation",
    "callback_self_recovered": "the customer got through before we rang back",
    "callback_never": "overdue and not rung back when the history ends",
    "callback_pending": "not yet due when the history ends",
    "hung_up_at_once": "control: rang 5 seconds at most, no obligation",
    "offer_conflict": "two live offers of one class by two authors at two prices; avoidable if the first was known",
    "offer_superseded": "control: the second offer says which one it replaces",
    "sales_open_problem": "a sales call while the person's complaint was open, known and linked",
    "sales_touch_quiet": "control: a sales call to somebody without an open case",
    "follow_up_kept": "done by due_at",
    "follow_up_late": "done after due_at",
    "follow_up_missed": "never done, and due before the end",
    "follow_up_cancelled": "withdrawn",
    "follow_up_pending": "due after the end",
    "follow_up_preempted": "the customer came at asked_at, before it was done and due (also listed by its state)",
    "waiting": "nobody has answered when the history ends; late, at_risk or in_time",
    "unanswered": "those of them who have waited for more than a day",
    "duplicate": "a record delivered twice, differing in known_at alone",
    "revision": "a record whose revision 2 corrects it",
}
"""What an instance of each pattern is."""


@dataclass(kw_only=True)
class Ledger:
    """What has been planned so far."""

    patterns: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    clocks: list[dict[str, Any]] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)

    def plant(self, pattern: str, row: dict[str, Any]) -> None:
        """One instance of a pattern."""
        self.patterns.setdefault(pattern, []).append(row)

    def add(self, other: "Ledger") -> None:
        """Take over what a finished story planned."""
        for pattern, rows in other.patterns.items():
            self.patterns.setdefault(pattern, []).extend(rows)
        self.clocks.extend(other.clocks)
        self.totals.update(other.totals)

    def told(self) -> Truth:
        """The whole truth; totals nested by the dots in their names."""
        totals: dict[str, Any] = {}
        for name, number in sorted(self.totals.items()):
            *path, last = name.split(".")
            place = totals
            for part in path:
                place = place.setdefault(part, {})
            place[last] = number
        return {"patterns": self.patterns, "totals": totals, "clocks": self.clocks}
