"""The training loop of a script: the gradient of a step, and what happens step by step."""

from core.export.script_figures import evaluation_block
from core.export.script_optimizer import HELD, PENALTIES, change_lines
from core.export.script_plan import Plan
from core.export.script_text import Cell, cell
from core.optim.schedules import Plateau

INDENT = "    "
STEP = """loss = loss_and_gradient(step)
curve.append(loss)
if not math.isfinite(loss):
    print(f"The loss is {loss} in step {step:,}: training ends here.")
    break
lr = rate(step)
for group in optimizer.param_groups:
    group["lr"] = lr"""
PATIENCE = """epoch = step // steps_per_epoch
if validation < best:
    best, best_epoch = validation, epoch
if epoch - best_epoch >= PATIENCE and epoch > PATIENCE:
    break"""
AVERAGED = """if average is not None:
    average_in(average, model, step, AVERAGE)"""


def training_cell(plan: Plan) -> Cell:
    """The functions of a step, and the loop."""
    blocks = [_gradient(plan), _closure(plan), evaluation_block(plan), _loop(plan)]
    return cell("Training", blocks, {("time", "")} if plan.seconds else ())


def _gradient(plan: Plan) -> str:
    """The function `loss_and_gradient`."""
    lines = [
        "def loss_and_gradient(step: int) -> float:",
        '    """The mean loss of a step\'s batch; its gradient is then in the `.grad` of every parameter."""',
        "    x, y = batch(step)",
    ]
    if plan.draws_masks:
        lines.append("    torch.manual_seed((MASK_SEED + step) % 2**63)  # dropout masks are a function of the step")
    lines.append("    optimizer.zero_grad()")
    if plan.experiment.accumulation == 1:
        return "\n".join([*lines, *_forward(plan, "x", "y", INDENT), "    loss.backward()", "    return loss.item()"])
    lines += [
        f"    total, size = 0.0, math.ceil(len(y) / {plan.experiment.accumulation})",
        "    for part_x, part_y in zip(torch.split(x, size), torch.split(y, size), strict=True):",
        *_forward(plan, "part_x", "part_y", 2 * INDENT),
        "        share = len(part_y) / len(y)",
        "        (loss * share).backward()",
        "        total += loss.item() * share",
        "    return total",
    ]
    return "\n".join(lines)


def _forward(plan: Plan, x: str, y: str, indent: str) -> list[str]:
    if plan.experiment.precision == "float32":
        return [f"{indent}loss = loss_of(model({x}), {y})"]
    return [
        f"{indent}with torch.autocast(device.type, torch.bfloat16):",
        f"{indent}    loss = loss_of(model({x}).float(), {y})",
    ]


def _closure(plan: Plan) -> str:
    """For L-BFGS: what it evaluates, the first time at weights whose loss is known."""
    if not any(lane.optimizer.needs_closure for lane in plan.course.lanes):
        return ""
    lines = ["def closure() -> float:", '    """Loss and penalties with their gradients: asked for several times per step."""']
    lines.append("    loss = known.pop() if known else loss_and_gradient(step)")
    if HELD & set(plan.kinds):
        lines.append("    hold_back()")
    penalties = [PENALTIES[kind] for kind in PENALTIES if kind in plan.kinds]
    if not penalties:
        return "\n".join([*lines, "    return loss"])
    lines += ["    with torch.no_grad():", f"        penalty = {penalties[0]}"]
    return "\n".join([*lines, *(f"        penalty += {one}" for one in penalties[1:]), "    return loss + penalty"])


def _loop(plan: Plan) -> str:
    """The loop over all steps."""
    budget = plan.experiment.budget
    is_watched = plan.last_step is None and budget.patience is not None
    lines = ["curve: list[float] = []  # the loss of every step"]
    best = 'start["memory"][0].item()' if plan.has_memory else "math.inf"
    lines += [f"best, best_epoch = {best}, 0"] if is_watched else []
    lines += ["began = time.perf_counter()"] if plan.seconds else []
    body = [*_changes(plan), *STEP.split("\n"), *_update(plan)]
    body += ["limit_rows(parameters, MAX_NORM)"] if "max_norm" in plan.kinds else []
    body += AVERAGED.split("\n") if "weight_average" in plan.kinds else []
    body += [*_reported(plan), *_noted(plan)]
    body += ["if time.perf_counter() - began >= SECONDS:", "    break"] if plan.seconds else []
    return "\n".join([*lines, "model.train()", "for step in range(1, steps + 1):", *_indented(body)])


def _update(plan: Plan) -> list[str]:
    """From the gradient to the weights."""
    held = ["hold_back()"] if HELD & set(plan.kinds) else []
    decayed = ["decay(lr)"] if "weight_decay" in plan.kinds else []
    plain = [*held, *decayed, "optimizer.step()"]
    several = ["known = [loss]", *decayed, "optimizer.step(closure)"]
    closures = {lane.optimizer.needs_closure for lane in plan.course.lanes}
    if len(closures) == 1:
        return several if closures == {True} else plain
    return ["if isinstance(optimizer, torch.optim.LBFGS):", *_indented(several), "else:", *_indented(plain)]


def _reported(plan: Plan) -> list[str]:
    """A line for the end of each epoch, and of the run."""
    of = "" if plan.seconds else " of {steps:,}"
    return [
        "if step % steps_per_epoch == 0 or step == steps:",
        f'    validation, score = evaluated({plan.evaluated}, "validation")',
        f'    print(f"step {{step:,}}{of}: loss {{loss:.4f}}, ", end="")',
        f'    print(f"validation loss {{validation:.4f}}, {plan.score}", flush=True)',
    ]


def _noted(plan: Plan) -> list[str]:
    """After each epoch: what looks at the validation loss, and what may end the run early."""
    budget = plan.experiment.budget
    lines = ["plateau.see(validation)"] if any(isinstance(one, Plateau) for one in plan.schedules) else []
    if plan.last_step is None and budget.target_accuracy is not None:
        lines += ["if score >= TARGET:", "    break"]
    if plan.last_step is None and budget.patience is not None:
        lines += PATIENCE.split("\n")
    return ["if step % steps_per_epoch == 0:", *_indented(lines)] if lines else []


def _changes(plan: Plan) -> list[str]:
    """What was changed on the way, before the step from which it holds."""
    lines: list[str] = []
    open_at: int | None = None
    for before, stage in zip(plan.course.stages, plan.course.stages[1:], strict=False):
        made = change_lines(plan, before.lane, stage)
        if made and stage.after_step != open_at:
            open_at = stage.after_step
            lines.append(f"if step == {open_at + 1}:  # changed here")
        lines += _indented(made)
    return lines


def _indented(lines: list[str]) -> list[str]:
    return [INDENT + line for line in lines]
