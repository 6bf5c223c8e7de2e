"""The house's floors: every import points down, and each library is used only where it belongs."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"core"}
INGREDIENTS = {"core.data", "core.models", "core.optim", "core.metrics"}
LENSES = {"core.inspection", "core.explanation", "core.evaluation", "core.compression"}
MENUS = INGREDIENTS | {"core.explanation", "core.compression"}

# room: the rooms it may import; words (core/*.py, core/results) may be imported by all
MAY_IMPORT = {
    "core": set(),
    "core.results": set(),
    "dashboard.text": set(),
    **{room: set() for room in INGREDIENTS | {"core.store"}},
    "dashboard.figures": {"dashboard.text"},
    "core.experiment": INGREDIENTS,
    **dict.fromkeys(LENSES, INGREDIENTS),
    "core.training": {"core.experiment"} | INGREDIENTS,
    "core.export": {"core.experiment"} | INGREDIENTS,
    "dashboard.lessons": {"core.experiment"},
    "core.jobs": {"core.training", "core.export", "core.experiment", "core.store"} | LENSES | INGREDIENTS,
    "dashboard.secrets": set(),
    "dashboard.session": {"core.experiment", "core.jobs", "core.store", "core.data", "dashboard.secrets", "dashboard.text"},
    "dashboard.components": MENUS | {"dashboard.text"},
    "dashboard.widgets": {"dashboard.components", "dashboard.figures", "dashboard.session", "dashboard.text", "core.experiment"}
    | {"core.jobs", "core.store"}
    | MENUS,
    "dashboard.security": set(),
    "dashboard.sending": {"dashboard.session"},
    "dashboard.stream": {"dashboard.security", "dashboard.sending", "dashboard.session"},
    "dashboard.room_stream": {"dashboard.security", "dashboard.sending", "dashboard.session", "core.store"},
    "dashboard.board_stream": {"dashboard.room_stream", "dashboard.security", "dashboard.sending", "dashboard.session"}
    | {"core.store"},
    "dashboard.health": {"dashboard.session"},
    "dashboard.entrance": {"dashboard.secrets", "dashboard.security", "dashboard.session", "dashboard.text"},
    "dashboard.uploads": {"dashboard.security"},
    "dashboard.workshop": {"dashboard.secrets"},
    "dashboard.screens": {
        "dashboard.widgets",
        "dashboard.components",
        "dashboard.figures",
        "dashboard.session",
        "dashboard.text",
    }
    | {"dashboard.lessons", "core.experiment", "core.jobs", "core.store"}
    | MENUS,
    "dashboard.app": {"dashboard.screens", "dashboard.widgets", "dashboard.session", "dashboard.text"},
    "dashboard.server": {
        "dashboard.stream",
        "dashboard.room_stream",
        "dashboard.board_stream",
        "dashboard.health",
        "dashboard.secrets",
        "dashboard.security",
        "dashboard.uploads",
        "dashboard.entrance",
        "dashboard.session",
        "dashboard.components",
        "core.jobs",
        "core.store",
    },
    "core.cli": {"core.store"},
    "core.__main__": {"core.cli", "core.experiment", "core.training", "core.jobs"}
    | {"core.data", "core.models", "core.explanation"},
}
FRONT = {
    "dashboard.server",
    "dashboard.app",
    "dashboard.uploads",
    "dashboard.screens",
    "dashboard.components",
    "dashboard.widgets",
    "dashboard.session",
}
TORCH = INGREDIENTS | LENSES | {"core.training", "core.export", "core.jobs"}
ONLY_IN = {
    "streamlit": FRONT,
    "plotly": {"dashboard.figures", "dashboard.server", "dashboard.widgets"},
    "torch": TORCH,
    "torchvision": TORCH,
    "sqlalchemy": {"core.store"},
    "sqlite3": {"core.store"},
    "captum": {"core.explanation"},
    "shap": {"core.explanation"},
    "lime": {"core.explanation"},
    "onnx": {"core.export"},
    "onnxruntime": {"core.export"},
    "tensorboard": {"core.export"},
    "pickle": set(),
}
FILES = sorted(path for top in ("core", "dashboard") for path in (ROOT / top).rglob("*.py"))


def room_of(module: str) -> str:
    """The room of a module: its first two names, or `core` for the words on the ground floor."""
    parts = module.split(".")
    if parts[0] == "core" and (len(parts) == 1 or not (ROOT / "core" / parts[1]).is_dir()):
        return "core.__main__" if parts[-1] == "__main__" else "core"
    return ".".join(parts[:2])


def imports(path: Path) -> set[str]:
    """All modules that a file imports, nested imports too; those for the type checker alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            is_package = (ROOT / node.module.replace(".", "/")).is_dir()
            found |= submodules if is_package and node.module in ("core", "dashboard") else {node.module}
    return found


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down(path):
    room = room_of(module_of(path))
    if room == "dashboard":
        return
    allowed = MAY_IMPORT[room] | {room, "core", "core.results"}
    for module in imports(path):
        if module.split(".")[0] in ("core", "dashboard"):
            assert room_of(module) in allowed, f"{module_of(path)} may not import {module}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_each_library_stays_in_its_rooms(path):
    room = room_of(module_of(path))
    for module in imports(path):
        rooms = ONLY_IN.get(module.split(".")[0])
        assert rooms is None or room in rooms, f"{module_of(path)} may not import {module}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_every_room_is_in_the_table():
    rooms = {room_of(module_of(path)) for path in FILES} - {"dashboard"}
    assert rooms <= set(MAY_IMPORT), rooms - set(MAY_IMPORT)


def test_only_one_file_touches_the_session_state_of_experiment_and_run():
    users = [
        path.name
        for path in FILES
        if "state.experiment" in path.read_text() and "st.session_state[EXPERIMENT]" in path.read_text()
    ]
    assert users == ["state.py"]
