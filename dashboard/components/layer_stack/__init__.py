"""The builder: a stack of layers, and stacks inside them, to drag, move by keyboard, and set in place."""

import logging
from collections.abc import Callable
from typing import Any

from core.errors import SpecError
from core.models.model import ModelSpec
from core.models.stack import Path
from dashboard.components.layer_stack.data import stack_data
from dashboard.components.layer_stack.sent import MAX_DEPTH, LayerData, layers_sent, path_sent
from dashboard.components.layer_stack.view import LayerRow, StackView, bytes_text, path_of, stack_view
from dashboard.components.shared import acknowledge, acknowledged, declare, payload

__all__ = ["MAX_DEPTH", "LayerData", "LayerRow", "StackView", "bytes_text", "layer_stack", "path_of", "stack_view"]

log = logging.getLogger(__name__)

_component = declare("layer_stack")


def layer_stack(
    view: StackView,
    menu: Any,
    *,
    key: str,
    parse: Callable[[list[LayerData]], ModelSpec],
    on_edit: Callable[[ModelSpec], None],
    on_fix: Callable[[Path, str], None],
) -> None:
    """Show the builder.

    In the browser, the layer that is looked at is told as the event `layerwise:select` of the window, with the detail
    `{path: [3, 0, 1], source: "stack"}`; the same event from another source marks the layer here.

    Args:
        menu: the Menu of layers.
        parse: makes a checked model from what the browser sent, with known kinds and clamped numbers; may raise SpecError.
        on_edit: gets the changed model, before the page runs again.
        on_fix: gets the path of the layer (() for the stack as a whole) and the code of the finding whose fix was pressed.
    """

    def edited() -> None:
        sent = payload(key, "edit")
        if not isinstance(sent, dict):
            return
        acknowledge(key, sent.get("seq"))
        layers = layers_sent(sent.get("layers"), menu)
        if layers is None:
            log.warning("The builder sent something that is not a stack of layers; it was ignored.")
            return
        try:
            model = parse(layers)
        except SpecError as error:
            log.warning("The builder sent a stack that cannot be: %s", error)
            return
        on_edit(model)

    def fixed() -> None:
        sent = payload(key, "fix")
        if not isinstance(sent, dict):
            return
        acknowledge(key, sent.get("seq"))
        path, code = path_sent(sent.get("path")), sent.get("code")
        if path is not None and isinstance(code, str):
            on_fix(path, code[:80])

    data = stack_data(view, menu, acknowledged(key))
    _component(key=key, data=data, on_edit_change=edited, on_fix_change=fixed)
