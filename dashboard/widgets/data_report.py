"""What there is to know of a data set: balance, statistics, histograms, correlations, duplicates and leaks."""

from typing import Any

import streamlit as st

from core.data.lint import report_findings
from core.experiment.experiment import Experiment
from core.jobs.data_lenses import DataReportJob
from core.results.data_report import DataReport
from dashboard.figures import data_charts as charts
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.findings import findings
from dashboard.widgets.lens import look

SPLITS = ("Training", "Validation", "Test")


def data_report(experiment: Experiment, *, key: str) -> None:
    """Asks for the report, and shows it."""

    def show(report: DataReport) -> None:
        _report(report, key)

    look(DataReportJob(data=experiment.data, seed=experiment.seed), DataReport, show, key=key)


def _report(report: DataReport, key: str) -> None:
    dark = is_dark()
    findings(report_findings(report), screen=key)
    left, right = st.columns(2, gap="medium")
    with left:
        if report.class_counts is not None:
            _chart(charts.class_balance(report, dark=dark), f"{key}.balance", charts.alt_class_balance(report))
        if report.target_counts is not None:
            _chart(charts.target_histogram(report, dark=dark), f"{key}.target", charts.alt_target_histogram(report))
    with right:
        _by_kind(report, key, dark)
    _tables(report, key, dark)
    download_arrays(report, "data_report.npz", key=f"{key}.download", label=_("Download the report (NPZ)"))


def _by_kind(report: DataReport, key: str, dark: bool) -> None:
    """Pictures: pixel values. Text: lengths. Tables: one column's histogram."""
    if report.pixel_counts is not None:
        _chart(charts.pixel_histogram(report, dark=dark), f"{key}.pixels", charts.alt_pixel_histogram(report))
    if report.lengths is not None:
        _chart(charts.length_histogram(report, dark=dark), f"{key}.lengths", charts.alt_length_histogram(report))
    if report.histogram_counts is not None:
        names = report.feature_names
        at = st.selectbox(_("Column"), range(len(names)), format_func=lambda i: names[i], key=f"{key}.column")
        _chart(charts.feature_histogram(report, at, dark=dark), f"{key}.histogram", charts.alt_feature_histogram(report, at))


def _tables(report: DataReport, key: str, dark: bool) -> None:
    """What needs the whole width."""
    if report.image_mean is not None:
        _chart(charts.image_means(report, dark=dark), f"{key}.means", charts.alt_image_means(report))
    if report.tokens:
        _chart(charts.token_bars(report, dark=dark), f"{key}.tokens", charts.alt_token_bars(report))
    if report.statistics is not None:
        st.dataframe(_statistics(report), hide_index=True, key=f"{key}.statistics")
    if report.correlation is not None and len(report.correlation) > 1:
        _chart(charts.correlation_map(report, dark=dark), f"{key}.correlation", charts.alt_correlation_map(report))
    if report.explained_variance is not None:
        drawing = charts.explained_variance_bars(report.explained_variance, dark=dark)
        _chart(drawing, f"{key}.variance", charts.alt_explained_variance_bars(report.explained_variance))
    if report.duplicates is not None and len(report.duplicates):
        with st.expander(_("Equal examples, pair by pair")):
            st.dataframe(_duplicates(report), hide_index=True, key=f"{key}.duplicates")


def _chart(drawing: Any, key: str, alt: str) -> None:
    figure(drawing, key=key, alt=alt)


def _statistics(report: DataReport) -> dict[str, Any]:
    """Columns of the table of statistics."""
    heads = (_("mean"), _("standard deviation"), _("least"), _("median"), _("largest"), _("missing"))
    values = report.statistics
    return {_("column"): list(report.feature_names)} | {head: values[:, i] for i, head in enumerate(heads)}  # type: ignore[index]


def _duplicates(report: DataReport) -> dict[str, Any]:
    pairs = report.duplicates
    names = [_(name) for name in SPLITS]
    return {
        _("split"): [names[pair[0]] for pair in pairs],  # type: ignore[union-attr]
        _("number"): [int(pair[1]) for pair in pairs],  # type: ignore[union-attr]
        _("equals, in split"): [names[pair[2]] for pair in pairs],  # type: ignore[union-attr]
        _("the number"): [int(pair[3]) for pair in pairs],  # type: ignore[union-attr]
    }
