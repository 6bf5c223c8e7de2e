"""What is behind the maps: histograms of picture and layers, and which units are dead or saturated."""

from typing import Any

import numpy as np
import streamlit as st

from core.jobs.activation_lenses import ActivationHistogramsJob, ActivationStatisticsJob
from core.jobs.lenses import ExampleRef
from core.results.activation_histograms import ActivationHistograms
from core.results.activation_statistics import ActivationStatistics
from dashboard.figures.activation_histograms import (
    activation_histogram,
    alt_activation_histogram,
    alt_picture_histogram,
    picture_histogram,
)
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject
from dashboard.widgets.table_file import download_table

LISTED = 12
"""Still units whose numbers stand in the table."""


def histograms(subject: Subject, *, key: str) -> None:
    """How often each value occurs in the picture and in each layer; computed when it is opened."""
    box = st.expander(_("Histograms of the example and of each layer"), key=key, on_change="rerun", icon=":material/bar_chart:")
    if not box.open:
        return
    with box:
        job = ActivationHistogramsJob(**subject.asked())
        look(job, ActivationHistograms, lambda found: _histograms(found, key), key=f"{key}.look")


def still_units(subject: Subject, *, key: str) -> None:
    """Dead and saturated units over a sample of the split; computed when it is opened."""
    box = st.expander(_("Dead and saturated units"), key=key, on_change="rerun", icon=":material/heart_broken:")
    if not box.open:
        return
    with box:
        asked = subject.asked() | {"example": ExampleRef(split=subject.example.split)}  # no matter which of its examples
        job = ActivationStatisticsJob(**asked)
        look(job, ActivationStatistics, lambda found: _statistics(found, key), key=f"{key}.look")


def split_words(split: str) -> str:
    """The examples of a split, in the middle of a sentence."""
    words = {"train": _("training examples"), "validation": _("validation examples"), "test": _("test examples")}
    return words.get(split, split)


def _histograms(found: ActivationHistograms, key: str) -> None:
    dark = is_dark()
    drawings: list[tuple[Any, str, str]] = []
    if found.pixel_counts is not None:
        drawings.append((picture_histogram(found, dark=dark), f"{key}.pixels", alt_picture_histogram(found)))
    for layer in range(len(found.layer_names)):
        drawing = activation_histogram(found, layer, dark=dark)
        drawings.append((drawing, f"{key}.layer.{layer}", alt_activation_histogram(found, layer)))
    columns = st.columns(2, gap="medium")
    for i, (drawing, name, alt) in enumerate(drawings):
        with columns[i % 2]:
            figure(drawing, key=name, alt=alt)
    download_arrays(found, "activation_histograms.npz", key=f"{key}.download", label=_("Download the histograms (NPZ)"))


def _statistics(found: ActivationStatistics, key: str) -> None:
    st.text(_over(found))
    for sentence in still_sentences(found):
        st.text(sentence)
    table = statistics_table(found)
    st.dataframe(_shown(table), hide_index=True, key=f"{key}.table", column_config=_columns())
    with st.container(horizontal=True):
        download_table(table, "activation_statistics.csv", key=f"{key}.csv")
        download_arrays(found, "activation_statistics.npz", key=f"{key}.download", label=_("Download every unit (NPZ)"))


def _over(found: ActivationStatistics) -> str:
    """Over which examples."""
    words = _("Over all {n:,} {examples}.")
    if found.n_examples < found.n_split:
        words = _("Over a sample of {n:,} of the {all:,} {examples}.")
    return words.format(n=found.n_examples, all=found.n_split, examples=split_words(found.split))


def still_sentences(found: ActivationStatistics) -> list[str]:
    """What is dead and what is saturated, layer by layer, in words."""
    layers = [layer for layer, effect in enumerate(found.effects) if effect]
    if not layers:
        return [_("No layer of this net can die or saturate: it has no ReLU-like and no squeezing activation.")]
    return [_dead(found, layer) if found.effects[layer] == "dead" else _saturated(found, layer) for layer in layers]


def _dead(found: ActivationStatistics, layer: int) -> str:
    n, all_units = found.n_always(layer), int(found.n_units[layer])
    name = found.layer_names[layer]
    if not n:
        return _("{name}: no dead unit, each of the {all} answers to some example.").format(name=name, all=f"{all_units:,}")
    dead = counted("{n} unit is dead", "{n} units are dead", n)
    return _("{name}: {dead} ({share:.0%} of {all}), with {rule} everywhere for every example.").format(
        name=name, dead=dead, share=n / all_units, all=f"{all_units:,}", rule=_(found.rules[layer])
    )


def _saturated(found: ActivationStatistics, layer: int) -> str:
    words = _("{name}: {share:.1%} of the outputs are saturated ({rule})")
    told = words.format(name=found.layer_names[layer], share=found.still_share[layer].mean(), rule=_(found.rules[layer]))
    n = found.n_always(layer)
    always = counted("; {n} unit always is.", "; {n} units always are.", n) if n else _("; no unit always is.")
    return told + always


def statistics_table(found: ActivationStatistics) -> dict[str, list[Any]]:
    """One row per layer. Where a layer can neither die nor saturate, these cells are empty."""
    layers = range(len(found.layer_names))

    def shares(effect: str) -> list[float | None]:
        wanted = [found.effects[layer] == effect for layer in layers]
        if effect == "dead":
            return [float((found.still_share[i] == 1).mean()) if is_it else None for i, is_it in enumerate(wanted)]
        return [float(found.still_share[i].mean()) if is_it else None for i, is_it in enumerate(wanted)]

    return {
        _("layer"): list(found.layer_names),
        _("units"): found.n_units.tolist(),
        _("dead units"): shares("dead"),
        _("saturated outputs"): shares("saturated"),
        _("which units"): [_numbers(found, layer) for layer in layers],
        _("exact zeros"): found.zero_share.tolist(),
        _("mean"): found.mean.tolist(),
        _("standard deviation"): found.std.tolist(),
        _("least"): found.least.tolist(),
        _("largest"): found.largest.tolist(),
    }


def _numbers(found: ActivationStatistics, layer: int) -> str:
    """The units that are still everywhere, by number."""
    units = np.flatnonzero(found.still_share[layer] == 1)
    more = ", …" if len(units) > LISTED else ""
    return ", ".join(str(unit) for unit in units[:LISTED]) + more


def _shown(table: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The table as it is read: shares in percent, and nothing where there is none."""
    shares = (_("dead units"), _("saturated outputs"), _("exact zeros"))

    def words(share: float | None) -> str:
        return "" if share is None else f"{share:.1%}"

    return {name: [words(one) for one in column] if name in shares else column for name, column in table.items()}


def _columns() -> dict[str, Any]:
    """Numbers in four digits."""
    number = st.column_config.NumberColumn(format="%.4g")
    return dict.fromkeys((_("mean"), _("standard deviation"), _("least"), _("largest")), number)
