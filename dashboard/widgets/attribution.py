"""One explanation: its picture or bars, the figures to judge it by, and its arrays to take along."""

import math

import streamlit as st

from core.results.attribution import Attribution
from core.results.codec import result_bytes
from dashboard.figures import attribution as attribution_figures
from dashboard.figures.attribution import View
from dashboard.figures.bars import alt_text as bars_alt_text
from dashboard.figures.bars import contribution_bars
from dashboard.text import _, counted
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark


def attribution(found: Attribution, *, key: str, view: View = "overlay") -> None:
    """The picture or the bars, and below them what there is to judge them by."""
    dark = is_dark()
    if found.pixels is not None:
        drawing = attribution_figures.attribution_figure(found, view=view, dark=dark)
        drawing.update_layout(title_text="", margin_t=8, height=300)  # the panel has the title
        figure(drawing, key=f"{key}.figure", alt=attribution_figures.alt_text(found))
    else:
        drawing = contribution_bars(found, dark=dark)
        drawing.update_layout(title_text="", margin_t=8)
        figure(drawing, key=f"{key}.figure", alt=bars_alt_text(found))
    st.text("  ·  ".join(_trust(found)))
    for note in found.notes:
        st.caption(plain(note))
    st.download_button(
        _("Download arrays (NPZ)"),
        lambda: result_bytes(found),
        f"{found.method}.npz",
        key=f"{key}.download",
        icon=":material/download:",
    )


def _trust(found: Attribution) -> list[str]:
    """The figures to judge an explanation by, in words."""
    words = [_answer(found)]
    if found.base is not None:
        base = _("base value {base:.4g}") if found.fit_r2 is None else _("intercept {base:.4g}")
        words.append(base.format(base=found.base))
    if found.residual is not None:
        words.append(_("additivity residual {residual:.1e}").format(residual=found.residual))
    if found.fit_r2 is not None:
        words.append(_("R² of the fit {r2:.2f}").format(r2=found.fit_r2))
    if found.seed is not None:
        words.append(_("seed {seed}").format(seed=found.seed))
    evaluations = counted("{n} evaluation", "{n} evaluations", found.n_evaluations)
    words.append(_("{evaluations} in {s:.2f} s").format(evaluations=evaluations, s=found.seconds))
    return words


def _answer(found: Attribution) -> str:
    """What the network says: a class with its probability, or a number."""
    if math.isnan(found.probability):
        return _("{name}: predicted {output:.4g}").format(name=found.target_name, output=found.output)
    unit = _("output") if found.unit == "relative" else _(found.unit)
    return _("{name}: {unit} {output:.3f}, probability {p:.1%}").format(
        name=found.target_name, unit=unit, output=found.output, p=found.probability
    )
