"""A backbone is torchvision's network without its classifier, counted without torch and filled from a file of the user's."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from core.errors import MissingData, ShapeError, SpecError
from core.models.initialise import load_backbone
from core.models.layers.backbone import NETS, Backbone
from core.models.layers.containers import Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.model import ModelSpec, build, infer

SIDES = [(1, 1), (32, 32), (33, 70), (224, 224)]
CASES = [(name, sides) for name in NETS for sides in SIDES if name != "vit_b_16" or sides == (224, 224)]
HEADS = {"resnet18": "fc", "mobilenet_v3_small": "classifier", "vit_b_16": "heads"}
DIGEST = "ab" * 32


@pytest.mark.parametrize(("name", "sides"), CASES)
def test_features_parameters_and_multiply_adds_equal_torchvisions(name, sides):
    layer, shape = Backbone(name=name, frozen=False), (3, *sides)
    with torch.device("meta"):
        module = layer.build(shape)
        whole = models.get_model(name, weights=None)
        with FlopCounterMode(display=False) as counter:
            out = module(torch.empty(2, *shape))
    head = getattr(whole, HEADS[name])
    numbers = [sum(weights.numel() for weights in part.parameters()) for part in (whole, head)]
    assert out.shape[1:] == layer.out_shape(shape)
    assert layer.n_parameters(shape) == numbers[0] - numbers[1]
    assert counter.get_total_flops() == 4 * layer.multiply_adds(shape)


def storage_of(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


@pytest.mark.parametrize(("name", "sides"), [case for case in CASES if min(case[1]) >= 32])
def test_what_training_holds_is_estimated_within_15_percent(name, sides):
    layer, shape = Backbone(name=name, frozen=False), (3, *sides)
    held = {}
    device = "cpu" if name == "vit_b_16" else "meta"  # on meta, attention takes another way, which keeps its weights
    with torch.device(device):
        module, batch = layer.build(shape), torch.zeros(1 + (device == "meta"), *shape)  # one example is no batch to normalise
        own = {storage_of(each) for each in (*module.parameters(), *module.buffers(), batch)}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            held[storage_of(tensor)] = tensor  # kept alive, so that no other takes its place
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            module(batch)
    n_bytes = sum(tensor.untyped_storage().nbytes() for storage, tensor in held.items() if storage not in own)
    numbers = n_bytes / 4 / len(batch)
    assert layer.n_activations(shape) == pytest.approx(numbers, rel=0.15)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_features_are_what_torchvisions_classifier_gets(name):
    torch.manual_seed(0)
    module, image = Backbone(name=name).build((3, 40, 40)), torch.rand(2, 3, 40, 40)
    whole = models.get_model(name, weights=None)
    state = whole.state_dict() | module.body.state_dict()
    whole.load_state_dict(state)
    seen = []
    getattr(whole, HEADS[name]).register_forward_hook(lambda _, inputs, out: seen.append(inputs[0]))
    whole.eval()(image)
    assert torch.equal(module(image), seen[0])


def test_grey_images_are_shown_to_all_three_colours():
    torch.manual_seed(0)
    module, grey = Backbone().build((1, 32, 32)), torch.rand(2, 1, 32, 32)
    assert torch.equal(module(grey), module(grey.repeat(1, 3, 1, 1)))


def test_a_frozen_backbone_stays_as_it_is_whatever_training_does():
    model = ModelSpec(layers=(Backbone(), Linear(out_features=2)))
    inference = infer(model, (3, 16, 16))
    assert (inference.n_parameters, inference.n_frozen) == (2 * 513, 11_176_512)
    module = build(model, (3, 16, 16), seed=0).train()
    assert module.training
    assert not any(part.training for part in module[0].modules())
    before = {name: tensor.clone() for name, tensor in module[0].state_dict().items()}
    module(torch.rand(4, 3, 16, 16)).sum().backward()
    assert all(weights.grad is None for weights in module[0].parameters())
    assert module[1].weight.grad is not None
    assert all(torch.equal(tensor, before[name]) for name, tensor in module[0].state_dict().items())


def test_one_that_is_not_frozen_is_trained():
    module = Backbone(name="mobilenet_v3_small", frozen=False).build((3, 16, 16)).train()
    module(torch.rand(4, 3, 16, 16)).sum().backward()
    assert all(weights.grad is not None for weights in module.parameters())
    assert module.body.features[0][1].training


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Backbone(), (4, 8, 8), "Backbone needs images of 1 or 3 channels but receives 4 × 8 × 8."),
        (Backbone(), (64,), "Backbone needs maps (channels × height × width) but receives a flat vector of 64."),
        (
            Backbone(name="vit_b_16"),
            (3, 32, 32),
            "Backbone needs images of exactly 224 × 224 for vit_b_16 but receives 3 × 32 × 32.",
        ),
    ],
)
def test_what_it_cannot_take_is_refused_in_words(layer, shape, message):
    with pytest.raises(ShapeError) as caught:
        layer.out_shape(shape)
    assert caught.value.message == message
    assert caught.value.hint


@pytest.fixture
def file(monkeypatch):
    """The tensors of a file with the digest DIGEST, to be filled by a test."""
    tensors: dict[str, torch.Tensor] = {}
    monkeypatch.setattr("core.models.weights.load_tensors", lambda digest: {DIGEST: tensors}[digest])
    return tensors


def test_weights_of_a_file_are_filled_in_also_inside_a_container_and_its_classifier_is_passed_over(file):
    torch.manual_seed(5)
    file.update(models.get_model("resnet18", weights=None).state_dict())
    layer = Backbone(weights=DIGEST)
    for model in (ModelSpec(layers=(layer,)), ModelSpec(layers=(Residual(projection=False), layer))):
        module = build(model, (3, 16, 16), seed=0)[-1]
        assert all(torch.equal(tensor, file[name]) for name, tensor in module.body.state_dict().items())
    inside = Residual(layers=(Conv2d(out_channels=3, kernel_size=1),))
    assert build(ModelSpec(layers=(inside, layer)), (3, 16, 16), seed=0)[1].body.conv1.weight.equal(file["conv1.weight"])


def test_files_from_before_batches_were_counted_and_before_vits_layers_were_renamed_fit(file):
    net = models.get_model("resnet18", weights=None)
    file.update({name: tensor for name, tensor in net.state_dict().items() if not name.endswith("num_batches_tracked")})
    load_backbone(Backbone().build((3, 8, 8)), DIGEST)
    file.clear()
    with torch.random.fork_rng():
        layer = Backbone(name="vit_b_16")
        module = layer.build((3, 224, 224))
    names = {
        name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): name
        for name in module.body.state_dict()
    }
    assert any("linear_1" in name for name in names)
    file.update({old: torch.full_like(module.body.state_dict()[new], 0.5) for old, new in names.items()})
    load_backbone(module, DIGEST)
    assert all((weights == 0.5).all() for weights in module.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.pop("bn1.weight"), "The weights have no tensor 'bn1.weight', which the backbone needs."),
        (lambda file: file.update(extra=torch.zeros(1)), "The weights have a tensor 'extra', which the backbone has not."),
        (
            lambda file: file.update({"conv1.weight": torch.zeros(64, 1, 7, 7)}),
            "The weights have 'conv1.weight' as 64 × 1 × 7 × 7, but the backbone needs 64 × 3 × 7 × 7.",
        ),
    ],
)
def test_a_file_of_another_network_is_refused_by_the_first_tensor_that_differs(file, change, message):
    file.update(models.get_model("resnet18", weights=None).state_dict())
    change(file)
    with pytest.raises(SpecError) as caught:
        build(ModelSpec(layers=(Backbone(weights=DIGEST),)), (3, 16, 16), seed=0)
    assert caught.value.message == message
    assert caught.value.hint


def test_a_file_that_is_not_there_is_missing_data(home):
    with pytest.raises(MissingData):
        build(ModelSpec(layers=(Backbone(weights=DIGEST),)), (3, 16, 16), seed=0)
