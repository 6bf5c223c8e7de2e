"""What a cross-validation found: bands, a table of the folds, and which lane is better."""

import math
from typing import Any

import streamlit as st

from core.experiment.compare_models import fold_estimates, lanes_over_folds
from core.metrics.statistics import Estimate
from core.results.cross_validation import CrossValidation
from dashboard.figures.folds import Curve, alt_folds, axis_name, fold_bands
from dashboard.text import _, counted, duration
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.links import open_screen
from dashboard.widgets.runs_compare_words import tests_in_words
from dashboard.widgets.table_file import download_table

CURVES: tuple[Curve, ...] = ("validation_score", "validation_loss", "train_loss")


def shown(found: CrossValidation, *, key: str) -> None:
    """All that it says, the most important first."""
    for lane, estimate in zip(found.lanes, fold_estimates(found), strict=True):
        st.markdown(f"**{plain(_headline(found, lane, estimate))}**")
    _curves(found, key)
    st.dataframe(fold_table(found), hide_index=True, key=f"{key}.table", placeholder="–")
    st.caption(
        _(
            "The best epoch of a fold is chosen by the very examples that judge it, and flatters; the figures after the last "
            "step do not. Trained in {time} in all."
        ).format(time=duration(float(found.seconds.sum())))
    )
    for note in found.notes:
        st.info(note, icon=":material/info:")
    tests = lanes_over_folds(found)
    if tests:
        n_pairs = len(found.lanes) * (len(found.lanes) - 1) // 2
        tests_in_words(tests, n_pairs, key=f"{key}.lanes")
    _downloads(found, key)


def _curves(found: CrossValidation, key: str) -> None:
    """Bands of one figure over the epochs, or why there are none."""
    if not len(found.epochs):
        figure(fold_bands(found, dark=is_dark()), key=f"{key}.none", alt=alt_folds(found))
        return
    by: Curve | None = st.segmented_control(
        _("Curves"),
        CURVES,
        default=CURVES[0],
        required=True,
        key=f"{key}.by",
        format_func=lambda curve: axis_name(found, curve),
        persist_state="session",
        label_visibility="collapsed",
    )
    by = by or CURVES[0]
    figure(fold_bands(found, by, dark=is_dark()), key=f"{key}.bands.{by}", alt=alt_folds(found, by))
    st.caption(
        _(
            "Thin: one line per fold. Thick: their mean. Band: one standard deviation to both sides. The interval of the mean "
            "above is wider than that of a plain t test, since folds share most of their training examples (Nadeau and Bengio "
            "2003)."
        )
    )


def _headline(found: CrossValidation, lane: str, estimate: Estimate) -> str:
    what = _("held-out accuracy") if found.is_accuracy else _("held-out R²")
    if not estimate.n:
        return _("{lane}: every fold diverged. Try a smaller learning rate.").format(lane=lane)
    words = _("{lane}: {what} {mean} (95 % interval {low} to {high}), mean of {folds} after the last step.").format(
        lane=lane,
        what=what,
        mean=_score(found, estimate.mean),
        low=_score(found, max(0.0, estimate.low) if found.is_accuracy else estimate.low),
        high=_score(found, min(1.0, estimate.high)),
        folds=counted("{n} fold", "{n} folds", estimate.n),
    )
    lost = found.k - estimate.n
    return words + (" " + counted("{n} fold diverged.", "{n} folds diverged.", lost) if lost else "")


def _score(found: CrossValidation, value: float) -> str:
    return f"{value:.1%}" if found.is_accuracy else f"{value:.3f}"


def fold_table(found: CrossValidation) -> dict[str, list[Any]]:
    """A row for each lane and fold."""
    score = _("accuracy") if found.is_accuracy else "R²"
    best, losses, scores = found.best_places(), found.best_losses(), found.best_scores()
    cells = [(lane, fold) for lane in range(len(found.lanes)) for fold in range(found.k)]
    columns: dict[str, list[Any]] = {} if len(found.lanes) == 1 else {_("lane"): [found.lanes[lane] for lane, _fold in cells]}
    return columns | {
        _("fold"): [fold + 1 for _lane, fold in cells],
        _("trained on"): [int(found.n_train[fold]) for _lane, fold in cells],
        _("held out"): [int(found.n_held_out[fold]) for _lane, fold in cells],
        _("last loss"): [_given(found.last_loss[cell]) for cell in cells],
        _("last {score}").format(score=score): [_given(found.last_score[cell]) for cell in cells],
        _("best epoch"): [int(found.epochs[best[cell]]) if best[cell] >= 0 else None for cell in cells],
        _("loss there"): [_given(losses[cell]) for cell in cells],
        _("{score} there").format(score=score): [_given(scores[cell]) for cell in cells],
        _("steps"): [int(found.steps[fold]) for _lane, fold in cells],
    }


def _given(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def _downloads(found: CrossValidation, key: str) -> None:
    with st.container(horizontal=True):
        download_arrays(
            found,
            "cross_validation.npz",
            key=f"{key}.download",
            about=_("Curves of all folds, and what was said of every example while it was held out."),
        )
        download_table(fold_table(found), "folds.csv", key=f"{key}.csv")
        if st.button(_("Open the runs"), key=f"{key}.runs", icon=":material/table_rows:"):
            open_screen("runs")
