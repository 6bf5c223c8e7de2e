"""A script as a notebook, as Jupyter reads it (nbformat 4.5)."""

import json
import re
from collections.abc import Sequence
from typing import Any

from core.export.script_text import CELL


def notebook(text: str) -> str:
    """The file of a notebook with the cells of a script; nothing in it was run."""
    made = [_cell(number, kind, body) for number, (kind, body) in enumerate(_cells(text))]
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _cells(text: str) -> Sequence[tuple[str, str]]:
    """("markdown" or "code", text) of each: the head as words, the imports, then each part under its title."""
    head, *parts = re.split(rf"^{re.escape(CELL)}", text, flags=re.MULTILINE)
    about, imports = head.removeprefix('"""').split('\n"""\n', 1)
    cells = [("markdown", about), ("code", imports.strip())]
    for part in parts:
        title, body = part.split("\n", 1)
        cells += [("markdown", f"## {title}"), ("code", body.strip().replace("Path(__file__).parent", "Path()"))]
    return cells
