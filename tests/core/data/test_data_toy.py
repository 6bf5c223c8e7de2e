"""The toys against TensorFlow Playground's formulas, written out as scalar loops over the same random stream."""

import hashlib
import math

import numpy as np
import pytest

from core.data.toy import SPAN, Circle, Gauss, Spiral, Xor
from core.seeds import numpy_stream

TOYS = (Circle, Xor, Gauss, Spiral)


def circle(rng, n, noise):
    radii = [rng.uniform(0, 2.5) for _ in range(math.ceil(n / 2))] + [rng.uniform(3.5, 5) for _ in range(n // 2)]
    angles = [rng.uniform(0, 2 * math.pi) for _ in range(n)]
    for r, angle in zip(radii, angles, strict=True):
        x, y = r * math.sin(angle), r * math.cos(angle)
        noise_x, noise_y = rng.uniform(-5, 5) * noise, rng.uniform(-5, 5) * noise
        yield x, y, 1 if math.sqrt((x + noise_x) ** 2 + (y + noise_y) ** 2) < 2.5 else 0


def xor(rng, n, noise):
    corners = [(rng.uniform(-5, 5), rng.uniform(-5, 5)) for _ in range(n)]
    for x, y in corners:
        x += 0.3 if x > 0 else -0.3
        y += 0.3 if y > 0 else -0.3
        noise_x, noise_y = rng.uniform(-5, 5) * noise, rng.uniform(-5, 5) * noise
        yield x, y, 1 if (x + noise_x) * (y + noise_y) >= 0 else 0


def gauss(rng, n, noise):
    variance = 0.5 + (4 - 0.5) * noise / 0.5
    for i in range(n):
        centre, label = (2, 1) if i < n / 2 else (-2, 0)
        yield centre + math.sqrt(variance) * rng.standard_normal(), centre + math.sqrt(variance) * rng.standard_normal(), label


def spiral(rng, n, noise):
    for delta, label, count in ((0, 1, math.ceil(n / 2)), (math.pi, 0, n // 2)):
        for i in range(count):
            r = i / (n / 2) * 5
            t = 1.75 * i / (n / 2) * 2 * math.pi + delta
            yield r * math.sin(t) + rng.uniform(-1, 1) * noise, r * math.cos(t) + rng.uniform(-1, 1) * noise, label


@pytest.mark.parametrize(("cls", "oracle"), [(Circle, circle), (Xor, xor), (Gauss, gauss), (Spiral, spiral)])
@pytest.mark.parametrize(("n", "noise", "seed"), [(500, 0.0, 0), (500, 0.5, 1), (21, 0.25, 2), (20, 0.1, 3)])
def test_points_and_labels_follow_the_playgrounds_formulas(cls, oracle, n, noise, seed):
    xy, labels = cls(n_points=n, noise=noise).points(seed)
    expected = list(oracle(numpy_stream(seed, "data"), n, noise))
    assert len(expected) == n
    np.testing.assert_allclose(xy, [point[:2] for point in expected], rtol=0, atol=1e-6)
    assert labels.tolist() == [point[2] for point in expected]


@pytest.mark.parametrize("cls", [Circle, Xor])
def test_in_circle_and_xor_noise_changes_labels_but_moves_no_point(cls):
    clean_xy, clean = cls(n_points=1000).points(0)
    noisy_xy, noisy = cls(n_points=1000, noise=0.5).points(0)
    np.testing.assert_array_equal(clean_xy, noisy_xy)
    assert 0.05 < np.mean(clean != noisy) < 0.5


@pytest.mark.parametrize("cls", [Gauss, Spiral])
def test_in_gauss_and_spiral_noise_moves_points_but_changes_no_label(cls):
    clean_xy, clean = cls(n_points=1000).points(0)
    noisy_xy, noisy = cls(n_points=1000, noise=0.5).points(0)
    np.testing.assert_array_equal(clean, noisy)
    assert np.mean(clean_xy != noisy_xy) > 0.99


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_the_noise_of_gauss_is_a_variance_from_one_half_to_four(noise, variance):
    xy, labels = Gauss(n_points=5000, noise=noise).points(0)
    assert np.var(xy[labels == 1], axis=0) == pytest.approx([variance] * 2, rel=0.1)
    assert np.mean(xy[labels == 0], axis=0) == pytest.approx([-2, -2], abs=0.15)


@pytest.mark.parametrize("cls", [Circle, Xor, Spiral])
def test_all_but_gauss_stay_inside_the_window(cls):
    assert np.abs(cls(n_points=5000, noise=0.5).points(0)[0]).max() < SPAN


@pytest.mark.parametrize("cls", [Circle, Gauss, Spiral])
def test_clean_classes_have_equal_sizes_and_an_odd_point_belongs_to_class_1(cls):
    assert np.bincount(cls(n_points=500).points(0)[1]).tolist() == [250, 250]
    assert np.bincount(cls(n_points=21).points(0)[1]).tolist() == [10, 11]


@pytest.mark.parametrize(
    ("cls", "digest"),
    [
        (Circle, "b1e330b59792e60b"),
        (Xor, "d378710b0aecc506"),
        (Gauss, "34dbca7571b57107"),
        (Spiral, "c49974e12557fcd1"),
    ],
)
def test_the_generator_gives_the_same_bytes_for_ever(cls, digest):
    xy, labels = cls(noise=0.2).points(7)
    assert hashlib.sha256(xy.tobytes() + labels.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("cls", TOYS)
def test_the_smallest_and_oddest_sizes_still_load(cls):
    for n in (20, 21, 23, 37):
        for train, validation in ((0.9, 0.05), (0.1, 0.45), (0.5, 0.45)):
            splits = cls(n_points=n, noise=0.5, train_share=train, validation_share=validation).splits(0)
            assert min(len(splits.train), len(splits.validation), len(splits.test)) >= 1
            assert len(splits.train) + len(splits.validation) + len(splits.test) == n


def test_the_model_sees_raw_coordinates():
    splits = Spiral().splits(0)
    np.testing.assert_array_equal(splits.model_input(splits.train.x), splits.train.x)
