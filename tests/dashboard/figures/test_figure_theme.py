"""Colours live in the theme alone, and colour-blind readers can tell them apart."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dashboard.figures import theme

FIGURES = Path(theme.__file__).parent
PURE = {"rgb(0,0,0)", "rgb(255,255,255)"}


@pytest.mark.parametrize("file", [f for f in FIGURES.glob("*.py") if f.name != "theme.py"], ids=lambda f: f.name)
def test_only_the_theme_names_colours(file):
    found = set(re.findall(r"#[0-9A-Fa-f]{6}\b|rgba?\([^)]*\)", file.read_text()))
    assert found <= PURE


@pytest.mark.parametrize("module", ["attribution", "activations", "bars"])
def test_figures_load_neither_torch_nor_streamlit(module):
    code = (
        f"import sys; import dashboard.figures.{module}; print([m for m in ('torch', 'streamlit', 'shap') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def seen_by_a_deuteranope(colour: str) -> np.ndarray:
    """The colour without the green cones (Viénot, Brettel, Mollon 1999), linear RGB."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]) @ linear


def test_for_and_against_differ_for_a_colour_blind_reader():
    def distance(one: str, other: str) -> float:
        return float(np.abs(seen_by_a_deuteranope(one) - seen_by_a_deuteranope(other)).max())

    assert distance(theme.POSITIVE, theme.NEGATIVE) > 0.25
    # The usual pair would fail here.
    assert distance("#C8442C", "#5C8A20") < 0.25


def luminance(colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize(("dark", "page"), [(False, "#ffffff"), (True, "#0f141a")])
def test_text_on_the_page_has_the_contrast_that_wcag_asks_for(dark, page):
    for colour in (theme.ink(dark), theme.quiet_ink(dark)):
        low, high = sorted([luminance(colour), luminance(page)])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_scales_run_from_0_to_1_and_get_lighter_or_turn_in_the_middle():
    sequential = [luminance(colour) for _at, colour in theme.sequential()]
    assert sequential == sorted(sequential)
    for scale in (
        theme.sequential(),
        theme.diverging(False),
        theme.diverging(True),
        theme.unsigned_veil(),
        theme.signed_veil(),
    ):
        places = [at for at, _colour in scale]
        assert places == sorted(places)
        assert (places[0], places[-1]) == (0.0, 1.0)
