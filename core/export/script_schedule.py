"""Learning-rate schedules as functions of a script: `rate(step)`, with the arithmetic of core/optim/schedules.py."""

from collections.abc import Callable, Sequence
from typing import Any

from core.export.script_text import PIECES, Cell, call, cell, keywords, piece, value
from core.optim.schedules import (
    AnySchedule,
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    MultiStep,
    OneCycle,
    Plateau,
    Polynomial,
    StepDecay,
    WarmUp,
)

EPOCH = "(step - 1) // steps_per_epoch"
REMEMBERED = """_, _, plateau.factor, plateau.best, *counts = start["memory"].tolist()
plateau.n_bad, plateau.resting = counts"""
SHARE = "min(1.0, (step - 1) / length)"


def schedule_cell(schedules: Sequence[AnySchedule], *, has_memory: bool = False) -> Cell:
    """The function `rate` of one schedule; of several, `rate_1` and so on, the first of them in use.

    Args:
        has_memory: whether a plateau goes on where another run left it.
    """
    bodies = [_body(schedule) for schedule in schedules]
    text = "\n".join(line for body in bodies for line in body)
    names = [name for name in ("half_cosine", "share_of") if f"{name}(" in text]
    watching = next((schedule for schedule in schedules if isinstance(schedule, Plateau)), None)
    imports, blocks = piece(PIECES / "rates.py", *names, *(["Plateau"] if watching else []))
    blocks += [plateau(watching) + (f"\n{REMEMBERED}" if has_memory else "")] if watching else []
    for schedule, body in zip(schedules, bodies, strict=True):
        head = f"def {name_of(schedule, schedules)}(step: int) -> float:"
        about = f'    """The learning rate of a step, from 1: {schedule.label.lower()}."""'
        blocks.append("\n".join([head, about, *(f"    {line}" for line in body)]))
    if len(schedules) > 1:
        blocks.append("rate = rate_1")
    return cell("Learning rate", blocks, imports)


def name_of(schedule: AnySchedule, schedules: Sequence[AnySchedule]) -> str:
    """What a schedule's function is called."""
    return "rate" if len(schedules) == 1 else f"rate_{list(schedules).index(schedule) + 1}"


def plateau(schedule: Plateau, room: int = 0) -> str:
    """The object that watches the validation loss, made `room` characters further in."""
    return call("plateau = Plateau(", keywords(schedule.model_dump(exclude={"kind"})), room=room)


def _body(schedule: AnySchedule) -> list[str]:
    """The lines of a schedule's function."""
    lines: list[str] = BODIES[type(schedule)](schedule)
    return lines


def _multi_step(schedule: MultiStep) -> list[str]:
    milestones = tuple(sorted(int(part) for part in schedule.milestones.split(",")))
    return [
        f"milestones = {value(milestones)}",
        f"drops = sum({EPOCH} >= milestone for milestone in milestones)",
        f"return LR * {value(schedule.gamma)}**drops",
    ]


def _restarts(schedule: CosineRestarts) -> list[str]:
    lines = [f"done, period = step - 1, {schedule.period} * steps_per_epoch"]
    if schedule.growth == 1:
        lines.append("done %= period")
    else:
        lines += ["while done >= period:", f"    done, period = done - period, period * {schedule.growth}"]
    return [*lines, f"return LR * half_cosine(1.0, {value(schedule.least)}, done / period)"]


def _warm_up(schedule: WarmUp) -> list[str]:
    start, steps = value(schedule.start), schedule.steps
    lines = [f"if step <= {steps}:", f"    return LR * ({start} + (1 - {start}) * (step - 1) / {steps})"]
    if schedule.then == "constant":
        return [*lines, "return LR"]
    return [*lines, f"return LR * half_cosine(1.0, 0.0, share_of(step - 1 - {steps}, length - {steps}))"]


def _one_cycle(schedule: OneCycle) -> list[str]:
    return [
        f"top, end = {value(schedule.rising)} * length - 1, length - 1.0",
        f"first = 1 / {value(schedule.divisor)}",
        "if step - 1 <= top:",
        "    return LR * half_cosine(first, 1.0, share_of(step - 1, top))",
        f"last = first / {value(schedule.final_divisor)}",
        "return LR * half_cosine(1.0, last, share_of(step - 1 - top, end - top))",
    ]


BODIES: dict[type, Callable[[Any], list[str]]] = {
    Constant: lambda _: ["return LR"],
    StepDecay: lambda one: [f"return LR * {value(one.gamma)} ** ({EPOCH} // {one.every})"],
    MultiStep: _multi_step,
    Exponential: lambda one: [f"return LR * {value(one.gamma)} ** ({EPOCH})"],
    Polynomial: lambda one: [f"return LR * (1 - {SHARE}) ** {value(one.power)}"],
    Cosine: lambda one: [f"return LR * half_cosine(1.0, {value(one.least)}, {SHARE})"],
    CosineRestarts: _restarts,
    WarmUp: _warm_up,
    OneCycle: _one_cycle,
    Plateau: lambda _: ["return LR * plateau.factor"],
}
"""By schedule: how its function goes on."""
