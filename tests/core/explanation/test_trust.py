"""The trust of an explanation: which tests it passes, and what follows from them."""

import copy
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import NotApplicable
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice
from core.explanation.integrated import IntegratedGradients
from core.explanation.shap_tabular import ShapTabular
from core.explanation.trust import doubted, planned_evaluations, trust, verdict
from core.jobs.job import Stopped
from tests.core.explanation.evidence_models import attribution_of, silent

N = 12


class Told(ExplainerChoice):
    """Gives the values that it was told to give, whatever the model says."""

    kind: Literal["told"] = "told"
    values: tuple[float, ...]
    draws: bool = False
    fails: bool = False
    misses: float | None = None

    def attribute(self, subject, progress):
        if self.fails:
            raise NotApplicable("It cannot.")
        drafted = Evaluations(subject, progress, 1).drafted(self, np.array(self.values))
        if self.misses is not None:
            return replace(drafted, base=drafted.output - 0.02, residual=self.misses)
        if not self.draws:
            return drafted
        return replace(drafted, values=np.random.default_rng(subject.seed).standard_normal(N), seed=subject.seed)


Told.label = "Told"
ORDER = tuple(float(value) for value in np.linspace(-1, 1, N))


@pytest.fixture
def row(row_subject):
    """A linear model of twelve inputs, all 1, whose contributions to class 1 rise from -1 to 1."""
    module = nn.Sequential(nn.Linear(N, 3))
    with torch.no_grad():
        module[0].weight[1] = torch.tensor(ORDER)
    subject = row_subject(module, n_features=N)
    return replace(subject, x=torch.ones(1, N), background=torch.zeros(20, N))


def test_integrated_gradients_of_a_linear_model_are_trusted(row):
    found = trust(row, IntegratedGradients(), (ShapTabular(),), silent)
    assert (found.verdict, found.doubts) == ("good", ())
    assert found.chance == pytest.approx(1 / 41)
    assert found.residual_share == pytest.approx(0, abs=1e-4)
    assert found.others_spearman == pytest.approx((1.0,))
    assert (found.seeds, found.stability_overlap) == ((), ())
    assert found.part == "feature"


def test_an_explanation_that_ignores_the_model_looks_the_same_for_an_untrained_one(row):
    found = trust(row, Told(values=ORDER), (), silent)
    assert found.reset_spearman == pytest.approx((1.0,))
    assert found.doubts == ("untrained",)
    assert found.verdict == "mixed"


def test_a_residual_is_judged_by_the_change_and_a_small_change_of_a_probability_is_none(row):
    method = Told(values=ORDER, misses=0.01)
    in_logits, in_probability = (trust(replace(row, in_probability=chosen), method, (), silent) for chosen in (False, True))
    assert in_logits.residual_share == pytest.approx(0.1)  # of 0.1 logits at least
    assert in_probability.residual_share == pytest.approx(0.5)


def test_a_false_order_is_no_better_than_random(row):
    found = trust(row, Told(values=ORDER[::-1]), (IntegratedGradients(),), silent)
    assert found.verdict == "random"
    assert {"random_order", "disagrees"} <= set(found.doubts)
    assert found.others_spearman == pytest.approx((-1.0,))


def test_a_map_that_says_the_same_everywhere_is_no_better_than_random(row):
    found = trust(row, Told(values=(0.5,) * N), (), silent)
    assert found.verdict == "random"
    assert "constant" in found.doubts


def test_what_another_seed_changes_is_called_unstable(row):
    found = trust(replace(row, seed=8), Told(values=ORDER, draws=True), (), silent)
    assert found.seeds == (8, 9, 10)
    assert len(found.stability_overlap) == 3
    assert "unstable" in found.doubts


def test_noise_as_a_baseline_makes_a_method_depend_on_the_seed(image_subject):
    found = trust(image_subject(), IntegratedGradients(baseline="noise"), (), silent)
    assert len(found.seeds) == 3
    assert found.part == "pixel"
    assert found.top_k == 78


def test_methods_that_turn_out_not_to_apply_are_left_out(row):
    found = trust(row, IntegratedGradients(), (Told(values=ORDER, fails=True), ShapTabular()), silent)
    assert found.others == (ShapTabular.label,)


def test_known_evidence_is_compared(image_subject):
    evidence = np.zeros((28, 28), bool)
    evidence[10:14, 8:12] = True
    values = tuple(map(tuple, evidence.astype(float)))
    subject = replace(image_subject(), evidence=evidence)

    class Pointing(Told):
        values: tuple[tuple[float, ...], ...]

    found = trust(subject, Pointing(values=values), (), silent)
    assert (found.pointing, found.mass, found.rank_accuracy, found.roc_auc) == (True, 1, 1, 1)
    assert found.evidence_share == evidence.mean()
    missed = trust(subject, Pointing(values=tuple(map(tuple, -evidence.astype(float)))), (), silent)
    assert "misses" in missed.doubts


def test_the_model_and_the_random_state_stay_as_they_are(image_subject):
    subject = image_subject()
    before, state = copy.deepcopy(subject.module.state_dict()), torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()
    trust(subject, IntegratedGradients(), (), silent)
    assert all(torch.equal(before[name], value) for name, value in subject.module.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()
    assert not any(layer._forward_hooks for layer in subject.module.modules())


def test_all_evaluations_are_counted_in_one_progress_that_only_grows(row):
    reports = []
    found = trust(row, ShapTabular(n_background=5), (IntegratedGradients(),), lambda *report: reports.append(report))
    done = [n for n, _ in reports]
    assert done == sorted(done)
    assert done[-1] == found.n_evaluations
    assert all(n <= total for n, total in reports)


def test_it_can_be_stopped_at_any_report(row):
    def stop(done, total):
        if done > 400:
            raise Stopped

    with pytest.raises(Stopped):
        trust(row, IntegratedGradients(), (ShapTabular(),), stop)


def test_the_plan_comes_near_to_what_it_takes(row):
    method = ShapTabular(n_background=20)
    planned = planned_evaluations(method.attribute(row, silent))
    found = trust(row, method, (IntegratedGradients(),), silent)
    assert planned / 2 < found.n_evaluations < 2 * planned


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"chance": 0.06}, "random_order"),
        ({"chance": float("nan")}, "random_order"),
        ({"n_parts": 3, "chance": 0.5}, "few_parts"),
        ({"residual": 0.1, "residual_share": 0.06}, "residual"),
        ({"fit_r2": 0.49}, "poor_fit"),
        ({"stability_overlap": (0.6, 0.4, 0.4)}, "unstable"),
        ({"layers_reset": (1,), "n_layers": 1, "reset_spearman": (0.61,)}, "untrained"),
        ({"layers_reset": (1, 2, 4), "n_layers": 4, "reset_spearman": (0.9, 0.61, 0.1)}, "half_untrained"),
        ({"others": ("A", "B"), "others_spearman": (0.1, 0.2)}, "disagrees"),
        ({"pointing": False, "mass": 0.05, "roc_auc": 0.4, "evidence_share": 0.06}, "misses"),
    ],
)
def test_each_rule_raises_its_own_doubt(row, changes, doubt):
    changed = replace(trust(row, IntegratedGradients(), (ShapTabular(),), silent), **changes)
    assert doubted(changed, is_constant=False) == (doubt,)
    assert verdict(replace(changed, doubts=(doubt,))) == ("random" if doubt == "random_order" else "mixed")


def test_what_points_at_known_evidence_is_better_than_random_whatever_its_order(row):
    good = trust(row, IntegratedGradients(), (), silent)
    lost = replace(good, doubts=("random_order",), pointing=True, mass=0.3, evidence_share=0.1)
    assert verdict(lost) == "mixed"
    assert verdict(replace(lost, mass=0.15)) == verdict(replace(lost, pointing=False)) == "random"


def test_correlations_of_a_few_values_do_not_count(row):
    good = trust(row, IntegratedGradients(), (), silent)
    few = replace(good, n_parts=5, layers_reset=(1,), n_layers=1, reset_spearman=(0.9,), others=("A",), others_spearman=(-1.0,))
    assert doubted(few, is_constant=False) == ()


def test_found_values_of_words_are_compared_without_padding(row_subject):
    module = nn.Sequential(nn.Embedding(30, 4), nn.Flatten(), nn.Linear(48, 3)).eval()
    numbers = torch.tensor([[0, 0, *range(2, 12)]])
    subject = replace(row_subject(), module=module, x=numbers, tokens=("", "", *"abcdefghij"))
    found = trust(subject, Told(values=ORDER), (), silent)
    assert (found.part, found.n_parts, found.top_k) == ("word", 10, 5)
    assert found.fill == "left out, and the others move together"
    assert attribution_of(subject, np.array(ORDER)).values.shape == (12,)
