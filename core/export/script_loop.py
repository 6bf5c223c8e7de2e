"""The training loop of a script: the gradient of a step, figures of a split, and what happens step by step."""

import math

from core.data.dataset import DataProfile
from core.experiment.experiment import Experiment
from core.export.script_optimizer import change_lines, closure_lines, kinds_of
from core.export.script_stages import Course
from core.export.script_text import OPTIM, Cell, call, cell, comment, keywords, piece
from core.models.code_classes import import_lines as import_lines
from core.models.cost import activation_bytes
from core.models.stack import Inference
from core.optim.schedules import AnySchedule, Plateau

CHUNK, CHUNK_BYTES = 512, 24 * 2**20
"""Examples of an evaluation at once, and bytes of their activations: as core/training/measures.py."""
INDENT = "    "


def loss_cell(experiment: Experiment) -> Cell:
    """The loss, as torch has it or copied."""
    loss = experiment.loss
    module, _, name = loss.torch_class.partition(":")
    imports, blocks = (set(), []) if module == "torch.nn" else piece(OPTIM / "loss_modules.py", name)
    made = f"nn.{name}" if module == "torch.nn" else name
    arguments = keywords(loss.model_dump(exclude={"kind"}))
    return cell("Loss", [*blocks, call(f"loss_of = {made}(", arguments)], imports | {("torch", "nn")})


def gradient_block(experiment: Experiment, *, draws_masks: bool) -> str:
    """The function `loss_and_gradient`."""
    lines = [
        "def loss_and_gradient(step: int) -> float:",
        '    """The mean loss of a step\'s batch; its gradient is then in the `.grad` of every parameter."""',
        "    x, y = batch(step)",
    ]
    if draws_masks:
        lines.append("    torch.manual_seed((MASK_SEED + step) % 2**63)  # dropout masks are a function of the step")
    lines.append("    optimizer.zero_grad()")
    if experiment.accumulation == 1:
        lines += [*_forward(experiment, "x", "y", INDENT), "    loss.backward()", "    return loss.item()"]
        return "\n".join(lines)
    lines += [
        f"    total, size = 0.0, math.ceil(len(y) / {experiment.accumulation})",
        "    for part_x, part_y in zip(torch.split(x, size), torch.split(y, size), strict=True):",
        *_forward(experiment, "part_x", "part_y", 2 * INDENT),
        "        share = len(part_y) / len(y)",
        "        (loss * share).backward()",
        "        total += loss.item() * share",
        "    return total",
    ]
    return "\n".join(lines)


def _forward(experiment: Experiment, x: str, y: str, indent: str) -> list[str]:
    if experiment.precision == "float32":
        return [f"{indent}loss = loss_of(model({x}), {y})"]
    return [
        f"{indent}with torch.autocast(device.type, torch.bfloat16):",
        f"{indent}    loss = loss_of(model({x}).float(), {y})",
    ]


def evaluation_block(experiment: Experiment, profile: DataProfile, inference: Inference) -> str:
    """The function `evaluated`."""
    chunk = max(1, min(CHUNK, CHUNK_BYTES // activation_bytes(inference)))
    is_regression = profile.task == "regression"
    x = 'data[f"{split}_x"][start : start + size]'
    score = "R²" if is_regression else "accuracy"
    lines = [
        "@torch.no_grad()",
        f"def evaluated(network: nn.Module, split: str, size: int = {chunk}) -> tuple[float, float]:",
        f'    """Mean loss and {score} on all of a split, `size` examples at a time."""',
        "    network.eval()",
        '    targets, loss, right = data[f"{split}_y"], 0.0, 0.0',
        "    for start in range(0, len(targets), size):",
        f"        x, y = {x if profile.n_tokens else f'prepared({x})'}, targets[start : start + size]",
        "        output = network(x)",
        "        loss += loss_of(output, y).item() * len(y)",
        f"        right += {_right(experiment, inference, is_regression)}",
        "    network.train()",
    ]
    if is_regression:
        lines += [
            "    spread = (targets.double() - targets.double().mean()).square().sum().item()",
            "    return loss / len(targets), 1 - right / spread if spread else math.nan",
        ]
    else:
        lines.append("    return loss / len(targets), right / len(targets)")
    return "\n".join(lines).replace(f"        x, y = prepared({x}), ", f"        x = prepared({x})\n        y = ")


def _right(experiment: Experiment, inference: Inference, is_regression: bool) -> str:
    """What is added up for the score of some examples."""
    if is_regression:
        return "(output[:, 0] - y).double().square().sum().item()  # squared errors"
    if inference.out_shape == (1,):
        limit = 0.5 if experiment.model.layers and experiment.model.layers[-1].kind == "Sigmoid" else 0.0
        return f"((output[:, 0] > {limit}) == y).sum().item()"
    return "(output.argmax(1) == y).sum().item()"


def loop_block(  # noqa: C901, PLR0915  reads as the loop does
    experiment: Experiment, profile: DataProfile, course: Course, last_step: int | None, *, has_maps: bool
) -> str:
    """The loop over all steps."""
    budget, kinds = experiment.budget, kinds_of(course)
    has_clock = budget.seconds is not None and last_step is None
    closures = {lane.optimizer.needs_closure for lane in course.lanes}
    lines = ["curve: list[float] = []  # the loss of every step"]
    watch = _watch_lines(experiment) if last_step is None else []
    lines += ["best, best_epoch = math.inf, 0"] if watch and budget.patience else []
    lines += ["began = time.perf_counter()"] if has_clock else []
    lines += ["model.train()", "for step in range(1, steps + 1):"]
    body = _all_changes(course, has_maps=has_maps)
    body += [
        "loss = loss_and_gradient(step)",
        "curve.append(loss)",
        "if not math.isfinite(loss):",
        '    print(f"The loss is {loss} in step {step:,}: training ends here.")',
        "    break",
        "lr = rate(step)",
        "for group in optimizer.param_groups:",
        '    group["lr"] = lr',
    ]
    body += _update_lines(closures, kinds)
    if "max_norm" in kinds:
        body.append("limit_rows(parameters, MAX_NORM)")
    network = "model"
    if "weight_average" in kinds:
        body += ["if average is not None:", "    average_in(average, model, step, AVERAGE)"]
        network = "average if average is not None else model"
    score = "R² {score:.3f}" if profile.task == "regression" else "accuracy {score:.1%}"
    body += [
        "if step % steps_per_epoch == 0 or step == steps:",
        f'    validation, score = evaluated({network}, "validation")',
        '    print(f"step {step:,} of {steps:,}: loss {loss:.4f}, ", end="")'.replace(
            " of {steps:,}", "" if has_clock else " of {steps:,}"
        ),
        f'    print(f"validation loss {{validation:.4f}}, {score}", flush=True)',
    ]
    plateaus = [lane.schedule for lane in course.lanes if isinstance(lane.schedule, Plateau)]
    noted = (["plateau.see(validation)"] if plateaus else []) + watch
    if noted:
        body += ["if step % steps_per_epoch == 0:", *(INDENT + line for line in noted)]
    if has_clock:
        body += ["if time.perf_counter() - began >= SECONDS:", "    break"]
    return "\n".join(lines + [INDENT + line if line else "" for line in body])


def _update_lines(closures: set[bool], kinds: list[str]) -> list[str]:
    """From the gradient to the weights."""
    held = ["hold_back()"] if any(kind in kinds for kind in ("l1", "l2", "clip_norm", "clip_value")) else []
    decayed = ["decay(lr)"] if "weight_decay" in kinds else []
    plain = [*held, *decayed, "optimizer.step()"]
    several = ["known = [loss]", "", *closure_lines(kinds), "", *decayed, "optimizer.step(closure)"]
    if closures == {False}:
        return plain
    if closures == {True}:
        return several
    choice = ["if isinstance(optimizer, torch.optim.LBFGS):", *(INDENT + line if line else "" for line in several)]
    return [*choice, "else:", *(INDENT + line for line in plain)]


def _watch_lines(experiment: Experiment) -> list[str]:
    """After each epoch: what may end the run early."""
    budget, lines = experiment.budget, []
    if budget.target_accuracy is not None:
        lines += ["if score >= TARGET:", "    break"]
    if budget.patience is not None:
        lines += [
            "epoch = step // steps_per_epoch",
            "if validation < best:",
            "    best, best_epoch = validation, epoch",
            "if epoch - best_epoch >= PATIENCE and epoch > PATIENCE:",
            "    break",
        ]
    return lines


def _all_changes(course: Course, *, has_maps: bool) -> list[str]:
    """What was changed on the way, before the step from which it holds."""
    schedules = schedules_of(course)
    lines: list[str] = []
    open_at: int | None = None
    for before, stage in zip(course.stages, course.stages[1:], strict=False):
        made = change_lines(before.lane, stage, schedules, course, has_maps=has_maps)
        if made and stage.after_step != open_at:
            open_at = stage.after_step
            lines.append(f"if step == {open_at + 1}:  # changed here")
        lines += [INDENT + line for line in made]
    return lines


def schedules_of(course: Course) -> list[AnySchedule]:
    """All schedules that a lane ever has, the first one first."""
    found: list[AnySchedule] = []
    for lane in course.lanes:
        if lane.schedule not in found:
            found.append(lane.schedule)
    return found
