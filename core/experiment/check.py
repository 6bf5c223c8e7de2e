"""All that can be found wrong with an experiment before anything is allocated: the linters and the cross-field rules."""

from dataclasses import replace

from core.diagnostics import Diagnostic, Fix
from core.errors import SpecError
from core.experiment.check_changes import change_findings
from core.experiment.check_fit import augmentation_findings, data_findings, target_findings
from core.experiment.check_frozen import frozen_findings, trained_inference
from core.experiment.check_optimizer import accumulation_findings, lane_findings
from core.experiment.check_size import size_findings
from core.experiment.experiment import Experiment
from core.models.cost import FLOAT32_BYTES, activation_bytes, parameter_bytes
from core.models.lint import lint
from core.models.look import Context
from core.models.model import all_layers, infer
from core.settings import Settings

MB = 2**20


def findings(experiment: Experiment, settings: Settings | None = None) -> tuple[Diagnostic, ...]:
    """Every finding, errors first. A fix holds the changed Experiment."""
    settings = settings or Settings()
    profile = experiment.data.profile()
    found = [*target_findings(experiment), *data_findings(experiment), *augmentation_findings(experiment)]
    if any(finding.severity == "error" for finding in found):  # the number of outputs to look for is not known then
        return tuple(sorted(found, key=_rank))
    context = Context(profile.n_classes, profile.n_tokens, experiment.loss.kind)
    n_outputs = experiment.loss.n_outputs(profile.n_classes)
    model = lint(experiment.model, profile.input_shape, n_outputs, settings.max_parameters, context)
    found += [_lifted(experiment, finding) for finding in model]
    found += _batch_findings(experiment) + _memory_findings(experiment, settings)
    found += lane_findings(experiment) + accumulation_findings(experiment) + size_findings(experiment, settings)
    found += frozen_findings(experiment) + change_findings(experiment)
    return tuple(sorted(found, key=_rank))


def _rank(finding: Diagnostic) -> int:
    """Errors first."""
    return {"error": 0, "warning": 1, "info": 2}[finding.severity]


def checked(experiment: Experiment, settings: Settings | None = None) -> Experiment:
    """The same experiment, if it can run.

    Raises:
        SpecError: the first error among the findings.
    """
    for finding in findings(experiment, settings):
        if finding.severity == "error":
            raise SpecError(finding.message, hint=finding.hint, code=finding.code)
    return experiment


def _lifted(experiment: Experiment, finding: Diagnostic) -> Diagnostic:
    """A finding about the model, with its fix as a changed experiment."""
    if finding.fix is None:
        return finding
    return replace(finding, fix=Fix(finding.fix.label, experiment.but(model=finding.fix.spec)))


def _batch_findings(experiment: Experiment) -> list[Diagnostic]:
    n_train = experiment.data.profile().n_train
    size = experiment.batch_size
    if size != "full" and size > n_train:
        return [
            Diagnostic(
                "batch-larger-than-data",
                "error",
                ("batch_size",),
                f"The batch size {size:,} is larger than the training split of {n_train:,} examples.",
                hint="Use the whole split in each step, or a smaller batch.",
                params={"batch_size": size, "n_train": n_train},
                fix=Fix("Use the full split", experiment.but(batch_size="full")),
            )
        ]
    batch = experiment.batch(n_train)
    if has_lonely_batch(experiment, n_train):
        better = next(other for other in range(max(2, batch), n_train + 1) if n_train % other != 1)
        return [
            Diagnostic(
                "batch-of-one",
                "error",
                ("batch_size",),
                f"Batches of {batch} leave a batch of one example in {n_train:,}, and batch normalisation needs at least two.",
                hint=f"Use a batch size of {better}.",
                params={"batch_size": batch, "n_train": n_train},
                fix=Fix(f"Use batches of {better}", experiment.but(batch_size=better)),
            )
        ]
    return []


def has_lonely_batch(experiment: Experiment, n_train: int) -> bool:
    """Whether batch normalisation would meet a batch of one example among `n_train`."""
    batch = experiment.batch(n_train)
    trained = [layer for index, layer in enumerate(experiment.model.layers) if index not in experiment.frozen]
    is_normalised = any(layer.kind.startswith("BatchNorm") for _, layer in all_layers(trained))
    return is_normalised and (batch == 1 or n_train % batch == 1)


def training_bytes(experiment: Experiment) -> int:
    """An estimate of the memory that a run takes, without its data; measured against real runs in docs/decisions/004.

    Per series 14 numbers per parameter (weight, gradient, two of optimizer state, two copies of the last good state, a
    checkpoint on its way out), 4 more for each further number of optimizer state, 5 for one of a frozen layer, and 2.5 per
    activation of a step's examples; and 64 MB once.
    """
    profile = experiment.data.profile()
    inference = trained_inference(experiment)
    frozen = 5 * FLOAT32_BYTES * _frozen_by_choice(experiment)
    needed = 64 * MB
    for lane in experiment.lanes:
        examples = profile.n_train if lane.optimizer.needs_whole_split else experiment.batch(profile.n_train)
        weights = (14 + 4 * max(0, lane.optimizer.n_kept - 2)) * parameter_bytes(inference)
        needed += experiment.repeats * (weights + frozen + int(2.5 * examples * activation_bytes(inference)))
    return needed


def checkpoint_bytes(experiment: Experiment) -> int:
    """Size of one checkpoint: weights and at least two numbers of optimizer state for each, for every series."""
    numbers = sum(1 + max(2, lane.optimizer.n_kept) for lane in experiment.lanes)
    frozen = len(experiment.lanes) * FLOAT32_BYTES * _frozen_by_choice(experiment)
    return experiment.repeats * (numbers * parameter_bytes(trained_inference(experiment)) + frozen)


def _frozen_by_choice(experiment: Experiment) -> int:
    """Numbers that would be trained, were their layers not frozen by the experiment."""
    return (
        infer(experiment.model, experiment.data.profile().input_shape).n_parameters - trained_inference(experiment).n_parameters
    )


def n_series(experiment: Experiment) -> int:
    """Models that train side by side."""
    return len(experiment.lanes) * experiment.repeats


def _memory_findings(experiment: Experiment, settings: Settings) -> list[Diagnostic]:
    """Too much for a worker's memory, or for the largest file that it may write."""
    found = []
    sizes = {
        "too-much-memory": ("of memory", training_bytes(experiment), settings.worker_memory_mb),
        "checkpoint-too-large": ("for a checkpoint", checkpoint_bytes(experiment), settings.worker_file_mb),
    }
    for code, (what, needed, limit_mb) in sizes.items():
        if needed > limit_mb * MB:
            found.append(
                Diagnostic(
                    code,
                    "error",
                    ("model",),
                    f"This run needs about {needed / MB:,.0f} MB {what}, a run may take {limit_mb:,} MB.",
                    hint="Use a smaller batch, fewer or smaller layers, or fewer lanes and repeats.",
                    params={"needed_mb": needed / MB, "limit_mb": limit_mb},
                )
            )
    return found
