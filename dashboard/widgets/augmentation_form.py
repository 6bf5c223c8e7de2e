"""Random changes of the training images: which ones, and how strong each is."""

from collections.abc import Callable

import streamlit as st

from core.data.augmentation import AnyAugmentation
from core.spec import choices
from dashboard.text import _
from dashboard.widgets.choice_form import fields

Augmentations = tuple[AnyAugmentation, ...]


def augmentation_form(present: Augmentations, *, key: str, on_change: Callable[[Augmentations], None]) -> None:
    """The kinds as toggles, and the fields of those that are on; `on_change` gets the new ones, in the Menu's order."""
    classes = {cls.kind_name(): cls for cls in choices(AnyAugmentation)}
    by_kind = {each.kind: each for each in present}
    pick_key = f"{key}.kinds"

    def pick() -> None:
        wanted = st.session_state[pick_key]
        on_change(tuple(by_kind.get(kind, cls()) for kind, cls in classes.items() if kind in wanted))

    def change(changed: AnyAugmentation) -> None:
        on_change(tuple(changed if each.kind == changed.kind else each for each in present))

    st.session_state[pick_key] = [kind for kind in classes if kind in by_kind]
    st.pills(
        _("Random changes of each training image, anew in every step"),
        list(classes),
        selection_mode="multi",
        format_func=lambda kind: _(classes[kind].label),
        key=pick_key,
        on_change=pick,
    )
    for each in present:
        with st.container(border=True, key=f"{key}.{each.kind}"):
            st.markdown(f"**{_(each.label)}**", help=_(type(each).__doc__ or ""))
            fields(each, key=f"{key}.{each.kind}", on_change=change)
