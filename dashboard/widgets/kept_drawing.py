"""Drawings of results, kept for a while: a page draws all it shows again with every click, and its results do not change."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

import plotly.graph_objects as go

from dashboard.text import present_language

MAX_KEPT = 96

_kept: OrderedDict[Hashable, tuple[Any, go.Figure]] = OrderedDict()
_lock = Lock()


def kept_drawing(draw: Callable[..., go.Figure], found: Any, **how: Hashable) -> go.Figure:
    """`draw(found, **how)`, drawn once for this very object and this language. The figure is shared: do not change it."""
    key = (draw, id(found), present_language(), *sorted(how.items()))
    with _lock:
        known = _kept.get(key)
        if known is not None and known[0] is found:
            _kept.move_to_end(key)
            return known[1]
    drawn = draw(found, **how)
    with _lock:
        _kept[key] = (found, drawn)  # with the object itself, or another one might get its id
        while len(_kept) > MAX_KEPT:
            _kept.popitem(last=False)
    return drawn
