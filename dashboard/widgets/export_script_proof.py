"""The script, run in a process of its own: its curve beside that of the run."""

from typing import Any

import numpy as np
import streamlit as st

from core.jobs.script_job import ScriptRunJob
from core.results.script import CLOSE, CurveComparison, Script, ScriptRun, compared
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.figures.script_curves import script_curves
from dashboard.session import run_history
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import is_wanted, look, want


def proof(record: RunRecord | None, asked: dict[str, Any], script: Script, *, key: str) -> None:
    """A button that runs the script; then both curves, and in words how near they are."""
    if record is not None and record.state in UNFINISHED:
        st.caption(_("When this run has ended, the script can be run here and compared with it."))
        return
    if record is None or record.last_step == 0:
        st.caption(_("Once there is a run, the script can be run here and compared with it."))
        return
    job = ScriptRunJob(**asked)
    if not is_wanted(job, key=key):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(_("Run it and compare"), key=f"{key}.run", on_click=want, args=(job, key), icon=":material/verified:")
            st.caption(_("In a process of its own, with nothing of Layerwise in it. It takes about as long as the run took."))
        return

    def show(ran: ScriptRun) -> None:
        series = job.series
        losses = run_history.asked(record, lambda history: np.array(history.losses[series]))
        _compared(losses, ran, job, script, key)

    look(job, ScriptRun, show, key=f"{key}.job")


def _compared(losses: np.ndarray, ran: ScriptRun, job: ScriptRunJob, script: Script, key: str) -> None:
    found = compared(losses, ran.losses)
    words = proof_words(found)
    if len(ran.alone):
        words += f" {alone_words(compared(ran.alone, ran.losses))}"
    if found.is_exact:
        st.success(words, icon=":material/verified:")
    elif script.is_exact or found.n_run != found.n_script:
        st.warning(words, icon=":material/difference:")
    else:
        st.info(words, icon=":material/check:")
    unit = job.experiment.loss.unit
    figure(script_curves(losses, ran.losses, unit=unit, dark=is_dark()), key=f"{key}.figure", alt=words)
    st.caption(
        _("The script took {seconds:.1f} s, with Python {python} and torch {torch}.").format(
            seconds=ran.seconds, python=ran.python, torch=ran.torch
        )
    )
    download_arrays(ran, "script-run.npz", key=f"{key}.npz", label=_("Download the numbers (NPZ)"))


def alone_words(found: CurveComparison) -> str:
    """What training the same anew, one network at a time, says of the difference."""
    if found.is_exact:
        return _(
            "Trained anew by Layerwise one network at a time, the experiment gives all {n:,} losses of the script bit for bit: "
            "what is left is rounding."
        ).format(n=found.n_script)
    return _("Trained anew one network at a time, it differs from the script by at most {largest:.2g}.").format(
        largest=found.largest
    )


def proof_words(found: CurveComparison) -> str:
    """How near the two curves are."""
    if found.is_exact:
        return _("Proven: all {n:,} losses of the script and of the run are equal, bit for bit.").format(n=found.n_run)
    parts = []
    if found.n_run != found.n_script:
        parts.append(_("The run has {n:,} losses, the script {m:,}.").format(n=found.n_run, m=found.n_script))
    n = min(found.n_run, found.n_script)
    if found.n_close == n:
        parts.append(_("All {n:,} losses agree within {tolerance:g}.").format(n=n, tolerance=CLOSE))
    else:
        parts.append(
            _("The first {n:,} of {m:,} losses agree within {tolerance:g}.").format(n=found.n_close, m=n, tolerance=CLOSE)
        )
    if found.largest:
        parts.append(
            _("The largest difference is {largest:.2g}, in step {step:,}.").format(largest=found.largest, step=found.largest_at)
        )
    return " ".join(parts)
