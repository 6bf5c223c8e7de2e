"""The Activations lens: what every layer answers to one example, and what is behind it."""

import streamlit as st

from core.jobs.lenses import ActivationsJob
from core.results.activations import ActivationMaps
from dashboard.figures.activations import ColourScope, activation_figure, alt_text
from dashboard.figures.prediction import prediction_figure
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.inspect_activation_details import histograms, still_units
from dashboard.widgets.inspect_unit import one_unit
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

SCALES: tuple[ColourScope, ...] = ("layer", "map", "net")


def panel(subject: Subject, *, key: str) -> None:
    """The prediction, one chart per layer, and then what is behind them, computed when it is opened."""

    def show(maps: ActivationMaps) -> None:
        scale = _maps(maps, key)
        one_unit(subject, maps, scale=scale, key=f"{key}.unit")
        histograms(subject, key=f"{key}.histograms")
        still_units(subject, key=f"{key}.still")

    look(ActivationsJob(**subject.asked()), ActivationMaps, show, key=f"{key}.maps")


def _maps(maps: ActivationMaps, key: str) -> ColourScope:
    """The prediction, then one chart per layer; what one colour scale spans."""
    dark = is_dark()
    prediction, controls = st.columns([2, 3], gap="medium")
    with prediction:
        figure(prediction_figure(maps, dark=dark), key=f"{key}.prediction", alt=_prediction(maps))
    with controls:
        scale = _scale(key)
        _example(maps)
        st.text(_prediction(maps))
        download_arrays(maps, "activations.npz", key=f"{key}.download", label=_("Download all arrays (NPZ)"))
    columns = st.columns(2, gap="medium")
    for layer in range(len(maps.maps)):
        with columns[layer % 2]:
            drawing = activation_figure(maps, layer, scale=scale, dark=dark)
            figure(drawing, key=f"{key}.layer.{layer}", alt=alt_text(maps, layer))
    return scale


def _example(maps: ActivationMaps) -> None:
    """What the network looks at, where its controls do not show it already: the text, or an own picture as it was made."""
    if maps.text:
        st.text(maps.text)
    if maps.pixels is not None and maps.label < 0:
        st.image(maps.pixels, caption=_("What the network sees"), width=112)
    for note in maps.notes:
        st.caption(plain(note))


def _scale(key: str) -> ColourScope:
    """What one colour scale spans."""
    labels = {"layer": _("each layer"), "map": _("each map"), "net": _("the whole net")}
    chosen: ColourScope | None = st.segmented_control(
        _("One colour scale for"),
        SCALES,
        default="layer",
        key=f"{key}.scale",
        persist_state="session",
        format_func=labels.__getitem__,
        help=_("Maps compare only within one scale; a scale per map shows the structure of faint maps."),
    )
    return chosen or "layer"


def _prediction(maps: ActivationMaps) -> str:
    """What the network says, and what is right."""
    weights = _("Weights after step {step:,}.") if maps.step else _("Initial weights, before any training.")
    words = _class_words(maps) if maps.value is None else _number_words(maps)
    return f"{words} {weights.format(step=maps.step)}"


def _class_words(maps: ActivationMaps) -> str:
    guess = int(maps.probabilities.argmax())
    words = _("The network says {guess} with probability {p:.1%}; right is {label}.")
    if maps.label < 0:
        words = _("The network says {guess} with probability {p:.1%}; what is right is not known.")
    label = maps.class_names[maps.label] if maps.label >= 0 else ""
    return words.format(guess=maps.class_names[guess], p=maps.probabilities[guess], label=label)


def _number_words(maps: ActivationMaps) -> str:
    name = maps.target_name or _("value")
    if maps.truth is None:
        return _("The network predicts {value:.4g} ({name}); what is right is not known.").format(value=maps.value, name=name)
    return _("The network predicts {value:.4g} ({name}); right is {truth:.4g}.").format(
        value=maps.value, name=name, truth=maps.truth
    )
