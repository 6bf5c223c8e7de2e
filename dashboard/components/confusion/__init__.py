"""A confusion matrix whose cells can be chosen, with the mouse or the arrow keys; of several moments, it can be played."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dashboard.components.shared import declare, payload
from dashboard.text import _

_component = declare("confusion")

View = Literal["counts", "true", "predicted", "difference"]
"""What stands in a cell: examples, their share of the row or of the column, or how many more than in another matrix."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a matrix is drawn. `colours`: from nothing to much, for a difference from fewer over equal to more.

    With `errors_only` the diagonal has no colour, so that small errors differ in theirs.
    """

    view: View
    colours: Sequence[str]
    errors_only: bool = False


def confusion_matrix(
    names: Sequence[str],
    frames: Sequence[tuple[int, np.ndarray]],
    look: Look,
    *,
    chosen: tuple[int, int] | None,
    key: str,
    on_pick: Callable[[int, int], None],
) -> None:
    """Show the matrix as a grid: one tab stop, arrow keys move, Enter chooses.

    Args:
        names: of the K classes.
        frames: (step, counts (K, K) by [true, predicted]) of each moment; the last one is shown first.
        chosen: (true, predicted) of the chosen cell.
        on_pick: gets true and predicted class of the newly chosen cell, before the page runs again.
    """

    def picked() -> None:
        sent = payload(key, "cell")
        pair = (sent.get("true"), sent.get("predicted")) if isinstance(sent, Mapping) else (None, None)
        true, predicted = (_class(one, len(names)) for one in pair)
        if true is not None and predicted is not None:
            on_pick(true, predicted)

    data = {
        "names": list(names),
        "frames": [{"step": int(step), "counts": counts.tolist()} for step, counts in frames],
        "view": look.view,
        "colours": list(look.colours),
        "errors_only": look.errors_only,
        "chosen": list(chosen) if chosen else None,
        "texts": _texts(look.view),
    }
    _component(key=key, data=data, on_cell_change=picked)


def _class(sent: object, n_classes: int) -> int | None:
    return sent if isinstance(sent, int) and not isinstance(sent, bool) and 0 <= sent < n_classes else None


def _texts(view: View) -> dict[str, str]:
    label = {
        "counts": _("Confusion matrix: examples by true and predicted class"),
        "true": _("Confusion matrix: share of the examples of each true class"),
        "predicted": _("Confusion matrix: share of the examples with each prediction"),
        "difference": _("Difference of two confusion matrices: present minus other"),
    }[view]
    return {
        "label": label,
        "true": _("true class"),
        "predicted": _("predicted class"),
        "sum": _("sum"),
        "one": _("true {true}, predicted {predicted}: 1 example"),
        "many": _("true {true}, predicted {predicted}: {n} examples"),
        "apart": _("true {true}, predicted {predicted}: {n} against the other"),
        "step": _("after step {step}"),
        "moment": _("Moment of the matrix"),
        "play": _("Play"),
        "pause": _("Pause"),
        "fewer": _("fewer"),
        "more": _("more"),
    }
