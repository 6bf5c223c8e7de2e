"""Buttons that save a standing chart as PNG, SVG or CSV. The browser makes the files of what it shows; nothing comes back."""

import re

from dashboard.components.shared import PLOTLY, declare
from dashboard.text import _

_component = declare("chart_files")


def chart_files(chart: str, *, key: str) -> None:
    """Offers the chart that stands on the page under the key `chart` as files."""
    data = {
        "chart": place(chart),
        "name": re.sub(r"[^a-z0-9]+", "-", chart.lower()).strip("-"),
        "plotly": PLOTLY,
        "label": _("Save this chart"),
        "only_pictures": _("This chart is made of pictures: take the PNG, or the arrays."),
        "failed": _("The chart could not be saved. Reload the page."),
    }
    _component(key=key, data=data)


def place(key: str) -> str:
    """The class by which Streamlit marks the element of a key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
