"""A run as a stand-alone training script: plain PyTorch that reads well, with the very data, weights and batches of the run."""

import io
from collections.abc import Mapping, Sequence

import numpy as np

from core import VERSION
from core.data.dataset import Splits
from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.export.exactness import exactness
from core.export.notebook import notebook
from core.export.script_batches import batches_cell, data_cell, seeds_of
from core.export.script_figures import loss_cell
from core.export.script_loop import training_cell
from core.export.script_optimizer import optimizer_cell, settings_of
from core.export.script_plan import Plan
from core.export.script_schedule import schedule_cell
from core.export.script_text import CELL, Cell, cell, joined, paragraphs, piece, value
from core.models.code_classes import FOLDER, import_lines
from core.results.script import Script

START = """with np.load(HERE / "start.npz") as file:  # the weights to begin with
    start = {name: torch.from_numpy(file[name]) for name in file.files}
model.load_state_dict({name: start[name] for name in model.state_dict()})"""
RESULT = """with (HERE / "curve.csv").open("w", newline="") as file:
    csv.writer(file).writerows([("step", "loss"), *enumerate(curve, 1)])
torch.save(model.state_dict(), HERE / "weights.pt")"""
TESTED = """loss, score = evaluated({network}, "test")
print(f"test loss {{loss:.4f}}, {score}")"""


def training_script(experiment: Experiment, series: int = 0, last_step: int | None = None) -> Script:
    """The script of one lane and seed, `series = lane * repeats + repeat`. Makes no use of torch.

    Args:
        last_step: where the run ended, for runs that end by the clock, by hand, or by what other lanes did.

    Raises:
        SpecError: there is no such series, or the layers do not fit together.
        NotApplicable: a script cannot say it; the message says what.
    """
    plan = Plan.of(experiment, series, last_step)
    cells = _cells(plan)
    sentence, is_exact = exactness(experiment, plan.course.first)
    imports = import_lines({one for each in cells for one in each.imports})
    head = f'"""{_head(plan, sentence)}\n"""\n\n' + "\n".join(imports) + "\n\n"
    text = head + "\n\n\n".join(f"{CELL}{each.title}\n{joined(each.blocks)}" for each in cells) + "\n"
    packages = ["numpy>=1.26", "torch>=2.11", *(["torchvision>=0.26"] if plan.has_backbone else [])]
    return Script(text, notebook(text), "\n".join(packages) + "\n", sentence, is_exact, plan.needs_start)


def script_files(
    experiment: Experiment,
    splits: Splits,
    start_weights: Mapping[str, np.ndarray] | None = None,
    series: int = 0,
    last_step: int | None = None,
) -> dict[str, bytes]:
    """All files that must lie beside each other: train.py, train.ipynb, data.npz, requirements.txt, and start.npz where needed.

    Args:
        start_weights: the initial state_dict as arrays, where it does not come from the seed (`Script.needs_start`). To go on
            with an optimizer's memory, also `optimizer.<parameter>.<slot>` and `memory`: see core/jobs/script_job.py.

    Raises:
        SpecError, NotApplicable: as training_script; or it needs start weights and there are none.
    """
    script = training_script(experiment, series, last_step)
    if script.needs_start and start_weights is None:
        raise SpecError("This script begins from weights of a file.", hint="Give them as start_weights.")
    files = {
        "train.py": script.text.encode(),
        "train.ipynb": script.notebook.encode(),
        "data.npz": data_file(splits),
        "requirements.txt": script.requirements.encode(),
    }
    if script.needs_start and start_weights is not None:
        files["start.npz"] = _npz(start_weights)
    return files


def data_file(splits: Splits) -> bytes:
    """data.npz: the examples of all splits as the data set keeps them, and what prepares them for the model."""
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    arrays = {f"{name}_x": part.x for name, part in parts.items() if len(part)}
    arrays |= {f"{name}_y": part.y for name, part in parts.items() if len(part)}
    if splits.profile.modality != "sequence":
        arrays |= {"shift": np.asarray(splits.shift, np.float32), "scale": np.asarray(splits.scale, np.float32)}
    if splits.profile.modality == "image":
        arrays["brightest"] = np.asarray(splits.brightest, np.float32)
    return _npz(arrays)


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _cells(plan: Plan) -> Sequence[Cell]:
    return (
        _settings(plan),
        data_cell(plan),
        batches_cell(plan),
        _model_cell(plan),
        loss_cell(plan),
        optimizer_cell(plan),
        schedule_cell(plan.schedules, has_memory=plan.has_memory),
        training_cell(plan),
        cell("Result", [RESULT, _tested(plan)], {("csv", "")}),
    )


def _tested(plan: Plan) -> str:
    return TESTED.format(network=plan.evaluated, score=plan.score) if plan.profile.n_test else ""


def _settings(plan: Plan) -> Cell:
    """All numbers that somebody might want to change."""
    budget = plan.experiment.budget
    limits: dict[str, float | None] = {"EPOCHS": budget.epochs, "STEPS": budget.steps}
    if plan.last_step is None:
        limits |= {"SECONDS": budget.seconds, "TARGET": budget.target_accuracy, "PATIENCE": budget.patience}
    lines = [f"NAME = {value(plan.name)}"]
    lines += [f"{name} = {value(limit)}" for name, limit in limits.items() if limit is not None]
    lines.append(f"BATCH_SIZE = {plan.experiment.batch(plan.profile.n_train)}")
    return cell("Settings", ["\n".join([*lines, *settings_of(plan), *seeds_of(plan)])])


def _model_cell(plan: Plan) -> Cell:
    """Classes that torch has not, and the network with its first weights."""
    imports, blocks = set(plan.code.imports) | {("torch", ""), ("torch", "nn")}, list(plan.code.definitions)
    lines = list(plan.code.stack)
    if plan.experiment.frozen:
        more, texts = piece(FOLDER / "frozen.py", "PartlyFrozen")
        imports |= more
        blocks = texts + blocks
        lines.append(f"model = PartlyFrozen(*model, frozen={value(plan.experiment.frozen)})")
    moved = f"model.to(device{', memory_format=torch.channels_last' if plan.has_maps else ''})"
    start = [f"{START}\n{moved}"] if plan.needs_start else []
    return cell("Model", [*blocks, "\n".join([*lines, *([] if start else [moved])]), *start], imports)


def _head(plan: Plan, sentence: str) -> str:
    """What the script is, how near it comes to the run, and how it is used."""
    data, optimizer = plan.experiment.data, plan.course.first.optimizer
    what = f"Trains a network of {plan.code.inference.n_parameters:,} parameters with {optimizer.label}."
    about = f"{plan.profile.n_train:,} examples ({data.label}). Layerwise {VERSION} wrote it from a run: the data, the initial "
    about += "weights, the batches and all other random numbers are the same."
    beside = "data.npz and start.npz" if plan.needs_start else "data.npz"
    usage = f"Keep it beside {beside} and run `python train.py`. It prints a line per epoch and writes curve.csv, the loss of "
    usage += "every step, and weights.pt, what was learned."
    return paragraphs(what, about, sentence, usage)
