"""Optimizer and regularizers of a script: how they are made, what they do in a step, and what a change makes of them."""

from collections.abc import Sequence

from core.experiment.lane import Lane
from core.export.script_plan import Plan
from core.export.script_schedule import name_of, plateau
from core.export.script_stages import Stage
from core.export.script_text import OPTIM, PIECES, Cell, call, cell, keywords, piece, value
from core.models.code_classes import Import
from core.optim.optimizer import OptimizerChoice
from core.optim.regularizers import average_of
from core.optim.schedules import Plateau

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


REMEMBERED = """state = optimizer.state_dict()
for name in start:  # the optimizer goes on with its memory of the run before
    if name.startswith("optimizer."):
        _, index, slot = name.split(".")
        state["state"].setdefault(int(index), {})[slot] = start[name]
optimizer.load_state_dict(state)
for p in parameters:
    for slot, memory in optimizer.state[p].items():
        if memory.shape == p.shape:  # laid out as the weights are
            optimizer.state[p][slot] = torch.empty_like(p.detach()).copy_(memory)"""
AVERAGED = """if any(name.startswith("average.") for name in start):
    average.load_state_dict({name: start[f"average.{name}"] for name in average.state_dict()})"""
ROOM = 8
"""How far in a change stands: in the loop, below its step."""
HELD = frozenset(EFFECTS)
"""The kinds that change gradients."""


def settings_of(plan: Plan) -> list[str]:
    """The constants of the first stage: learning rate, and the numbers of all regularizers that ever act."""
    first = plan.course.first
    return [f"LR = {value(first.optimizer.lr)}", *(f"{CONSTANTS[kind][0]} = {_number(first, kind)}" for kind in plan.kinds)]


def _number(lane: Lane, kind: str) -> str:
    _, field, none = CONSTANTS[kind]
    one = next((one for one in lane.regularizers if one.kind == kind), None)
    return none if one is None else value(getattr(one, field))


def made(optimizer: OptimizerChoice, *, has_maps: bool, room: int = 0) -> str:
    """The call that makes it, `room` characters further in."""
    numbers = {name: number for name, number in optimizer.arguments().items() if name != "lr"}
    first = {name: number for name, number in numbers.items() if name == "betas"}
    arguments = ["parameters", "lr=LR", *keywords(first | numbers)]
    if optimizer.has_fused:
        devices = optimizer.fused_devices
        arguments.append("fused=True" if len(devices) == 3 else f"fused=device.type in {value(devices)}")
    return call(f"optimizer = {class_name(optimizer, has_maps=has_maps)}(", arguments, room=room)


def class_name(optimizer: OptimizerChoice, *, has_maps: bool) -> str:
    """torch.optim's class, or one that is copied into the script."""
    module, _, name = optimizer.torch_class.partition(":")
    if name == "LBFGS" and not has_maps:
        return "torch.optim.LBFGS"
    return f"torch.optim.{name}" if module == "torch.optim" else name


def optimizer_cell(plan: Plan) -> Cell:
    """Classes that torch has not, the first optimizer, and what acts beside it."""
    kinds, first = plan.kinds, plan.course.first
    imports, blocks = _copied(plan)
    lines = ["parameters = [p for p in model.parameters() if p.requires_grad]"]
    lines.append(made(first.optimizer, has_maps=plan.has_maps))
    if len(plan.takes_all) > 1:
        lines.append(_takes_all(first.optimizer))
    if "weight_average" in kinds:
        imports.add(("copy", ""))
        lines.append(f"{_average(first)}  # is validated in place of the model")
    blocks.append("\n".join(lines))
    if plan.has_memory:
        blocks += [REMEMBERED, AVERAGED if average_of(first.regularizers) else ""]
    return cell("Optimizer", [*blocks, _held_back(kinds), DECAYED if "weight_decay" in kinds else ""], imports)


def _copied(plan: Plan) -> tuple[set[Import], list[str]]:
    """Definitions of ours that the optimizers and regularizers need."""
    classes = {class_name(lane.optimizer, has_maps=plan.has_maps) for lane in plan.course.lanes}
    pairs = (("LBFGS" in classes, "LBFGS"), ("max_norm" in plan.kinds, "limit_rows"))
    names = [name for is_needed, name in (*pairs, ("weight_average" in plan.kinds, "average_in")) if is_needed]
    imports, blocks = piece(OPTIM / "optimizer_modules.py", *sorted(classes & {"Lion", "MuonAndAdamW"}))
    more, texts = piece(PIECES / "weights.py", *names)
    return imports | more, blocks + texts


def _average(lane: Lane) -> str:
    copied = "copy.deepcopy(model).requires_grad_(False)"
    return f"average = {copied if average_of(lane.regularizers) else None}"


def _takes_all(optimizer: OptimizerChoice) -> str:
    return f"takes_all = {optimizer.needs_whole_split}  # whether each step takes the whole training split"


def _held_back(kinds: Sequence[str]) -> str:
    """The function that changes gradients before they are used; empty where nothing does."""
    acting = [kind for kind in EFFECTS if kind in kinds]
    if not acting:
        return ""
    lines = ["@torch.no_grad()", "def hold_back() -> None:", '    """Penalties on the gradient, then clipping."""']
    lines.append("    trained = [p for p in parameters if p.grad is not None]")
    return "\n".join(lines + [f"    {line}" for kind in acting for line in EFFECTS[kind]])


def change_lines(plan: Plan, before: Lane, stage: Stage) -> list[str]:
    """What happens at a change from one stage to the next."""
    now = stage.lane
    lines = [f"LR = {value(now.optimizer.lr)}"] if now.optimizer.lr != before.optimizer.lr else []
    lines += _new_optimizer(plan, now) if stage.is_fresh else _new_numbers(before, now)
    pairs = ((kind, _number(before, kind), _number(now, kind)) for kind in plan.kinds)
    lines += [f"{CONSTANTS[kind][0]} = {new}" for kind, old, new in pairs if old != new]
    if now.schedule != before.schedule:
        lines.append(f"rate = {name_of(now.schedule, plan.schedules)}")
        lines += plateau(now.schedule, room=ROOM).split("\n") if isinstance(now.schedule, Plateau) else []
    if bool(average_of(now.regularizers)) != bool(average_of(before.regularizers)):
        lines.append(_average(now))
    return lines


def _new_optimizer(plan: Plan, lane: Lane) -> list[str]:
    lines = made(lane.optimizer, has_maps=plan.has_maps, room=ROOM).split("\n")
    return [*lines, *([_takes_all(lane.optimizer)] if len(plan.takes_all) > 1 else [])]


def _new_numbers(before: Lane, now: Lane) -> list[str]:
    """Other numbers of an optimizer that goes on."""
    old, new = before.optimizer.arguments(), now.optimizer.arguments()
    changed = {name: number for name, number in new.items() if name != "lr" and old.get(name) != number}
    if not changed:
        return []
    return [
        "for group in optimizer.param_groups:",
        *call("group.update(", keywords(changed), indent="    ", room=ROOM).split("\n"),
    ]
