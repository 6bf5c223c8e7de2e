"""The board of a room: everybody's newest run on one chart and in one table, by the room's WebSocket, without reruns."""

import re
from collections.abc import Callable, Sequence

from core.optim.losses import AnyLoss
from core.spec import choices
from dashboard.components.shared import PLOTLY, declare, payload
from dashboard.text import _

_component = declare("room_board")

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
ROOM_ID = re.compile(r"[a-z0-9-]{8,64}", re.ASCII)
"""What is safe in an address."""
Scale = Sequence[tuple[float, str]]
NUMBERS = tuple(one.label for one in choices(AnyLoss) if one.task == "regression")
"""Losses of runs that predict numbers, as the table of runs names them: their score is R²."""


def room_board(
    room: str,
    *,
    key: str,
    me: str,
    palettes: tuple[Sequence[str], Sequence[str]],
    scales: tuple[Scale, Scale],
    on_open: Callable[[str], None],
) -> None:
    """Show the board of a room, or that it is not there (any more).

    Args:
        me: key of the visitor among the participants, as the messages have it; empty for one who is none.
        palettes: for light and for dark pages, colours of groups.
        scales: for light and for dark pages, from the lowest to the highest learning rate.
        on_open: gets the id of a participant's run, before the page runs again; anything else from the browser is ignored.
    """

    def opened() -> None:
        run = payload(key, "open")
        if isinstance(run, str) and RUN_ID.fullmatch(run):
            on_open(run)

    data = {
        "room": room if ROOM_ID.fullmatch(room) else "",
        "me": me,
        "plotly": PLOTLY,
        "palettes": [list(palette) for palette in palettes],
        "scales": [[list(stop) for stop in scale] for scale in scales],
        "regression": list(NUMBERS),
        "texts": _states() | _axes() | _table() | _texts(),
    }
    _component(key=key, data=data, on_open_change=opened)


def _states() -> dict[str, str]:
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
    return {f"state_{name}": text for name, text in states.items()}


def _axes() -> dict[str, str]:
    return {
        "y": _("y axis"),
        "y_batch_loss": _("training loss, by batches"),
        "y_train_loss": _("training loss, by epochs"),
        "y_validation_loss": _("validation loss"),
        "y_validation_accuracy": _("validation {score}"),
        "x": _("x axis"),
        "x_step": _("steps"),
        "x_epoch": _("epochs"),
        "x_seconds": _("seconds"),
        "by": _("Colour"),
        "by_lr": _("learning rate"),
        "by_optimizer": _("optimizer"),
        "by_batch_size": _("batch size"),
        "axis_step": _("step"),
        "axis_epoch": _("epoch"),
        "axis_seconds": _("training time (s)"),
        "rate_axis": _("learning rate (per step)"),
        "axis_batch_loss": _("training loss (batches)"),
        "axis_train_loss": _("training loss (ends of epochs)"),
        "axis_validation_loss": _("validation loss"),
        "score_axis": _("validation {score}"),
        "score_accuracy": _("accuracy"),
        "score_r2": _("R²"),
        "score_both": _("accuracy or R²"),
        "log_x": _("Log x"),
        "log_y": _("Log y"),
        "lr": _("learning rate"),
    }


def _table() -> dict[str, str]:
    return {
        "table": _("Participants and their runs"),
        "column_name": _("Participant"),
        "column_lr": _("Learning rate"),
        "column_optimizer": _("Optimizer"),
        "column_train_loss": _("Training loss"),
        "column_validation_loss": _("Validation loss"),
        "column_best_validation_accuracy": _("Best {score}"),
        "column_steps": _("Steps"),
        "column_state": _("State"),
        "open": _("Open the run of {name}"),
        "no_run": _("no run yet"),
        "you": _("you"),
        "unknown": _("not known"),
    }


def _texts() -> dict[str, str]:
    return {
        "what": _("Chart"),
        "what_curves": _("Curves"),
        "what_rates": _("Last value by learning rate"),
        "controls": _("How the board is shown"),
        "groups": _("Colours"),
        "csv": _("Download CSV"),
        "png": _("Download the chart as PNG"),
        "svg": _("Download the chart as SVG"),
        "alt": _("{y} by {x} of {n} participants: {values}."),
        "diverged": _("diverged"),
        "diverged_hint": _("Some runs have diverged: their loss lies above the frame, or is no number any more."),
        "status": _("{n} in the room, {runs} with a run"),
        "status_more": _("{n} in the room, of whom {shown} are shown, {runs} with a run"),
        "empty": _("Nobody has trained yet. Share the link of the room; whoever presses Train appears here."),
        "connecting": _("Connecting"),
        "reconnecting": _("Connection lost, trying again"),
        "unknown_room": _("This room is not there any more."),
        "no_plotly": _("The charts could not be loaded. Reload the page."),
    }
