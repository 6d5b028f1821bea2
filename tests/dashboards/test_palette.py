"""The palette under colour-vision deficiency (Machado 2009, full severity) and against its ground."""

from itertools import combinations

import numpy as np
import pytest

from dashboards.palette import DARK, DASHES, LIGHT, Shades, faded
from dashboards.web import options

MACHADO = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LEAST = {
    LIGHT.background: {"protan": 23, "deutan": 18, "tritan": 17},
    DARK.background: {"protan": 17, "deutan": 13, "tritan": 12},
}
THEMES = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")]


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    bright = sorted(
        (float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, other)), reverse=True
    )
    return (bright[0] + 0.05) / (bright[1] + 0.05)


@pytest.mark.parametrize("shades", THEMES)
@pytest.mark.parametrize("deficiency", MACHADO)
def test_channels_stay_apart_for_everybody(shades: Shades, deficiency: str) -> None:
    seen = {
        code: lab(np.array(MACHADO[deficiency]) @ linear(colour)) for code, colour in shades.channels.items()
    }
    nearest = min(float(np.linalg.norm(seen[a] - seen[b])) for a, b in combinations(seen, 2))
    assert nearest >= LEAST[shades.background][deficiency] - 0.5


@pytest.mark.parametrize("shades", THEMES)
def test_marks_and_texts_stand_out_from_the_ground(shades: Shades) -> None:
    marks = {code: contrast(colour, shades.background) for code, colour in shades.channels.items()}
    assert min(marks.values()) >= 3.0
    texts = (shades.text, shades.muted, shades.good, shades.bad)
    assert min(contrast(colour, shades.background) for colour in texts) >= 4.5


def test_a_channel_without_a_colour_of_its_own_has_a_dash_pattern() -> None:
    assert LIGHT.channel("sms") == LIGHT.muted
    assert LIGHT.dash("sms") in DASHES
    assert LIGHT.dash("email") == "solid"
    assert len({LIGHT.dash(code) for code in ("portal", "sms", "app", "post", "store")}) > 2


def test_the_configured_theme_is_the_palette() -> None:
    told = options()
    for theme, shades in (("light", LIGHT), ("dark", DARK)):
        assert told[f"theme.{theme}.chartCategoricalColors"] == [*shades.channels.values(), shades.deals]
        assert told[f"theme.{theme}.backgroundColor"] == shades.background
        assert told[f"theme.{theme}.textColor"] == shades.text


def test_faded_is_the_same_colour_with_transparency() -> None:
    assert faded("#0072B2", 0.28) == "rgba(0,114,178,0.28)"
