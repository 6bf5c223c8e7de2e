"""Every colour of every chart, and the frame that charts share."""

from functools import cache

import plotly.graph_objects as go

CATEGORICAL = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette: told apart by colour-blind readers too. One run keeps one colour in every panel."""

CATEGORICAL_ON_DARK = ("#56B4E9", "#F28E4B", "#35C19B", "#E2A3C7", "#F0C24B", "#9DB2FF")
"""The same hues, light enough for a dark page."""

POSITIVE, NEGATIVE, OTHERS = "#B2182B", "#2166AC", "#8A8F98"
"""Speaks for, speaks against, and the rest in one bundle. Red against blue, never against green."""

INKS = ("#000000", "#FFFFFF")
"""On any background one of the two has a contrast of at least 4.58."""

CLEAR = "rgba(0,0,0,0)"

Scale = list[tuple[float, str]]

_BLUE_TO_RED = ("#2166AC", "#67A9CF", "#D1E5F0", "#F7F7F7", "#FDDBC7", "#EF8A62", "#B2182B")
_BLUE_TO_RED_ON_DARK = ("#6BB5F0", "#3D86C2", "#24507A", "#1B1F27", "#7A3226", "#C9573F", "#FF9A7F")
_CIVIDIS = ("#00224E", "#35456C", "#666970", "#948E77", "#C8B866", "#FEE838")

_LINES_ON_DARK = ("#5FA8F0", "#9AA3A8", "#D8C56A", "#FEE838")

_SIGNED_VEIL: Scale = [
    (0.0, "rgba(5,48,97,0.95)"),
    (0.25, "rgba(33,102,172,0.70)"),
    (0.45, "rgba(146,197,222,0.15)"),
    (0.5, "rgba(255,255,255,0)"),
    (0.55, "rgba(244,165,130,0.15)"),
    (0.75, "rgba(178,24,43,0.70)"),
    (1.0, "rgba(103,0,31,0.95)"),
]


def categorical(dark: bool) -> tuple[str, ...]:
    """Colours of runs and series, in order."""
    return CATEGORICAL_ON_DARK if dark else CATEGORICAL


def ink(dark: bool) -> str:
    """The colour of text and axes."""
    return "#E6E9EF" if dark else "#1F2430"


def quiet_ink(dark: bool) -> str:
    """The colour of what is there to be looked up, and not to be looked at."""
    return "#A6ADBB" if dark else "#5B6270"


def grid_line(dark: bool) -> str:
    """The colour of grid lines."""
    return "rgba(230,233,239,0.16)" if dark else "rgba(31,36,48,0.12)"


def outline(dark: bool) -> str:
    """The colour of borders of superpixels, which lie on a light picture in both themes."""
    return "rgba(0,0,0,0.45)"


def evidence_outline() -> tuple[str, str]:
    """The line around known evidence and the halo below it: both are seen on any picture and in both themes."""
    return "#000000", "rgba(255,255,255,0.9)"


def diverging(dark: bool) -> Scale:
    """From against (blue) over the page's own colour to for (red)."""
    return _even(_BLUE_TO_RED_ON_DARK if dark else _BLUE_TO_RED)


def sequential() -> Scale:
    """From little (dark blue) to much (yellow): cividis, made for colour-blind readers."""
    return _even(_CIVIDIS)


def line_scale(dark: bool) -> Scale:
    """From little to much for thin lines and dots: the sequential scale without the end that the page would swallow."""
    return _even(_LINES_ON_DARK if dark else _CIVIDIS[:-1])


def signed_veil() -> Scale:
    """The diverging scale as a veil over a grey picture: nothing is clear, much is opaque."""
    return list(_SIGNED_VEIL)


def unsigned_veil() -> Scale:
    """The upper half of the signed veil, from 0 to 1."""
    return [(2 * at - 1, colour) for at, colour in _SIGNED_VEIL if at >= 0.5]


def pale_grey() -> Scale:
    """Grey levels of a picture under a veil: black becomes mid grey, so that a dark veil stays readable on it."""
    return [(0.0, "rgb(89,89,89)"), (1.0, "rgb(255,255,255)")]


@cache
def template(dark: bool) -> go.layout.Template:
    """Fonts, grid and palette of a chart, on a clear background. A figure takes a copy of it."""
    axis = {
        "gridcolor": grid_line(dark),
        "linecolor": grid_line(dark),
        "zerolinecolor": quiet_ink(dark),
        "tickfont": {"color": quiet_ink(dark), "size": 11},
        "title": {"font": {"color": quiet_ink(dark), "size": 12}, "standoff": 8},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "font": {"color": ink(dark), "size": 13},
            "title": {"font": {"size": 14}, "x": 0.0, "xanchor": "left"},
            "colorway": list(CATEGORICAL),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
        }
    )


def colour_bar(title: str, dark: bool) -> dict[str, object]:
    """A slim colour bar with its unit."""
    return {
        "title": {"text": title, "side": "right", "font": {"color": quiet_ink(dark), "size": 12}},
        "thickness": 10,
        "outlinewidth": 0,
        "tickfont": {"color": quiet_ink(dark), "size": 11},
        "tickformat": ".3~g",
    }


def _even(colours: tuple[str, ...]) -> Scale:
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]
