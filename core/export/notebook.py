"""A notebook from cells, as Jupyter reads it (nbformat 4.5)."""

import json
import re
from collections.abc import Sequence
from typing import Any

from core.export.script_text import CELL


def notebook(cells: Sequence[tuple[str, str]]) -> bytes:
    """The file of a notebook whose cells are ("markdown" or "code", text); nothing in it was run."""
    made = [_cell(number, kind, text) for number, (kind, text) in enumerate(cells)]
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def notebook_cells(text: str) -> tuple[tuple[str, str], ...]:
    """A script as cells: its head as words, its imports, then each part under its title."""
    head, *parts = re.split(rf"^{re.escape(CELL)}", text, flags=re.MULTILINE)
    about, imports = head.removeprefix('"""').split('\n"""\n', 1)
    cells = [("markdown", about), ("code", imports.strip())]
    for part in parts:
        title, body = part.split("\n", 1)
        cells += [("markdown", f"## {title}"), ("code", body.strip().replace("Path(__file__).parent", "Path()"))]
    return tuple(cells)
