"""The Memory and attention lens: what recurrent layers keep, where attention looks, and what is said after each token."""

import streamlit as st

from core.jobs.sequence_lenses import ReadingJob
from core.models.sequence_layers import attention_places, memory_places
from core.results.hidden_states import Reading
from dashboard.figures.hidden_states import reading_alt_text, reading_figure
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.inspect_attention import attention
from dashboard.widgets.inspect_memory import memory
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """Three parts, of which those are shown that apply; the others say what the model lacks."""
    profile = subject.experiment.data.profile()
    model, shape = subject.experiment.model, profile.input_shape
    memories, attentions = memory_places(model, shape), attention_places(model, shape)
    is_text = profile.modality == "sequence"
    if not memories and not attentions:
        st.info(_missing(memory=True, attention=True), icon=":material/info:")
    if is_text:
        st.subheader(_("Said after each token"))
        look(ReadingJob(**subject.asked()), Reading, lambda reading: _reading(reading, key), key=f"{key}.reading")
    if memories:
        st.subheader(_("Memory"))
        memory(subject, memories, key=f"{key}.memory")
    if attentions:
        st.subheader(_("Attention"))
        attention(subject, attentions, key=f"{key}.attention")
    if bool(memories) != bool(attentions):
        st.caption(_missing(memory=not memories, attention=not attentions))


def _missing(*, memory: bool, attention: bool) -> str:
    """What the model has not, and what to add."""
    words = []
    if memory:
        words.append(_("No layer of this model remembers. Add a GRU, LSTM or RNN layer to see a hidden state over the steps."))
    if attention:
        words.append(
            _("No layer of this model attends. Add a SelfAttention or TransformerEncoder layer, on images behind PatchEmbed.")
        )
    return " ".join(words)


def _reading(reading: Reading, key: str) -> None:
    """One line per class over the tokens."""
    figure(reading_figure(reading, dark=is_dark()), key=f"{key}.reading.figure", alt=reading_alt_text(reading))
    st.caption(_("The text up to each token, padded on the left as the data are, and what the model says of that much of it."))
    download_arrays(reading, "reading.npz", key=f"{key}.reading.download", label=_("Download reading (NPZ)"))
