"""Optimizer and regularizers of a script: how they are made, what they do in a step, and what a change by hand makes of them."""

from collections.abc import Sequence

from core.experiment.lane import Lane
from core.export.script_schedule import name_of, plateau
from core.export.script_stages import Course, Stage
from core.export.script_text import OPTIM, PIECES, Cell, call, cell, keywords, piece, value
from core.optim.optimizer import OptimizerChoice
from core.optim.regularizers import average_of
from core.optim.schedules import AnySchedule, Plateau

CONSTANTS = {
    "l1": ("L1", "strength", "0.0"),
    "l2": ("L2", "strength", "0.0"),
    "clip_norm": ("CLIP_NORM", "limit", "math.inf"),
    "clip_value": ("CLIP_VALUE", "limit", "math.inf"),
    "weight_decay": ("DECAY", "strength", "0.0"),
    "max_norm": ("MAX_NORM", "limit", "math.inf"),
    "weight_average": ("AVERAGE", "decay", "0.0"),
}
"""By kind of regularizer: what its number is called in a script, its field, and the number that does nothing."""
EFFECTS = {
    "l1": ["for p in trained:", "    p.grad.add_(p.sign(), alpha=L1)"],
    "l2": ["for p in trained:", "    p.grad.add_(p, alpha=L2)"],
    "clip_norm": ["nn.utils.clip_grad_norm_(trained, CLIP_NORM)"],
    "clip_value": ["nn.utils.clip_grad_value_(trained, CLIP_VALUE)"],
}
"""What is done to the gradients `trained`, in the order in which it is done."""
DECAYED = '''@torch.no_grad()
def decay(lr: float) -> None:
    """Shrink each weight by a share of the learning rate, past the optimizer."""
    for p in parameters:
        if p.grad is not None:
            p.mul_(1 - lr * DECAY)'''
PENALTIES = {
    "l1": "L1 * sum(p.abs().sum().item() for p in parameters)",
    "l2": "L2 / 2 * sum(p.square().sum().item() for p in parameters)",
}


def settings_of(course: Course) -> list[str]:
    """The constants of the first stage: learning rate, and the numbers of all regularizers that ever act."""
    lines = [f"LR = {value(course.first.optimizer.lr)}"]
    for kind in kinds_of(course):
        lines.append(f"{CONSTANTS[kind][0]} = {_number(course.first, kind)}")
    return lines


def kinds_of(course: Course) -> list[str]:
    """The kinds of regularizers that act in any stage, in the order in which they act."""
    found = {one.kind for lane in course.lanes for one in lane.regularizers}
    return [kind for kind in CONSTANTS if kind in found]


def _number(lane: Lane, kind: str) -> str:
    _, field, none = CONSTANTS[kind]
    one = next((one for one in lane.regularizers if one.kind == kind), None)
    return none if one is None else value(getattr(one, field))


def made(optimizer: OptimizerChoice, *, has_maps: bool) -> str:
    """The call that makes it."""
    name = class_name(optimizer, has_maps=has_maps)
    arguments = ["parameters", "lr=LR", *keywords({k: v for k, v in optimizer.arguments().items() if k != "lr"})]
    if optimizer.has_fused:
        devices = optimizer.fused_devices
        arguments.append("fused=True" if len(devices) == 3 else f"fused=device.type in {value(devices)}")
    return call(f"optimizer = {name}(", arguments)


def class_name(optimizer: OptimizerChoice, *, has_maps: bool) -> str:
    """torch.optim's class, or one that is copied into the script."""
    module, _, name = optimizer.torch_class.partition(":")
    if name == "LBFGS" and not has_maps:
        return "torch.optim.LBFGS"
    return f"torch.optim.{name}" if module == "torch.optim" else name


def optimizer_cell(course: Course, *, has_maps: bool) -> Cell:
    """Classes that torch has not, the first optimizer, and what acts beside it."""
    imports, blocks = set(), []
    own = {class_name(lane.optimizer, has_maps=has_maps) for lane in course.lanes}
    for name in sorted(name for name in own if "." not in name):
        path = PIECES / "weights.py" if name == "LBFGS" else OPTIM / "optimizer_modules.py"
        more, texts = piece(path, name)
        imports |= more
        blocks += [text for text in texts if text not in blocks]
    kinds = kinds_of(course)
    pieces = [name for name, kind in (("limit_rows", "max_norm"), ("average_in", "weight_average")) if kind in kinds]
    more, texts = piece(PIECES / "weights.py", *pieces)
    imports |= more
    blocks += texts
    blocks.append("parameters = [p for p in model.parameters() if p.requires_grad]")
    blocks.append(made(course.first.optimizer, has_maps=has_maps))
    if len({lane.optimizer.needs_whole_split for lane in course.lanes}) > 1:
        blocks.append(_takes_all(course.first.optimizer))
    if "weight_average" in kinds:
        imports.add(("copy", ""))
        blocks.append(f"{_average(course.first)}  # what is validated, if it is there")
    blocks += [_held_back(kinds), DECAYED if "weight_decay" in kinds else ""]
    return cell("Optimizer", blocks, imports)


def _average(lane: Lane) -> str:
    copied = "copy.deepcopy(model).requires_grad_(False)"
    return f"average = {copied if average_of(lane.regularizers) else None}"


def _takes_all(optimizer: OptimizerChoice) -> str:
    return f"takes_all = {optimizer.needs_whole_split}  # the whole training split in every step"


def _held_back(kinds: Sequence[str]) -> str:
    """The function that changes gradients before they are used; empty where nothing does."""
    acting = [kind for kind in EFFECTS if kind in kinds]
    if not acting:
        return ""
    lines = ["@torch.no_grad()", "def hold_back() -> None:", '    """Penalties on the gradient, then clipping."""']
    lines.append("    trained = [p for p in parameters if p.grad is not None]")
    return "\n".join(lines + [f"    {line}" for kind in acting for line in EFFECTS[kind]])


def closure_lines(kinds: Sequence[str]) -> list[str]:
    """For L-BFGS: what it evaluates, the first time at weights whose loss is known."""
    penalties = [PENALTIES[kind] for kind in PENALTIES if kind in kinds]
    lines = ["def closure() -> float:", '    """Loss and penalties with their gradients: asked for several times per step."""']
    lines.append("    loss = known.pop() if known else loss_and_gradient(step)")
    if any(kind in kinds for kind in EFFECTS):
        lines.append("    hold_back()")
    if not penalties:
        return [*lines, "    return loss"]
    lines += ["    with torch.no_grad():", f"        penalty = {penalties[0]}"]
    return [*lines, *(f"        penalty += {penalty}" for penalty in penalties[1:]), "    return loss + penalty"]


def change_lines(before: Lane, stage: Stage, schedules: Sequence[AnySchedule], course: Course, *, has_maps: bool) -> list[str]:
    """What happens at a change from one stage to the next."""
    now, lines = stage.lane, []
    if now.optimizer.lr != before.optimizer.lr:
        lines.append(f"LR = {value(now.optimizer.lr)}")
    if stage.is_fresh:
        lines += made(now.optimizer, has_maps=has_maps).split("\n")
        if len({lane.optimizer.needs_whole_split for lane in course.lanes}) > 1:
            lines.append(_takes_all(now.optimizer))
    else:
        old, new = before.optimizer.arguments(), now.optimizer.arguments()
        changed = {name: number for name, number in new.items() if name != "lr" and old.get(name) != number}
        if changed:
            lines += ["for group in optimizer.param_groups:", call("group.update(", keywords(changed), indent="    ")]
    for kind in kinds_of(course):
        if _number(before, kind) != _number(now, kind):
            lines.append(f"{CONSTANTS[kind][0]} = {_number(now, kind)}")
    if now.schedule != before.schedule:
        lines.append(f"rate = {name_of(now.schedule, schedules, is_first=False)}")
        if isinstance(now.schedule, Plateau):
            lines += plateau(now.schedule).split("\n")
    if bool(average_of(now.regularizers)) != bool(average_of(before.regularizers)):
        lines.append(_average(now))
    return lines
