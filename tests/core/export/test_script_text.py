"""The exported script as text: it reads well, imports nothing of ours, and nothing that a user wrote becomes code."""

import ast
import io
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from core.data.own.reading.names import visible
from core.errors import LayerwiseError, NotApplicable, SpecError
from core.experiment.changes import OptimizerSwap
from core.experiment.experiment import Budget, Lane
from core.experiment.origin import Origin
from core.export.exactness import is_stacked
from core.export.notebook import notebook
from core.export.script import script_files, training_script
from core.export.script_figures import CHUNK, CHUNK_BYTES
from core.export.script_text import quoted
from core.models.layers.backbone import Backbone
from core.models.layers.linear import Linear
from core.models.model import ModelSpec
from core.optim.optimizers import Adam, Muon
from core.results.script import compared
from core.training import measures
from core.training.executors.batched import Batched
from tests.core.export.script_cases import at_random, cnn, examples, of_the_menus, presets, special
from tests.core.export.script_curves import run_curves
from tests.core.samples import linear, spiral, stack

CASES = {case.name: case for case in [*of_the_menus(), *presets(), *examples(), *special(), *at_random(60)]}
MODULES = {"collections", "copy", "csv", "functools", "math", "numpy", "pathlib", "time", "torch", "torchvision", "typing"}
CALLED = {"open", "print", "range", "zip", "enumerate", "sum", "min", "max", "len", "round", "list", "divmod", "isinstance"}
CALLED |= {"super", "float", "int", "any", "all", "tuple", "set", "sorted", "setattr", "getattr", "callable", "dict", "map"}
HOSTILE = (
    "'); import os; os.system('x') #",
    '"""\nimport os\n"""',
    "a\nb\r\nc\u2028d\u0085e",
    "{name} {0} %s %(x)s",
    "\\",
    "\\N{BULLET}\\x41",
    "# %% Data\nimport os",
    "\u202e\ufb01\U0001d400\U0001f600",
    "'\"'''\"\"\"",
    "\x00\x1b[31m",
)


def text_of(case) -> str:
    return training_script(case.experiment, case.series, case.last_step).text


def imported(tree: ast.Module) -> set[str]:
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


@pytest.mark.fault(24)
@pytest.mark.parametrize("name", CASES)
def test_a_script_imports_torch_and_numpy_alone_and_calls_nothing_of_pythons_underworld(name):
    text = text_of(CASES[name])
    tree = ast.parse(text)
    assert imported(tree) <= MODULES
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__", "globals", "locals", "input", "breakpoint"}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    brought = {
        alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    parameters = {argument.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in node.args}
    assert called <= CALLED | defined | assigned | brought | parameters
    assert "core." not in text.replace("score.", "")
    assert "allow_pickle" not in text


def test_scripts_are_formatted_and_sorted_as_ruff_would(tmp_path):
    for name, case in CASES.items():
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(text_of(case))
    ruff = str(Path(sys.executable).parent / "ruff")
    settings = ["--isolated", "--no-cache", "--line-length", "100"]
    formatted = subprocess.run([ruff, "format", "--diff", *settings, "."], cwd=tmp_path, capture_output=True, text=True)
    assert formatted.returncode == 0, formatted.stdout[-4000:]
    rules = ["--select", "E,F,I,B,W,UP", "--ignore", "E501"]
    checked = subprocess.run([ruff, "check", *settings, *rules, "."], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout[-4000:]


@pytest.mark.fault(21)
@pytest.mark.fault(22)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_lanes_name_stays_a_text_whatever_is_in_it(name):
    harmless, hostile = (
        cnn(lane={"name": each[:40]}, changes=(OptimizerSwap(after_step=3, lane=0, optimizer=Adam()),)) for each in ("a", name)
    )
    shown = hostile.lanes[0].name
    assert shown == visible(name[:40])
    texts = [training_script(one.but(changes=()), 0).text for one in (harmless, hostile)]
    trees = [ast.parse(text) for text in texts]
    constants = [[node for node in ast.walk(tree) if isinstance(node, ast.Constant)] for tree in trees]
    assert [one.value for one in constants[1] if one.value == shown] == [shown]
    for found in constants[1]:
        found.value = "a" if found.value == shown else found.value
    assert ast.dump(trees[0]) == ast.dump(trees[1])
    assert len(texts[0].splitlines()) == len(texts[1].splitlines())
    assert len(json.loads(notebook(texts[1]))["cells"]) == len(json.loads(notebook(texts[0]))["cells"])
    training_script(hostile)


@pytest.mark.parametrize("text", [*HOSTILE, "", "plain", "it's", 'say "x"', "é"])
def test_a_quoted_text_is_that_text_on_one_line(text):
    source = quoted(text)
    assert ast.literal_eval(source) == text
    assert len(source.splitlines()) == 1
    source.encode()


def test_plain_words_stand_in_double_quotes():
    assert quoted("Adam, lr 0.003") == '"Adam, lr 0.003"'
    assert quoted("it's") == '"it\'s"'


@pytest.mark.parametrize("name", ["special-everything", "example-hills", "random-1"])
def test_the_notebook_is_valid_and_its_cells_in_order_make_the_curve(name, tmp_path, monkeypatch):
    case = next((case for case in CASES.values() if case.name == name), next(iter(CASES.values())))
    files = script_files(case.experiment, case.experiment.data.splits(case.experiment.seed), None, case.series)
    (tmp_path / "data.npz").write_bytes(files["data.npz"])
    book = nbformat.reads(files["train.ipynb"].decode(), as_version=4)
    nbformat.validate(book)
    assert [cell.cell_type for cell in book.cells[:2]] == ["markdown", "code"]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    with torch.random.fork_rng(devices=[]):
        for cell in book.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), names)
    torch.set_flush_denormal(False)
    run = run_curves(case.experiment)[case.series]
    assert compared(run, np.array(names["curve"])).is_exact
    assert (tmp_path / "curve.csv").exists()


def test_the_files_hold_no_pickle_and_are_equal_each_time():
    experiment = spiral()
    splits = experiment.data.splits(experiment.seed)
    files, again = script_files(experiment, splits), script_files(experiment, splits)
    assert files == again
    assert set(files) == {"train.py", "train.ipynb", "data.npz", "requirements.txt"}
    with np.load(io.BytesIO(files["data.npz"]), allow_pickle=False) as arrays:
        assert (arrays["train_x"] == splits.train.x).all()
        assert (arrays["test_y"] == splits.test.y).all()
    assert files["requirements.txt"].decode().split() == ["numpy>=1.26", "torch>=2.11"]


def test_writing_a_script_needs_no_torch():
    code = "import sys; from core.experiment.examples import EXAMPLES; from core.export.script import training_script; "
    code += "[training_script(example.make()) for example in EXAMPLES]; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


def test_a_run_by_the_clock_ends_where_it_ended_or_by_the_clock():
    by_clock = spiral(budget=Budget(epochs=None, seconds=2.0))
    assert "SECONDS = 2.0" in training_script(by_clock).text
    known = training_script(by_clock, last_step=77).text
    assert "steps = 77" in known
    assert "SECONDS" not in known


def test_what_a_script_cannot_say_is_said_in_words():
    origin = Origin(run="a", name="b", sha256="0" * 64, optimizer_state=True)
    with pytest.raises(NotApplicable, match="memory of another run"):
        training_script(spiral("lbfgs", origin=origin))
    with pytest.raises(SpecError, match="no lane 3"):
        training_script(spiral(), 3)
    with pytest.raises(LayerwiseError):
        training_script(cnn(model=stack(linear(10), ("Conv2d", {}))))


def test_a_script_that_starts_from_weights_needs_them():
    assert not training_script(spiral()).needs_start
    model = ModelSpec(layers=(Backbone(name="mobilenet_v3_small", weights="a" * 64), Linear(out_features=10)))
    assert training_script(cnn(model=model)).needs_start
    assert "torchvision" in training_script(cnn(model=model)).requirements
    with pytest.raises(SpecError, match="weights of a file"):
        script_files(cnn(model=model), cnn().data.splits(0))


@pytest.mark.parametrize("name", CASES)
def test_whether_a_run_is_stacked_is_known_without_torch(name):
    experiment = CASES[name].experiment
    for index, lane in enumerate(experiment.lanes):
        here = type("Here", (), {"lane": lane, "index": index})()
        is_so = not Batched.supports(experiment, here, torch.device("cpu"))
        assert is_stacked(experiment, lane) >= is_so
        assert is_stacked(experiment, lane) == is_so or experiment.frozen


def test_evaluations_take_as_many_examples_at_once_as_in_training():
    assert (CHUNK, CHUNK_BYTES) == (measures.CHUNK, measures.CPU_BYTES)


def test_muon_with_its_two_groups_can_be_changed():
    changed = cnn(Muon(), changes=())
    assert "MuonAndAdamW(" in training_script(changed).text
    assert training_script(cnn(lane={"name": "x"}).but(lanes=(Lane(optimizer=Adam(), name="x"),))).text
