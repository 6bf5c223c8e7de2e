"""Run in a process of its own: every folder's train.py, one after the other, each in a namespace of its own."""

import contextlib
import io
import runpy
import sys
import traceback
import warnings
from pathlib import Path


def main() -> None:
    warnings.simplefilter("error")
    for name in sys.argv[1:]:
        folder = Path(name)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                runpy.run_path(str(folder / "train.py"), run_name="__main__")
        except BaseException:  # noqa: BLE001  the test reads it
            (folder / "error.txt").write_text(traceback.format_exc())
        (folder / "printed.txt").write_text(printed.getvalue())
    assert "core" not in sys.modules
    assert "dashboard" not in sys.modules


if __name__ == "__main__":
    main()
