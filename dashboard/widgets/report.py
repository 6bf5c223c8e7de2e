"""The report of a run: its curves, figures, errors, explanations, configuration and environment, as a page to keep."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core import VERSION
from core.events import Finished, Started
from core.experiment.codec import file_text
from core.experiment.experiment import Experiment
from core.models.model import infer
from core.results.attribution import Attribution
from core.results.confusion import confusion
from core.results.evaluation import Evaluation, NumberEvaluation
from core.results.predictions import Predictions
from core.types import shape_text
from dashboard.figures import evaluate_residuals as residuals
from dashboard.figures.attribution import alt_text as map_alt_text
from dashboard.figures.attribution import attribution_figure
from dashboard.figures.bars import alt_text as bars_alt_text
from dashboard.figures.bars import contribution_bars
from dashboard.figures.confusion import alt_confusion, confusion_figure
from dashboard.figures.report_curves import ReportCurve, alt_curves, loss_figure, quality_figure
from dashboard.figures.token_bars import alt_text as token_alt_text
from dashboard.figures.token_bars import token_bars
from dashboard.text import _, counted, duration
from dashboard.widgets.attribution import answer
from dashboard.widgets.evaluate_metrics_words import interval_text, label, number_text, resampling_words, value_text
from dashboard.widgets.report_page import Chart, Folded, Part, Section, Table, page

MOST_LANES = 6


@dataclass(frozen=True, slots=True)
class Explained:
    """One explanation, of the example `index` of the validation split, whose true class or number is `truth`."""

    index: int
    truth: str
    found: Attribution


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that a report is made of. What was not asked for, or does not apply, is None or empty."""

    name: str
    run: str
    experiment: Experiment
    step: int
    curves: tuple[ReportCurve, ...]
    started: Started | None = None
    end: Finished | None = None
    evaluation: Evaluation | NumberEvaluation | None = None
    predictions: Predictions | None = None
    explained: tuple[Explained, ...] = ()
    lane: str = ""
    """Of a race: whose weights the figures and explanations are of."""
    curves_note: str = ""
    """What the curves leave out."""
    smaller: str = ""
    """How a model that was made smaller came about; empty for a trained one."""
    figures_note: str = ""
    """Why there are no figures."""


def report_html(facts: ReportFacts) -> bytes:
    """The page, as a file in UTF-8."""
    title = facts.name or _("Run {id}").format(id=facts.run[:8])
    lead = _("{data}. Figures and explanations are of the weights after step {step:,}. Written by Layerwise {version}.")
    if facts.lane:
        lead = _(
            "{data}. Figures and explanations are of {lane}, with its weights after step {step:,}. "
            "Written by Layerwise {version}."
        )
    sections = [
        Section(_("What was made smaller") if facts.smaller else _("What was trained"), tuple(_summary(facts))),
        Section(_("Curves"), tuple(_curves(facts))),
        Section(_("How good it is"), tuple(_figures(facts))),
        Section(_("Why it decides as it does"), tuple(_explanations(facts))),
        Section(_("Configuration"), tuple(_configuration(facts))),
        Section(_("Environment"), tuple(_environment(facts))),
    ]
    words = lead.format(data=_(facts.experiment.data.label), step=facts.step, lane=facts.lane, version=VERSION)
    return page(title, words, [section for section in sections if section.parts]).encode()


def both(draw: Callable[[bool], go.Figure], alt: str, caption: str = "", *, is_narrow: bool = False) -> Chart:
    """A chart in both themes."""
    return Chart(draw(False), draw(True), alt, caption, is_narrow)


def _summary(facts: ReportFacts) -> Iterable[Part]:
    experiment = facts.experiment
    profile = experiment.data.profile()
    inference = infer(experiment.model, profile.input_shape)
    split = _("{a:,} training, {b:,} validation, {c:,} test")
    layers = counted("{n} layer", "{n} layers", len(experiment.model.layers))
    size = counted("{n} parameter", "{n} parameters", inference.n_parameters)
    rows = [
        (_("Data"), _(experiment.data.label)),
        (_("Examples"), split.format(a=profile.n_train, b=profile.n_validation, c=profile.n_test)),
        (_("Model"), f"{layers}, {size}"),
        (_("Made smaller by"), facts.smaller)
        if facts.smaller
        else (_("Trained by"), "; ".join(experiment.lane_names()[:MOST_LANES])),
    ]
    if facts.curves and len(facts.curves[0].losses):
        rows.append((_("Steps"), f"{max(len(curve.losses) for curve in facts.curves):,}"))
    if facts.end is not None:
        rows.append((_("Time"), duration(facts.end.elapsed_s)))
    yield Table(("", ""), tuple(rows))


def _curves(facts: ReportFacts) -> Iterable[Part]:
    shown = facts.curves
    if not shown or not len(shown[0].losses):
        return
    unit = facts.experiment.loss.unit
    name = _("R²") if facts.experiment.data.profile().task == "regression" else _("accuracy")
    losses = [curve.validation_loss for curve in shown]
    yield both(lambda dark: loss_figure(shown, unit, dark=dark), alt_curves(shown, _("Validation loss"), losses))
    quality = [curve.validation_quality for curve in shown]
    if any(len(row) for row in quality):
        words = alt_curves(shown, _("Validation {name}").format(name=name), quality)
        yield both(lambda dark: quality_figure(shown, name, dark=dark), words)
    if facts.curves_note:
        yield facts.curves_note


def _figures(facts: ReportFacts) -> Iterable[Part]:
    found = facts.evaluation
    if facts.figures_note:
        yield facts.figures_note
    if found is not None:
        yield _("On the {n:,} examples of the {split} split.").format(n=found.n, split=_(found.split))
        text = value_text if isinstance(found, Evaluation) else number_text
        rows = [
            (label(name), text(name, value), interval_text(found, name))
            for name, value in zip(found.names, found.values.tolist(), strict=True)
        ]
        yield Table((_("Figure"), _("Value"), _("95 % interval")), tuple(rows))
        yield resampling_words(found)
    if isinstance(found, NumberEvaluation):
        yield from _numbers(found)
    if facts.predictions is not None and facts.predictions.class_names:
        counts, names = confusion(facts.predictions), facts.predictions.class_names
        yield both(lambda dark: confusion_figure(counts, names, "counts", dark=dark), alt_confusion(counts, names))


def _numbers(found: NumberEvaluation) -> Iterable[Part]:
    drawn = residuals.alt_predicted(found), residuals.alt_residuals(found)
    yield both(lambda dark: residuals.predicted_figure(found, dark=dark), drawn[0], is_narrow=True)
    yield both(lambda dark: residuals.residual_figure(found, dark=dark), drawn[1], is_narrow=True)


def _explanations(facts: ReportFacts) -> Iterable[Part]:
    for one in facts.explained:
        yield explanation_chart(one)
    if facts.explained:
        yield _("An explanation shows what moved this prediction, not whether the prediction is right.")


def explanation_chart(one: Explained) -> Chart:
    """One explanation as its panel draws it."""
    found = one.found
    caption = _("Validation example {i}, true: {truth}. {answer}").format(i=one.index, truth=one.truth, answer=answer(found))
    if np.issubdtype(found.input.dtype, np.integer):
        return both(lambda dark: token_bars(found, dark=dark), token_alt_text(found), caption, is_narrow=True)
    if found.values.ndim == 2:
        return both(lambda dark: attribution_figure(found, dark=dark), map_alt_text(found), caption, is_narrow=True)
    return both(lambda dark: contribution_bars(found, dark=dark), bars_alt_text(found), caption, is_narrow=True)


def _configuration(facts: ReportFacts) -> Iterable[Part]:
    experiment = facts.experiment
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    rows = [
        (str(place + 1), _(layer.label), shape_text(info.out_shape or ()), f"{info.n_parameters:,}")
        for place, (layer, info) in enumerate(zip(experiment.model.layers, inference.layers, strict=False))
    ]
    yield Table((_("Layer"), "", _("Output"), _("Parameters")), tuple(rows))
    settings = [
        (_("Loss"), _(experiment.loss.label)),
        (_("Batch"), _("all training examples") if experiment.batch_size == "full" else str(experiment.batch_size)),
        (_("Seed"), str(experiment.seed)),
        (_("Lanes"), "; ".join(experiment.lane_names())),
    ]
    yield Table(("", ""), tuple(settings))
    if facts.smaller:  # trained anew, this experiment would give another model
        return
    yield Folded(_("The experiment as a file (JSON): Share > Open repeats it"), file_text(experiment))


def _environment(facts: ReportFacts) -> Iterable[Part]:
    known = facts.started.fingerprint if facts.started else {}
    if known:
        yield Table(("", ""), tuple((name, str(value)) for name, value in known.items()))
        if not facts.smaller:
            yield _("Equal versions on an equal machine repeat the curve bit for bit.")
