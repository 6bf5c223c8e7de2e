"""Whether data, loss and augmentation are of one kind: numbers with numbers, classes with classes, images with images."""

from dataclasses import replace

from core.data import lint as data_lint
from core.data.drawn import DrawnPoints
from core.diagnostics import Diagnostic, Fix
from core.experiment.experiment import Experiment
from core.models.repair import output_fix
from core.optim.losses import AnyLoss, CrossEntropy, MeanSquaredError

DIGITS = frozenset("0123456789")


def target_findings(experiment: Experiment) -> list[Diagnostic]:
    """Whether the loss is made for such targets."""
    profile, loss = experiment.data.profile(), experiment.loss
    if loss.task != profile.task:
        wanted: AnyLoss = CrossEntropy() if profile.task == "classification" else MeanSquaredError()
        what = {"classification": "classes", "regression": "numbers"}
        return [
            Diagnostic(
                "loss-of-another-task",
                "error",
                ("loss",),
                f"{loss.label} is a loss for {what[loss.task]}, but these data have {what[profile.task]} to predict.",
                hint=f"Use a loss for {what[profile.task]}, such as {wanted.label.lower()}.",
                fix=_with_loss(experiment, wanted),
            )
        ]
    if loss.kind == "binary_cross_entropy" and profile.n_classes != 2:
        return [
            Diagnostic(
                "binary-loss-for-many-classes",
                "error",
                ("loss",),
                f"Binary cross-entropy tells two classes apart with one output; these data have {profile.n_classes:,} classes. "
                "With class numbers up to 9 as its targets the loss falls below zero without end, and nothing is learned.",
                hint=f"Use cross-entropy with {profile.n_classes:,} outputs.",
                params={"n_classes": profile.n_classes},
                fix=_with_loss(experiment, CrossEntropy()),
            )
        ]
    return []


def _with_loss(experiment: Experiment, loss: AnyLoss) -> Fix:
    """The experiment with this loss, and a last layer of the size that it needs."""
    profile = experiment.data.profile()
    head = output_fix(experiment.model, profile.input_shape, loss.n_outputs(profile.n_classes))
    model = head.spec if head is not None else experiment.model
    return Fix(f"Use {loss.label.lower()}", experiment.but(loss=loss, model=model))


def data_findings(experiment: Experiment) -> list[Diagnostic]:
    """Whether the data can be learned from, and what of their preparation may surprise."""
    data = experiment.data
    if isinstance(data, DrawnPoints) and (reason := data.reason_against()):
        hint = "Draw more points on the Data screen."
        return [Diagnostic("too-few-points", "error", ("data",), reason, hint=hint)]
    return [
        replace(finding, where=("data", *finding.where), fix=_with_preparation(experiment, finding.fix))
        for finding in data_lint.data_findings(data.original_profile(), data.preparation)
    ]


def _with_preparation(experiment: Experiment, fix: Fix | None) -> Fix | None:
    """A changed preparation as a changed experiment."""
    return fix and Fix(fix.label, experiment.but(data=experiment.data.but(preparation=fix.spec)))


def augmentation_findings(experiment: Experiment) -> list[Diagnostic]:
    """Whether the augmentation can be done with these data and this loss."""
    profile, kinds = experiment.data.profile(), [each.kind for each in experiment.augmentation]
    if kinds and profile.modality != "image":
        return [
            Diagnostic(
                "augmentation-of-no-images",
                "error",
                ("augmentation",),
                "Augmentation changes images, but what the model gets here are none.",
                hint="Remove the augmentation, or choose images without PCA.",
                fix=Fix("Remove the augmentation", experiment.but(augmentation=())),
            )
        ]
    flips = [kind for kind in kinds if kind.endswith("_flip")]
    if flips and DIGITS.issuperset(profile.class_names):
        unflipped = tuple(each for each in experiment.augmentation if each.kind not in flips)
        return [
            Diagnostic(
                "flipped-digits",
                "warning",
                ("augmentation",),
                "A flipped 2 is no 2 any more: flips teach the network digits that do not exist.",
                hint="Flip only what stays what it is in a mirror.",
                fix=Fix("Remove the flips", experiment.but(augmentation=unflipped)),
            )
        ]
    return []
