"""Which split of the data is looked at."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core.data.gallery import SplitName
from dashboard.text import _


def split_titles() -> dict[SplitName, str]:
    """What the splits are called where one is chosen."""
    return {"validation": _("Validation"), "train": _("Training"), "test": _("Test")}


def split_choice(
    label: str, splits: Sequence[SplitName], *, key: str, width: int | Literal["stretch"] = 160, about: str | None = None
) -> SplitName:
    """The chosen one of these, the first one at first. `width` in pixels."""
    chosen: SplitName | None = st.selectbox(
        label,
        splits,
        key=key,
        persist_state="session",
        format_func=split_titles().__getitem__,
        width=width,
        help=about,
    )
    return chosen or splits[0]
