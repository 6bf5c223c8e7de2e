"""Loss and accuracy of a run, drawn while it trains: by the run's WebSocket, without a rerun of the page."""

import re
from collections.abc import Callable, Sequence

from core.optim.losses import CrossEntropy, LossChoice
from core.types import Task
from dashboard.components.shared import PLOTLY, declare, payload
from dashboard.text import _

_component = declare("live_curves")

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
STATES = ("queued", "starting", "running", "paused", "stopping", "finished", "stopped", "failed", "interrupted")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def checked_run(run_id: str | None) -> str | None:
    """A run id that is safe in an address, or None."""
    return run_id if run_id is not None and RUN_ID.fullmatch(run_id) else None


def live_curves(
    run_id: str | None,
    *,
    key: str,
    palettes: tuple[Sequence[str], Sequence[str]],
    state: str = "",
    on_state: Callable[[str], None] | None = None,
    loss: LossChoice | None = None,
) -> None:
    """Show the curves of a run, or what to do to get some.

    Args:
        palettes: for light and for dark pages, one `#rrggbb` per series; more series than colours take them in turn.
        state: the run's state as the page knows it; the browser reports any other once.
        on_state: gets the new state, before the page runs again.
        loss: what the first panel counts, and whether the second shows the accuracy or R²; None for cross-entropy.
    """

    loss = loss or CrossEntropy()

    def reported() -> None:
        sent = payload(key, "state")
        if on_state is not None and isinstance(sent, str) and sent in STATES:
            on_state(sent)

    data = {
        "run": checked_run(run_id),
        "plotly": PLOTLY,
        "palettes": [[colour for colour in palette if COLOUR.fullmatch(colour)] or ["#0072b2"] for palette in palettes],
        "state": state,
        "task": loss.task,
        "texts": _texts(_(loss.unit)) | _score_texts(loss.task),
    }
    _component(key=key, data=data, on_state_change=reported)


def _texts(loss_unit: str) -> dict[str, str]:
    states = {
        "queued": _("Waiting"),
        "starting": _("Starting"),
        "running": _("Running"),
        "paused": _("Paused"),
        "stopping": _("Stopping"),
        "finished": _("Finished"),
        "stopped": _("Stopped"),
        "failed": _("Failed"),
        "interrupted": _("Interrupted"),
    }
    return {f"state_{name}": text for name, text in states.items()} | {
        "empty": _("No run yet. Press Train to see the curves grow here."),
        "connecting": _("Connecting"),
        "reconnecting": _("Connection lost, trying again"),
        "unknown": _("This run is not there any more."),
        "no_plotly": _("The charts could not be loaded. Reload the page."),
        "loss": _("Loss"),
        "loss_axis": _("loss ({unit})").format(unit=loss_unit),
        "step_axis": _("step"),
        "epoch_axis": _("epoch"),
        "batches": _("batches"),
        "batches_help": _("Measured on each batch while training, before its step; smoothed as the slider says"),
        "train": _("training"),
        "train_help": _(
            "Measured at the end of each epoch on a fixed sample of the training split, to compare with validation"
        ),
        "validation": _("validation"),
        "validation_help": _("Measured at the end of each epoch on the validation split"),
        "log": _("Log scale"),
        "by_epoch": _("By epoch"),
        "smoothing": _("Smoothing"),
        "reset": _("Reset zoom"),
        "csv": _("Download CSV"),
        "controls": _("How the curves are shown"),
        "status": _("State of the run"),
        "epoch": _("epoch {epoch} / {n}"),
        "epoch_open": _("epoch {epoch}"),
        "step": _("step {step} / {n}"),
        "step_open": _("step {step}"),
        "rate": _("{rate} steps/s"),
        "elapsed": _("{time} elapsed"),
        "left": _("{time} left"),
        "learning_rate": _("learning rate {value}"),
        "gradient_norm": _("gradient norm {value}"),
        "position": _("{n} ahead in the queue"),
        "alt": _("{title} by step for {n} series. Step {step}: training {train}, validation {validation}."),
        "alt_empty": _("{title}: nothing measured yet."),
        "mark": _("{name}: {old} to {new}"),
    }


def _score_texts(task: Task) -> dict[str, str]:
    """What the second panel shows, in words."""
    if task == "regression":
        return {"score": _("R²"), "score_axis": _("R² (1 is perfect, 0 the mean)"), "test": _("test R² {value}")}
    return {"score": _("Accuracy"), "score_axis": _("accuracy (%)"), "test": _("test accuracy {value}")}
