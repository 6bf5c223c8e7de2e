"""A paired test between experiments: over the seeds of two runs, over the folds of two cross-validations, or over examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
import streamlit as st

from core.errors import LayerwiseError
from core.experiment.compare_models import over_examples, over_folds, over_seeds
from core.experiment.comparison_words import Compared, Figure, corrected
from core.experiment.difference import has_same_examples
from core.experiment.experiment import Experiment
from core.experiment.race_figures import race_standing
from core.history import History
from core.jobs.cross_validation import CrossValidationJob
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.lenses import LensJob
from core.jobs.shipping import AnyJob
from core.results.cross_validation import CrossValidation
from core.results.predictions import Predictions
from core.spec import parse_json
from core.store.protocol import RunRecord
from dashboard.session import resources
from dashboard.session.moments import newest
from dashboard.session.run_history import asked
from dashboard.text import _
from dashboard.widgets.failure import failure, plain
from dashboard.widgets.lens import look
from dashboard.widgets.runs_compare_names import run_name, training_runs
from dashboard.widgets.runs_compare_words import tests_in_words

R = TypeVar("R")
Way = Literal["seeds", "folds", "examples"]
WAYS: tuple[Way, ...] = ("seeds", "folds", "examples")
MOST_OTHERS = 5
RECENT = 60
FIGURES = ("validation_accuracy", "validation_loss")


@dataclass(frozen=True, slots=True)
class Entrant:
    """One lane of a run, and what it is called."""

    record: RunRecord
    experiment: Experiment
    lane: int
    label: str
    k: int = 0
    """Folds of a cross-validation."""


def paired_test(*, key: str, runs: Sequence[RunRecord] | None = None) -> None:
    """Choose what is compared and how; then what the test says, in words.

    Args:
        runs: the training runs to choose from; None for the newest ones.
    """
    words = {
        "seeds": _("two runs, over their seeds"),
        "folds": _("two cross-validations, over their folds"),
        "examples": _("two trained models, over examples"),
    }
    ways = WAYS if runs is None else ("seeds", "examples")
    way = st.segmented_control(
        _("Compare"),
        ways,
        default=ways[0],
        required=True,
        key=f"{key}.way",
        format_func=words.__getitem__,
        persist_state="session",
    )
    entrants = _entrants(way or ways[0], runs)
    if len(entrants) < 2:
        st.info(_how_to(way or ways[0]), icon=":material/info:")
        return
    first, others = _choice(entrants, f"{key}.{way}")
    if first is None or not others:
        return
    try:
        tests = {"seeds": _seeds, "folds": _folds, "examples": _examples}[way or ways[0]](first, others, f"{key}.{way}")
    except LayerwiseError as error:
        failure(error)
        return
    if tests:
        tests_in_words(corrected(tests), len(tests), key=f"{key}.{way}")


def _how_to(way: Way) -> str:
    return {
        "seeds": _(
            "This needs two runs, or lanes, with the same data and seed and at least two seeds per lane. Set the seeds above, "
            "press Train; change something, press Train again."
        ),
        "folds": _(
            "This needs two cross-validations, or lanes of one, with the same data, seed and number of folds. Cross-validate, "
            "change something in the experiment, and cross-validate again."
        ),
        "examples": _("This needs two trained models. Train twice, with something changed in between, or train two lanes."),
    }[way]


def _entrants(way: Way, runs: Sequence[RunRecord] | None) -> list[Entrant]:
    """All lanes that can take part."""
    found = []
    if way == "folds":
        for record in resources.reader().runs(kind=CrossValidationJob.kind_name(), limit=RECENT):
            job = _job(record)
            if record.state == "finished" and isinstance(job, CrossValidationJob):
                found += _lanes(record, job.experiment, job.k)
        return found
    for record, experiment in training_runs(runs, RECENT):
        if way == "examples" or experiment.repeats > 1:
            found += _lanes(record, experiment)
    return found


def _job(record: RunRecord) -> object:
    """The job of a run; None where it is from another version."""
    try:
        return parse_json(AnyJob, record.job)
    except LayerwiseError:
        return None


def _lanes(record: RunRecord, experiment: Experiment, k: int = 0) -> list[Entrant]:
    names = experiment.lane_names()
    base = run_name(record, experiment)
    folds = ", " + _("{k} folds").format(k=k) if k else ""
    return [
        Entrant(record, experiment, lane, base + (f" · {name}" if len(names) > 1 else "") + folds, k)
        for lane, name in enumerate(names)
    ]


def _fits(first: Entrant, other: Entrant) -> bool:
    """Whether the two can be paired."""
    is_same = first.record.id == other.record.id and first.lane == other.lane
    return not is_same and first.k == other.k and has_same_examples(first.experiment, other.experiment)


def _choice(entrants: list[Entrant], key: str) -> tuple[Entrant | None, list[Entrant]]:
    """One, and those that it is held against."""
    by_id = {f"{one.record.id}.{one.lane}": one for one in entrants}
    left, right = st.columns(2)
    with left:
        chosen = st.selectbox(_("This one"), list(by_id), key=f"{key}.first", format_func=lambda one: by_id[one].label)
    first = by_id.get(chosen)
    if first is None:
        return None, []
    fitting = [name for name, one in by_id.items() if _fits(first, one)]
    if not fitting:
        st.info(_("No other one has the same examples: use the same data and seed."), icon=":material/info:")
        return first, []
    with right:
        names = st.multiselect(
            _("against"),
            fitting,
            fitting[:1],
            key=f"{key}.others.{chosen}",
            format_func=lambda one: by_id[one].label,
            max_selections=MOST_OTHERS,
        )
    others = [by_id[name] for name in names]
    if all(one.record.id == first.record.id for one in others):
        return _as_lane(first), [_as_lane(one) for one in others]
    return first, others


def _as_lane(one: Entrant) -> Entrant:
    """As it is called among the lanes of its own run."""
    return replace(one, label=one.experiment.lane_names()[one.lane])


def _seeds(first: Entrant, others: list[Entrant], key: str) -> list[Compared]:
    """By the last epoch of every seed."""
    is_number = first.experiment.loss.task == "regression"
    words = {
        "validation_accuracy": _("validation R²") if is_number else _("validation accuracy"),
        "validation_loss": _("validation loss"),
    }
    by = st.selectbox(_("Compared by"), FIGURES, key=f"{key}.by", format_func=words.__getitem__, width=240)
    if by == "validation_loss":
        figure = Figure("validation loss", is_lower_better=True, unit="number")
    else:
        figure = Figure("validation R²", unit="number") if is_number else Figure("validation accuracy")

    def of(one: Entrant) -> np.ndarray:
        def question(history: History) -> np.ndarray:
            table = race_standing(history, by)  # type: ignore[arg-type]
            return table[one.lane] if one.lane < len(table) else np.full(one.experiment.repeats, np.nan)

        return asked(one.record, question)

    mine = of(first)
    return [over_seeds((first.label, one.label), mine, of(one), figure) for one in others]


def _folds(first: Entrant, others: list[Entrant], key: str) -> list[Compared]:
    entrants = [first, *others]
    jobs = [CrossValidationJob.of(one.experiment, one.k) for one in entrants]
    found = _gathered(jobs, CrossValidation, f"{key}.job")
    if len(found) < len(entrants):
        return []
    pairs = zip(others, found[1:], strict=True)
    return [over_folds((first.label, one.label), (found[0], first.lane), (each, one.lane)) for one, each in pairs]


def _examples(first: Entrant, others: list[Entrant], key: str) -> list[Compared]:
    """By the newest weights of the first seed."""
    labels = {"test": _("test examples"), "validation": _("validation examples")}
    split = st.selectbox(_("On the"), list(labels), key=f"{key}.split", format_func=labels.__getitem__, width=240)
    entrants = [first, *others]
    jobs = []
    for one in entrants:
        kept = newest(one.record.id)
        if kept is None:
            st.info(_("{run} has no weights yet.").format(run=plain(one.label)), icon=":material/info:")
            return []
        series = one.lane * one.experiment.repeats
        jobs.append(PredictionsJob(experiment=one.experiment, weights=kept[0], series=series, split=split))
    found = _gathered(jobs, Predictions, f"{key}.job")
    if len(found) < len(entrants):
        return []
    pairs = zip(others, found[1:], strict=True)
    return [over_examples((first.label, one.label), found[0], each) for one, each in pairs]


def _gathered(jobs: Sequence[LensJob], wanted: type[R], key: str) -> list[R]:
    """The results of all jobs that are there by now; progress in the place of the others."""
    found: list[R] = []
    take: Callable[[R], None] = found.append
    for place, job in enumerate(jobs):
        look(job, wanted, take, key=f"{key}.{place}")
    return found
