"""The loss of a script, and its figures of a whole split."""

from core.export.script_plan import Plan
from core.export.script_text import OPTIM, Cell, call, cell, keywords, piece
from core.models.code_classes import Import
from core.models.cost import activation_bytes

CHUNK, CHUNK_BYTES = 512, 24 * 2**20
"""Examples of an evaluation at once, and bytes of their activations: as core/training/measures.py."""
EVALUATED = '''@torch.no_grad()
def evaluated(network: nn.Module, split: str, size: int = {chunk}) -> tuple[float, float]:
    """Mean loss and {score} on all of a split, `size` examples at a time."""
    network.eval()
    targets, loss, right = data[f"{{split}}_y"], 0.0, 0.0
    for start in range(0, len(targets), size):
        x = data[f"{{split}}_x"][start : start + size]
        y = targets[start : start + size]
        output = network({x})
        loss += loss_of(output, y).item() * len(y)
        right += {right}
    network.train()
    {result}'''
ACCURACY = "return loss / len(targets), right / len(targets)"
R2 = """spread = (targets.double() - targets.double().mean()).square().sum().item()
    return loss / len(targets), 1 - right / spread if spread else math.nan"""


def loss_cell(plan: Plan) -> Cell:
    """The loss, as torch has it or copied."""
    loss = plan.experiment.loss
    module, _, name = loss.torch_class.partition(":")
    is_own = module != "torch.nn"
    imports: set[Import] = {("torch", "nn")}
    blocks: list[str] = []
    if is_own:
        more, blocks = piece(OPTIM / "loss_modules.py", name)
        imports |= more
    arguments = {field: number for field, number in loss.model_dump(exclude={"kind"}).items() if is_own or number}
    blocks.append(call(f"loss_of = {'' if is_own else 'nn.'}{name}(", keywords(arguments)))
    return cell("Loss", blocks, imports)


def evaluation_block(plan: Plan) -> str:
    """The function `evaluated`."""
    is_regression = plan.profile.task == "regression"
    return EVALUATED.format(
        chunk=max(1, min(CHUNK, CHUNK_BYTES // activation_bytes(plan.code.inference))),
        score="R²" if is_regression else "accuracy",
        x="x" if plan.profile.n_tokens else "prepared(x)",
        right=_right(plan, is_regression=is_regression),
        result=R2 if is_regression else ACCURACY,
    )


def _right(plan: Plan, *, is_regression: bool) -> str:
    """What is added up for the score of some examples."""
    if is_regression:
        return "(output[:, 0] - y).double().square().sum().item()  # squared errors"
    if plan.code.inference.out_shape == (1,):
        limit = 0.5 if plan.experiment.model.layers[-1].kind == "Sigmoid" else 0.0
        return f"((output[:, 0] > {limit}) == y).sum().item()"
    return "(output.argmax(1) == y).sum().item()"
