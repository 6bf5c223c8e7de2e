"""The tree of runs: what was made from what. By mouse or by keys; a chosen run is told to the page."""

from collections.abc import Callable, Sequence
from typing import Any

from dashboard.components.run_tree.forest import Node as Node
from dashboard.components.run_tree.forest import Row, forest
from dashboard.components.shared import declare, payload
from dashboard.text import _, counted

_component = declare("run_tree")

MAX_ROWS = 600
"""More runs than that are not drawn, the newest trees first; the table of runs has all."""


def run_tree(nodes: Sequence[Node], chosen: str, *, key: str, on_pick: Callable[[str], None]) -> None:
    """Show the forest as one tree widget (WAI-ARIA): arrows move, Enter chooses.

    Trees of one run are folded away behind a button while there are larger ones.

    Args:
        chosen: id of the run that the page looks at; empty for none.
        on_pick: gets the id of the newly chosen one, before the page runs again.
    """
    rows = forest(nodes)
    shown = rows[:MAX_ROWS]
    known = {row.node.id for row in shown}

    def picked() -> None:
        run = payload(key, "pick")
        if isinstance(run, str) and run in known:
            on_pick(run)

    data = {"rows": [_row(row) for row in shown], "chosen": chosen, "texts": _texts(rows, len(rows) - len(shown))}
    _component(key=key, data=data, on_pick_change=picked)


def _row(row: Row) -> dict[str, Any]:
    node = row.node
    return {
        "id": node.id,
        "title": node.title,
        "edge": node.edge,
        "facts": node.facts,
        "score": node.score,
        "state": node.state,
        "tone": node.tone,
        "depth": row.depth,
        "rails": list(row.rails),
        "last": row.is_last,
        "below": row.n_below,
    }


def alt_tree(nodes: Sequence[Node]) -> str:
    """The tree in a sentence."""
    rows = forest(nodes)
    trees = sum(1 for row in rows if row.depth == 0 and row.n_below)
    return _("{trees} of runs that were forked, with {n} in all; the longest line of descent has {depth}.").format(
        trees=counted("{n} tree", "{n} trees", trees),
        n=counted("{n} run", "{n} runs", sum(1 + row.n_below for row in rows if row.depth == 0 and row.n_below)),
        depth=counted("{n} run", "{n} runs", 1 + max((row.depth for row in rows), default=0)),
    )


def _texts(rows: Sequence[Row], n_left_out: int) -> dict[str, str]:
    n_single = sum(1 for row in rows if row.depth == 0 and not row.n_below)
    return {
        "label": _("Tree of runs"),
        "alt": alt_tree([row.node for row in rows]),
        "show": counted("Show {n} run that nothing was made from", "Show {n} runs that nothing was made from", n_single),
        "hide": _("Hide runs that nothing was made from"),
        "left_out": _("The oldest {n} are in the table alone.").format(n=f"{n_left_out:,}") if n_left_out else "",
    }
