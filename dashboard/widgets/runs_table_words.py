"""What the fields of a run are called on the screen."""

from collections.abc import Mapping, Sequence

from core.jobs.shipping import AnyJob
from core.optim.losses import AnyLoss
from core.run_row import RunRow
from core.run_table import title
from core.spec import choices
from dashboard.text import _
from dashboard.widgets.header import STATES

LOWER_IS_BETTER = ("loss", "seconds", "steps", "epochs", "examples", "n_parameters", "multiply_adds")
DEFAULT_FIGURE = "best_validation_loss"


def label(field: str) -> str:
    """The name of a field, a fact or a figure."""
    plain = field.replace(".", " · ").replace("_", " ")
    return _known().get(field) or plain[:1].upper() + plain[1:]


def is_highest_best(figure: str) -> bool:
    """Whether more of this figure is better: accuracy and R²."""
    return not figure.endswith(LOWER_IS_BETTER)


def state_label(state: str) -> str:
    """A state in words."""
    return _(STATES[state][0]) if state in STATES else state


def kind_label(kind: str) -> str:
    """What a kind of job is called; of an unknown one its own name."""
    found = next((job.label for job in choices(AnyJob) if job.kind_name() == kind), kind)
    return _(found)


def optimizer_text(row: RunRow) -> str | None:
    """Who trained; of a race its best lane, and how many lanes there are."""
    optimizer = row.facts.get("optimizer")
    lanes = row.facts.get("lanes", 1.0)
    if optimizer is None or not isinstance(lanes, float | int) or lanes <= 1:
        return None if optimizer is None else str(optimizer)
    return _("{optimizer} (best of {n} lanes)").format(optimizer=optimizer, n=int(lanes))


def called(row: RunRow) -> str:
    """The run by its name, or by its id."""
    return title(row)


def loss_unit(rows: Sequence[RunRow]) -> str:
    """The unit of the losses of these runs, where they share one."""
    units = {loss.label: loss.unit for loss in choices(AnyLoss)}
    found = {units.get(str(row.facts.get("loss")), "") for row in rows}
    unit = found.pop() if len(found) == 1 else ""
    return _(unit) if unit else _("each in the unit of its loss")


def _known() -> Mapping[str, str]:
    return {
        "name": _("Name"),
        "kind": _("Kind"),
        "state": _("State"),
        "created": _("Created"),
        "tags": _("Tags"),
        "note": _("Note"),
        "id": _("Id"),
        "parent": _("Made from"),
        "compression": _("Compression"),
        "data": _("Data"),
        "data.n_points": _("Points"),
        "data.n_examples": _("Examples in the data set"),
        "data.noise": _("Noise of the data"),
        "model": _("Model"),
        "layers": _("Layers"),
        "init": _("Initialisation"),
        "augmentation": _("Augmentation"),
        "loss": _("Loss function"),
        "optimizer": _("Optimizer"),
        "lr": _("Learning rate"),
        "weight_decay": _("Weight decay"),
        "momentum": _("Momentum"),
        "schedule": _("Schedule"),
        "regularizers": _("Regularisers"),
        "batch_size": _("Batch size"),
        "accumulation": _("Accumulation"),
        "budget.epochs": _("Epochs asked for"),
        "budget.steps": _("Steps asked for"),
        "budget.seconds": _("Seconds asked for"),
        "seed": _("Seed"),
        "seeds": _("Seeds per lane"),
        "lanes": _("Lanes"),
        "best_lane": _("Best lane"),
        "changes": _("Changes by hand"),
        "frozen": _("Frozen layers"),
        "precision": _("Precision"),
        "device": _("Device"),
        "batch_loss": _("Training loss"),
        "train_loss": _("Training loss"),
        "train_accuracy": _("Training accuracy (or R²)"),
        "validation_loss": _("Validation loss"),
        "validation_accuracy": _("Validation accuracy (or R²)"),
        "best_validation_loss": _("Best validation loss"),
        "best_validation_accuracy": _("Accuracy (or R²) at best epoch"),
        "test_loss": _("Test loss"),
        "test_accuracy": _("Test accuracy (or R²)"),
        "steps": _("Steps"),
        "epochs": _("Epochs"),
        "seconds": _("Seconds of training"),
        "examples": _("Training examples seen"),
        "n_parameters": _("Trained parameters"),
        "multiply_adds": _("Multiply-adds"),
    }
