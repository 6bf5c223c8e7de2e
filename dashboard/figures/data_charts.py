"""What a data set is like before anything is trained on it: classes, columns, correlations, texts, components, pictures."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.results.data_report import DataReport
from dashboard.figures import theme
from dashboard.figures.data_pictures import (
    alt_augmentation_sheet,
    alt_image_means,
    alt_pixel_histogram,
    augmentation_sheet,
    image_means,
    pixel_histogram,
)
from dashboard.figures.stacks import (
    LEGEND,
    Group,
    class_groups,
    empty_figure,
    named_bars,
    plain,
    range_bars,
    short,
    split_groups,
)
from dashboard.text import _, counted

__all__ = [
    "alt_augmentation_sheet",
    "alt_class_balance",
    "alt_correlation_map",
    "alt_explained_variance_bars",
    "alt_feature_histogram",
    "alt_image_means",
    "alt_length_histogram",
    "alt_pixel_histogram",
    "alt_target_histogram",
    "alt_token_bars",
    "augmentation_sheet",
    "class_balance",
    "correlation_map",
    "explained_variance_bars",
    "feature_histogram",
    "image_means",
    "length_histogram",
    "pixel_histogram",
    "target_histogram",
    "token_bars",
]

MAX_ROWS = 60
"""Bars below each other; of more, the longest are shown."""
NUMBERED = 12
"""A map of up to so many columns has its numbers written in."""


def class_balance(report: DataReport, *, dark: bool = False) -> go.Figure:
    """Examples of each class, training, validation and test on end."""
    counts = np.asarray(report.class_counts)
    shown = np.sort(np.argsort(-counts.sum(axis=0), kind="stable")[:MAX_ROWS])
    names = [report.class_names[k] for k in shown]
    all_shown = len(shown) == counts.shape[1]
    title = _("Classes") if all_shown else _("The {n} largest of {all} classes").format(n=len(shown), all=counts.shape[1])
    figure = named_bars(split_groups(counts[:, shown]), names, kind=_("class"), unit=_("examples"), dark=dark)
    return figure.update_layout(title_text=title)


def alt_class_balance(report: DataReport) -> str:
    """The figure in a sentence: how many classes, the largest and the smallest."""
    total = np.asarray(report.class_counts).sum(axis=0)
    return _("{classes}; most examples: {largest} ({most:,}), fewest: {smallest} ({fewest:,}).").format(
        classes=counted("{n} class", "{n} classes", len(total)),
        largest=report.class_names[int(total.argmax())],
        most=int(total.max()),
        smallest=report.class_names[int(total.argmin())],
        fewest=int(total.min()),
    )


def target_histogram(report: DataReport, *, dark: bool = False) -> go.Figure:
    """How often each range of the target occurs, training, validation and test on end."""
    groups = split_groups(np.asarray(report.target_counts))
    figure = range_bars(groups, np.asarray(report.target_edges), of=_target_name(report), unit=_("examples"), dark=dark)
    return figure.update_layout(title_text=_("Target"))


def alt_target_histogram(report: DataReport) -> str:
    """The figure in a sentence: from where to where the target goes, and where most examples are."""
    return _range_sentence(_target_name(report), np.asarray(report.target_edges), np.asarray(report.target_counts).sum(axis=0))


def feature_histogram(report: DataReport, index: int, *, dark: bool = False) -> go.Figure:
    """How often each range, or each category, of one column occurs in the training split, by class on end."""
    name, unit = _feature_name(report, index), _("training examples")
    categories = _categories(report, index)
    if reason := _why_empty(report, index):
        figure = empty_figure(reason, dark=dark)
    elif categories:
        counts = report.category_counts[index]
        shown = np.argsort(-counts.sum(axis=0), kind="stable")[:MAX_ROWS].tolist()
        groups = class_groups(counts[:, shown], report.class_names)
        figure = named_bars(groups, [categories[i] for i in shown], kind=_("category"), unit=unit, dark=dark)
    else:
        groups = class_groups(np.asarray(report.histogram_counts)[:, index], report.class_names)
        figure = range_bars(groups, np.asarray(report.histogram_edges)[index], of=name, unit=unit, dark=dark)
    return figure.update_layout(title_text=plain(name))


def alt_feature_histogram(report: DataReport, index: int) -> str:
    """The figure in a sentence: the range of the column, or its most frequent category."""
    name, categories = _feature_name(report, index), _categories(report, index)
    if reason := _why_empty(report, index):
        return f"{name}: {reason}"
    if not categories:
        edges, counts = np.asarray(report.histogram_edges)[index], np.asarray(report.histogram_counts)[:, index]
        return _range_sentence(name, edges, counts.sum(axis=0))
    total = report.category_counts[index].sum(axis=0)
    return _("{name}: {categories}; most frequent is {largest} ({share:.0%}).").format(
        name=name,
        categories=counted("{n} category", "{n} categories", len(categories)),
        largest=categories[int(total.argmax())],
        share=total.max() / total.sum(),
    )


def correlation_map(report: DataReport, *, dark: bool = False) -> go.Figure:
    """Pearson's correlation of each pair of columns, from -1 (blue) to 1 (red); gaps where there is none."""
    r = np.asarray(report.correlation)
    names = list(report.feature_names[: len(r)])
    places = list(range(len(names)))
    figure = go.Figure(
        go.Heatmap(
            z=r,
            zmin=-1,
            zmax=1,
            colorscale=theme.diverging(dark),
            colorbar=theme.colour_bar(_("correlation"), dark),
            text=[[plain(f"{a} · {b}") for b in names] for a in names],
            texttemplate="%{z:.2f}" if len(names) <= NUMBERED else "",
            hovertemplate="%{text}<br><b>%{z:.3f}</b><extra></extra>",
            hoverongaps=False,
            name=_("correlation"),
        )
    )
    axis = {
        "tickvals": places,
        "ticktext": [short(name) for name in names],
        "showgrid": False,
        "zeroline": False,
        "title_text": _("column"),
    }
    more = len(report.feature_names) - len(names)
    title = _("Correlation of the columns") + (" " + _("(the first {n})").format(n=len(names)) if more else "")
    return figure.update_layout(
        template=theme.template(dark),
        title_text=title,
        height=int(np.clip(180 + 22 * len(names), 280, 1100)),
        xaxis={**axis, "constrain": "domain", "tickangle": -90 if len(names) > 6 else 0},
        yaxis={**axis, "range": [len(names) - 0.5, -0.5], "scaleanchor": "x", "constrain": "domain", "constraintoward": "top"},
    )


def alt_correlation_map(report: DataReport) -> str:
    """The figure in a sentence: the pair that goes together most."""
    r = np.triu(np.nan_to_num(np.asarray(report.correlation)), k=1)
    if not r.any():
        return _("No two columns go together.")
    i, j = (int(at) for at in np.unravel_index(int(np.abs(r).argmax()), r.shape))
    return _("Strongest of the correlations: {a} and {b}, {r:.2f}.").format(
        a=report.feature_names[i], b=report.feature_names[j], r=r[i, j]
    )


def token_bars(report: DataReport, *, dark: bool = False) -> go.Figure:
    """The most frequent tokens of the training split, by class on end."""
    groups = class_groups(np.asarray(report.token_counts).T, report.class_names)
    figure = named_bars(groups, report.tokens, kind=_("token"), unit=_("occurrences"), dark=dark)
    return figure.update_layout(title_text=_("Most frequent tokens"))


def alt_token_bars(report: DataReport) -> str:
    """The figure in a sentence: the first tokens and how often they occur."""
    totals = np.asarray(report.token_counts).sum(axis=1)
    firsts = [f"{token} ({int(n):,})" for token, n in zip(report.tokens[:3], totals, strict=False)]
    return _("Most frequent tokens: {tokens}.").format(tokens=", ".join(firsts))


def length_histogram(report: DataReport, *, dark: bool = False) -> go.Figure:
    """How many training sequences have so many tokens."""
    lengths = np.asarray(report.lengths)
    edges = np.arange(len(lengths) + 1) - 0.5
    figure = range_bars([Group("", lengths)], edges, of=_("tokens of an example"), unit=_("training examples"), dark=dark)
    return figure.update_traces(
        hovertemplate="%{x} " + _("tokens") + "<br><b>%{y:,}</b> " + _("training examples") + "<extra></extra>"
    ).update_layout(title_text=_("Lengths"))


def alt_length_histogram(report: DataReport) -> str:
    """The figure in a sentence: the shortest, the longest and the middle length."""
    lengths = np.asarray(report.lengths)
    present = np.flatnonzero(lengths)
    if not len(present):
        return _("No examples.")
    median = int(np.searchsorted(np.cumsum(lengths), lengths.sum() / 2))
    return _("Examples have {least} to {most} tokens, half of them at most {median}.").format(
        least=present[0], most=present[-1], median=median
    )


def explained_variance_bars(values: Sequence[float] | np.ndarray, *, dark: bool = False) -> go.Figure:
    """The share of the variance that each principal component explains, and of all up to it as a line."""
    shares = np.asarray(values, float)
    components = list(range(1, len(shares) + 1))
    hover = _("component") + " %{x}<br><b>%{y:.1%}</b><extra></extra>"
    figure = go.Figure(
        [
            go.Bar(
                x=components, y=shares, name=_("this one"), marker={"color": theme.categorical(dark)[0]}, hovertemplate=hover
            ),
            go.Scatter(
                x=components,
                y=np.cumsum(shares),
                name=_("all up to it"),
                mode="lines+markers",
                line={"color": theme.categorical(dark)[1]},
                hovertemplate=hover,
            ),
        ]
    )
    return figure.update_layout(
        template=theme.template(dark),
        title_text=_("Explained variance"),
        height=300,
        legend=LEGEND,
        xaxis={"title_text": _("principal component"), "showgrid": False, "dtick": 1 if len(shares) <= 20 else None},
        yaxis={"title_text": _("share of the variance"), "range": [0, 1.04], "tickformat": ".0%"},
    )


def alt_explained_variance_bars(values: Sequence[float] | np.ndarray) -> str:
    """The figure in a sentence: what the first and all components explain."""
    shares = np.asarray(values, float)
    return _("{components} explain {share:.0%} of the variance, the first alone {first:.0%}.").format(
        components=counted("{n} component", "{n} components", len(shares)), share=shares.sum(), first=shares[:1].sum()
    )


def _target_name(report: DataReport) -> str:
    return report.target_name or _("target")


def _feature_name(report: DataReport, index: int) -> str:
    return report.feature_names[index] if index < len(report.feature_names) else _("column {n}").format(n=index + 1)


def _categories(report: DataReport, index: int) -> tuple[str, ...]:
    return report.categories[index] if index < len(report.categories) else ()


def _why_empty(report: DataReport, index: int) -> str:
    """Why there is nothing to draw for this column; empty where there is something."""
    edges = np.asarray(report.histogram_edges)
    if _categories(report, index):
        return "" if report.category_counts[index].any() else _("No training example has a value here.")
    if index >= len(edges):
        return _("Only the first {n} columns have a histogram.").format(n=len(edges))
    return "" if np.isfinite(edges[index]).all() else _("No training example has a value here.")


def _range_sentence(name: str, edges: np.ndarray, counts: np.ndarray) -> str:
    if not counts.any():
        return _("No examples.")
    most = int(counts.argmax())
    return _("{name}: from {low:.4g} to {high:.4g}, most often between {from_:.4g} and {to:.4g} ({share:.0%}).").format(
        name=name, low=edges[0], high=edges[-1], from_=edges[most], to=edges[most + 1], share=counts[most] / counts.sum()
    )
