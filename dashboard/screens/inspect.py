"""Look inside, at any kept moment: activations, weights, memory and attention, embeddings, and the loss around the weights."""

import streamlit as st

from dashboard.text import _
from dashboard.widgets import (
    inspect_activations,
    inspect_embedding,
    inspect_landscape,
    inspect_sequence,
    inspect_weights,
)
from dashboard.widgets.compare import pin_button, side_by_side
from dashboard.widgets.section import section
from dashboard.widgets.subject import choose_subject

LENSES = {
    "activations": inspect_activations.panel,
    "weights": inspect_weights.panel,
    "sequence": inspect_sequence.panel,
    "embedding": inspect_embedding.panel,
    "landscape": inspect_landscape.panel,
}


def render() -> None:
    """The Inspect screen."""
    subject = choose_subject(screen="inspect")
    if subject is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="inspect.top"):
        lens = _lens()
        pin_button(subject, key="inspect")
    side_by_side(subject, LENSES[lens], key=f"inspect.{lens}")


def _lens() -> str:
    labels = {
        "activations": _("Activations"),
        "weights": _("Weights and gradients"),
        "sequence": _("Memory and attention"),
        "embedding": _("Embeddings"),
        "landscape": _("Loss landscape"),
    }
    return section("inspect", labels, key="inspect.lens", label=_("Lens"))
