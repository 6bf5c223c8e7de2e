"""Time travel: a slider over the kept moments of a run, drawn on its loss curve. By mouse, by keys, or played."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.components.shared import acknowledge, acknowledged, declare, payload
from dashboard.text import _

_component = declare("time_slider")


@dataclass(frozen=True, slots=True)
class Tick:
    """One kept moment: a step, and what is known of it."""

    step: int
    epoch: float | None = None
    validation_loss: float | None = None
    is_best: bool = False
    is_newest: bool = False


Curve = Sequence[tuple[int, float]]
"""(step, loss), by step."""


def time_slider(
    run: str,
    ticks: Sequence[Tick],
    chosen: int,
    *,
    curves: tuple[Curve, Curve],
    key: str,
    on_choose: Callable[[int], None],
) -> None:
    """Show the slider.

    Args:
        chosen: the step whose weights are looked at.
        curves: losses of the batches, thinned, and of validation at the ends of epochs.
        on_choose: gets the newly chosen step, before the page runs again.
    """
    steps = {tick.step for tick in ticks}

    def moved() -> None:
        sent = payload(key, "moment")
        if isinstance(sent, Mapping) and sent.get("run") == run and sent.get("step") in steps:
            acknowledge(key, sent.get("seq"))
            on_choose(int(sent["step"]))

    batches, validation = curves
    last = max([max(steps), *(step for step, _loss in batches[-1:])])
    data = {
        "run": run,
        "moments": [
            {
                "step": tick.step,
                "epoch": tick.epoch,
                "loss": _finite(tick.validation_loss),
                "best": tick.is_best,
                "newest": tick.is_newest,
            }
            for tick in ticks
        ],
        "chosen": chosen,
        "last": last,
        "batches": [[step, loss] for step, loss in batches if np.isfinite(loss)],
        "validation": [[step, loss] for step, loss in validation if np.isfinite(loss)],
        "ack": acknowledged(key),
        "texts": _texts(),
    }
    _component(key=key, data=data, on_moment_change=moved)


def _finite(loss: float | None) -> float | None:
    return loss if loss is not None and np.isfinite(loss) else None


def _texts() -> dict[str, str]:
    return {
        "label": _("Moment of the training"),
        "earlier": _("Earlier moment"),
        "later": _("Later moment"),
        "play": _("Play"),
        "pause": _("Pause"),
        "newest": _("Newest"),
        "step": _("Weights after step {step}"),
        "epoch": _("epoch {epoch}"),
        "loss": _("validation loss {loss}"),
        "untrained": _("before any training"),
        "best": _("best epoch ★"),
        "is_newest": _("newest"),
        "batches": _("loss of the batches"),
        "validation": _("validation loss"),
        "axis": _("step, on a logarithmic axis; each mark is a kept moment"),
    }
