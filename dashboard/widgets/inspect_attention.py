"""Where attention looks: from one token or patch, chosen by click or arrow keys, and the weights of a whole head."""

import streamlit as st

from core.jobs.sequence_lenses import AttentionJob
from core.models.sequence_layers import SequencePlace
from core.results.attention import AttentionMaps
from dashboard.components.token_strip import Patches, Token, token_strip
from dashboard.figures.attention import alt_text, attention_heatmap
from dashboard.figures.token_axis import short
from dashboard.figures.token_strip import pale, unsigned_colours, veils
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.inspect_memory import chosen_place
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

MAX_BUTTONS = 8
MEAN = -1


def attention(subject: Subject, places: tuple[SequencePlace, ...], *, key: str) -> None:
    """The chosen attention layer."""
    number = chosen_place(places, key=key)
    job = AttentionJob(**subject.asked(), place=number)
    look(job, AttentionMaps, lambda maps: _maps(maps, key), key=f"{key}.job")


def _maps(maps: AttentionMaps, key: str) -> None:
    st.caption(
        _("Attention weights say where information is taken from. They are not an attribution: what is taken may not matter.")
    )
    with st.container(key=f"{key}.controls", horizontal=True, vertical_alignment="bottom"):
        head = _head(maps, key)
        query = _query(maps, key)
    if maps.rows:
        left, right = st.columns([2, 3], gap="medium")
        with left:
            _strip(maps, head, query, key)
        with right:
            _heatmap(maps, head, query, key)
    else:
        _strip(maps, head, query, key)
        _heatmap(maps, head, query, key)
    download_arrays(maps, "attention.npz", key=f"{key}.download", label=_("Download attention (NPZ)"))


def _head(maps: AttentionMaps, key: str) -> int | None:
    """Which head; None for the mean of all."""
    n = len(maps.weights)
    widget = f"{key}.head"
    options = [MEAN, *range(n)]
    present = st.session_state.get(widget)
    st.session_state[widget] = present if present in options else (0 if n == 1 else MEAN)

    def name(head: int) -> str:
        return _("mean of all") if head == MEAN else str(head + 1)

    if n == 1:
        return 0
    if n <= MAX_BUTTONS:
        st.segmented_control(_("Head"), options, key=widget, format_func=name, required=True)
    else:
        st.selectbox(_("Head"), options, key=widget, format_func=name, width=140)
    chosen = int(st.session_state[widget])
    return None if chosen == MEAN else chosen


def _query(maps: AttentionMaps, key: str) -> int | None:
    """The step that looks; None for the mean of all."""
    shown, widget = maps.shown(), f"{key}.query"
    options = [MEAN, *shown]
    present = st.session_state.get(widget)
    st.session_state[widget] = present if present in options else _first_query(maps)
    names = {place: f"{number}. {short(maps.steps[place])}" for number, place in enumerate(shown, start=1)}
    names[MEAN] = _("all, on average")
    label = _("Looking") + ": " + (_("token") if maps.is_text else _("patch") if maps.rows else _("step"))
    st.selectbox(label, options, key=widget, format_func=names.__getitem__, width=220)
    chosen = int(st.session_state[widget])
    return None if chosen == MEAN else chosen


def _first_query(maps: AttentionMaps) -> int:
    """The class token, which gathers what the classifier needs; the last word of a text; of patches alone all of them."""
    if maps.n_before:
        return 0
    return maps.shown()[-1] if maps.is_text else MEAN


def _strip(maps: AttentionMaps, head: int | None, query: int | None, key: str) -> None:
    """The text, or the picture, on the colour of the weights; a click or an arrow key chooses the step that looks."""
    shown = maps.shown()
    weights = maps.from_step(head, query)[shown]
    limit = float(weights.max(initial=0.0))
    before = maps.n_before
    pairs = unsigned_colours(weights, limit)
    covers = veils(weights, limit)
    tokens = []
    for number, (place, weight) in enumerate(zip(shown, weights, strict=True)):
        on_picture = maps.rows and number >= before
        background, ink = (covers[number], "") if on_picture else pairs[number]
        title = _("{name}: {weight:.1%} of the attention").format(name=maps.steps[place], weight=weight)
        tokens.append(Token(short(maps.steps[place]), title, f"{weight:.0%}", background, ink))

    def pick(number: int) -> None:
        st.session_state[f"{key}.query"] = shown[number]

    patches = None
    if maps.rows and maps.picture is not None:
        patches = Patches(pale(maps.picture), maps.columns, before)
    token_strip(
        tokens,
        key=f"{key}.strip",
        label=_("Choose what looks; colours show where it looks"),
        chosen=-1 if query is None else shown.index(query),
        on_pick=pick,
        patches=patches,
    )
    st.caption(plain(_where(maps, head, query)))


def _where(maps: AttentionMaps, head: int | None, query: int | None) -> str:
    """What the colours are, and how much lies on padding."""
    who = _("all steps, on average") if query is None else short(maps.steps[query])
    words = _("Brighter: more of what “{who}” takes comes from there.").format(who=who)
    padding = maps.padding_share(head, query)
    if padding >= 0.005:
        words += " " + _("{share:.0%} goes to padding, which these layers do not mask.").format(share=padding)
    return words


def _heatmap(maps: AttentionMaps, head: int | None, query: int | None, key: str) -> None:
    drawing = attention_heatmap(maps, head, query, dark=is_dark())
    figure(drawing, key=f"{key}.figure", alt=alt_text(maps, head, query))
