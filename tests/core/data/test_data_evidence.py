"""Known evidence: what is red is the evidence, its shape is the class, and a watermark is where it was asked for."""

import hashlib

import numpy as np
import pytest
from scipy.ndimage import shift
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from core.data import evidence as drawing
from core.data.evidence import BLOCK, MARK, MARK_AT, KnownEvidence, known_evidence

CORNER = (Ellipsis, *MARK_AT)


@pytest.fixture(scope="module")
def drawn():
    return known_evidence(1200, seed=0)


def is_red(x):
    """Which pixels are red far beyond the grain, (N, 32, 32)."""
    red, green, blue = x.astype(int).transpose(1, 0, 2, 3)
    return (red - green > 70) & (red - blue > 70)


def test_the_evidence_is_where_the_picture_is_red(drawn):
    x, _, evidence = drawn
    red = is_red(x)
    assert red[evidence].mean() > 0.95
    assert red[~evidence].mean() < 0.02  # soft edges of the red shape
    assert 0.04 < evidence.mean() < 0.06


def test_the_shape_of_the_evidence_alone_tells_the_class(drawn):
    _, y, evidence = drawn
    rows, columns = np.mgrid[0:32, 0:32]
    centred = []
    for mask in evidence:
        middle = (15.5 - rows[mask].mean(), 15.5 - columns[mask].mean())
        centred.append(shift(mask.astype(float), middle, order=1).ravel())
    centred = np.array(centred)
    model = LogisticRegression(C=0.1, max_iter=500).fit(centred[:900], y[:900])
    assert model.score(centred[900:], y[900:]) > 0.9


def test_shapes_without_colours_and_colours_without_shapes_tell_little(drawn):
    x, y, _ = drawn
    amounts = np.stack([is_red(x).sum(axis=(1, 2)), *x.reshape(len(x), 3, -1).mean(axis=2).T], axis=1)
    assert LogisticRegression(max_iter=2000).fit(amounts[:900], y[:900]).score(amounts[900:], y[900:]) < 0.75
    flat = x.reshape(len(x), -1) / 255
    assert RidgeClassifier(alpha=100).fit(flat[:900], y[:900]).score(flat[900:], y[900:]) < 0.5


def test_a_circle_and_a_square_have_the_area_that_their_radius_says():
    n = 200
    radius = np.full(n, 4.5, np.float32)
    middle = np.random.default_rng(0).uniform(10, 20, (2, n)).astype(np.float32)
    areas = [drawing._cover(np.full(n, shape), middle, radius, np.zeros(n)).sum(axis=(1, 2)).mean() for shape in range(4)]
    assert areas[0] == pytest.approx(np.pi * 4.5**2, rel=0.02)
    assert areas[1] == pytest.approx((2 * 0.88 * 4.5) ** 2, rel=0.02)
    assert areas[3] == pytest.approx(4 * 4.5 * 2 * 0.36 * 4.5 - (2 * 0.36 * 4.5) ** 2, rel=0.02)


def test_the_first_pictures_of_a_longer_set_are_the_shorter_set(drawn):
    for n in (200, BLOCK, BLOCK + 1):
        for part, whole in zip(known_evidence(n, seed=0), drawn, strict=True):
            np.testing.assert_array_equal(part, whole[:n])


def test_four_pictures_in_a_row_hold_each_class_once(drawn):
    np.testing.assert_array_equal(np.sort(drawn[1].reshape(-1, 4), axis=1), np.tile(np.arange(4), (300, 1)))


def test_the_generator_gives_the_same_bytes_for_ever():
    digest = hashlib.sha256(b"".join(part.tobytes() for part in known_evidence(500, seed=7)))
    assert digest.hexdigest()[:16] == "8f1ebbac6e71e34f"


def test_a_last_bit_that_differs_in_cos_and_sin_changes_no_pixel(monkeypatch):
    expected = known_evidence(BLOCK, seed=2)
    for name in ("cos", "sin"):
        exact = getattr(np, name)
        monkeypatch.setattr(drawing.np, name, lambda x, exact=exact: np.nextafter(exact(x), np.inf))
    for part, same in zip(known_evidence(BLOCK, seed=2), expected, strict=True):
        np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("distractors", [0, 6])
def test_as_many_shapes_as_asked_for(distractors):
    x, _, evidence = known_evidence(BLOCK, 0, distractors)
    spread = np.ptp(x.astype(int), axis=1)  # background is nearly grey, shapes are not
    coloured = (spread > 100).mean()
    assert coloured == pytest.approx(evidence.mean() * (1 + distractors), rel=0.4)


@pytest.mark.parametrize("shortcut", [0.0, 0.5, 1.0])
def test_the_watermark_is_on_circles_of_training_and_validation_alone(shortcut):
    clean, marked = KnownEvidence(n_examples=400).splits(0), KnownEvidence(n_examples=400, shortcut=shortcut).splits(0)
    for name in ("train", "validation", "test"):
        before, after = getattr(clean, name), getattr(marked, name)
        is_marked = (after.x[CORNER] == np.where(MARK, 242, 13)).all(axis=(1, 2, 3))
        expected = 0.0 if name == "test" else shortcut
        assert is_marked[after.y == 0].mean() == pytest.approx(expected, abs=0.25 if shortcut == 0.5 else 0)
        assert not is_marked[after.y != 0].any()
        assert not after.evidence[is_marked][CORNER].any()
        outside = np.ones((32, 32), bool)
        outside[MARK_AT] = False
        np.testing.assert_array_equal(before.x[..., outside], after.x[..., outside])
        np.testing.assert_array_equal(before.evidence[..., outside], after.evidence[..., outside])
        np.testing.assert_array_equal(before.x[~is_marked], after.x[~is_marked])
