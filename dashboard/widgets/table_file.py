"""Columns of numbers to take home, as a CSV file that every spreadsheet opens."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.text import _

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that is computed in place of shown, also in the wide signs of East Asian writing."""


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """The columns, all of one length, with their names in the first row. Numbers in full precision.

    Names may come from strangers: what a spreadsheet would take for a formula is kept as text.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_harmless(name) for name in columns])
    writer.writerows([_harmless(value) for value in row] for row in zip(*columns.values(), strict=True))
    return buffer.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def download_table(columns: Mapping[str, Sequence[Any]], file_name: str, *, key: str) -> None:
    """A button that downloads the columns."""
    st.download_button(
        _("Download (CSV)"),
        lambda: csv_text(columns),
        file_name,
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
    )
