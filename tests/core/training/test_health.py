"""The training doctor: silent on what learns well, right about what does not, and never in the way of the run."""

import copy
import math
from functools import cache

import pytest
import torch

from core.data.preparation import Preparation
from core.data.rendered import Digits, RenderedDigits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer
from core.data.toy import Spiral
from core.events import Diagnosed, EpochDone, HyperChanged, SetHyper, dump, load_event, load_line
from core.experiment.check import checked, findings
from core.experiment.examples import default_experiment
from core.experiment.experiment import Experiment
from core.models.init import ConstantInit, HeInit, NormalInit, XavierInit
from core.models.model import ModelSpec
from core.models.preset import Preset
from core.models.presets import PRESETS
from core.optim.losses import BinaryCrossEntropy, MeanSquaredError
from core.optim.regularizers import ClipNorm
from core.spec import parse_json
from core.training.health import CREDIT_S, GAP_S, SHARE, Purse
from core.training.health_case import LossCurve, guess_loss
from core.training.model_parts import parts_of
from tests.core.samples import linear, spiral, stack
from tests.core.training.health_cases import Ward, codes

CANCER = default_experiment("cancer")
WIDE = stack(linear(64), "ReLU", linear(64), "ReLU", linear(2))


def deep(kind: str, n: int) -> ModelSpec:
    """n layers of 16 with this activation."""
    return stack(*(part for _ in range(n) for part in (linear(16), kind)), linear(2))


@cache
def found(experiment: Experiment, n_steps: int, every: int = 25) -> dict[str, Diagnosed]:
    return codes(Ward(experiment).train(n_steps, every))


HEALTHY = {"spiral": 600, "cancer": 390, "diabetes": 600, "hills": 600, "digits": 120, "sentiment": 176}


@pytest.mark.parametrize(("name", "n_steps"), HEALTHY.items())
def test_ready_experiments_raise_no_warning(name, n_steps):
    told = found(default_experiment(name), n_steps)
    assert {one.code for one in told.values() if one.severity != "info"} == set()


ILL = {
    "exploding-gradients": (spiral("sgd", 0.001, model=deep("ReLU", 6).but(init=NormalInit(std=2.0))), 3),
    "vanishing-gradients": (spiral(model=deep("Sigmoid", 8)), 3),
    "dead-units": (spiral("sgd", 3.0, model=deep("ReLU", 2)), 50),
    "saturated-units": (spiral(model=deep("Tanh", 3).but(init=NormalInit(std=5.0))), 3),
    "update-too-large": (spiral("sgd", 3.0), 75),
    "update-too-small": (spiral(lr=1e-6), 3),
    "not-finite": (default_experiment("diabetes").but(lanes=spiral("sgd", 1.0).lanes), 30),
    "learning-rate-too-high": (spiral("sgd", 3.0), 200),
    "learning-rate-too-low": (spiral(lr=5e-5, steps=1000), 350),
    "plateau": (default_experiment("diabetes"), 300),
    "over-fitting": (spiral(model=WIDE, data=Spiral(n_points=100, noise=0.5)), 250),
}
WELL = {
    "exploding-gradients": (spiral("sgd", 0.001, model=deep("ReLU", 6).but(init=HeInit())), 3),
    "vanishing-gradients": (spiral(model=deep("Tanh", 8).but(init=XavierInit(gain=1.67))), 25),
    "dead-units": (spiral("sgd", 0.1, model=deep("ReLU", 2)), 50),
    "saturated-units": (spiral(model=deep("Tanh", 3).but(init=XavierInit(gain=1.67))), 25),
    "update-too-large": (spiral("sgd", 0.3), 75),
    "update-too-small": (spiral(lr=1e-4), 3),
    "not-finite": (default_experiment("diabetes").but(lanes=spiral("sgd", 0.01).lanes), 30),
    "learning-rate-too-high": (spiral("sgd", 0.3), 200),
    "learning-rate-too-low": (spiral(lr=1e-3, steps=1000), 350),
    "plateau": (CANCER, 300),
    "over-fitting": (spiral(model=WIDE, data=Spiral(n_points=1000, noise=0.1)), 250),
}


@pytest.mark.parametrize(("code", "case"), ILL.items(), ids=ILL.keys())
def test_an_ill_run_is_told_in_words_that_name_it(code, case):
    experiment, n_steps = case
    one = found(experiment, n_steps)[code]
    assert any(figure.isdigit() for figure in one.message)
    assert one.hint
    assert load_event("Diagnosed", dump(one)) == one


@pytest.mark.parametrize(("code", "case"), WELL.items(), ids=WELL.keys())
def test_its_healthy_neighbour_is_not(code, case):
    experiment, n_steps = case
    assert code not in found(experiment, n_steps)


@pytest.mark.parametrize("code", sorted(ILL))
def test_what_one_click_does_can_be_done(code):
    """A command changes a lane of the run within its bounds; an experiment can run. Each finding here has one of them."""
    experiment, n_steps = ILL[code]
    one = found(experiment, n_steps)[code]
    assert one.action
    assert bool(one.command) != bool(one.experiment)
    if one.command:
        command = load_line(one.command)
        assert isinstance(command, SetHyper)
        assert experiment.with_hyper(command.lane, command.name, command.value) != experiment
    else:
        changed = parse_json(Experiment, one.experiment)
        assert checked(changed) != experiment


CURES = ("vanishing-gradients", "dead-units", "saturated-units", "exploding-gradients", "learning-rate-too-high")


@pytest.mark.parametrize("code", CURES)
def test_the_offered_experiment_is_cured(code):
    experiment, n_steps = ILL[code]
    cure = found(experiment, n_steps)[code].experiment
    assert code not in found(parse_json(Experiment, cure), n_steps)


def test_the_layer_is_named_as_on_the_screen_also_inside_a_container():
    inner = {"layers": deep("Sigmoid", 8).layers[:-1]}
    told = found(spiral(model=stack(("Residual", inner), linear(2)).but(init=NormalInit(std=0.01))), 3)
    assert told["vanishing-gradients"].layer == "Layer 1.1 Linear"


def test_a_clipped_lane_is_not_offered_another_clip():
    experiment, n_steps = ILL["exploding-gradients"]
    lane = experiment.lanes[0].but(regularizers=(ClipNorm(limit=1e6),))
    assert found(experiment.but(lanes=(lane,)), n_steps)["exploding-gradients"].action == ""


def test_raw_tables_are_cured_by_one_scale():
    raw = CANCER.but(data=BreastCancer(preparation=Preparation(scaling="none")), lanes=spiral("sgd", 0.1).lanes)
    told = found(raw, 5)["exploding-gradients"]
    assert parse_json(Experiment, told.experiment).data.preparation.scaling == "standardise"


def epochs(ward: Ward, n: int, row: tuple[float, float, float, float], first: int = 1) -> dict[str, Diagnosed]:
    """What the doctor tells of n equal epochs."""
    told = []
    for number in range(first, first + n):
        told += ward.doctor.hear(EpochDone(number, number, *((figure,) for figure in row), 0.0))
    return codes(iter(told))


NOT_BETTER = (0.693, 0.5, 0.693, 0.5)
N_EPOCHS = 110
"""Of 10 steps each."""


def biased(ward: Ward, classes: dict[int, float]) -> Ward:
    """Lift or press down some outputs of the last layer."""
    with torch.no_grad():
        for number, value in classes.items():
            ward.series[0].model[-1].bias[number] = value
    return ward


def test_one_answer_for_all_is_told_and_two_are_not():
    assert "one-class-only" in epochs(biased(Ward(spiral()), {1: 1e6}), N_EPOCHS, (0.6, 0.5, 0.6, 0.5))
    assert "one-class-only" not in epochs(Ward(spiral()), N_EPOCHS, (0.6, 0.5, 0.6, 0.5))


def test_a_class_that_is_never_the_answer_is_named():
    digits = spiral(data=Digits(), model=stack("Flatten", linear(10)), batch_size=64)
    figures = (1.0, 0.7, 1.0, 0.7)
    told = epochs(biased(Ward(digits), {3: -1e6}), 40, figures)
    assert "“3”" in told["class-never-predicted"].message
    everything = Ward(digits)
    list(everything.train(60))
    assert len(everything.doctor.probe.votes(everything.series[0].model)[0].unique()) == 10
    assert "class-never-predicted" not in epochs(everything, 40, figures)


def test_labels_that_nothing_predicts_are_told():
    told = epochs(Ward(spiral()), N_EPOCHS, NOT_BETTER)
    assert "guessing" in told["labels-like-noise"].message
    assert "labels-like-noise" not in epochs(Ward(spiral()), N_EPOCHS, (0.66, 0.6, 0.66, 0.6))


def test_labels_learned_by_heart_are_told_with_the_noise_that_was_asked_for():
    preparation = Preparation(scaling="standardise", label_noise=0.5)
    noisy = CANCER.but(data=BreastCancer(preparation=preparation))
    told = epochs(Ward(noisy), N_EPOCHS, (0.01, 1.0, 3.0, 0.5))["labels-like-noise"]
    assert parse_json(Experiment, told.experiment).data.preparation.label_noise == 0
    assert "labels-like-noise" not in epochs(Ward(noisy), N_EPOCHS, (0.01, 1.0, 0.9, 0.9))


@pytest.mark.parametrize(
    ("losses", "is_told"),
    [((0.6, 0.5, 0.4, 0.3, 0.8), True), ((0.6, 0.5, 0.4, 0.3, 0.31), False)],
    ids=["rises", "stays"],
)
def test_a_loss_that_rises_again_is_told(losses, is_told):
    ward = Ward(spiral("sgd", 0.3))
    list(ward.train(3))
    case = ward.doctor.case(ward.series[0])
    case.curve = LossCurve()
    for level in losses:
        case.curve.add([level + 0.01 * (-1) ** i for i in range(100)])
    assert ("learning-rate-too-high" in codes(ward.train(50, every=10))) == is_told


@pytest.mark.parametrize("spoiled", ["input", "weights", "output", "loss"])
def test_the_first_place_that_is_not_finite_is_found(spoiled):
    ward = Ward(spiral(model=deep("ReLU", 2)))
    series, (x, y) = ward.series[0], ward.source.batch(0, 1)
    x = x.clone()
    with torch.no_grad():
        if spoiled == "input":
            x[0, 0] = math.nan
        elif spoiled == "weights":
            series.model[2].weight[0, 0] = math.nan
        elif spoiled == "output":
            series.model[2].weight.fill_(3e38)
            series.model[0].bias.fill_(10.0)
        else:
            series.model[4].weight.zero_()
            series.model[4].bias.copy_(torch.tensor([3e38, -3e38]))
    series.died_at = 1
    broken = ward.doctor.probe.first_broken(series.model, (x, y))
    assert broken.what == spoiled
    assert broken.name == {"weights": "Layer 3 Linear", "output": "Layer 3 Linear"}.get(spoiled, "")
    (told,) = ward.doctor.diverged(series, (x, y))
    assert (told.code, told.severity, told.layer) == ("not-finite", "error", broken.name)
    assert ward.doctor.diverged(series, (x, y)) == ()


def test_a_gradient_that_is_not_finite_names_the_layer_that_makes_it():
    class Root(torch.nn.Module):
        def forward(self, x):
            return (x * 0).sqrt() + x  # the slope of the root at 0 is infinite, times 0 is NaN

    ward = Ward(spiral(model=deep("ReLU", 1)))
    probe = ward.doctor.probe
    probe.body[1] = Root()
    probe.parts = parts_of(ward.experiment.model.layers, probe.body)
    broken = probe.first_broken(ward.series[0].model, ward.source.batch(0, 1))
    assert (broken.what, broken.name) == ("gradient", "Layer 2 ReLU")


def test_a_healthy_batch_has_no_such_place():
    ward = Ward(spiral())
    assert ward.doctor.probe.first_broken(ward.series[0].model, ward.source.batch(0, 1)) is None


def test_vitals_are_the_norms_that_autograd_gives():
    ward = Ward(spiral("sgd", 0.1))
    probe, model = ward.doctor.probe, ward.series[0].model
    before = probe.weights(model)
    ward.executor.steps(ward.source, 1, 1)
    vitals = probe.vitals(model, 1, before)
    twin = copy.deepcopy(model)
    twin.zero_grad()
    loss = ward.loss(twin(probe.examples[0]), probe.examples[1])
    loss.backward()
    assert vitals.loss == pytest.approx(loss.item(), rel=1e-6)
    for layer, module in zip(vitals.weighted, (twin[0], twin[2]), strict=True):
        assert layer.weight_norm == pytest.approx(module.weight.norm().item(), rel=1e-6)
        assert layer.gradient_norm == pytest.approx(module.weight.grad.norm().item(), rel=1e-5)
        moved = module.weight.detach() - before[f"{layer.path[0]}.weight"]
        assert layer.update_norm == pytest.approx(moved.norm().item(), rel=1e-5)


def test_dead_and_saturated_shares_are_counted():
    ward = Ward(spiral(model=stack(linear(8), "ReLU", linear(4), "Tanh", linear(2))))
    model = ward.series[0].model
    with torch.no_grad():
        model[0].bias[:6] = -1e6
        model[2].weight.zero_()
        model[2].bias.copy_(torch.tensor([10.0, 10.0, 10.0, 0.0]))
    layers = {layer.kind: layer for layer in ward.doctor.probe.vitals(model, 0).layers}
    alive = int((model[1](model[0](ward.doctor.probe.examples[0])) > 0).any(0).sum())
    assert layers["ReLU"].dead_share == pytest.approx(1 - alive / 8)
    assert layers["Tanh"].saturated_share == pytest.approx(0.75)
    assert ward.doctor.probe.dead_shares(model)[(1,)] >= 0.75 * 1.0


EMBEDDED = (("Embedding", {"num_embeddings": 128, "embedding_dim": 8}), ("TransformerEncoder", {"dropout": 0.3}))
NOISY = {
    "dropout and batch norm": spiral(model=stack(linear(8), "BatchNorm1d", "ReLU", ("Dropout", {"p": 0.5}), linear(2))),
    "attention": spiral(data=Sentiment(n_examples=200), model=stack(*EMBEDDED, ("PoolTime", {}), linear(2))),
}


@pytest.mark.parametrize("experiment", NOISY.values(), ids=NOISY.keys())
def test_a_look_changes_nothing_of_the_run(experiment):
    """Curves, random state, gradients, mode and buffers are those of a run without a doctor."""
    seen, alone = Ward(experiment), Ward(experiment)
    rows = []
    for ward in (seen, alone):
        torch.manual_seed(7)
        losses = []
        for number in range(1, 11):
            if ward is seen:
                ward.doctor.before_step()
            losses.append(ward.executor.steps(ward.source, number, 1)[0])
            if ward is seen:
                held = [one.grad.clone() for one in ward.series[0].model.parameters()]
                ward.doctor.after_step(number)
                ward.doctor.hear(ward.epoch())
                assert all(torch.equal(a, b.grad) for a, b in zip(held, ward.series[0].model.parameters(), strict=True))
        rows.append((losses, torch.get_rng_state(), ward.series[0].model.state_dict(), ward.series[0].model.training))
    assert rows[0][0] == rows[1][0]
    assert torch.equal(rows[0][1], rows[1][1])
    assert all(torch.equal(a, b) for a, b in zip(rows[0][2].values(), rows[1][2].values(), strict=True))
    assert rows[0][3] == rows[1][3]


def test_each_code_is_told_once_until_it_is_over_or_something_was_changed():
    ward = Ward(spiral(lr=1e-6))
    told = [one.code for one in ward.train(40, every=1)]
    assert told.count("update-too-small") == 1
    ward.doctor.hear(HyperChanged(40, 0, "lr", 1e-6, 2e-6))
    assert [one.code for one in ward.train(10, every=1)].count("update-too-small") == 1


def test_the_experiment_on_offer_has_the_changes_made_by_hand():
    ward = Ward(ILL["vanishing-gradients"][0])
    ward.doctor.hear(HyperChanged(0, 0, "lr", 0.01, 0.02))
    told = codes(ward.train(3))["vanishing-gradients"]
    assert parse_json(Experiment, told.experiment).lanes[0].optimizer.lr == 0.02


def test_every_lane_is_looked_at_in_turn_and_named():
    experiment = spiral("sgd", 0.3, model=deep("Tanh", 2))
    bad = spiral(lr=1e-6).lanes[0]
    race = experiment.but(lanes=(*experiment.lanes, bad, *experiment.lanes))
    ward = Ward(race)
    told = [one for one in ward.train(40, every=1) if one.code == "update-too-small"]
    assert {one.series for one in told} == {1}
    assert load_line(told[0].command).lane == 1


def test_looks_keep_to_their_share_of_the_time():
    """Some at once, then a share; a rest saves up no more than what may be spent at once."""
    purse, spent, now = Purse(SHARE, GAP_S), [], 0.0
    while now < 200:
        if purse.is_due(now):
            purse.spend(now, 0.03)
            spent.append(now)
        now += 0.05
    assert spent[:3] == pytest.approx([0, GAP_S, 2 * GAP_S], abs=0.06)
    assert 0.03 * len(spent) <= CREDIT_S + 0.03 + SHARE * 200
    assert 0.03 * len(spent) >= SHARE * 200
    late = [purse.is_due(10_000 + 0.3 * i) and not purse.spend(10_000 + 0.3 * i, 0.03) for i in range(20)]
    assert 2 <= sum(late) <= 5


def test_a_removed_or_dead_series_is_left_alone():
    ward = Ward(spiral(lr=1e-6))
    ward.series[0].is_removed = True
    ward.doctor.before_step()
    assert ward.doctor.after_step(1) == ()


def test_guessing_is_the_entropy_or_the_variance():
    targets = torch.tensor([0] * 30 + [1] * 70)
    entropy = -(0.3 * math.log(0.3) + 0.7 * math.log(0.7))
    assert guess_loss(torch.nn.CrossEntropyLoss(), targets, 2, 2) == pytest.approx(entropy, rel=1e-5)
    assert guess_loss(BinaryCrossEntropy().build(), targets, 1, 2) == pytest.approx(entropy, rel=1e-5)
    numbers = torch.tensor([0.0, 1.0, 5.0, 2.0])
    assert guess_loss(MeanSquaredError().build(), numbers, 1, 0) == pytest.approx(numbers.var(correction=0).item(), rel=1e-5)


def test_a_curve_of_any_length_keeps_its_means_and_its_noise():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(20_000, generator=generator, dtype=torch.float64).tolist()
    curve = LossCurve()
    for start in range(0, 20_000, 37):
        curve.add(values[start : start + 37])
    (whole,) = curve.parts(1)
    assert len(curve) == whole.n == 20_000
    assert whole.mean == pytest.approx(sum(values) / len(values), abs=1e-12)
    assert whole.error == pytest.approx(1 / math.sqrt(20_000), rel=0.03)
    parts = curve.parts(5)
    assert all(abs(part.n - 4000) < 900 for part in parts)
    assert sum(part.n for part in parts) == 20_000


def test_equal_weights_have_no_gradient_ratio_of_their_own():
    """Zero weights have no size to compare with: no ratio, no finding, no division by zero."""
    told = found(spiral(model=deep("ReLU", 2).but(init=ConstantInit(val=0.0))), 3)
    assert "exploding-gradients" not in told


def test_the_probe_is_small_where_examples_are_large():
    ward = Ward(spiral())
    assert len(ward.doctor.probe.examples[1]) == 64
    assert len(ward.doctor.probe.jury[1]) == len(ward.data) == 100
    maps = ("Conv2d", {"out_channels": 1024, "padding": 1})
    huge = spiral(data=Digits(), model=stack(maps, "ReLU", ("GlobalAvgPool", {}), linear(10)))
    assert 10 <= len(Ward(huge).doctor.probe.examples[1]) < 64


def test_epochs_of_one_step_are_counted_by_their_steps():
    """With the whole split in each step, four epochs say nothing; a thousand do, though not all are kept."""
    ward = Ward(spiral(batch_size="full"))
    assert "labels-like-noise" not in epochs(ward, 900, NOT_BETTER)
    assert "labels-like-noise" in epochs(ward, 200, NOT_BETTER, first=901)
    assert len(ward.doctor.case(ward.series[0]).epochs) <= 256


def fitting(preset: Preset) -> Experiment | None:
    """An experiment of few examples for a preset."""
    for data in (Spiral(n_points=100), Digits(), RenderedDigits(n_examples=200), Sentiment(n_examples=200)):
        profile = data.profile()
        if preset.fits(profile.input_shape, profile.n_tokens):
            model = preset.model(profile.n_classes, profile.n_tokens)
            experiment = spiral(data=data, model=model, batch_size=16)
            if all(finding.severity != "error" for finding in findings(experiment)):
                return experiment
    return None


FITTING = {preset.name: experiment for preset in PRESETS if (experiment := fitting(preset))}


@pytest.mark.parametrize("name", FITTING)
def test_every_ready_network_can_be_looked_at(name):
    """All numbers of a fresh network are finite, its first steps need no doctor, and names are the screen's."""
    ward = Ward(FITTING[name])
    told = codes(ward.train(2))
    assert {one.code for one in told.values() if one.severity != "info"} == set()
    vitals = ward.doctor.case(ward.series[0]).vitals
    assert vitals.weighted
    for layer in vitals.weighted:
        assert all(math.isfinite(value) for value in (layer.weight_norm, layer.gradient_norm, layer.update_norm))
    assert [layer.name.split()[2] for layer in vitals.layers if len(layer.path) == 1] == [
        layer.kind for layer in ward.experiment.model.layers
    ]
    broken = ward.doctor.probe.first_broken(ward.series[0].model, ward.source.batch(0, 1))
    assert broken is None


def test_nearly_all_ready_networks_are_among_them():
    assert len(FITTING) >= len(PRESETS) - 2
