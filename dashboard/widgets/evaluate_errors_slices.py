"""How good the model is on parts of the data, the worst first; and the worst examples of one part."""

from typing import Any

import numpy as np
import streamlit as st

from core.data.gallery import SplitName
from core.jobs.error_lenses import SlicesJob
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.lenses import ExampleRef
from core.results.error_gallery import furthest_off, telling
from core.results.predictions import Predictions
from core.results.slices import Slices
from dashboard.figures.slices import SMALL, alt_slices, slices_figure
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.evaluate_errors_gallery import gallery
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

SHOWN = 20
"""Slices in the picture; the table has all."""
NARROWEST = 560
"""Pixels that picture and table need each; with less they stand one below the other."""
ALPHA = 0.05
ALL = ""


def view(subject: Subject, split: SplitName, *, key: str) -> None:
    """All slices of the split."""
    asked = subject.asked() | {"example": ExampleRef()}
    look(
        SlicesJob(**asked, split=split),
        Slices,
        lambda found: _shown(subject, found, PredictionsJob(**asked, split=split), key),
        key=f"{key}.look",
    )


def _shown(subject: Subject, found: Slices, answers: PredictionsJob, key: str) -> None:
    st.text(in_words(found))
    places = _chosen(found, key)
    if not places:
        return
    with st.grid(2, min_column_width=NARROWEST, gap="medium", key=f"{key}.both"):
        with st.container(key=f"{key}.picture"):
            shown = places[:SHOWN]
            figure(slices_figure(found, shown, dark=is_dark()), key=f"{key}.figure", alt=alt_slices(found, shown))
            st.caption(
                _("A ring is a slice of fewer than {n} examples. The dashed line is the whole split.").format(n=SMALL)
                + " "
                + (_("Drawn are the first {n}.").format(n=SHOWN) if len(places) > SHOWN else "")
            )
        with st.container(key=f"{key}.rows"):
            row = _table(found, places, key)
    if row is not None:
        look(answers, Predictions, lambda said: _worst(subject, said, found, row, key), key=f"{key}.answers")


def _chosen(found: Slices, key: str) -> list[int]:
    """The slices by one criterion, or all of them; in their order."""
    criteria = [ALL, *dict.fromkeys(sorted(found.criteria))]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.choice"):
        criterion = st.selectbox(
            _("Slices by"),
            criteria,
            key=f"{key}.criterion",
            format_func=lambda name: name if name != ALL else _("everything"),
            width=280,
        )
        download_arrays(found, "slices.npz", key=f"{key}.download")
    return [i for i, name in enumerate(found.criteria) if criterion in (ALL, None, name)]


def _table(found: Slices, places: list[int], key: str) -> int | None:
    """All numbers; the place of the slice whose row was pressed."""
    event: Any = st.dataframe(
        rows_of(found, places),
        key=f"{key}.table",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.4g" if found.is_regression else "%.1f %%")
            for name in (score_name(found), _("95 % from"), _("to"))
        }
        | {_("p, corrected"): st.column_config.NumberColumn(format="%.3g")},
        placeholder="–",
    )
    st.caption(_("Press a row to see the examples of a slice on which the model errs."))
    chosen = event.selection.rows
    return places[chosen[0]] if chosen and chosen[0] < len(places) else None


def rows_of(found: Slices, places: list[int]) -> dict[str, list[Any]]:
    """The columns of the table; shares in per cent."""
    scale = 1 if found.is_regression else 100
    return {
        _("slice by"): [found.criteria[i] for i in places],
        _("value"): [found.names[i] for i in places],
        _("examples"): found.n[places].tolist(),
        score_name(found): (scale * found.score[places]).tolist(),
        _("95 % from"): (scale * found.low[places]).tolist(),
        _("to"): (scale * found.high[places]).tolist(),
        _("p, corrected"): found.p_holm[places].tolist(),
    }


def score_name(found: Slices) -> str:
    """What the column of scores is called."""
    return _("mean error") if found.is_regression else _("accuracy")


def _worst(subject: Subject, said: Predictions, found: Slices, row: int, key: str) -> None:
    """The errors in one slice, or what is furthest off."""
    within = found.members[row].astype(np.int64)
    places = furthest_off(said, within) if found.is_regression else telling(said, "confident_errors", within)
    name = f"{found.criteria[row]}: {found.names[row]}"
    if found.is_regression:
        words = _("{name}: the examples that are furthest off come first.").format(name=name)
    else:
        errors = counted("{n} error, the surest first.", "{n} errors, the surest first.", len(places))
        words = f"{name}: {errors}"
    st.text(words)
    gallery(subject, said, places, key=f"{key}.gallery", label=words)


def in_words(found: Slices) -> str:
    """What the whole split scores, how many slices differ, and how many would by chance."""
    whole = _("mean absolute error {score:.4g}") if found.is_regression else _("accuracy {score:.1%}")
    n = int(np.isfinite(found.p).sum())
    differ = int((found.p_holm < ALPHA).sum())
    words = [
        _("The whole split: {score}, on {n:,} examples.").format(score=whole.format(score=found.overall), n=found.n_examples),
        _(
            "Of {n} slices, about {luck:.0f} would look different from the rest by chance alone (p < {alpha}); corrected for "
            "their number (Holm), {differ} do."
        ).format(n=n, luck=max(1.0, ALPHA * n), alpha=ALPHA, differ=differ)
        if n
        else "",
        _("Worst first: by the good end of the interval, so that few examples alone make no slice the worst."),
    ]
    if found.left_out:
        words.append(_("Left out, as there are many columns: {n}.").format(n=len(found.left_out)))
    return " ".join(word for word in words if word)
