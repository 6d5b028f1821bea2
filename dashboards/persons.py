"""How a person is named on a page: the last word of the stream id, in letters that Markdown leaves alone."""

import re

_PLAIN = re.compile(r"[^0-9A-Za-zÀ-žА-яЁё-]+")
_SURROGATE = re.compile(r"[0-9a-f]{16,}")


def label(person: str) -> str:
    """`contact:desk:88120` is 88120; a keyed surrogate is cut to the length that people compare."""
    name = person.split(":", 2)[-1]
    if _SURROGATE.fullmatch(name):
        return name[:8]
    return _PLAIN.sub(" ", name).strip() or "?"
