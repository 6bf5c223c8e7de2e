"""The explanation of a text: its words on the colour of their contribution, and the same as bars."""

import numpy as np
import streamlit as st

from core.results.attribution import Attribution
from dashboard.components.token_strip import Token, token_strip
from dashboard.figures.token_bars import alt_text, token_bars
from dashboard.figures.token_strip import signed_colours
from dashboard.text import _
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark


def token_attribution(found: Attribution, *, key: str) -> None:
    """The words in the order of reading, then the largest contributions as bars. Padding is left out."""
    dark = is_dark()
    token_strip(_tokens(found, dark), key=f"{key}.tokens", label=_("The text, each token with its contribution"))
    st.caption(plain(_caption(found)))
    drawing = token_bars(found, dark=dark)
    drawing.update_layout(title_text="", margin_t=8)
    figure(drawing, key=f"{key}.figure", alt=alt_text(found))


def _tokens(found: Attribution, dark: bool) -> list[Token]:
    shown = np.flatnonzero(found.input != 0)
    values = np.asarray(found.values, float)[shown]
    colours = signed_colours(values, float(np.abs(values).max(initial=0.0)), dark)
    tokens = []
    for place, value, (background, ink) in zip(shown, values, colours, strict=True):
        decides = found.evidence is not None and bool(found.evidence[place])
        title = _("{token}: {value:+.4g} {unit}").format(token=found.feature_names[place], value=value, unit=found.unit)
        if decides:
            title += ", " + _("decides the class")
        tokens.append(Token(found.feature_names[place], title, f"{value:+.2g}", background, ink, decides))
    return tokens


def _caption(found: Attribution) -> str:
    """What the colours and the underlining mean."""
    words = _("Red speaks for {target}, blue against it, in {unit}.").format(target=found.target_name, unit=_(found.unit))
    if found.evidence is not None and found.evidence.any():
        words += " " + _("Underlined: the words that decide the class in these data.")
    return words
