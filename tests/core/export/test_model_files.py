"""Weights, ONNX and torch.export files of trained models, read by the libraries that others read them with."""

import io

import numpy as np
import pytest
import torch

from core.data.dataset import DataProfile
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.errors import NotApplicable
from core.events import Artifact, Failed
from core.experiment.experiment import Budget
from core.export.onnx_model import onnx_outputs
from core.export.traced import in_words, largest_difference
from core.jobs.export_jobs import ModelExportJob
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.training import TrainJob
from core.models.model import build
from core.results.codec import load_result
from core.results.exported import ExportedFile
from core.settings import Settings
from core.training.checkpoints import load_weights
from tests.core.samples import linear, spiral, stack

INNER = stack(("Conv2d", {"out_channels": 2, "padding": 1}), "BatchNorm2d", "ReLU").layers
CNN = spiral(
    data=Digits(),
    model=stack(("Residual", {"layers": INNER}), ("MaxPool2d", {"kernel_size": 2}), "Flatten", "Dropout", linear(10)),
    batch_size=64,
    budget=Budget(epochs=None, steps=8),
)
READER = stack(
    ("Embedding", {"num_embeddings": 128}), ("TransformerEncoder", {"num_heads": 2}), ("GRU", {"hidden_size": 3}), linear(2)
)
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER, steps=3)


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def trained(experiment, settings):
    """The newest checkpoint of a short run, its reference, and the shelf that both lie on."""
    shelf = MemoryShelf()
    list(run_inline(TrainJob(experiment=experiment), settings, shelf=shelf, run="r"))
    ref = shelf.references("r")[-1]
    model = build(experiment.model, experiment.data.profile().input_shape, 9)
    model.load_state_dict(load_weights(shelf.read("r", ref.name, ref.sha256))[0])
    return shelf, ref, model.eval()


def files(job, settings, shelf):
    items = list(run_inline(job, settings, shelf=shelf, run="x"))
    found = {item.name: item.data for item in items if isinstance(item, Artifact)}
    assert found, items
    return load_result(ExportedFile, found["result.npz"]), found


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    return trained(CNN, Settings(home=tmp_path_factory.mktemp("home")))


@pytest.mark.parametrize("format", ["safetensors", "state_dict"])
def test_weights_read_elsewhere_are_those_of_the_checkpoint(cnn, settings, format):
    from safetensors.torch import load

    shelf, ref, model = cnn
    told, found = files(ModelExportJob(experiment=CNN, weights=ref, format=format), settings, shelf)
    data = found[told.file]
    read = load(data) if format == "safetensors" else torch.load(io.BytesIO(data), weights_only=True)
    assert read.keys() == model.state_dict().keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in model.state_dict().items())
    assert (told.n_bytes, told.step) == (len(data), 8)


@pytest.mark.parametrize("experiment", [CNN, SENTENCES], ids=["cnn", "reader"])
def test_onnx_runtime_computes_what_torch_computes_for_any_number_of_examples(settings, experiment):
    import onnx

    shelf, ref, model = trained(experiment, settings)
    told, found = files(ModelExportJob(experiment=experiment, weights=ref, format="onnx"), settings, shelf)
    splits = experiment.data.splits(0)
    batches = [splits.model_input(splits.validation.x[:n]) for n in (1, 2, 7)]
    with torch.no_grad():
        expected = [model(torch.from_numpy(x)).numpy() for x in batches]
    assert largest_difference(onnx_outputs(found[told.file], batches), expected) < 1e-5
    assert told.opset == 20
    assert 0 <= told.difference < 1e-5
    assert told.n_examples == 20
    read = onnx.load_from_string(found[told.file])
    assert read.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert read.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    classes = {one.key: one.value for one in read.metadata_props}["classes"]
    assert classes == ", ".join(experiment.data.profile().class_names)


def test_a_program_loaded_again_is_the_model(cnn, settings):
    shelf, ref, model = cnn
    told, found = files(ModelExportJob(experiment=CNN, weights=ref, format="program"), settings, shelf)
    again = torch.export.load(io.BytesIO(found[told.file])).module()
    x = torch.randn(5, 1, 8, 8)
    assert torch.allclose(again(x), model(x), atol=1e-6)
    assert told.difference < 1e-6


def test_a_layer_that_cannot_be_written_is_named(cnn):
    class Odd(torch.nn.Module):
        def forward(self, x):
            return x if float(x.sum()) > 0 else -x

    from core.export.traced import exported

    model = torch.nn.Sequential(torch.nn.Linear(2, 2), Odd(), torch.nn.Tanh())
    with pytest.raises(NotApplicable, match="Layer 2 Odd cannot be written"):
        in_words(exported, model, torch.randn(2, 2), ["Linear", "Odd", "Tanh"])


def test_the_difference_of_outputs_sees_shapes_and_numbers_that_are_not():
    one = np.array([1.0, np.nan, np.inf])
    assert largest_difference([one], [one]) == 0.0
    assert largest_difference([one], [np.array([1.0, 2.0, np.inf])]) == np.inf
    assert largest_difference([one], [one[:2]]) == np.inf
    assert largest_difference([np.array([1.0])], [np.array([1.5])]) == 0.5


def test_weights_of_another_model_are_refused_in_words(cnn, settings):
    shelf, ref, _ = cnn
    other = CNN.but(model=stack("Flatten", linear(10)))
    end = list(run_inline(ModelExportJob(experiment=other, weights=ref), settings, shelf=shelf, run="y"))[-1].event
    assert isinstance(end, Failed)
    assert "of another model" in end.message


def test_profiles_of_numbers_and_tokens_give_inputs_of_their_kind():
    from core.export.traced import random_inputs

    tokens = random_inputs(DataProfile("sequence", (7,), ("a", "b"), 1, 1, 1, n_tokens=5), 50)
    assert tokens.dtype == np.int64
    assert (tokens.min(), tokens.max()) == (0, 4)
    assert random_inputs(DataProfile("image", (1, 2, 2), ("a", "b"), 1, 1, 1), 3).shape == (3, 1, 2, 2)
