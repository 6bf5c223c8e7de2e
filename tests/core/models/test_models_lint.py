"""Each rule finds what it should, keeps quiet where it should, and its fix makes the finding go away."""

import inspect
from dataclasses import dataclass

import pytest

from core.diagnostics import Diagnostic
from core.models import lint_depth, lint_fit, lint_output
from core.models.init import ConstantInit, TorchDefault, XavierInit
from core.models.layers.activation import ReLU, Sigmoid, Softmax, Tanh
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.embedding import Embedding
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.layers.pooling import AvgPool2d, MaxPool2d
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d, Dropout
from core.models.layers.shape import Flatten
from core.models.lint import RULES, lint
from core.models.look import Context
from core.models.model import MAX_LAYERS, ModelSpec, infer

FLAT, IMAGE = (20,), (1, 8, 8)
OUT = Linear(out_features=3)
Layers = tuple[AnyLayer, ...]


@dataclass(frozen=True)
class Case:
    """Layers with one finding of `code` at `index`, and what its fix should make of them (None: no fix)."""

    code: str
    shape: tuple[int, ...]
    layers: Layers
    index: int | tuple[int, ...]
    fixed: Layers | None
    limit: int = 50_000_000
    n_outputs: int = 3
    context: Context | None = None


def conv(n: int = 4, **settings: int) -> Conv2d:
    return Conv2d(out_channels=n, **settings)


def deep(activation: AnyLayer, n: int) -> Layers:
    """So many hidden layers of four, each with this activation."""
    return (*(layer for _ in range(n) for layer in (Linear(out_features=4), activation)), OUT)


OUT_20, ONE = Linear(out_features=20), Linear(out_features=1)
NUMBER, TWO, TOKENS = Context(loss="mse"), Context(2, loss="binary_cross_entropy"), Context(3, n_tokens=50)
CASES = [
    Case("shape-mismatch", IMAGE, (conv(), ReLU(), OUT), 2, (conv(), ReLU(), Flatten(), OUT)),
    Case("shape-mismatch", IMAGE, (conv(), BatchNorm1d(eps=0.01)), 1, (conv(), BatchNorm2d(eps=0.01))),
    Case("shape-mismatch", FLAT, (BatchNorm2d(momentum=0.5), OUT), 0, (BatchNorm1d(momentum=0.5), OUT)),
    Case("shape-mismatch", IMAGE, (Flatten(), conv(), OUT), 1, (conv(), Flatten(), OUT)),
    Case("shape-mismatch", IMAGE, (Flatten(), conv(), Flatten(), OUT), 1, (conv(), Flatten(), OUT)),
    Case("shape-mismatch", IMAGE, (Flatten(), MaxPool2d()), 1, (MaxPool2d(),)),
    Case("shape-mismatch", IMAGE, (Flatten(), Linear(), ReLU(), conv(), OUT), 3, (Flatten(), Linear(), ReLU(), OUT)),
    Case("shape-mismatch", FLAT, (conv(), OUT), 0, (OUT,)),
    Case("shape-mismatch", IMAGE, (MaxPool2d(kernel_size=9), Flatten(), OUT), 0, (Flatten(), OUT)),
    Case("shape-mismatch", IMAGE, (AvgPool2d(kernel_size=9),), 0, ()),
    Case("shape-mismatch", IMAGE, (MaxPool2d(padding=2), Flatten()), 0, (MaxPool2d(padding=1), Flatten())),
    Case("shape-mismatch", IMAGE, (conv(4, groups=3),), 0, (conv(4, groups=1),)),
    Case("shape-mismatch", IMAGE, (conv(4, groups=4),), 0, (conv(4, groups=1),)),
    Case("shape-mismatch", IMAGE, (conv(kernel_size=9),), 0, (conv(kernel_size=8),)),
    Case("shape-mismatch", IMAGE, (conv(kernel_size=3, dilation=4),), 0, (conv(kernel_size=3, dilation=1),)),
    Case("wrong-output-size", FLAT, (Linear(out_features=7),), 0, (OUT,)),
    Case("wrong-output-size", FLAT, (Linear(out_features=7, bias=False), Softmax()), 1, (OUT.but(bias=False), Softmax())),
    Case("wrong-output-size", FLAT, (Linear(), ReLU()), 1, (Linear(), ReLU(), OUT)),
    Case("wrong-output-size", IMAGE, (conv(), ReLU()), 1, (conv(), ReLU(), Flatten(), OUT)),
    Case("wrong-output-size", IMAGE, (Flatten(),), 0, (Flatten(), OUT)),
    Case("nothing-to-train", (3,), (Tanh(),), 0, (Tanh(), OUT)),
    Case("softmax-before-loss", FLAT, (OUT, Softmax()), 1, (OUT,)),
    Case("activation-at-output", FLAT, (OUT, Sigmoid()), 1, (OUT,)),
    Case("dropout-at-output", FLAT, (OUT, Dropout()), 1, (OUT,)),
    Case("no-nonlinearity", FLAT, (Linear(), OUT), 1, (Linear(), ReLU(), OUT)),
    Case("no-nonlinearity", FLAT, (Linear(), Dropout(), OUT), 2, (Linear(), ReLU(), Dropout(), OUT)),
    Case(
        "no-nonlinearity",
        IMAGE,
        (conv(bias=False), BatchNorm2d(), AvgPool2d(), Flatten(), OUT),
        4,
        (conv(bias=False), BatchNorm2d(), ReLU(), AvgPool2d(), Flatten(), OUT),
    ),
    Case("redundant-bias", FLAT, (Linear(), BatchNorm1d(), ReLU(), OUT), 0, (Linear(bias=False), BatchNorm1d(), ReLU(), OUT)),
    Case(  # 20 * 64 + 64 + 64 * 3 + 3 = 1,539, halved to 32: 771
        "too-many-parameters", FLAT, (Linear(), ReLU(), OUT), 0, (Linear(out_features=32), ReLU(), OUT), limit=1_000
    ),
    Case("too-many-parameters", FLAT, (OUT,), 0, None, limit=62),
    Case(
        "no-nonlinearity",
        FLAT,
        (Residual(layers=(OUT_20, OUT_20)), OUT),
        (0, 0, 1),
        (Residual(layers=(OUT_20, ReLU(), OUT_20)), OUT),
    ),
    Case(
        "shape-mismatch",
        IMAGE,
        (Residual(layers=(conv(1, kernel_size=3, padding=1), OUT)), Flatten(), OUT),
        (0, 0, 1),
        (Residual(layers=(conv(1, kernel_size=3, padding=1),)), Flatten(), OUT),
    ),
    Case("one-output-for-many-classes", FLAT, (Linear(), ReLU(), ONE, Sigmoid()), 3, (Linear(), ReLU(), OUT)),
    Case("softmax-before-loss", FLAT, (ONE, Softmax()), 1, (ONE,), n_outputs=1, context=NUMBER),
    Case("sigmoid-before-loss", FLAT, (ONE, Sigmoid()), 1, (ONE,), n_outputs=1, context=TWO),
    Case("activation-at-output", FLAT, (ONE, ReLU()), 1, (ONE,), n_outputs=1, context=NUMBER),
    Case(
        "tokens-without-embedding",
        FLAT,
        (Linear(), ReLU(), OUT),
        0,
        (Embedding(num_embeddings=50), Flatten(), Linear(), ReLU(), OUT),
        context=TOKENS,
    ),
    Case(
        "vocabulary-too-small",
        FLAT,
        (Embedding(num_embeddings=49), Flatten(), OUT),
        0,
        (Embedding(num_embeddings=50), Flatten(), OUT),
        context=TOKENS,
    ),
    Case("embedding-of-numbers", FLAT, (Embedding(num_embeddings=50), Flatten(), OUT), 0, (Flatten(), OUT)),
    Case("vanishing-gradients", FLAT, deep(Sigmoid(), 3), 1, deep(ReLU(), 3)),
    Case("equal-weights", FLAT, (Linear(init=ConstantInit()), ReLU(), OUT), 0, (Linear(init=TorchDefault()), ReLU(), OUT)),
    Case("empty-branch", FLAT, (Residual(), Linear(), ReLU(), OUT), 0, (Linear(), ReLU(), OUT)),
    Case("empty-branch", FLAT, (Parallel(branches=((), ())), Linear(), ReLU(), OUT), 0, None),
    Case("cut-off-border", (1, 7, 7), (MaxPool2d(), Flatten(), OUT), 0, None),
]


def found(case: Case, layers: Layers) -> list[Diagnostic]:
    findings = lint(ModelSpec(layers=layers), case.shape, case.n_outputs, case.limit, case.context)
    return [finding for finding in findings if finding.code == case.code]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{'-'.join(layer.kind for layer in case.layers)}")
def test_a_rule_finds_its_fault_and_the_fix_mends_it(case):
    (finding,) = found(case, case.layers)
    assert finding.where == ("layers", *(case.index if isinstance(case.index, tuple) else (case.index,)))
    assert finding.hint
    if case.fixed is None:
        assert finding.fix is None
    else:
        assert finding.fix is not None
        assert finding.fix.label
        assert finding.fix.spec == ModelSpec(layers=case.fixed)
        assert not found(case, case.fixed)


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        (FLAT, (OUT,)),
        (FLAT, (Linear(), ReLU(), Dropout(), OUT)),
        (FLAT, (Linear(bias=False), BatchNorm1d(), ReLU(), OUT)),
        (FLAT, (Linear(), Softmax(), OUT)),  # attention-like gating in the middle is no fault
        (IMAGE, (conv(), MaxPool2d(), conv(), ReLU(), Flatten(), OUT)),  # the maximum bends
        (IMAGE, (conv(4), ReLU(), conv(4, groups=2), ReLU(), Flatten(), OUT)),
        (FLAT, deep(Sigmoid(), 2)),
        (FLAT, deep(Tanh(), 4)),
        (FLAT, (*deep(Sigmoid(), 2)[:-1], Linear(), ReLU(), *deep(Sigmoid(), 1))),
        (FLAT, (Linear(init=XavierInit()), ReLU(), Linear(out_features=3, init=ConstantInit()))),  # a convex last layer may
        (IMAGE, (Residual(layers=(conv(1, kernel_size=3, padding=1), ReLU())), Flatten(), OUT)),
        (FLAT, (Parallel(branches=((), (Linear(), ReLU()))), OUT)),  # one branch may pass its input on
        (IMAGE, (MaxPool2d(), Flatten(), OUT)),
    ],
)
def test_a_sound_stack_has_no_findings(shape, layers):
    assert lint(ModelSpec(layers=layers), shape, 3) == ()


def test_an_empty_model_is_an_error_with_a_linear_classifier_as_fix():
    (finding,) = lint(ModelSpec(), IMAGE, 3)
    assert (finding.code, finding.severity, finding.where) == ("empty-model", "error", ("layers",))
    assert finding.fix is not None
    assert finding.fix.spec == ModelSpec(layers=(Flatten(), OUT))
    assert lint(finding.fix.spec, IMAGE, 3) == ()


@pytest.mark.fault(9)
def test_a_mismatch_names_both_layers_and_both_shapes():
    (finding,) = lint(ModelSpec(layers=(conv(8, kernel_size=5), OUT)), IMAGE, 3)[:1]
    assert finding.message == "Layer 2 Linear needs a flat vector but receives 8 × 4 × 4 from layer 1 Conv2d."
    assert finding.params["shape"] == (8, 4, 4)


@pytest.mark.fault(1)
def test_a_huge_model_is_counted_without_being_allocated():
    layers = (*(layer for _ in range(30) for layer in (Linear(out_features=16_384), ReLU())), OUT)
    (finding,) = lint(ModelSpec(layers=layers), FLAT, 3)
    n_parameters = 21 * 16_384 + 29 * 16_385 * 16_384 + 3 * 16_385
    assert finding.code == "too-many-parameters"
    assert f"{n_parameters:,}" in finding.message
    assert "50,000,000" in finding.message
    assert finding.params == {"n_parameters": n_parameters, "max_parameters": 50_000_000}


def test_a_fix_that_would_pass_the_layer_limit_is_not_offered():
    layers = (*(Linear(out_features=1),) * (MAX_LAYERS - 1), OUT)
    findings = lint(ModelSpec(layers=layers), FLAT, 3)
    assert len(findings) == MAX_LAYERS - 1
    assert all(finding.fix is None for finding in findings)


def test_errors_come_first_and_then_the_order_of_the_layers():
    findings = lint(ModelSpec(layers=(Linear(), BatchNorm1d(), Linear(), Linear(), Softmax())), FLAT, 3)
    assert [(finding.code, finding.where[1]) for finding in findings] == [
        ("wrong-output-size", 4),
        ("no-nonlinearity", 2),
        ("no-nonlinearity", 3),
        ("softmax-before-loss", 4),
        ("redundant-bias", 0),
    ]


def test_five_tanh_layers_are_mended_by_the_initialisation_that_was_made_for_them():
    (finding,) = lint(ModelSpec(layers=deep(Tanh(), 5)), FLAT, 3)
    assert (finding.code, finding.where) == ("vanishing-gradients", ("layers", 1))
    assert finding.fix is not None
    assert finding.fix.spec == ModelSpec(layers=deep(Tanh(), 5), init=XavierInit(gain=1.67))
    assert lint(finding.fix.spec, FLAT, 3) == ()


def test_a_fix_keeps_how_the_model_starts():
    (finding,) = lint(ModelSpec(layers=(OUT, Softmax()), init=XavierInit()), FLAT, 3)
    assert finding.fix is not None
    assert finding.fix.spec == ModelSpec(layers=(OUT,), init=XavierInit())


def test_every_rule_has_a_case_here():
    tested = {case.code for case in CASES} | {"empty-model"}
    assert {rule.__name__.replace("_", "-") for rule in RULES} == tested
    written = {
        name
        for module in (lint_fit, lint_output, lint_depth)
        for name, thing in vars(module).items()
        if inspect.isgeneratorfunction(thing) and not name.startswith("_")
    }
    assert written == {rule.__name__ for rule in RULES}


def test_removing_the_softmax_leaves_a_model_with_the_right_output():
    (finding,) = lint(ModelSpec(layers=(OUT, Softmax())), FLAT, 3)
    assert infer(finding.fix.spec, FLAT).out_shape == (3,)
