"""The model as PyTorch source, as a person would write it: it needs torch alone, and gives the very same weights."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from core import VERSION
from core.models.code_calls import WIDTH, call_lines, plain, shape_code, targets
from core.models.code_classes import OURS, Import, copied, import_lines
from core.models.init import InitChoice
from core.models.layer import Call, LayerChoice, WeightedLayer
from core.models.model import ModelSpec, infer, stack_error
from core.models.stack import Inference, LayerInfo
from core.seeds import stream_seed
from core.types import Shape

START = f"{OURS}start:start"
Beginning = tuple[str, InitChoice, InitChoice]
"""A module of the model as source (`model[0]`), how its weights start, and how its biases do."""


@dataclass(frozen=True, slots=True)
class ModelCode:
    """A model as source, in pieces."""

    imports: set[Import]
    definitions: list[str]
    """Classes and functions, each a text; what they use comes before them."""
    stack: list[str]
    """The lines that seed the start, make `model`, an nn.Sequential, and start its weights."""
    inference: Inference


def model_source(model: ModelSpec, input_shape: Shape, seed: int | None = None) -> str:
    """A Python file that makes `model`, an nn.Sequential, for inputs of `input_shape`.

    With `seed`, running it gives bit for bit the weights of core.models.model.build (weights from files excepted: a comment
    says where to load them). Where a layer cannot take what it receives, the stack ends in a comment that says why.
    """
    code = model_code(model, input_shape, seed)
    body = "\n\n\n".join([*code.definitions, "\n".join(code.stack + _file_lines(model))])
    gap = "\n\n\n" if body.startswith(("class ", "def ")) else "\n\n"
    return _head(model, code.inference, code.imports, is_seeded=seed is not None) + gap + body + "\n"


def model_code(model: ModelSpec, input_shape: Shape, seed: int | None = None, repeat: int = 0) -> ModelCode:
    """As `model_source`, in pieces, with the initial weights of any repeat; weights from files are not mentioned."""
    inference = infer(model, input_shape)
    n_good = len(model.layers) if inference.error_index is None else inference.error_index
    layers = model.layers[:n_good]
    known = list(zip(layers, inference.layers, strict=False))
    calls = [layer.call(info.in_shape or ()) for layer, info in known]
    beginnings = [
        each
        for index, (layer, call) in enumerate(zip(layers, calls, strict=True))
        for each in _beginnings(layer, call, f"model[{index}]", model)
        if each[1].function() or each[2].function()
    ]
    needed = {target for call in calls for target in targets(call) if target.startswith(OURS)}
    imports, definitions = copied(needed | ({START} if beginnings else set()))
    if any(choice.arguments() for _, *both in beginnings for choice in both if choice.function()):
        imports.add(("functools", "partial"))
    stack = _seed_lines(seed, repeat) + _stack_lines(calls, model, inference)
    if beginnings:
        definitions.append("\n".join(_initialise_lines(beginnings)))
        stack.append("initialise(model)")
    return ModelCode(imports, definitions, stack, inference)


def _head(model: ModelSpec, inference: Inference, imports: set[Import], *, is_seeded: bool) -> str:
    out = "unfinished" if inference.out_shape is None else f"output {shape_code(inference.out_shape)}"
    about = f"A network for inputs of {shape_code(inference.input_shape)}, {out}: {inference.n_parameters:,} parameters."
    about += f"\n\n{inference.n_frozen:,} more are frozen: training leaves them as they are." if inference.n_frozen else ""
    about += "\n\nShapes are those of one example: torch puts the batch in front."
    about += f"\nMade by Layerwise {VERSION}."
    lines = import_lines(imports | {("torch", "nn")} | ({("torch", "")} if is_seeded else set()))
    return f'"""{about}\n"""\n\n' + "\n".join(lines)


def _seed_lines(seed: int | None, repeat: int) -> list[str]:
    if seed is None:
        return []
    number = stream_seed(seed, "init", repeat)
    return [f"torch.manual_seed({number})  # seed {seed} of Layerwise, its stream for weights"]


def _stack_lines(calls: Sequence[Call], model: ModelSpec, inference: Inference) -> list[str]:
    """The stack, and in place of its first impossible layer the reason."""
    infos: tuple[LayerInfo, ...] = inference.layers
    lines = [line for call, info in zip(calls, infos, strict=False) for line in call_lines(call, "    ", ",", info)]
    error = stack_error(model, inference)
    if error is not None:
        rest = [f"{index + 1} {model.layers[index].kind}" for index in range(len(calls), len(model.layers))]
        lines += _comment(f"{error.message} {error.hint}", "    ")
        lines += _comment(f"Not written: {', '.join(rest)}.", "    ")
    return ["model = nn.Sequential(", *lines, ")"] if lines else ["model = nn.Sequential()"]


def _comment(text: str, indent: str) -> list[str]:
    """A comment of as many lines as it needs."""
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _file_lines(model: ModelSpec) -> list[str]:
    """Where to load the weights that come from a file."""
    lines: list[str] = []
    for path, layer in _places(model.layers, "model"):
        digest = getattr(layer, "weights", "")
        if digest:
            lines += ["", f"# {path} starts from a file of weights, here with SHA-256", f"# {digest}: name yours."]
            lines.append('# weights = torch.load("weights.pt", weights_only=True)')
            lines.append(f"# {path}.body.load_state_dict(weights, strict=False)  # without its classifier")
    if model.weights:
        lines += ["", "# The model starts from a file of weights, here with SHA-256", f"# {model.weights}: name yours."]
        lines.append('# model.load_state_dict(torch.load("weights.pt", weights_only=True))')
    return lines


def _places(layers: Sequence[LayerChoice], stack: str) -> Iterator[tuple[str, LayerChoice]]:
    """Every layer that holds no others, with its place in the model as source."""
    for index, layer in enumerate(layers):
        if not layer.inner():
            yield f"{stack}[{index}]", layer
        for number, branch in enumerate(layer.inner()):
            yield from _places(branch, _branch(layer, f"{stack}[{index}]", number))


def _branch(layer: LayerChoice, path: str, number: int) -> str:
    """The stack of a container, as its class in core/models/modules/branches.py names it."""
    return f"{path}.inner" if layer.kind == "Residual" else f"{path}.branches[{number}]"


def _beginnings(layer: LayerChoice, call: Call, path: str, model: ModelSpec) -> Iterator[Beginning]:
    """What is started in a layer, in the order of core.models.initialise."""
    if layer.inner():
        stacks = [part for part in call.args if isinstance(part, Call)]
        for number, branch in enumerate(layer.inner()):
            place = _branch(layer, path, number)
            for index, (inner, inner_call) in enumerate(zip(branch, stacks[number].args, strict=True)):
                yield from _beginnings(inner, inner_call, f"{place}[{index}]", model)
        if len(stacks) > len(layer.inner()):
            yield f"{path}.projection", model.init, model.bias_init
    elif isinstance(layer, WeightedLayer):
        yield path, layer.init or model.init, layer.bias_init or model.bias_init


def _initialise_lines(beginnings: Sequence[Beginning]) -> list[str]:
    """The function that starts all weights anew, neighbours that start alike in one loop."""
    lines = ["def initialise(model: nn.Sequential) -> None:", '    """Start weights and biases as chosen, in order."""']
    for (weights, biases), group in groupby(beginnings, key=lambda each: each[1:]):
        paths = [path for path, _, _ in group]
        if len(paths) == 1:
            lines += _wrapped("start(", [paths[0], *_starters(weights, biases)], ")", "    ")
        else:
            lines += _wrapped("for layer in (", paths, "):", "    ")
            lines += _wrapped("start(", ["layer", *_starters(weights, biases)], ")", "        ")
    return lines


def _starters(weights: InitChoice, biases: InitChoice) -> list[str]:
    both = {"weights": weights, "biases": biases}
    return [f"{name}={_starter(choice)}" for name, choice in both.items() if choice.function()]


def _starter(choice: InitChoice) -> str:
    """A function of torch.nn.init, with its settings."""
    function = f"nn.init.{choice.function()}"
    settings = ", ".join(f"{name}={plain(value)}" for name, value in choice.arguments().items())
    return f"partial({function}, {settings})" if settings else function


def _wrapped(head: str, parts: Sequence[str], tail: str, indent: str) -> list[str]:
    """On one line, or a line per part where that is too long."""
    line = f"{indent}{head}{', '.join(parts)}{tail}"
    if len(line) <= WIDTH:
        return [line]
    return [indent + head, *(f"{indent}    {part}," for part in parts), indent + tail]
