"""Data and batches of a script: the arrays of data.npz, their order, and random changes of images."""

from collections.abc import Sequence
from typing import Any

from core.data.augmentation import (
    Affine,
    AnyAugmentation,
    ColorJitter,
    Cutout,
    HorizontalFlip,
    MixUp,
    RandomCrop,
    Rotation,
    VerticalFlip,
)
from core.data.dataset import DataProfile
from core.export.script_plan import Plan
from core.export.script_text import PIECES, Cell, cell, keywords, piece, value
from core.seeds import Stream, stream_seed

HEAD = """HERE = Path(__file__).parent
device = torch.device({device})
torch.set_num_threads(1)  # as the run: more threads add up in another order
torch.set_flush_denormal(True)  # as the run: tiny numbers are zero, and fast

with np.load(HERE / "data.npz") as file:
    data = {{name: torch.from_numpy(file[name]).to(device) for name in file.files}}
n_train = len(data["train_y"])
steps_per_epoch = math.ceil(n_train / BATCH_SIZE)"""
DEVICES = {
    "auto": """
    "cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu"
""",
    "cpu": '"cpu"',
    "cuda": '"cuda"',
    "mps": '"mps"',
}
PREPARED = '''def prepared(x: torch.Tensor) -> torch.Tensor:
    """Inputs as the model gets them: the shift and scale of the training split."""
    return (x.float() - data["shift"]) * data["scale"]'''
ORDER = '''@lru_cache(1)
def order(epoch: int) -> torch.Tensor:
    """The training examples in the order of an epoch, from 1."""
    generator = torch.Generator().manual_seed(BATCH_SEED ^ epoch)
    return torch.randperm(n_train, generator=generator).to(device)'''
WHOLE = """everything = {x}, data["train_y"]"""
BATCH_HEAD = '''def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets of a step, from 1: the same for each script of this seed."""'''
BATCH_BODY = """    epoch, place = divmod(step - 1, steps_per_epoch)
    chosen = order(epoch + 1)[place * BATCH_SIZE : (place + 1) * BATCH_SIZE]
    x, y = data["train_x"].index_select(0, chosen), data["train_y"].index_select(0, chosen)"""
AUGMENTED_HEAD = '''def augmented(x: torch.Tensor, seed: int) -> torch.Tensor:
    """Images (B, C, H, W), each changed in its own way."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(n: int) -> torch.Tensor:
        return torch.rand(n, len(x), 1, 1, 1, generator=generator).to(x.device)

    images = x.float()'''


def data_cell(plan: Plan) -> Cell:
    """Device, arrays, and how many steps there are."""
    imports = {("math", ""), ("pathlib", "Path"), ("numpy as np", ""), ("torch", "")}
    head = HEAD.format(device=DEVICES[plan.experiment.device])
    return cell("Data", [f"{head}\n{_length(plan)}", "" if plan.profile.n_tokens else PREPARED], imports)


def _length(plan: Plan) -> str:
    """How many steps schedules are stretched over, and after how many training ends."""
    budget = plan.experiment.budget
    ends = [end for end, is_set in (("STEPS", budget.steps), ("EPOCHS * steps_per_epoch", budget.epochs)) if is_set]
    if len(ends) == 2:
        length = f"length = min({', '.join(ends)})"
    else:
        length = f"length = {ends[0]}" if ends else "length = 100 * steps_per_epoch  # of schedules: the end is not known"
    if plan.last_step is not None:
        return f"{length}\nsteps = {plan.last_step}  # here the run ended"
    return f"{length}\nsteps = {'length' if ends else '10**9  # until the time is over'}"


def batches_cell(plan: Plan) -> Cell:
    """The function `batch`, with the random changes of images before it."""
    everything = WHOLE.format(x=_prepared('data["train_x"]', plan.profile))
    if plan.takes_all == {True}:
        return cell("Batches", [everything, f"{BATCH_HEAD}\n    return everything  # whatever the step"])
    augmentation = plan.experiment.augmentation
    imports, copies = piece(PIECES / "augment.py", *sorted({_change(one)[0] for one in augmentation}))
    blocks = [*copies, ORDER, everything if len(plan.takes_all) > 1 else ""]
    blocks += _augmented([one for one in augmentation if not isinstance(one, MixUp)])
    return cell("Batches", [*blocks, "\n".join(_batch_lines(plan))], imports | {("functools", "lru_cache")})


def _augmented(changes: Sequence[AnyAugmentation]) -> list[str]:
    """The function that changes images; empty where nothing does."""
    if not changes:
        return []
    has_light = any(isinstance(one, ColorJitter) for one in changes)
    white = 'brightest = data["brightest"].item()  # the value of white'
    lines = [AUGMENTED_HEAD, *map(_change_line, changes), "    return images.round_().to(torch.uint8)"]
    return [white if has_light else "", "\n".join(lines)]


def _batch_lines(plan: Plan) -> list[str]:
    """The function that gives a step its batch."""
    augmentation, profile = plan.experiment.augmentation, plan.profile
    mixes = [one for one in augmentation if isinstance(one, MixUp)]
    lines = [BATCH_HEAD, *(["    if takes_all:", "        return everything"] if len(plan.takes_all) > 1 else []), BATCH_BODY]
    lines += ["    seed = (AUGMENT_SEED + step - 1) % 2**63"] if augmentation else []
    x = _prepared("augmented(x, seed)" if len(mixes) < len(augmentation) else "x", profile)
    if not mixes:
        return [*lines, f"    return {x}, y"]
    lines.append(f"    x, rng = {x}, np.random.default_rng([seed, 1])")
    return [
        *lines,
        *(f"    x, y = mixed(x, y, rng, {value(mix.alpha)}, {profile.n_classes})" for mix in mixes),
        "    return x, y",
    ]


def seeds_of(plan: Plan) -> list[str]:
    """The constants from which all random numbers after the initial weights come."""
    streams: dict[str, tuple[Stream, bool]] = {
        "BATCH_SEED": ("batches", plan.takes_all != {True}),
        "AUGMENT_SEED": ("augment", bool(plan.experiment.augmentation)),
        "MASK_SEED": ("dropout", plan.draws_masks),
    }
    seed, repeat = plan.experiment.seed, plan.repeat
    return [f"{name} = {stream_seed(seed, stream, repeat)}" for name, (stream, is_used) in streams.items() if is_used]


def _prepared(x: str, profile: DataProfile) -> str:
    return x if profile.n_tokens else f"prepared({x})"


def _change_line(one: AnyAugmentation) -> str:
    name, n, arguments = _change(one)
    return f"    images = {name}(images, uniform({n}), {arguments})"


def _change(one: AnyAugmentation) -> tuple[str, int, str]:
    """The function that makes it, how many uniform numbers each image needs, and its settings."""
    name, n, axis = CHANGES[type(one)]
    if isinstance(one, ColorJitter):
        return name, n, f"{value((one.brightness, one.contrast, one.saturation, one.hue))}, brightest"
    numbers = {"chance" if field == "p" else field: number for field, number in one.model_dump(exclude={"kind"}).items()}
    return name, n, ", ".join(keywords(axis | numbers))


CHANGES: dict[type, tuple[str, int, dict[str, Any]]] = {
    HorizontalFlip: ("flipped", 1, {"axis": -1}),
    VerticalFlip: ("flipped", 1, {"axis": -2}),
    RandomCrop: ("cropped", 2, {}),
    Rotation: ("rotated", 1, {}),
    Affine: ("moved", 4, {}),
    ColorJitter: ("jittered", 4, {}),
    Cutout: ("without_square", 3, {}),
    MixUp: ("mixed", 0, {}),
}
"""By augmentation: its function in pieces/augment.py, how many uniform numbers each image needs, and what the kind says."""
