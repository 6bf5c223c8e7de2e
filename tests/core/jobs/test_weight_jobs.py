"""From a run's checkpoints to its weights as pictures, as neurons, and over time."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from core.data.rendered import Digits
from core.data.tabular import BreastCancer, Diabetes
from core.data.toy import Spiral
from core.errors import NotApplicable, SpecError
from core.events import Artifact
from core.experiment.experiment import Lane
from core.jobs import weight_lenses
from core.jobs import weights_over_time as over_time
from core.jobs.inline import run_inline
from core.jobs.lenses import loaded
from core.jobs.menu import parse_job
from core.jobs.weight_lenses import SIDE, FiltersJob, NeuronsJob, WeightsOverTimeJob, reason_against_neurons, weight_layers
from core.models.model import build
from core.optim.losses import MeanSquaredError
from core.optim.regularizers import ClipNorm, WeightAverage
from core.optim.schedules import Exponential
from core.results.codec import load_result, result_bytes
from core.results.filters import Filters
from core.results.responses import NeuronResponses
from core.results.weight_statistics import WeightStatistics
from core.settings import Settings
from core.training.checkpoints import load_state
from tests.core.jobs.test_plane_job import kept
from tests.core.samples import linear, optimizer_like, spiral, stack

SETTINGS = Settings()


def result(job, shelf, wanted):
    assert parse_job(job.model_dump_json()) == job
    job.check(SETTINGS)
    (data,) = [item.data for item in run_inline(job, SETTINGS, shelf=shelf, run="lens") if isinstance(item, Artifact)]
    return load_result(wanted, data)


def over(experiment, at=(1, 2, 3, 6), series=0) -> tuple[WeightStatistics, list]:
    shelf, refs = kept(experiment, at)
    by_step = {int(ref.name.partition("-")[2].partition(".")[0]): ref for ref in refs}  # busy machines keep more moments
    refs = tuple(by_step[step] for step in (0, *at))
    found = result(WeightsOverTimeJob(experiment=experiment, checkpoints=refs, series=series), shelf, WeightStatistics)
    return found, [load_state(shelf.read(ref.run, ref.name, ref.sha256)) for ref in refs]


def test_for_plain_gradient_descent_the_ratio_is_the_learning_rate_times_gradient_over_weights():
    found, _ = over(spiral("sgd", 0.3, batch_size="full"))
    assert found.n_examples == 100  # the whole training split: the next batch is what the gradient is of
    assert list(found.steps) == [0, 1, 2, 3, 6]
    layers = [0, 2]
    wanted = 0.3 * found.gradient_norms[layers] / found.weight_norms[layers]
    np.testing.assert_allclose(found.ratios[layers], wanted, rtol=2e-4)
    assert np.isnan(found.ratios[1]).all()
    assert (found.rates == 0.3).all()


STEPPED = {
    "adam": spiral("adam", 0.05),
    "averaged, clipped, scheduled": spiral(
        lanes=(
            Lane(
                optimizer=optimizer_like("adamw", 0.05),
                schedule=Exponential(gamma=0.5),
                regularizers=(ClipNorm(limit=0.5), WeightAverage()),
            ),
        ),
        model=stack(linear(8), "Tanh", ("Dropout", {"p": 0.4}), "BatchNorm1d", linear(2)),
        batch_size=50,
    ),
    "L-BFGS": spiral("lbfgs", 0.2, batch_size="full"),
    "two lanes": spiral(lanes=(*spiral("sgd", 0.1).lanes, *spiral("rmsprop", 0.01).lanes), repeats=2),
}


@pytest.mark.parametrize("name", STEPPED)
def test_the_next_step_is_the_one_that_the_run_made(name):
    experiment = STEPPED[name]
    series = len(experiment.lanes) * experiment.repeats - 1
    found, states = over(experiment, series=series)
    trained = [key for key in states[0].models[series] if "running" not in key and "num_batches" not in key]
    for row, layer in enumerate(path[0] for path in found.paths):
        own = [key for key in trained if key.startswith(f"{layer}.")]
        for moment, (one, then) in enumerate(pairwise(states[:4])):
            now, later = one.models[series], then.models[series]
            if not own:
                assert np.isnan(found.update_norms[row, moment])
                continue
            moved = np.sqrt(sum(float((later[key].double() - now[key].double()).square().sum()) for key in own))
            assert found.update_norms[row, moment] == pytest.approx(moved, rel=1e-3, abs=1e-8)
    assert found.is_averaged == (name == "averaged, clipped, scheduled")


def test_gradients_losses_and_histograms_are_those_of_torch_and_numpy():
    experiment = spiral("adam", 0.05)
    found, states = over(experiment)
    splits = loaded(experiment.data, experiment.seed)
    x, y = torch.from_numpy(splits.model_input(splits.train.x)), torch.from_numpy(splits.train.y)
    model = build(experiment.model, (2,), 0)
    model.load_state_dict(states[3].models[0])
    loss = nn.CrossEntropyLoss()(model(x), y)
    loss.backward()
    assert found.losses[3] == pytest.approx(loss.item(), rel=1e-5)
    numbers = torch.cat([one.grad.flatten() for one in model[2].parameters()]).numpy()
    assert found.gradient_norms[2, 3] == pytest.approx(np.linalg.norm(numbers), rel=1e-4)
    weights = torch.cat([one.detach().flatten() for one in model[2].parameters()]).numpy()
    activations = torch.tanh(model[0](x)).detach().numpy()
    for kind, layer, values in (("gradients", 2, numbers), ("weights", 2, weights), ("activations", 1, activations)):
        number = found.number(kind, layer)
        for edges, counts in ((found.edges, found.counts), (found.log_edges, found.log_counts)):
            by_numpy = np.histogram(values.astype(float), edges[number])[0]
            assert np.abs(by_numpy - counts[number][3]).sum() <= 4  # float32 sums in another order may cross an edge
            assert counts[number][3].sum() == values.size
    again = load_result(WeightStatistics, result_bytes(found))
    assert np.array_equal(again.counts[0], found.counts[0])


def test_many_moments_are_thinned(monkeypatch):
    monkeypatch.setattr(over_time, "MAX_MOMENTS", 3)
    found, _ = over(spiral("adam", 0.05))
    assert (list(found.steps), found.n_left_out) == ([0, 2, 6], 2)


def test_a_lane_that_diverged_has_no_next_step():
    experiment = spiral("adam", 0.05)
    shelf, refs = kept(experiment, (2,))
    look = over_time.Look(experiment, 0)
    look.at(replace(load_state(shelf.read("run", refs[-1].name, refs[-1].sha256)), died_at=(2,)))
    found = look.result(0)
    assert np.isnan(found.update_norms).all()
    assert np.isfinite(found.gradient_norms[[0, 2]]).all()


def test_looking_leaves_the_random_numbers_of_others_alone():
    experiment = STEPPED["averaged, clipped, scheduled"]
    shelf, refs = kept(experiment, (2,))
    before = torch.default_generator.get_state()
    over_time.Look(experiment, 0).at(load_state(shelf.read("run", refs[-1].name, refs[-1].sha256)))
    assert torch.equal(torch.default_generator.get_state(), before)


def test_examples_in_parts_give_the_same_numbers(monkeypatch):
    at_once, _ = over(spiral("adam", 0.05))
    monkeypatch.setattr(over_time, "PART_BYTES", 1000)
    in_parts, _ = over(spiral("adam", 0.05))
    np.testing.assert_allclose(in_parts.gradient_norms, at_once.gradient_norms, rtol=1e-4)
    np.testing.assert_allclose(in_parts.losses, at_once.losses, rtol=1e-5)


def test_a_series_that_is_not_there_is_refused_and_one_that_joined_later_has_no_early_moments():
    experiment = spiral("adam", 0.05)
    shelf, refs = kept(experiment, (1,))
    with pytest.raises(SpecError):
        WeightsOverTimeJob(experiment=experiment, checkpoints=refs, series=1).check(SETTINGS)
    joined = experiment.but(lanes=experiment.lanes * 2)
    job = WeightsOverTimeJob(experiment=joined, checkpoints=refs, series=1)
    events = [item.event for item in run_inline(job, SETTINGS, shelf=shelf) if not isinstance(item, Artifact)]
    assert "none of the kept moments" in events[-1].message


def test_models_that_are_too_large_over_time_say_so(monkeypatch):
    monkeypatch.setattr(weight_lenses, "MAX_PARAMETERS", 40)
    _, refs = kept(spiral(), (1,))
    with pytest.raises(NotApplicable, match="42 weights"):
        WeightsOverTimeJob(experiment=spiral(), checkpoints=refs).check(SETTINGS)


def test_numbers_and_pictures_have_statistics_too():
    diabetes = spiral(data=Diabetes(), model=stack(linear(4), "ReLU", linear(1)), loss=MeanSquaredError())
    found, _ = over(diabetes, (1, 2))
    assert np.isfinite(found.ratios[[0, 2]]).all()
    digits = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(10)), batch_size=64)
    found, _ = over(digits, (1, 2))
    assert found.n_examples == over_time.EXAMPLES
    assert found.counts[found.number("activations", 0)][0].sum() == 256 * 2 * 36


def test_filters_are_the_weights_of_the_moment():
    digits = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(10)), batch_size=64)
    shelf, refs = kept(digits, (1, 3))
    assert [path for path, _ in weight_layers(digits)] == [(0,), (2,)]
    found = result(FiltersJob(experiment=digits, weights=refs[-1], layer=(2,)), shelf, Filters)
    state = load_state(shelf.read("run", refs[-1].name, refs[-1].sha256)).models[0]
    assert np.array_equal(found.weights.reshape(10, -1), state["2.weight"].numpy())
    assert (found.name, found.tensors, found.step) == ("Layer 3 Linear: weight", ("weight",), 3)
    with pytest.raises(SpecError, match="no weights"):
        FiltersJob(experiment=digits, layer=(1,)).check(SETTINGS)


def test_a_table_names_the_inputs_of_its_first_layer():
    table = spiral(data=BreastCancer(), model=stack(linear(4), "ReLU", linear(2)))
    found = result(FiltersJob(experiment=table), None, Filters)
    assert found.input_names == table.data.profile().feature_names
    found = result(FiltersJob(experiment=table, layer=(2,)), None, Filters)
    assert found.input_names == ()


def test_neurons_answer_as_the_model_does_at_every_place_of_the_plane():
    experiment = spiral("adam", 0.05, data=Spiral(n_points=200, features=("x1", "x2", "x1_x2")))
    shelf, refs = kept(experiment, (5,))
    found = result(NeuronsJob(experiment=experiment, weights=refs[-1]), shelf, NeuronResponses)
    assert [one.shape for one in found.responses] == [(3, SIDE, SIDE), (8, SIDE, SIDE), (2, SIDE, SIDE)]
    assert (found.places, found.after, found.step) == ((-1, 0, 2), ("", "Tanh", ""), 5)
    axis = np.linspace(-6, 6, SIDE)
    assert np.allclose(found.responses[0][0], axis[None, :], atol=1e-5)
    assert np.allclose(found.responses[0][2], np.outer(axis, axis), atol=1e-4)
    inputs = np.stack([one.ravel() for one in found.responses[0]], 1)
    hidden = np.tanh(inputs @ found.weights[0].T + found.biases[0])
    outputs = hidden @ found.weights[1].T + found.biases[1]
    assert np.allclose(found.responses[1], hidden.T.reshape(8, SIDE, SIDE), atol=1e-5)
    assert np.allclose(found.responses[2], outputs.T.reshape(2, SIDE, SIDE), atol=1e-4)


def test_a_table_has_neurons_without_maps():
    table = spiral(data=Diabetes(), model=stack(linear(4), "ReLU", linear(1)), loss=MeanSquaredError())
    found = result(NeuronsJob(experiment=table), None, NeuronResponses)
    assert (found.responses, found.output_names) == ((), (table.data.profile().target_name,))
    assert len(found.input_names) == found.weights[0].shape[1]


REFUSED = {
    "image": spiral(data=Digits(), model=stack("Flatten", linear(10))),
    "neurons": spiral(model=stack(linear(64), "ReLU", linear(2))),
    "row": spiral(model=stack(("Residual", {"layers": stack(linear(2)).layers}), linear(2))),
    "Linear layers": spiral(model=stack(*[linear(2)] * 7)),
}


@pytest.mark.parametrize("word", REFUSED)
def test_larger_or_other_nets_are_refused_in_words(word):
    assert word in reason_against_neurons(REFUSED[word])
    with pytest.raises(NotApplicable, match=word):
        NeuronsJob(experiment=REFUSED[word]).check(SETTINGS)
