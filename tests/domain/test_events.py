"""What an event says of its fields: none that can hold words goes without a word on privacy."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from domain.events import CLASSES
from domain.events.envelope import CLEAR, Contact, Content, Event, Open, Special, classifications, retentions
from domain.keys import CLASSES as RETENTION

CLASSIFIED = {"pii", "purpose", "retention"}


def unclassified(hint: Any) -> Iterator[Any]:
    """The texts within an annotation that nobody classified; a choice of words of ours is none."""
    if get_origin(hint) is Annotated and any(set(one.extra or ()) == CLASSIFIED for one in hint.__metadata__):
        return
    if hint is str or hint is bytes or hint is Any:
        yield hint
    elif get_origin(hint) is not Literal:
        inner = get_args(hint)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            inner = tuple(get_type_hints(hint, include_extras=True).values())
        for one in inner:
            yield from unclassified(one)


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.__name__)
def test_every_text_of_an_event_is_classified(event: type[Event]) -> None:
    hints = get_type_hints(event, include_extras=True)
    assert {name for name in event.__struct_fields__ if [*unclassified(hints[name])]} == set()


@pytest.mark.parametrize(
    "hint", [str, str | None, dict[str, int], tuple[str, ...], Annotated[str, msgspec.Meta()]]
)
def test_a_text_without_a_classification_would_be_found(hint: Any) -> None:
    assert [*unclassified(hint)] == [str]


@pytest.mark.parametrize(
    ("kind", "pii", "retention"),
    [(Open, "none", CLEAR), (Contact, "contact", "contact"), (Content, "content", "content"),
     (Special, "special", "special")],
)  # fmt: skip
def test_each_classification_says_what_why_and_how_long(kind: Any, pii: str, retention: str) -> None:
    (said,) = classifications(kind)
    assert (said.extra["pii"], said.extra["retention"]) == (pii, retention)
    assert said.extra["purpose"]
    assert retention == CLEAR or retention in RETENTION.values()


def test_what_is_personal_in_each_class_is_what_we_mean_to_seal() -> None:
    sealed = {
        event.__name__: {name: kept for name, kept in retentions(event).items() if kept != CLEAR}
        for event in CLASSES
    }
    own = {name: fields for name, fields in sealed.items() if fields.pop("text") == "content" and fields}
    assert own == {
        "ContactReceived": {"title": "content"},
        "ContactInitiated": {"title": "content"},
        "ExplanationRepeated": {"what": "content"},
        "OfferPresented": {"terms": "content"},
        "NoteAdded": {"value": "content"},
        "FollowUpPlanned": {"what": "content"},
        "IdentifierAsserted": {"value": "contact"},
        "LinkConfirmed": {"reason": "content"},
        "LinkDenied": {"reason": "content"},
        "LinkCleared": {"reason": "content"},
        "IdentifierFlagged": {"reason": "content"},
        "IdentifierCleared": {"reason": "content"},
    }


def test_a_field_that_mixes_retention_classes_is_refused() -> None:
    class Mixed(Event, frozen=True, kw_only=True):
        both: tuple[Contact, Content]

    with pytest.raises(TypeError, match="The field both mixes the retention classes contact, content"):
        retentions(Mixed)
