"""A model card: plain facts of an experiment and its run as Markdown, for people who get the model without the page.

Source:
    Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core import VERSION
from core.data.dataset import DataProfile
from core.data.own.own_file import OwnFile
from core.events import EpochDone, Finished
from core.experiment.experiment import Experiment
from core.history import History
from core.models.model import infer
from core.types import shape_text

MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@])")
SHOWN_NAMES = 40


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card tells of the weights: after which step, of which series, of which run, and what was measured besides."""

    name: str = ""
    run: str = ""
    step: int = 0
    series: int = 0
    measured: tuple[tuple[str, str], ...] = field(default=())
    """More rows of the table of figures: (what, value)."""


def plain(text: str) -> str:
    """Text of a stranger on one line, as Markdown shows it unchanged."""
    return MARKDOWN.sub(lambda found: "\\" + found.group(), " ".join(text.split()))


def model_card(experiment: Experiment, history: History, facts: CardFacts) -> str:
    """The card. Everything that a person typed is escaped."""
    profile = experiment.data.profile()
    title = plain(facts.name) or "A model made with Layerwise"
    parts = [
        f"# {title}",
        _about(experiment, facts),
        "## Intended use",
        _use(profile),
        "## Data",
        *_data(experiment, profile),
        "## Model",
        *_model(experiment),
        *(_compression() if _is_made_smaller(history) else ("## Training", *_training(experiment, history, facts))),
        "## Figures",
        _figures(experiment, history, facts),
        "## Limits",
        _list(_limits(experiment, history)),
        "## Environment",
        _environment(history),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(experiment: Experiment, facts: CardFacts) -> str:
    where = f" of run {plain(facts.run[:12])}" if facts.run else ""
    return f"{plain(experiment.data.label)}, weights after step {facts.step:,}{where}. Written by Layerwise {VERSION}."


def _use(profile: DataProfile) -> str:
    what = (
        f"predicts {plain(profile.target_name)}"
        if profile.task == "regression"
        else f"tells {profile.n_classes:,} classes apart"
    )
    return (
        f"The model {what} for inputs of the kind that it was trained on. It was made to learn and to explore. It was not "
        "tested for decisions about people, nor for any use where a wrong answer does harm."
    )


def _data(experiment: Experiment, profile: DataProfile) -> Iterable[str]:
    data = experiment.data
    source = f"A file of the author, {plain(data.name)} (SHA-256 `{data.file}`)." if isinstance(data, OwnFile) else _doc(data)
    yield source
    original = data.original_profile()
    rows = [
        (
            "Examples",
            f"{profile.n_train:,} for training, {profile.n_validation:,} for validation, {profile.n_test:,} for the test",
        ),
        ("Input", f"{shape_text(original.input_shape)} ({original.modality})"),
    ]
    if profile.class_names:
        rows.append(("Classes", _names(profile.class_names)))
    if profile.target_name:
        rows.append(("Target", plain(profile.target_name)))
    prepared = data.preparation.model_dump(exclude_defaults=True)
    rows.append(("Preparation", ", ".join(f"{plain(key)}: {plain(str(value))}" for key, value in prepared.items()) or "none"))
    if experiment.augmentation:
        rows.append(("Augmentation", ", ".join(plain(one.label) for one in experiment.augmentation)))
    yield _table(("", ""), rows)


def _doc(data: object) -> str:
    return plain(" ".join((type(data).__doc__ or "").split("\n\n")[0].split()))


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(map(plain, names[:SHOWN_NAMES])) + more


def _model(experiment: Experiment) -> Iterable[str]:
    shapes = infer(experiment.model, experiment.data.profile().input_shape)
    rows = [
        (str(place + 1), plain(layer.label), shape_text(info.out_shape) if info.out_shape else "", f"{info.n_parameters:,}")
        for place, (layer, info) in enumerate(zip(experiment.model.layers, shapes.layers, strict=False))
    ]
    yield _table(("Layer", "", "Output", "Parameters"), rows)
    yield f"{shapes.n_parameters:,} trained parameters, {shapes.n_frozen:,} frozen ones."
    if experiment.model.weights:
        yield f"Training began from imported weights (SHA-256 `{experiment.model.weights}`)."
    if experiment.origin is not None:
        yield f"Training began from the weights of another run after its step {experiment.origin.step:,}."


def _is_made_smaller(history: History) -> bool:
    """Whether there are figures, and not a step that led to them: as of a compressed model."""
    return bool(history.epochs) and not any(len(losses) for losses in history.losses)


def _compression() -> Iterable[str]:
    yield "## Origin"
    yield "This model was made smaller out of a trained one: by pruning, by fewer bits, or by learning from the larger one."


def _training(experiment: Experiment, history: History, facts: CardFacts) -> Iterable[str]:
    lane = experiment.lanes[min(facts.series // experiment.repeats, len(experiment.lanes) - 1)]
    optimizer = lane.optimizer.model_dump(exclude={"kind"})
    rows = [
        ("Loss", plain(experiment.loss.label)),
        (
            "Optimizer",
            f"{plain(lane.optimizer.label)} ({', '.join(f'{plain(k)} {plain(str(v))}' for k, v in optimizer.items())})",
        ),
        ("Schedule", plain(lane.schedule.label)),
        ("Batch", str(experiment.batch_size)),
        ("Seed", str(experiment.seed)),
        ("Steps", f"{history.step:,}"),
        ("Epochs", f"{history.epochs[-1].epoch:,}" if history.epochs else "0"),
        ("Time", f"{history.elapsed_s:,.1f} s"),
    ]
    if len(experiment.lanes) * experiment.repeats > 1:
        rows.insert(0, ("Lane", f"{plain(lane.label)}, seed {facts.series % experiment.repeats + 1}"))
    if history.changes:
        rows.append(("Changes by hand", f"{len(history.changes):,} while it ran"))
    yield _table(("", ""), rows)


def _figures(experiment: Experiment, history: History, facts: CardFacts) -> str:
    """Figures of the weights' own epoch where there is one, of the best epoch, and of the test."""
    name = "R²" if experiment.data.profile().task == "regression" else "accuracy"
    here = next((row for row in reversed(history.epochs) if row.step == facts.step), None)
    if _is_made_smaller(history):
        return _table(("Figure", "Value"), _made(history, facts, name))
    best = history.best_epochs()[facts.series] if facts.series < len(history.series) else None
    rows = [*_epoch("These weights", here, facts.series, name), *_epoch("Best epoch", best, facts.series, name)]
    end = history.end
    if isinstance(end, Finished) and end.test_loss and facts.series < len(end.test_loss):
        rows.append(("Test at the end: loss", f"{end.test_loss[facts.series]:.4g}"))
        if end.test_accuracy:
            rows.append((f"Test at the end: {name}", f"{end.test_accuracy[facts.series]:.4g}"))
    rows += [(plain(what), plain(value)) for what, value in facts.measured]
    return _table(("Figure", "Value"), rows) if rows else "Nothing was measured yet."


def _made(history: History, facts: CardFacts, name: str) -> list[tuple[str, str]]:
    """The one row of figures of a compressed model."""
    row, end = history.epochs[-1], history.end
    rows = [("Validation loss", f"{row.validation_loss[0]:.4g}"), (f"Validation {name}", f"{row.validation_accuracy[0]:.4g}")]
    if isinstance(end, Finished) and end.test_loss and end.test_accuracy:
        rows += [("Test loss", f"{end.test_loss[0]:.4g}"), (f"Test {name}", f"{end.test_accuracy[0]:.4g}")]
    return rows + [(plain(what), plain(value)) for what, value in facts.measured]


def _epoch(what: str, row: EpochDone | None, series: int, name: str) -> list[tuple[str, str]]:
    if row is None or series >= len(row.validation_loss):
        return []
    return [
        (f"{what} (epoch {row.epoch:,}): validation loss", f"{row.validation_loss[series]:.4g}"),
        (f"{what} (epoch {row.epoch:,}): validation {name}", f"{row.validation_accuracy[series]:.4g}"),
    ]


def _limits(experiment: Experiment, history: History) -> Iterable[str]:
    profile = experiment.data.profile()
    yield "Inputs that are unlike the training examples get an answer too, and it may be wrong with a high probability."
    yield f"The figures come from {profile.n_validation:,} validation examples of these data; other data may give others."
    if profile.task == "classification":
        yield "Probabilities are those of the last layer; they were not calibrated."
    if len(history.series) <= 1:
        yield "One seed was trained: how much the figures depend on it is not known."
    if experiment.data.preparation.label_noise:
        yield f"{experiment.data.preparation.label_noise:.0%} of the training labels were made wrong on purpose."
    yield "Whether it treats groups of people alike was not examined."


def _environment(history: History) -> str:
    known = history.started.fingerprint if history.started else {}
    if not known:
        return "Not known."
    return _table(("", ""), [(plain(name), plain(str(value))) for name, value in known.items()])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
