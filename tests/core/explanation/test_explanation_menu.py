"""Promises that every explainer on the Menu keeps."""

import itertools
import math
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.data.dataset import DataProfile
from core.errors import SpecError
from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.explanation.prepared import prepared_model
from core.results.attribution import Attribution
from core.results.codec import load_result, result_bytes
from core.spec import choices
from tests.core.explanation.conftest import IMAGES, TABLE, TEXTS

POINTS = DataProfile("points", (2,), ("a", "b"), 10, 10, 10)
MENU = [cls() for cls in choices(AnyExplainer)]
FOR_IMAGES = [e for e in MENU if e.reason_against(IMAGES, ("Conv2d", "Flatten", "Linear")) is None]
FOR_TABLES = [e for e in MENU if e.reason_against(TABLE, ("Linear",)) is None]
FOR_TEXTS = [e for e in MENU if e.reason_against(TEXTS, ("Embedding", "Flatten", "Linear")) is None]
RARELY_BY_CHANCE = {"shap_partition"}
"""Chance breaks ties here, and there may be none."""
FAST_FIRST = {
    "image": ["grad_cam", "integrated_gradients", "lime_image", "shap_superpixels"],
    "tabular": ["integrated_gradients", "shap_tabular", "lime_tabular"],
    "text": ["shap_text", "layer_integrated_gradients", "lime_text"],
}


def kinds(explainers):
    return [e.kind for e in explainers]


def same(a: Attribution, b: Attribution) -> bool:
    return bool(np.array_equal(a.values, b.values))


def test_importing_the_menu_loads_none_of_the_heavy_packages():
    code = (
        "import sys; import core.explanation.menu; "
        "print([m for m in ('torch', 'torchvision', 'shap', 'lime', 'captum', 'sklearn', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_kind_of_data_has_its_methods_the_fast_ones_first():
    assert [kind for kind in kinds(FOR_IMAGES) if kind in FAST_FIRST["image"]] == FAST_FIRST["image"]
    assert [kind for kind in kinds(FOR_TABLES) if kind in FAST_FIRST["tabular"]] == FAST_FIRST["tabular"]
    assert [kind for kind in kinds(FOR_TEXTS) if kind in FAST_FIRST["text"]] == FAST_FIRST["text"]
    assert [e.kind for e in MENU if e.reason_against(POINTS, ("Linear",)) is None] == kinds(FOR_TABLES)


def test_grad_cam_without_a_convolution_says_what_to_add():
    reason = next(e for e in MENU if e.kind == "grad_cam").reason_against(IMAGES, ("Flatten", "Linear"))
    assert "Conv2d" in reason


@pytest.mark.parametrize("explainer", MENU, ids=kinds(MENU))
def test_every_method_has_a_name_a_source_a_sentence_and_helped_knobs(explainer):
    cls = type(explainer)
    assert cls.label
    assert cls.source
    assert cls.__doc__.count(".") == 1
    assert all(info.description for info in cls.knobs().values())


@pytest.mark.parametrize("side", [8, 28])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("explainer", FOR_IMAGES, ids=kinds(FOR_IMAGES))
def test_runs_on_an_untrained_net_for_images(explainer: ExplainerChoice, channels, side, image_subject):
    subject = image_subject(channels=channels, side=side)
    reports = []
    found = explainer.attribute(subject, lambda done, total: reports.append((done, total)))
    assert found.values.shape == (side, side)
    assert found.values.dtype == np.float32
    check_record(found, subject, reports)


@pytest.mark.parametrize("n_features", [2, 6, 15])
@pytest.mark.parametrize("explainer", FOR_TABLES, ids=kinds(FOR_TABLES))
def test_runs_on_an_untrained_net_for_tables(explainer: ExplainerChoice, n_features, row_subject):
    subject = row_subject(n_features=n_features)
    reports = []
    found = explainer.attribute(subject, lambda done, total: reports.append((done, total)))
    assert found.values.shape == (n_features,)
    check_record(found, subject, reports)


@pytest.mark.parametrize("n_words", [2, 6, 14])
@pytest.mark.parametrize("explainer", FOR_TEXTS, ids=kinds(FOR_TEXTS))
def test_runs_on_an_untrained_net_for_texts(explainer: ExplainerChoice, n_words, text_subject):
    subject = text_subject(n_words=n_words)
    reports = []
    found = explainer.attribute(subject, lambda done, total: reports.append((done, total)))
    assert found.values.shape == (n_words + 2,)
    assert not found.values[:2].any()  # padding
    check_record(found, subject, reports)


def check_record(found: Attribution, subject, reports):
    with torch.no_grad():
        logits = subject.module(subject.x)[0].double()
    assert math.isclose(found.output, float(logits[subject.target]), abs_tol=1e-6)
    assert math.isclose(found.probability, float(logits.softmax(0)[subject.target]), abs_tol=1e-6)
    assert np.isfinite(found.values).all()
    assert found.signed or found.values.min() >= 0
    assert found.target_name == "one"
    assert found.step == 40
    assert reports[0][0] == 0
    assert reports[-1] == (found.n_evaluations, found.n_evaluations)
    assert all(earlier[0] <= later[0] for earlier, later in itertools.pairwise(reports))
    if found.residual is not None:
        summed = found.values if found.players is None else found.players
        assert found.residual == pytest.approx(float(summed.sum(dtype=np.float64)) + found.base - found.output, abs=1e-5)
    if found.segments is not None:
        assert np.array_equal(np.unique(found.segments), np.arange(len(found.players)))
        assert np.allclose(found.values, found.players[found.segments], atol=1e-6)
    again = load_result(Attribution, result_bytes(found))
    assert same(found, again)
    assert again.notes == found.notes


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("explainer", MENU, ids=kinds(MENU))
def test_a_cancel_comes_through_at_the_first_report_that_raises(explainer, after, subject_for):
    subject = subject_for(explainer)
    reports = []

    def progress(done, total):
        reports.append(done)
        if len(reports) > after:
            raise Cancelled

    with pytest.raises(Cancelled):
        explainer.attribute(subject, progress)
    assert len(reports) == after + 1
    with_hooks = [m for m in subject.module.modules() if m._forward_hooks or m._forward_pre_hooks or m._backward_hooks]
    assert with_hooks == []


@pytest.mark.parametrize("explainer", MENU, ids=kinds(MENU))
def test_the_global_generators_of_numpy_and_torch_are_as_before(explainer, subject_for):
    subject = subject_for(explainer)
    explainer.attribute(subject, lambda done, total: None)  # imports happen here
    np.random.seed(77)  # else the first call could leave the very state in which the second ends
    torch.manual_seed(77)
    before, torch_before = np.random.get_state(), torch.get_rng_state()
    explainer.attribute(subject, lambda done, total: None)
    after = np.random.get_state()
    assert np.array_equal(before[1], after[1])
    assert before[2:] == after[2:]
    assert torch.equal(torch_before, torch.get_rng_state())


@pytest.mark.parametrize("explainer", MENU, ids=kinds(MENU))
def test_one_seed_gives_one_result_and_another_seed_another_where_chance_plays(explainer, subject_for):
    module = prepared_model(subject_for(explainer).module)

    def run(seed):
        return explainer.attribute(subject_for(explainer, module=module, seed=seed), lambda done, total: None)

    first = run(3)
    np.random.seed(1)
    assert same(first, run(3))
    assert first.seed in (None, 3)  # None says that nothing is drawn
    if explainer.kind not in RARELY_BY_CHANCE:
        assert same(first, run(4)) == (first.seed is None)


def test_methods_on_many_threads_give_what_they_give_alone(image_subject):
    subject = image_subject()
    explainer = next(e for e in MENU if e.kind == "shap_superpixels").but(n_evaluations=100)
    alone = explainer.attribute(subject, lambda done, total: None)
    together: list[Attribution] = []

    def run():
        together.append(explainer.attribute(subject, lambda done, total: None))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == 3
    assert all(same(alone, found) for found in together)


NOT_LINEAR = {"grad_cam", "saliency", "smooth_grad", "shap_partition"}
"""What they give is cut off at 0, a size, or depends on which parts they find worth cutting further."""
LINEAR = [e for e in MENU if e.kind not in NOT_LINEAR]


@pytest.mark.parametrize("explainer", LINEAR, ids=kinds(LINEAR))
def test_a_class_held_against_another_gets_the_difference_of_both_explanations(explainer, subject_for):
    one = subject_for(explainer)

    def run(subject):
        return explainer.attribute(subject, lambda done, total: None)

    first, second, both = run(one), run(replace(one, target=2)), run(replace(one, contrast=2))
    scale = float(max(np.abs(first.values).max(), np.abs(second.values).max()))
    # Integrated Gradients may take more steps for one of the three than for another.
    assert np.allclose(both.values, first.values - second.values, atol=0.02 * scale)
    assert both.output == pytest.approx(first.output - second.output, abs=1e-6)
    assert (both.target_name, both.contrast, first.contrast) == ("one, not two", "two", "")
    if both.base is not None:
        assert both.base == pytest.approx(first.base - second.base, abs=1e-2 * scale)


@pytest.mark.parametrize("contrast", [None, 0])
@pytest.mark.parametrize("explainer", MENU, ids=kinds(MENU))
def test_probabilities_are_explained_as_probabilities(explainer, contrast, subject_for):
    subject = replace(subject_for(explainer), in_probability=True, contrast=contrast)
    found = explainer.attribute(subject, lambda done, total: None)
    with torch.no_grad():
        probabilities = subject.module(subject.x).double().softmax(1)[0]
    expected = float(probabilities[1]) - (0 if contrast is None else float(probabilities[0]))
    assert found.output == pytest.approx(expected, abs=1e-6)
    assert (found.output_unit or found.unit) == "probability"
    assert np.isfinite(found.values).all()
    if found.residual is not None:
        assert abs(found.residual) < 0.02


@pytest.mark.parametrize("explainer", MENU, ids=kinds(MENU))
def test_a_class_that_is_held_against_itself_is_refused(explainer, subject_for):
    with pytest.raises(SpecError, match="predicts one: a class cannot be held against itself"):
        explainer.attribute(replace(subject_for(explainer), contrast=1), lambda done, total: None)
