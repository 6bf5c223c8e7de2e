"""Loss and accuracy of a run, drawn while it trains: by the run's WebSocket, without a rerun of the page."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.optim.losses import CrossEntropy, LossChoice
from core.optim.optimizers import AnyOptimizer
from core.spec import choices
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


@dataclass(frozen=True, slots=True)
class Known:
    """What the page knows of a run: its state ("" for no run), its loss, and the step whose weights are looked at, if any; and
    whether it wants no settings of the curves."""

    state: str = ""
    loss: LossChoice = field(default_factory=CrossEntropy)
    moment: int | None = None
    is_bare: bool = False


def live_curves(
    run_id: str | None,
    *,
    key: str,
    palettes: tuple[Sequence[str], Sequence[str]],
    known: Known | None = None,
    on_state: Callable[[str], None] | None = None,
) -> None:
    """Show the curves of a run, or what to do to get some; of a race, one colour and dash per lane, its repeats as a band.

    A lane that is muted or pinned in the legend is told as the window event `layerwise:lanes` with the detail
    `{run, muted: [lane, ...], pinned: [lane, ...]}`, to which the other components listen; a script may send it too.

    Args:
        palettes: for light and for dark pages, one `#rrggbb` per lane; more lanes than colours take them in turn, with other
            dashes.
        known: the browser reports any other state once, and lets the page run again when there are more findings or changes by
            hand; the loss is what the first panel counts, and says whether the second shows the accuracy or R²; the moment is
            marked by a line.
        on_state: gets the new state, before the page runs again.
    """
    known = known or Known()
    loss = known.loss

    def reported() -> None:
        sent = payload(key, "state")
        if on_state is not None and isinstance(sent, str) and sent in STATES:
            on_state(sent)

    data = {
        "run": checked_run(run_id),
        "plotly": PLOTLY,
        "palettes": [[colour for colour in palette if COLOUR.fullmatch(colour)] or ["#0072b2"] for palette in palettes],
        "state": known.state,
        "moment": known.moment,
        "bare": known.is_bare,
        "task": loss.task,
        "panels": ["loss", "score"],  # at first; what a visitor chooses is remembered by the browser
        "texts": _state_texts() | _texts(_(loss.unit)) | _race_texts() | _score_texts(loss.task),
    }
    _component(key=key, data=data, on_state_change=reported, on_told_change=_run_again)


def _run_again() -> None:
    """The page runs again with any message of a component."""


def _state_texts() -> dict[str, str]:
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
        "place": _("place {n} in the queue"),
        "place_soon": _("place {n} in the queue, starts in about {time}"),
        "waits_own": _("after another run of yours"),
        "waits_large": _("large runs take turns"),
        "waits_memory": _("until there is memory enough"),
        "catching_up": _("{name} catches up: step {step} of {n}"),
        "plan": _("trained by: {names}"),
        "executor_reference": _("one by one"),
        "executor_fast": _("fast path"),
        "executor_batched": _("all lanes in one batch"),
        "executor_batched_one": _("batched path"),
        "executor_processes": _("one process per core"),
        "executor_captured": _("captured on the GPU"),
    }


def _texts(loss_unit: str) -> dict[str, str]:
    return {
        "panel_loss": _("Loss"),
        "panel_update": _("Update size"),
        "panel_gradient": _("Gradient norm"),
        "panel_effective": _("Effective learning rate"),
        "panel_weights": _("Weight norm"),
        "panel_rate": _("Learning rate"),
        "loss_axis": _("loss ({unit})").format(unit=loss_unit),
        "update_axis": _("L2 norm of the step"),
        "gradient_axis": _("L2 norm of the gradient"),
        "effective_axis": _("step over gradient norm"),
        "weights_axis": _("L2 norm of the weights"),
        "rate_axis": _("learning rate"),
        "axis_step": _("step"),
        "axis_epoch": _("epoch"),
        "axis_examples": _("training examples seen"),
        "axis_seconds": _("training time (s)"),
        "x_unit": _("x axis"),
        "unit_step": _("steps"),
        "unit_epoch": _("epochs"),
        "unit_examples": _("examples"),
        "unit_seconds": _("seconds"),
        "batches": _("batches"),
        "batches_help": _("Measured on each batch while training, before its step; smoothed as the slider says"),
        "train": _("training"),
        "train_help": _(
            "Measured at the end of each epoch on a fixed sample of the training split, to compare with validation"
        ),
        "validation": _("validation"),
        "validation_help": _("Measured at the end of each epoch on the validation split"),
        "best": _("best epoch"),
        "best_help": _("The epoch with the lowest validation loss so far, as the mean over the seeds"),
        "best_tip": _("{name}, best epoch {epoch}: {value}"),
        "kinds": _("Curves shown"),
        "log": _("Log y"),
        "log_x": _("Log x"),
        "smoothing": _("Smoothing"),
        "panels": _("Panels"),
        "reset": _("Reset zoom"),
        "csv": _("Download CSV"),
        "png": _("Download the panels as PNG"),
        "svg": _("Download the panels as SVG"),
        "controls": _("How the curves are shown"),
        "replay": _("Replay"),
        "pause": _("Pause"),
        "moment": _("Moment of the run"),
        "looked_at": _("looked at"),
        "to_end": _("To the end"),
        "replay_group": _("Replay of the run"),
        "alt": _("{title} by {unit} for {n} series. Step {step}: training {train}, validation {validation}."),
        "alt_empty": _("{title}: nothing measured yet."),
        "mark": _("{name}: {old} to {new}"),
    }


def _race_texts() -> dict[str, str]:
    return {
        "alt_lanes": _("{title} by {unit} for {n} series. Step {step}: {values}."),
        "lanes": _("Lanes of the race"),
        "show": _("Show {name}"),
        "pin": _("Highlight {name}"),
        "pin_help": _("Highlight this lane: the others fade"),
        "show_all": _("Show all alike"),
        "removed": _("removed"),
        "band": _("{n} seeds"),
        "band_label": _("Bands over seeds"),
        "band_extent": _("lowest to highest"),
        "band_deviation": _("± one standard deviation"),
        "shared_seconds": _(
            "Seconds are the training time of the whole run. Lanes that are trained together share it, so this axis shows how "
            "long the race took, and not how fast each optimizer is by itself."
        ),
        "changes": _("Changes by hand"),
        "mark_rate": _("learning rate"),
        "mark_swap": _("{old} becomes {new}"),
        "mark_added": _("joins and catches up"),
        "mark_fork": _("forked from {source}"),
        "mark_removed": _("removed"),
        "mark_lane": _("{lane}: {what}"),
    } | {f"optimizer_{one.kind_name()}": _(one.label) for one in choices(AnyOptimizer)}


def _score_texts(task: Task) -> dict[str, str]:
    """What the second panel shows, in words."""
    if task == "regression":
        return {"panel_score": _("R²"), "score_axis": _("R² (1 is perfect, 0 the mean)"), "test": _("test R² {value}")}
    return {"panel_score": _("Accuracy"), "score_axis": _("accuracy (%)"), "test": _("test accuracy {value}")}
