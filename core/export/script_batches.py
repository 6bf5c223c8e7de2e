"""Data and batches of a script: the arrays of data.npz, their order, and random changes of images."""

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
from core.experiment.experiment import Experiment
from core.export.script_stages import Course
from core.export.script_text import PIECES, Cell, cell, piece, value
from core.seeds import stream_seed

HEAD = """HERE = Path(__file__).parent
device = torch.device({device})
torch.set_num_threads(1)  # as the run: more threads add up in another order
torch.set_flush_denormal(True)  # as the run: tiny numbers are zero, and fast

with np.load(HERE / "data.npz") as file:
    data = {{name: torch.from_numpy(file[name]).to(device) for name in file.files}}
n_train = len(data["train_y"])
steps_per_epoch = math.ceil(n_train / BATCH_SIZE)"""
DEVICES = {
    "auto": '"cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu"',
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
AUGMENTED_HEAD = '''def augmented(x: torch.Tensor, seed: int) -> torch.Tensor:
    """Images (B, C, H, W), each changed in its own way."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(n: int) -> torch.Tensor:
        return torch.rand(n, len(x), 1, 1, 1, generator=generator).to(x.device)

    images = x.float()'''


def data_cell(experiment: Experiment, profile: DataProfile, last_step: int | None) -> Cell:
    """Device, arrays, and how many steps there are."""
    imports = {("math", ""), ("pathlib", "Path"), ("numpy as np", ""), ("torch", "")}
    head = HEAD.format(device=DEVICES[experiment.device])
    return cell("Data", [head + "\n" + _length(experiment, last_step), "" if profile.n_tokens else PREPARED], imports)


def _length(experiment: Experiment, last_step: int | None) -> str:
    """How many steps schedules are stretched over, and after how many training ends."""
    budget = experiment.budget
    ends = [end for end, is_set in (("STEPS", budget.steps), ("EPOCHS * steps_per_epoch", budget.epochs)) if is_set]
    if not ends:
        length = "length = 100 * steps_per_epoch  # of schedules: a run by the clock has no known end"
    else:
        length = f"length = {ends[0] if len(ends) == 1 else f'min({chr(44).join(ends)})'}".replace(",", ", ")
    if last_step is not None:
        return f"{length}\nsteps = {last_step}  # here the run ended"
    return f"{length}\nsteps = {'length' if ends else '10**9  # until the time is over'}"


def batches_cell(experiment: Experiment, profile: DataProfile, course: Course, repeat: int) -> Cell:
    """The function `batch`, with the random changes of images before it."""
    takes_all = {lane.optimizer.needs_whole_split for lane in course.lanes}
    everything = WHOLE.format(x=_prepared('data["train_x"]', profile))
    if takes_all == {True}:
        return cell("Batches", [everything, f"{BATCH_HEAD}\n    return everything  # whatever the step"])
    imports = {("functools", "lru_cache")}
    blocks = [ORDER, everything if len(takes_all) > 1 else ""]
    changes = [one for one in experiment.augmentation if not isinstance(one, MixUp)]
    mixes = [one for one in experiment.augmentation if isinstance(one, MixUp)]
    if experiment.augmentation:
        more, texts = piece(PIECES / "augment.py", *sorted({_change(one)[0] for one in experiment.augmentation}))
        imports |= more
        blocks = texts + blocks
    if any(isinstance(one, ColorJitter) for one in changes):
        blocks.append('brightest = data["brightest"].item()  # the value of white')
    if changes:
        blocks.append("\n".join([AUGMENTED_HEAD, *map(_change_line, changes), "    return images.round_().to(torch.uint8)"]))
    lines = [BATCH_HEAD, *(["    if takes_all:", "        return everything"] if len(takes_all) > 1 else [])]
    lines += [
        "    epoch, place = divmod(step - 1, steps_per_epoch)",
        "    chosen = order(epoch + 1)[place * BATCH_SIZE : (place + 1) * BATCH_SIZE]",
    ]
    lines.append('    x, y = data["train_x"].index_select(0, chosen), data["train_y"].index_select(0, chosen)')
    if experiment.augmentation:
        lines.append("    seed = (AUGMENT_SEED + step - 1) % 2**63")
    x = _prepared("augmented(x, seed)" if changes else "x", profile)
    if not mixes:
        return cell("Batches", [*blocks, "\n".join([*lines, f"    return {x}, y"])], imports)
    lines += [f"    x, rng = {x}, np.random.default_rng([seed, 1])"]
    lines += [f"    x, y = mixed(x, y, rng, {value(mix.alpha)}, {profile.n_classes})" for mix in mixes]
    return cell("Batches", [*blocks, "\n".join([*lines, "    return x, y"])], imports)


def seeds_of(experiment: Experiment, course: Course, repeat: int, *, draws_masks: bool) -> list[str]:
    """The constants from which all random numbers after the initial weights come."""
    lines = []
    if not all(lane.optimizer.needs_whole_split for lane in course.lanes):
        lines.append(f"BATCH_SEED = {stream_seed(experiment.seed, 'batches', repeat)}")
        if experiment.augmentation:
            lines.append(f"AUGMENT_SEED = {stream_seed(experiment.seed, 'augment', repeat)}")
    if draws_masks:
        lines.append(f"MASK_SEED = {stream_seed(experiment.seed, 'dropout', repeat)}")
    return lines


def _prepared(x: str, profile: DataProfile) -> str:
    return x if profile.n_tokens else f"prepared({x})"


def _change_line(one: AnyAugmentation) -> str:
    name, n, arguments = _change(one)
    return f"    images = {name}(images, uniform({n}), {arguments})"


def _change(one: AnyAugmentation) -> tuple[str, int, str]:  # noqa: C901  one line per augmentation
    """The function that makes it, how many uniform numbers each image needs, and its settings."""
    match one:
        case HorizontalFlip():
            return "flipped", 1, f"axis=-1, chance={value(one.p)}"
        case VerticalFlip():
            return "flipped", 1, f"axis=-2, chance={value(one.p)}"
        case RandomCrop():
            return "cropped", 2, f"padding={one.padding}"
        case Rotation():
            return "rotated", 1, f"degrees={value(one.degrees)}"
        case Affine():
            return "moved", 4, f"translate={value(one.translate)}, scale={value(one.scale)}, shear={value(one.shear)}"
        case ColorJitter():
            return "jittered", 4, f"{value((one.brightness, one.contrast, one.saturation, one.hue))}, brightest"
        case Cutout():
            return "without_square", 3, f"share={value(one.share)}, chance={value(one.p)}"
    return "mixed", 0, ""
