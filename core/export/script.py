"""A run as a stand-alone training script: plain PyTorch that reads well, with the very data, weights and batches of the run."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core import VERSION
from core.data.dataset import DataProfile, Splits
from core.errors import NotApplicable, SpecError
from core.experiment.experiment import Experiment
from core.export.exactness import exactness
from core.export.notebook import notebook
from core.export.script_batches import batches_cell, data_cell, seeds_of
from core.export.script_loop import evaluation_block, gradient_block, loop_block, loss_cell, schedules_of
from core.export.script_optimizer import optimizer_cell, settings_of
from core.export.script_schedule import schedule_cell
from core.export.script_stages import Course, course_of
from core.export.script_text import CELL, Cell, cell, comment, joined, paragraphs, piece, value
from core.models.code import ModelCode, model_code
from core.models.code_classes import FOLDER, import_lines
from core.models.layers.backbone import Backbone
from core.models.model import all_layers, stack_error
from core.results.script import Script

START = """with np.load(HERE / "start.npz") as file:  # the weights to begin with
    model.load_state_dict({name: torch.from_numpy(file[name]) for name in file.files})"""
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
    lane, repeat = divmod(series, experiment.repeats)
    course = course_of(experiment, lane)
    profile = experiment.data.profile()
    code = model_code(experiment.model, profile.input_shape, experiment.seed, repeat)
    error = stack_error(experiment.model, code.inference)
    if error is not None:
        raise error
    if experiment.origin is not None and experiment.origin.optimizer_state:
        raise NotApplicable(
            "This run goes on with the optimizer's memory of another run, which a script does not have.",
            hint="Export the run from which it was forked, or fork without the optimizer's state.",
        )
    if course.ends_after is not None:
        last_step = min(last_step or course.ends_after, course.ends_after)
    has_start = needs_start(experiment)
    cells = _cells(experiment, course, code, repeat, last_step)
    sentence, is_exact = exactness(experiment, course.first)
    head = _head(experiment, profile, code, course, sentence)
    imports = {one for each in cells for one in each.imports}
    text = "\n\n\n".join(
        [
            f'"""{head}\n"""\n\n' + "\n".join(import_lines(imports)),
            *(f"{CELL}{each.title}\n{joined(each.blocks)}" for each in cells),
        ]
    )
    text += "\n"
    return Script(text, _notebook_cells(text), requirements(experiment), sentence, is_exact, has_start)


def needs_start(experiment: Experiment) -> bool:
    """Whether its first weights come from a file: those of another run, or imported ones."""
    backbones = (layer for _, layer in all_layers(experiment.model.layers) if isinstance(layer, Backbone))
    return experiment.origin is not None or bool(experiment.model.weights) or any(layer.weights for layer in backbones)


def requirements(experiment: Experiment) -> str:
    """requirements.txt: torch in the range that gives the same numbers."""
    packages = ["numpy>=1.26", "torch>=2.11"]
    if any(isinstance(layer, Backbone) for _, layer in all_layers(experiment.model.layers)):
        packages.append("torchvision")
    return "\n".join(packages) + "\n"


def script_files(
    experiment: Experiment,
    splits: Splits,
    start_weights: Mapping[str, np.ndarray] | None = None,
    series: int = 0,
    last_step: int | None = None,
) -> dict[str, bytes]:
    """All files that must lie beside each other: train.py, train.ipynb, data.npz, requirements.txt, and start.npz where needed.

    Args:
        start_weights: the initial state_dict as arrays, where it does not come from the seed (`Script.needs_start`).

    Raises:
        SpecError, NotApplicable: as training_script; or it needs start weights and there are none.
    """
    script = training_script(experiment, series, last_step)
    if script.needs_start and start_weights is None:
        raise SpecError("This script begins from weights of a file.", hint="Give them as start_weights.")
    files = {
        "train.py": script.text.encode(),
        "train.ipynb": notebook(script.cells),
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


def _cells(experiment: Experiment, course: Course, code: ModelCode, repeat: int, last_step: int | None) -> Sequence[Cell]:
    profile = experiment.data.profile()
    draws_masks = any(_draws(layer) for _, layer in all_layers(experiment.model.layers))
    has_maps = any("Conv2d(" in text or "ConvTranspose2d(" in text for text in [*code.definitions, *code.stack])
    has_maps = has_maps or any(isinstance(layer, Backbone) for layer in experiment.model.layers)
    training = [
        gradient_block(experiment, draws_masks=draws_masks),
        evaluation_block(experiment, profile, code.inference),
        loop_block(experiment, profile, course, last_step, has_maps=has_maps),
    ]
    is_averaged = any(one.kind == "weight_average" for lane in course.lanes for one in lane.regularizers)
    score = "R² {score:.3f}" if profile.task == "regression" else "accuracy {score:.1%}"
    network = "average if average is not None else model" if is_averaged else "model"
    tested = TESTED.format(network=network, score=score) if profile.n_test else ""
    return (
        _settings(experiment, profile, course, repeat, last_step, draws_masks=draws_masks),
        data_cell(experiment, profile, last_step),
        batches_cell(experiment, profile, course, repeat),
        _model_cell(experiment, code, has_maps=has_maps),
        loss_cell(experiment),
        optimizer_cell(course, has_maps=has_maps),
        schedule_cell(schedules_of(course)),
        cell("Training", training, {("time", "")} if experiment.budget.seconds and last_step is None else ()),
        cell("Result", [RESULT, tested], {("csv", "")}),
    )


def _draws(layer: object) -> bool:
    """Whether a layer may draw random numbers in training."""
    return isinstance(layer, Backbone) or getattr(layer, "p", 0) > 0 or getattr(layer, "dropout", 0) > 0


def _settings(
    experiment: Experiment, profile: DataProfile, course: Course, repeat: int, last_step: int | None, *, draws_masks: bool
) -> Cell:
    budget = experiment.budget
    lines = [f"NAME = {value(course.name)}"]
    limits = {"EPOCHS": budget.epochs, "STEPS": budget.steps}
    if last_step is None:
        limits |= {"SECONDS": budget.seconds, "TARGET": budget.target_accuracy, "PATIENCE": budget.patience}
    lines += [f"{name} = {value(limit)}" for name, limit in limits.items() if limit is not None]
    lines.append(f"BATCH_SIZE = {experiment.batch(profile.n_train)}")
    lines += settings_of(course)
    lines += seeds_of(experiment, course, repeat, draws_masks=draws_masks)
    return cell("Settings", ["\n".join(lines)])


def _model_cell(experiment: Experiment, code: ModelCode, *, has_maps: bool) -> Cell:
    imports, blocks = set(code.imports) | {("torch", ""), ("torch", "nn")}, list(code.definitions)
    if experiment.frozen:
        more, texts = piece(FOLDER / "frozen.py", "PartlyFrozen")
        imports |= more
        blocks = texts + blocks
    blocks.append("\n".join(code.stack))
    if experiment.frozen:
        blocks.append(f"model = PartlyFrozen(*model, frozen={value(experiment.frozen)})")
    blocks.append(START if needs_start(experiment) else "")
    blocks.append("model.to(device)")
    if has_maps:
        blocks[-1] = "model.to(device, memory_format=torch.channels_last)"
    return cell("Model", blocks, imports)


def _head(experiment: Experiment, profile: DataProfile, code: ModelCode, course: Course, sentence: str) -> str:
    optimizer = course.first.optimizer.label
    what = f"Trains a network of {code.inference.n_parameters:,} parameters with {optimizer}."
    about = f"{profile.n_train:,} examples: {experiment.data.label}. Made by Layerwise {VERSION} from a run of it: "
    about += "same data, same initial weights, same batches, same random numbers."
    beside = "data.npz and start.npz" if needs_start(experiment) else "data.npz"
    usage = f"Keep it beside {beside} and run `python train.py`. It prints a line per epoch and writes curve.csv, the loss of "
    usage += "every step, and weights.pt, what was learned."
    return paragraphs(what, about, sentence, usage)


def _notebook_cells(text: str) -> tuple[tuple[str, str], ...]:
    """The script as cells: its head as words, its imports, then each part under its title."""
    head, *parts = re.split(rf"^{re.escape(CELL)}", text, flags=re.MULTILINE)
    about, imports = head.removeprefix('"""').split('\n"""\n', 1)
    cells = [("markdown", about), ("code", imports.strip())]
    for part in parts:
        title, body = part.split("\n", 1)
        cells += [("markdown", f"## {title}"), ("code", body.strip().replace("Path(__file__).parent", "Path()"))]
    return tuple(cells)
