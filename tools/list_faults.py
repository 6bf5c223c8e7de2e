"""Writes into docs/faults.md in which files each case is tested: `python tools/list_faults.py`."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/faults.md"
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|(.*)$")


def marks(folder: Path) -> dict[int, set[str]]:
    """The files in which each number stands as `pytest.mark.fault(<number>)`, or as by `fault_case(<number>, ...)`."""
    found = defaultdict[int, set[str]](set)
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.mark.fault", "fault_case") and node.args:
                number = getattr(node.args[0], "value", None)
                if isinstance(number, int):
                    found[number].add(str(path.relative_to(folder)))
    return dict(found)


def numbers(text: str) -> list[int]:
    """The cases of the document, in its order."""
    return [int(row[1]) for row in map(ROW.match, text.splitlines()) if row]


def with_places(text: str, places: dict[int, set[str]]) -> str:
    """The document with its last column as it should be."""

    def line(given: str) -> str:
        row = ROW.match(given)
        if row is None:
            return given
        files = ", ".join(f"`{place}`" for place in sorted(places.get(int(row[1]), ())))
        return f"| {row[1]} | {row[2]} | {row[3]} | {files} |"

    return "\n".join(map(line, text.split("\n")))


if __name__ == "__main__":
    DOCUMENT.write_text(with_places(DOCUMENT.read_text(), marks(ROOT / "tests")))
