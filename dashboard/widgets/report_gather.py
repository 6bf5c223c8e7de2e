"""What a report is made of, asked from the jobs that the panels ask too: what was looked at before is there at once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from core.events import Finished, Started
from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.history import History
from core.jobs.compress import CompressJob
from core.jobs.evaluation_lenses import EvaluateJob, PredictionsJob
from core.jobs.lenses import ExampleRef, ExplainJob, GalleryJob
from core.jobs.menu import parse_job
from core.models.model import all_layers
from core.results.attribution import Attribution
from core.results.evaluation import Evaluation, NumberEvaluation
from core.results.examples import ExampleGallery
from core.results.predictions import Predictions
from core.spec import choices
from core.store.protocol import RunRecord
from dashboard.figures.report_curves import ReportCurve
from dashboard.session import resources, run_history
from dashboard.text import _
from dashboard.widgets.compress_made import is_made_smaller
from dashboard.widgets.explain_methods import USUAL
from dashboard.widgets.lens import ASKED, look
from dashboard.widgets.report import Explained, ReportFacts
from dashboard.widgets.subject import Subject, example_names, series_names

SPLIT = "test"
MOST_CURVES = 6
"""More cannot be told apart."""
N_EXPLAINED = 3


def gathered(subject: Subject, record: RunRecord, *, key: str) -> ReportFacts | None:
    """All of it; None while something is being computed or has failed, which is shown here."""
    names = series_names(subject.experiment)
    facts = ReportFacts(
        name=record.name,
        run=record.id,
        experiment=subject.experiment,
        step=subject.step,
        curves=run_history.asked(record, lambda history: curves(history, names)),
        started=run_history.asked(record, _started),
        end=run_history.asked(record, _end),
        smaller=_smaller(record),
        lane=names[subject.series] if len(names) > 1 else "",
        curves_note=run_history.asked(record, left_out),
    )
    evaluated = _evaluated(subject, facts, key)
    return None if evaluated is None else _explained(subject, evaluated, key)


def _evaluated(subject: Subject, facts: ReportFacts, key: str) -> ReportFacts | None:
    """With figures and errors on the test split."""
    fields = subject.asked() | {"example": ExampleRef()}
    found: list[Evaluation | NumberEvaluation] = []
    is_regression = subject.experiment.data.profile().task == "regression"
    wanted = NumberEvaluation if is_regression else Evaluation
    look(EvaluateJob(**fields, split=SPLIT), wanted, found.append, key=f"{key}.figures")
    if _has_failed(f"{key}.figures"):  # as those of a run that diverged: its curves are worth a report all the same
        return replace(facts, figures_note=_("Figures and errors are left out: computing them failed."))
    if is_regression:
        return replace(facts, evaluation=found[0]) if found else None
    said: list[Predictions] = []
    look(PredictionsJob(**fields, split=SPLIT), Predictions, said.append, key=f"{key}.predictions")
    return replace(facts, evaluation=found[0], predictions=said[0]) if found and said else None


def _explained(subject: Subject, facts: ReportFacts, key: str) -> ReportFacts | None:
    """With explanations of the first examples of the validation split, where a method fits."""
    method = usual_method(subject)
    if method is None:
        return facts
    galleries: list[ExampleGallery] = []
    data, seed = subject.experiment.data, subject.experiment.seed
    look(GalleryJob(data=data, seed=seed, split="validation"), ExampleGallery, galleries.append, key=f"{key}.examples")
    if not galleries:
        return None
    indices, names = galleries[0].indices.tolist()[:N_EXPLAINED], example_names(galleries[0])
    explained, n_failed = [], 0
    for place, (index, name) in enumerate(zip(indices, names, strict=False)):
        found: list[Attribution] = []
        fields = subject.asked() | {"example": ExampleRef(split="validation", index=index)}
        look(ExplainJob(**fields, explainer=method), Attribution, found.append, key=f"{key}.explain.{place}")
        explained += [Explained(index, name, one) for one in found]
        n_failed += _has_failed(f"{key}.explain.{place}")
    return replace(facts, explained=tuple(explained)) if len(explained) + n_failed == len(indices) else None


def _smaller(record: RunRecord) -> str:
    """How a model was made smaller, and out of which; empty for a trained one."""
    if not is_made_smaller(record):
        return ""
    job = parse_job(record.job)
    if not isinstance(job, CompressJob):
        return _("a compression, before it was imported")
    words = _("{how}, of run {run} at step {step:,}") if job.weights else _("{how}")
    saved = resources.reader().artifacts(job.weights.run) if job.weights else ()
    step = next((one.step for one in saved if job.weights and one.name == job.weights.name), 0)
    return words.format(how=_(job.compression.label), run=job.weights.run[:8] if job.weights else "", step=step)


def _has_failed(key: str) -> bool:
    """Whether what was asked for under this key ended in an error."""
    known = st.session_state.get(ASKED + key)
    record = resources.reader().run(known[1]) if known else None
    return record is not None and record.state == "failed"


def usual_method(subject: Subject) -> ExplainerChoice | None:
    """The first of the usual methods that fits data and model; else any that does."""
    profile = subject.experiment.data.profile()
    kinds = tuple(layer.kind for _path, layer in all_layers(subject.experiment.model.layers))
    menu: list[ExplainerChoice] = [method() for method in choices(AnyExplainer)]
    fitting = [method for method in menu if method.reason_against(profile, kinds) is None]
    usual = USUAL[profile.modality]
    first = sorted(fitting, key=lambda method: usual.index(method.kind) if method.kind in usual else len(usual))
    return first[0] if first else None


def curves(history: History, names: Sequence[str]) -> tuple[ReportCurve, ...]:
    """The curves of the first series, copied out of the history."""
    shown = min(len(history.losses), MOST_CURVES)
    steps = np.array([row.step for row in history.epochs], np.int64)

    def figures(name: str, series: int) -> np.ndarray:
        return np.array([getattr(row, name)[series] for row in history.epochs], np.float64)

    return tuple(
        ReportCurve(
            names[k] if len(history.losses) > 1 and k < len(names) else "",
            np.array(history.losses[k]),
            steps,
            figures("train_loss", k),
            figures("validation_loss", k),
            figures("train_accuracy", k),
            figures("validation_accuracy", k),
        )
        for k in range(shown)
    )


def left_out(history: History) -> str:
    """How many curves a report does not show, in words; empty where it shows all."""
    n = len(history.losses) - MOST_CURVES
    return (
        _("{n:,} more curves are left out: more than {most} cannot be told apart.").format(n=n, most=MOST_CURVES)
        if n > 0
        else ""
    )


def _started(history: History) -> Started | None:
    return history.started


def _end(history: History) -> Finished | None:
    return history.end if isinstance(history.end, Finished) else None
