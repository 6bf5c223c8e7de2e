"""An architecture as text comes back as the very same model, and a wrong or hostile text gets a sentence with its line."""

import time
from contextlib import suppress

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SpecError
from core.models.init import AnyBiasInit, AnyInit, HeInit, XavierInit
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.regularization import BatchNorm1d, Dropout
from core.models.model import ModelSpec
from core.models.presets import PRESETS
from core.models.text import architecture_text, model_from_text
from core.models.text_values import MAX_DEPTH, MAX_VALUES, values_with_lines
from core.spec import MAX_TEXT_BYTES, choices, parse_json
from tests.contracts.layer_strategies import LAYERS, STACKS, layers_of
from tests.core.samples import linear, stack

FORMS = ("json", "yaml")
MANY = 60_000

YAML = """\
layers:
  - Conv2d: {out_channels: 8, padding: 1}
  - ReLU
  - Residual:
      projection: false
      layers:
        - ReLU
        - Parallel:
            branches:
              - - Tanh
                - Dropout: {p: 0.25}
              - []
            merge: add
  - Flatten
  - Linear: {out_features: 10, init: xavier}
init: {he: {distribution: uniform}}
"""


@settings(max_examples=60, deadline=None)
@given(STACKS, st.sampled_from(FORMS))
def test_every_stack_comes_back_and_json_is_what_pydantic_reads(model, form):
    text = architecture_text(model, form)
    assert model_from_text(text) == model
    if form == "json":
        assert parse_json(ModelSpec, text) == model


@pytest.mark.parametrize("layer_class", LAYERS, ids=lambda cls: cls.kind_name())
def test_every_layer_of_the_menu_comes_back(layer_class):
    @settings(max_examples=15, deadline=None)
    @given(layers_of(layer_class, 1))
    def holds(layer):
        model = ModelSpec(layers=(layer,))
        assert all(model_from_text(architecture_text(model, form)) == model for form in FORMS)

    holds()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_comes_back(preset):
    model = preset.model(10, 50 if preset.reads_tokens else 0)
    assert all(model_from_text(architecture_text(model, form)) == model for form in FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_initialisations_and_weights_come_back(form):
    for init in choices(AnyInit):
        for bias in choices(AnyBiasInit):
            layer = Linear(init=init(), bias_init=bias())
            model = ModelSpec(layers=(layer,), init=init(), bias_init=bias(), weights="0123456789" * 6 + "1e10")
            assert model_from_text(architecture_text(model, form)) == model


def test_yaml_is_short_and_other_readers_see_the_same_values():
    model = model_from_text(YAML)
    assert architecture_text(model, "yaml").splitlines()[:7] == YAML.splitlines()[:7]
    small = ModelSpec(layers=(BatchNorm1d(eps=1e-8), Linear(out_features=3, bias=False)))
    assert (
        architecture_text(small, "yaml")
        == "layers:\n  - BatchNorm1d: {eps: 1.0e-08}\n  - Linear: {out_features: 3, bias: false}\n"
    )
    layers = yaml.safe_load(architecture_text(small, "yaml"))["layers"]  # YAML 1.1, which reads 1e-08 as text
    assert layers == [{"BatchNorm1d": {"eps": 1e-8}}, {"Linear": {"out_features": 3, "bias": False}}]


def test_json_has_a_line_per_layer_and_no_defaults():
    text = architecture_text(stack("Flatten", linear(10)), "json")
    assert text == '{\n  "layers": [\n    {"kind": "Flatten"},\n    {"kind": "Linear", "out_features": 10}\n  ]\n}\n'


def test_the_forms_may_be_mixed_and_a_bare_list_is_the_layers():
    wanted = ModelSpec(layers=(Linear(out_features=3), Dropout(), Linear(out_features=2, init=HeInit())))
    for text in (
        "- Linear: {out_features: 3}\n- Dropout\n- Linear:\n    out_features: 2\n    init: he",
        "- {kind: Linear, out_features: 3}\n- Dropout:\n- {kind: Linear, out_features: 2, init: {kind: he}}",
        '[{"Linear": {"out_features": 3}}, "Dropout", {"kind": "Linear", "out_features": 2, "init": {"he": {}}}]',
        '{"layers": [\t{"kind": "Linear", "out_features": 3},\n\t"Dropout", {"Linear": {"out_features": 2, "init": "he"}}]}',
    ):
        assert model_from_text(text) == wanted


def test_an_empty_stack_comes_back():
    assert all(model_from_text(architecture_text(ModelSpec(), form)) == ModelSpec() for form in FORMS)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-1", 0.1),
        ("1E-1", 0.1),
        (".5", 0.5),
        ("0", 0.0),
        ("+0.25", 0.25),
    ],
)
def test_numbers_are_read_as_people_write_them(written, value):
    assert model_from_text(f"- Dropout: {{p: {written}}}") == ModelSpec(layers=(Dropout(p=value),))


def test_words_mean_what_yaml_1_2_says():
    values, _ = values_with_lines("[no, yes, on, off, y, 'true', true, ~, null, 012, 1_000, 0x10, 1:30, 2020-01-01, none]")
    assert values[:7] == ["no", "yes", "on", "off", "y", "true", True]
    assert values[7:] == [None, None, 12, "1_000", "0x10", "1:30", "2020-01-01", "none"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("layers:\n  - ReLU\n  - Conv2D", "Line 3: layers, number 2: there is no 'Conv2D'.", "Did you mean 'Conv2d'?"),
        ("- Linear:\n    out_feature: 3", "Line 2: Linear has no setting 'out_feature'.", "Did you mean 'out_features'?"),
        ("- ReLU: {a: 1}", "Line 1: ReLU has no setting 'a'.", "ReLU has no settings: remove it."),
        ("layers: []\nlayer: []", "Line 2: a model has no 'layer'.", "Did you mean 'layers'?"),
        ("- Linear: {init: hee}", "Line 1: Linear.init: there is no 'hee'.", "Did you mean 'he'?"),
        ("\n- Linear:\n    bias: no", "Line 3: Linear.bias: Input should be a valid boolean, but it is 'no'.", "Write false."),
        (
            '{"layers": [\n{"kind": "Linear",\n"out_features": 0}]}',
            "Line 3: Linear.out_features: Input should be greater than or equal to 1, but it is '0'.",
            "Change line 3.",
        ),
        ("- Linear: 3", "Line 1: this is no layer or initialisation.", "Write `Name`, or `Name: {setting: value}`."),
        ("- Dropout: {p: .nan}", "Line 1: Dropout.p: Input should be a valid number, but it is '.nan'.", "Change line 1."),
        ("- Dropout: {p: 1e999}", "Line 1: Dropout.p: Input should be a finite number, but it is 'inf'.", "Change line 1."),
        ("layers:\n- ReLU\nlayers:\n- Tanh", "Line 3: 'layers' is there twice.", "Keep one of them."),
        ("- Parallel: {branches: [[ReLU], [7]]}", "Line 1: branch 2, number 1: Input should be an object, but it is '7'.", ""),
        ("layers: 3", "Line 1: layers: Input should be a valid array, but it is '3'.", ""),
        ("hello", "Line 1: 'hello' is not an architecture.", "Write `layers:` and one layer per line."),
        ("", "This text is empty.", ""),
        ("# only a comment", "This text is empty.", ""),
        ("layers: [ReLU", "Line 1: expected ',' or ']', but got '<stream end>'.", ""),
        ("layers:\n\t- ReLU", "Line 2: found character '\\t' that cannot start any token.", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_nearest_right_name(text, message, hint):
    with pytest.raises(SpecError) as caught:
        model_from_text(text)
    assert caught.value.message == message
    assert caught.value.hint
    assert hint in caught.value.hint


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    "text",
    [
        "a: &a [ReLU]\nb: *a",
        "- &a ReLU",
        "- *a",
        "!!python/object/apply:os.system ['true']",
        "- !!binary aGVsbG8=",
        "- !layer ReLU",
        "%TAG ! tag:example.com,2000:\n---\n- !x ReLU",
        "- ReLU\n---\n- ReLU",
        "- ReLU\n...\n- ReLU",
        "? [ReLU]\n: 1",
        "? {a: 1}\n: 1",
        "<<: {layers: [ReLU]}",
        "- \x00",
        "- \ud800",
        '- "\\ud800"',
        '- "a\\nb"',
        "- " + "9" * 150,
        "- Linear: {out_features: " + "9" * 25 + "}",
        '{"layers": [{"kind": "Linear", "kind": "ReLU"}]}',
        '{"layers": NaN}',
        '{"layers": [{"kind": "Dropout", "p": Infinity}]}',
        "{__class__: {__init__: x}}",
    ],
)
def test_what_is_no_plain_architecture_is_refused(text):
    with pytest.raises(SpecError) as caught:
        model_from_text(text)
    assert caught.value.hint
    str(caught.value).encode()  # can be shown


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    "text",
    [
        "[" * MANY,
        "[\n" * (MANY // 2),
        "{a: " * (MANY // 4),
        "- " * (MANY // 2),
        "- a\n" * (MANY // 4),
        "[" + "a," * (MANY // 2) + "]",
        "".join(f"k{i}: 1\n" for i in range(5000)),
        '["' + "a" * MANY + '"]',
        "? " * (MANY // 2),
        "%A b\n" * (MANY // 5),
        '{"layers": [' + '{"kind": "ReLU"}, ' * 3000 + "]}",
        "- Residual: {layers: [" * 30 + "ReLU" + "]}" * 30,
        "x" * (MAX_TEXT_BYTES + 1),
        "é" * (MAX_TEXT_BYTES // 2 + 1),
    ],
    ids=lambda text: text[:8],
)
def test_a_hostile_text_is_refused_soon(text):
    start = time.process_time()
    with pytest.raises(SpecError) as caught:
        model_from_text(text)
    assert time.process_time() - start < 4
    assert len(str(caught.value)) < 300


def test_the_limits_hold_the_largest_model_that_a_link_could_carry():
    layer = Conv2d(out_channels=9, kernel_size=2, stride=2, padding=3, dilation=4, groups=9, bias=False, init=XavierInit())
    model = ModelSpec(layers=(layer,) * 64)
    values, lines = values_with_lines(architecture_text(model, "yaml"))
    assert len(lines) < MAX_VALUES
    assert max(map(len, lines)) < MAX_DEPTH
    assert len(values["layers"]) == 64


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("{}[]:,-#&*!|>'\"%@`\n\t ?aLRn0.1e"), max_size=60))
def test_any_text_gives_a_model_or_a_sentence(text):
    with suppress(SpecError):
        assert isinstance(model_from_text(text), ModelSpec)
