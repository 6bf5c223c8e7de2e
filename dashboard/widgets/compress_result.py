"""What came of a compression: figures side by side, times, layers; and the way to all other screens with the smaller model."""

import streamlit as st

from core.jobs.compress import FILE, CompressJob
from core.results.compression import CompressionReport
from dashboard.figures.compress_latency import (
    alt_latency,
    alt_losses,
    alt_zeros,
    latency_boxes,
    loss_line,
    zero_bars,
)
from dashboard.session import resources, state
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.compress_words import (
    agreement_words,
    change_words,
    cost_numbers,
    cost_table,
    headline,
    honest_words,
)
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import ASKED
from dashboard.widgets.links import open_screen
from dashboard.widgets.table_file import download_table

PRUNINGS = ("magnitude", "structured", "random")


def result(job: CompressJob, report: CompressionReport, *, key: str) -> None:
    """The report, what is honest to add, and what can be done with it."""
    st.markdown(f"**{plain(headline(report))}**")
    for words in filter(None, (change_words(report), agreement_words(report))):
        st.text(words)
    _open(job, key)
    st.dataframe(cost_table(report), hide_index=True, key=f"{key}.table")
    for words in honest_words(report):
        st.caption(plain(words))
    for place, (column, batch) in enumerate(zip(st.columns(len(report.batches)), report.batches, strict=True)):
        with column:
            chart = latency_boxes(report, batch, dark=is_dark())
            figure(chart, key=f"{key}.latency.{place}", alt=alt_latency(report, batch))
    if report.kind in PRUNINGS and report.weights[:, 1].any():
        figure(zero_bars(report, dark=is_dark()), key=f"{key}.zeros", alt=alt_zeros(report))
    if len(report.losses) > 1:
        figure(loss_line(report, dark=is_dark()), key=f"{key}.losses", alt=alt_losses(report))
    _downloads(report, key)


def _run_of(key: str) -> str | None:
    """The run that the report is of: what the lens has asked for."""
    known: tuple[str, str] | None = st.session_state.get(ASKED + key.removesuffix(".result"))
    return known[1] if known else None


def _open(job: CompressJob, key: str) -> None:
    """Buttons that make the compressed model the one that all screens look at."""
    run = _run_of(key)
    if run is None:
        return
    screens = {
        "inspect": (_("Inspect"), ":material/search:"),
        "explain": (_("Explain"), ":material/lightbulb:"),
        "evaluate": (_("Evaluate"), ":material/fact_check:"),
        "export": (_("Export"), ":material/ios_share:"),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(_("Open the compressed model in"))
        for name, (label, icon) in screens.items():
            if st.button(label, key=f"{key}.open.{name}", icon=icon):
                state.set_experiment(job.trained())
                state.set_run(run)
                open_screen(name)


def _downloads(report: CompressionReport, key: str) -> None:
    run = _run_of(key)
    with st.container(horizontal=True):
        if run is not None:
            st.download_button(
                _("Download the compressed weights"),
                lambda: resources.client().artifact_bytes(run, FILE),
                FILE,
                key=f"{key}.file",
                icon=":material/download:",
                on_click="ignore",
            )
        download_arrays(report, "compression.npz", key=f"{key}.npz", label=_("Download the numbers (NPZ)"))
        download_table(cost_numbers(report), "compression.csv", key=f"{key}.csv")
