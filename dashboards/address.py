"""The URL is the state: a page's choices as stable codes, read before its widgets, written after them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from dashboards.texts import LANGUAGES

_WRITTEN = "address_written"
_LANGUAGE = "language"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One choice: what it is when the URL says nothing, and how a code becomes a value and back."""

    default: Any
    decode: Callable[[str], Any]
    encode: Callable[[Any], str]


def choice(codes: Iterable[str], default: str) -> Field:
    allowed = tuple(codes)
    return Field(default=default, decode=lambda code: code if code in allowed else default, encode=str)


def several() -> Field:
    """Codes joined by commas; the control that shows them drops those it does not know."""
    return Field(default=(), decode=lambda given: given.split(",")[:50], encode=",".join)


def text(limit: int = 200) -> Field:
    return Field(default="", decode=lambda given: given.strip()[:limit], encode=str)


def span() -> Field:
    """Two days as `2026-01-01..2026-01-31`."""
    return Field(default=(), decode=_days, encode=lambda days: "..".join(day.isoformat() for day in days))


def _days(given: str) -> tuple[date, ...]:
    try:
        days = tuple(date.fromisoformat(part) for part in given.split(".."))
    except ValueError:
        return ()
    return days if len(days) == 2 else ()


def read(page: str, fields: Mapping[str, Field]) -> None:
    """Before the widgets: where the URL changed from outside (opened, linked, Back), it decides.

    Coming from another page without a word about this one, the page shows what it showed last: Streamlit
    leaves the other page's parameters behind when Back is pressed after a switch.
    """
    current = st.query_params.to_dict()
    before, written = st.session_state.get(_WRITTEN, (page, None))
    outside = (before, written) != (page, current)
    if before != page and not any(name in current for name in fields):
        current = st.session_state.get(f"{_WRITTEN} {page}", current)
    for name, field in fields.items():
        if outside or name not in st.session_state:
            given = current.get(name) if outside else None
            st.session_state[name] = field.default if given is None else field.decode(given)


def write(page: str, fields: Mapping[str, Field], **instead: Any) -> None:
    """After the widgets: the URL says what they say, or `instead` where that is better known by now.

    Defaults and other pages' parameters are left out.
    """
    wanted = {
        name: field.encode(value)
        for name, field in fields.items()
        if (value := instead.get(name) or st.session_state.get(name)) not in (field.default, None, "", [], ())
    }
    spoken = {"lang": st.session_state[_LANGUAGE]} if _LANGUAGE in st.session_state else {}
    if wanted | spoken != st.query_params.to_dict():
        st.query_params.from_dict(wanted | spoken)
    st.session_state[_WRITTEN] = (page, wanted | spoken)
    st.session_state[f"{_WRITTEN} {page}"] = wanted


def language() -> str:
    """`?lang=` where given, kept for the session; else the browser's, else English."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        st.session_state[_LANGUAGE] = asked
    spoken = str(st.session_state.get(_LANGUAGE) or st.context.locale or "")[:2].lower()
    return spoken if spoken in LANGUAGES else "en"


def speak(language: str) -> None:
    """Keep another language for the session and say so in the URL."""
    st.session_state[_LANGUAGE] = language
    st.query_params["lang"] = language
