"""One colour scheme per theme: fixed channel colours, chart inks, and what marks a breach."""

from dataclasses import dataclass

DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot")
"""A channel beyond the five has no colour of its own: it is grey and told apart by its dash pattern."""


@dataclass(frozen=True, kw_only=True)
class Shades:
    """Colours of one theme, as hex strings."""

    channels: dict[str, str]
    deals: str
    background: str
    text: str
    muted: str
    grid: str
    rule: str
    accent: str
    good: str
    bad: str
    stages: tuple[str, str, str, str]

    def channel(self, code: str) -> str:
        return self.channels.get(code, self.muted)

    def dash(self, code: str) -> str:
        return "solid" if code in self.channels else DASHES[sum(map(ord, code)) % len(DASHES)]


LIGHT = Shades(
    channels={
        "email": "#0072B2",
        "chat": "#009E73",
        "messenger": "#CC79A7",
        "phone": "#D55E00",
        "web_form": "#3D4551",
    },
    deals="#7A5195",
    background="#FFFFFF",
    text="#0F1724",
    muted="#5B6776",
    grid="#E9EDF2",
    rule="#C9D1DB",
    accent="#0B5CAD",
    good="#00664D",
    bad="#A11D13",
    stages=("#D5DBE3", "#9CC3E6", "#3F87C6", "#0B4A8C"),
)

DARK = Shades(
    channels={
        "email": "#4FA3DB",
        "chat": "#2DBF98",
        "messenger": "#DB93BC",
        "phone": "#F0803C",
        "web_form": "#C9D1D9",
    },
    deals="#B18CD0",
    background="#10151C",
    text="#E6EBF2",
    muted="#8C99A8",
    grid="#26313D",
    rule="#3A4654",
    accent="#5AA9E6",
    good="#3CC29A",
    bad="#F2776B",
    stages=("#37424F", "#2F5F8A", "#4C95D0", "#A9D3F5"),
)


def shades(theme: str | None) -> Shades:
    return DARK if theme == "dark" else LIGHT


def faded(colour: str, alpha: float) -> str:
    """The colour with transparency, as Plotly writes it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
