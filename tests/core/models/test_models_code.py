"""The exported source, executed, is the model: same names, same weights, same outputs, bit for bit."""

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

from core import VERSION
from core.models.code import model_source
from core.models.code_calls import DEFAULTS, WIDTH, plain
from core.models.code_classes import FOLDER, module_text
from core.models.init import AnyBiasInit, AnyInit, ConstantInit, HeInit, NormalInit, UniformInit, XavierInit, ZerosInit
from core.models.layers.backbone import Backbone
from core.models.layers.containers import Parallel, Residual
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec, build, infer
from core.models.presets import PRESETS
from core.spec import choices
from tests.contracts.layer_strategies import LAYERS, layers_of, shapes_with_stacks
from tests.core.samples import linear, stack

SEED = 3
ALLOWED = {"torch", "torchvision", "collections", "functools", "math"}
SHAPES = ((1, 8, 8), (3, 8, 8), (6, 8), (12,), (1, 224, 224))
OUR_MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def executed(source: str) -> nn.Sequential:
    """The model that the source makes, in a namespace of its own; torch's random state stays."""
    names: dict[str, object] = {"__name__": "exported"}
    with torch.random.fork_rng(devices=[]):
        exec(compile(source, "exported.py", "exec"), names)
    model = names["model"]
    assert isinstance(model, nn.Sequential)
    return model


def batch(model: ModelSpec, shape) -> torch.Tensor:
    """Two examples: token numbers where the first layer is an Embedding."""
    generator = torch.Generator().manual_seed(0)
    if model.layers and model.layers[0].kind == "Embedding":
        return torch.randint(0, model.layers[0].num_embeddings, (2, *shape), generator=generator)
    return torch.randn(2, *shape, generator=generator)


def check_source(source: str) -> None:
    """It parses, imports torch alone, and every line that we write fits."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert {module.split(".")[0] for module in modules} <= ALLOWED
    copied = {line for name in OUR_MODULES for line in (FOLDER / f"{name}.py").read_text().splitlines()}
    assert all(len(line) <= WIDTH or line in copied for line in source.splitlines())


def check_equal(model: ModelSpec, shape) -> None:
    source = model_source(model, shape, SEED)
    check_source(source)
    ours, theirs = build(model, shape, SEED).eval(), executed(source).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for (name, one), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert torch.equal(one, other), name
    x = batch(model, shape)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x)) or torch.equal(ours(x).isnan(), theirs(x).isnan())


def fitting_shape(model: ModelSpec):
    return next((shape for shape in SHAPES if infer(model, shape).out_shape is not None), None)


@pytest.mark.parametrize("layer_class", LAYERS, ids=lambda cls: cls.kind_name())
def test_every_layer_of_the_menu_is_executed_to_the_same_module(layer_class):
    tried = []

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(layers_of(layer_class, 1))
    def holds(layer):
        model = ModelSpec(layers=(layer,))
        shape = fitting_shape(model)
        if shape is None or infer(model, shape).n_parameters + infer(model, shape).n_activations > 3_000_000:
            return
        if layer.kind == "Backbone" and (tried or layer.name != "mobilenet_v3_small"):
            return  # the others take seconds
        tried.append(layer)
        check_equal(model, shape)

    holds()
    if not tried:
        small = {"name": "mobilenet_v3_small"} if "name" in layer_class.model_fields else {}
        model = ModelSpec(layers=(layer_class(**small),))
        check_equal(model, fitting_shape(model))


@pytest.mark.fault(24)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(shapes_with_stacks(max_size=6))
def test_random_stacks_are_executed_to_the_same_module(case):
    shape, model = case
    if infer(model, shape).n_parameters < 500_000 and not any(
        layer.kind in ("Backbone", "Embedding") for layer in model.layers[1:]
    ):
        check_equal(model, shape)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_is_executed_to_the_same_module(preset):
    n_tokens = 50 if preset.reads_tokens else 0
    shapes = ((1, 28, 28), (1, 8, 8), (3, 32, 32), (16,), (1000,))
    shape = next(shape for shape in shapes if preset.fits(shape, n_tokens))
    check_equal(preset.model(10, n_tokens), shape)


@pytest.mark.parametrize("init", [cls() for cls in choices(AnyInit)], ids=lambda init: init.kind)
def test_every_initialisation_is_executed_to_the_same_weights(init):
    body = stack(("Conv2d", {"padding": 1}), "ReLU", "Flatten", linear(8), "Tanh", linear(3))
    for bias in (cls() for cls in choices(AnyBiasInit)):
        check_equal(body.but(init=init, bias_init=bias), (1, 6, 6))


def test_a_layers_own_start_wins_inside_containers_too():
    inner = (Linear(out_features=5, init=XavierInit(gain=2.0)), Linear(out_features=7, bias_init=ConstantInit()))
    branches = ((Linear(out_features=3, init=NormalInit(std=0.5)),), (Linear(out_features=3, bias_init=UniformInit()),))
    layers = (Residual(layers=inner), Parallel(branches=branches), Residual(layers=(Residual(layers=inner),)))
    model = ModelSpec(layers=layers, init=HeInit(), bias_init=ZerosInit())
    check_equal(model, (4,))
    source = model_source(model, (4,), SEED)
    assert "model[1].branches[0][0]" in source
    assert "model[0].projection" in source


@pytest.mark.parametrize("kind", ["LSTM", "SelfAttention", "TransformerEncoder"])
def test_layers_of_many_tensors_start_alike(kind):
    check_equal(stack(kind).but(init=XavierInit(), bias_init=ConstantInit()), (6, 8))


def test_embeddings_and_patches_start_alike():
    embedding = stack(("Embedding", {"num_embeddings": 20}), ("PositionalEncoding", {"encoding": "learned"}), "GRU", linear(2))
    check_equal(embedding.but(init=NormalInit()), (12,))
    check_equal(stack(("PatchEmbed", {"class_token": True}), "TransformerEncoder").but(init=XavierInit()), (1, 8, 8))


def test_a_plain_stack_reads_as_a_person_would_write_it():
    source = model_source(stack("Flatten", linear(128), "ReLU", linear(10)), (1, 28, 28))
    assert source == SOURCE.replace("VERSION", VERSION)


SOURCE = '''"""A network for inputs of (1, 28, 28), output (10): 101,770 parameters.

Shapes are those of one example: torch puts the batch in front.
Made by Layerwise VERSION.
"""

from torch import nn

model = nn.Sequential(
    nn.Flatten(),  # (1, 28, 28) -> (784)
    nn.Linear(784, 128),  # (784) -> (128)
    nn.ReLU(),  # (128) -> (128)
    nn.Linear(128, 10),  # (128) -> (10)
)
'''


def test_without_a_seed_nothing_is_seeded():
    assert "manual_seed" not in model_source(stack(linear(2)), (2,))
    assert "torch.manual_seed(" in model_source(stack(linear(2)), (2,), 0)


def test_a_stack_that_does_not_fit_ends_in_the_reason_and_still_runs():
    model = stack(("Conv2d", {"out_channels": 8}), "MaxPool2d", linear(5), "ReLU")
    source = model_source(model, (1, 8, 8), SEED)
    assert "# Layer 3 Linear needs a flat vector but receives 8 × 3 × 3 from layer 2 MaxPool2d." in source
    assert "# Not written: 3 Linear, 4 ReLU." in source
    check_source(source)
    assert len(executed(source)) == 2


def test_an_error_inside_a_container_ends_the_source_before_it():
    source = model_source(ModelSpec(layers=(Linear(), Residual(layers=(Linear(out_features=3),), projection=False))), (4,))
    assert "# Layer 2 Residual adds its input" in source
    assert len(executed(source)) == 1


def test_weights_from_a_file_are_a_comment_with_the_digest():
    source = model_source(stack(linear(2)).but(weights="ab" * 32, init=HeInit()), (2,), SEED)
    assert f"# {'ab' * 32}" in source
    assert source.index("\ninitialise(model)") < source.index("load_state_dict")  # else it would undo the loading
    assert len(executed(source)) == 1


def test_a_frozen_backbone_says_where_its_weights_go_and_what_is_frozen():
    model = ModelSpec(layers=(Backbone(name="mobilenet_v3_small", weights="cd" * 32), Linear(out_features=2)))
    source = model_source(model, (3, 32, 32))
    check_source(source)
    assert "output (2): 1,154 parameters.\n\n927,008 more are frozen" in source
    assert f"# {'cd' * 32}" in source
    assert "# model[0].body.load_state_dict(" in source
    nested = ModelSpec(layers=(Parallel(branches=((model.layers[0],), (model.layers[0],))),))
    assert "# model[0].branches[1][0].body.load_state_dict(" in model_source(nested, (3, 32, 32))


@pytest.mark.fault(21)
def test_no_text_but_words_of_ours_gets_into_the_code():
    for evil in ('"); import os; ("', "a\nb", "a b", "é"):
        with pytest.raises(TypeError):
            plain(evil)


@pytest.mark.parametrize(("name", "left_out"), [(n, k) for n, table in DEFAULTS.items() for k in table])
def test_what_is_left_out_is_what_torch_takes(name, left_out):
    cls = getattr(nn, name)
    signature = inspect.signature(nn.RNNBase.__init__ if issubclass(cls, nn.RNNBase) else cls)
    if left_out == "nonlinearity":
        assert nn.RNN(1, 1).nonlinearity == DEFAULTS[name][left_out]
    else:
        default = signature.parameters[left_out].default
        assert default == DEFAULTS[name][left_out]
        assert type(default) is type(DEFAULTS[name][left_out])


def test_every_kind_of_layer_uses_classes_that_can_be_copied():
    assert {cls.kind_name() for cls in choices(AnyLayer)} == {cls.kind_name() for cls in LAYERS}
    names = [name for module in OUR_MODULES for name in module_text(module).definitions]
    assert len(names) == len(set(names))  # two of one name could not stand in one file


@pytest.mark.skipif(shutil.which("ruff") is None and not Path(sys.executable).with_name("ruff").exists(), reason="needs ruff")
def test_the_source_is_formatted(tmp_path):
    ruff = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))
    inner = (Linear(out_features=5, init=XavierInit(gain=2.0)), Linear(out_features=7))
    samples = {
        "plain": (SOURCE_MODEL, (1, 28, 28)),
        "nested": (ModelSpec(layers=(Residual(layers=inner), Parallel(branches=(inner, ()))), init=HeInit()), (4,)),
        "empty": (ModelSpec(), (4,)),
        "long": (stack(*[linear(16)] * 30).but(init=HeInit(), bias_init=NormalInit()), (16,)),
        "text": (stack(("Embedding", {"num_embeddings": 9}), "PositionalEncoding", "Conv1d", "SelfAttention", "LSTM"), (12,)),
        "broken": (stack("Flatten", "Conv2d"), (1, 8, 8)),
    }
    for name, (model, shape) in samples.items():
        (tmp_path / f"{name}.py").write_text(model_source(model, shape, SEED))
    commands = (
        ["format", "--diff", "--line-length", str(WIDTH), str(tmp_path)],
        ["check", "--select", "E4,E7,E9,F,I,W", str(tmp_path)],
    )
    for command in commands:
        done = subprocess.run([ruff, *command, "--isolated"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


SOURCE_MODEL = stack("Flatten", linear(128), "ReLU", linear(10))


def test_no_torch_is_imported_to_write_it():
    code = (
        "import sys; from core.models.code import model_source; from core.models.text import model_from_text; "
        "import core.models.weights, core.models.weights_check; "
        "m = model_from_text('- Residual: {layers: [ReLU]}\\n- Linear: {init: he}'); model_source(m, (4,), 0); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'safetensors.torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
