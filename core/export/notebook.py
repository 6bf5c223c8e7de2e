"""A notebook from cells, as Jupyter reads it (nbformat 4.5)."""

import json
from collections.abc import Sequence
from typing import Any


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
