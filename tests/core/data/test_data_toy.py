"""The toys against TensorFlow Playground's formulas, written out as scalar loops over the same random stream, and moons against
scikit-learn."""

import hashlib
import math

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.linear_model import LinearRegression, LogisticRegression

from core.data.plane import FEATURE_LABELS, SPAN
from core.data.toy import Checkerboard, Circle, Gauss, GaussRegression, Moons, PlaneRegression, Spiral, Xor
from core.errors import SpecError
from core.seeds import numpy_stream
from core.spec import parse_json

TOYS = (Circle, Xor, Gauss, Spiral, Moons, Checkerboard)
REGRESSIONS = (PlaneRegression, GaussRegression)


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


def checkerboard(rng, n, noise, squares=4):
    side = 10 / squares
    corners = [(rng.uniform(-5, 5), rng.uniform(-5, 5)) for _ in range(n)]
    for x, y in corners:
        column = math.floor((x + rng.uniform(-side, side) * noise + 5) / side)
        row = math.floor((y + rng.uniform(-side, side) * noise + 5) / side)
        yield x, y, 1 if (column + row) % 2 else 0


def plane(rng, n, noise):
    corners = [(rng.uniform(-6, 6), rng.uniform(-6, 6)) for _ in range(n)]
    for x, y in corners:
        noise_x, noise_y = rng.uniform(-6, 6) * noise, rng.uniform(-6, 6) * noise
        yield x, y, (x + noise_x + y + noise_y) / 10


def reg_gauss(rng, n, noise):
    centres = [(-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1)]
    corners = [(rng.uniform(-6, 6), rng.uniform(-6, 6)) for _ in range(n)]
    for x, y in corners:
        at_x, at_y = x + rng.uniform(-6, 6) * noise, y + rng.uniform(-6, 6) * noise
        label = 0
        for centre_x, centre_y, sign in centres:
            height = sign * min(1, max(0, 1 - math.dist((at_x, at_y), (centre_x, centre_y)) / 2))
            if abs(height) > abs(label):
                label = height
        yield x, y, label


ORACLES = [(Circle, circle), (Xor, xor), (Gauss, gauss), (Spiral, spiral), (Checkerboard, checkerboard)]


@pytest.mark.parametrize(("cls", "oracle"), ORACLES)
@pytest.mark.parametrize(("n", "noise", "seed"), [(500, 0.0, 0), (500, 0.5, 1), (21, 0.25, 2), (20, 0.1, 3)])
def test_points_and_labels_follow_the_playgrounds_formulas(cls, oracle, n, noise, seed):
    xy, labels = cls(n_points=n, noise=noise).points(seed)
    expected = list(oracle(numpy_stream(seed, "data"), n, noise))
    assert len(expected) == n
    np.testing.assert_allclose(xy, [point[:2] for point in expected], rtol=0, atol=1e-6)
    assert labels.tolist() == [point[2] for point in expected]


@pytest.mark.parametrize(("cls", "oracle"), [(PlaneRegression, plane), (GaussRegression, reg_gauss)])
@pytest.mark.parametrize(("n", "noise", "seed"), [(500, 0.0, 0), (500, 0.2, 1), (21, 0.1, 2)])
def test_points_and_targets_follow_the_playgrounds_formulas(cls, oracle, n, noise, seed):
    xy, targets = cls(n_points=n, noise=noise).points(seed)
    expected = np.array(list(oracle(numpy_stream(seed, "data"), n, noise)))
    np.testing.assert_allclose(np.column_stack([xy, targets]), expected, rtol=0, atol=1e-6)
    assert targets.dtype == np.float32


@pytest.mark.parametrize("n", [20, 21, 500])
def test_clean_moons_are_scikit_learns_three_times_as_large_around_the_middle(n):
    theirs, classes = make_moons(n, shuffle=False)
    ours, labels = Moons(n_points=n).points(0)
    np.testing.assert_allclose(ours, (theirs - [0.5, 0.25]) * 3, atol=1e-6)
    np.testing.assert_array_equal(labels, classes)


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_the_noise_of_moons_is_scikit_learns_standard_deviation(noise):
    moved = Moons(n_points=5000, noise=noise).points(0)[0] - Moons(n_points=5000).points(0)[0]
    assert moved.std(axis=0) / 3 == pytest.approx([noise] * 2, rel=0.05)


@pytest.mark.parametrize("squares", [2, 3, 8])
def test_a_checkerboard_has_as_many_squares_as_asked_for(squares):
    xy, labels = Checkerboard(n_points=5000, squares=squares).points(0)
    cells = np.floor((xy.astype(float) + 5) / (10 / squares)).astype(int)
    colours = {tuple(cell): set(labels[(cells == cell).all(axis=1)]) for cell in np.unique(cells, axis=0)}
    assert len(colours) == squares**2
    assert all(len(colour) == 1 for colour in colours.values())
    assert colours[0, 0] != colours[0, 1] != colours[1, 1] != colours[1, 0]


def test_a_line_explains_the_plane_and_nothing_of_the_hills():
    for cls, r2 in ((PlaneRegression, 1.0), (GaussRegression, 0.0)):
        xy, targets = cls().points(0)
        assert LinearRegression().fit(xy, targets).score(xy, targets) == pytest.approx(r2, abs=0.05)
    assert np.abs(GaussRegression(n_points=5000).points(0)[1]).max() == pytest.approx(1, abs=0.05)


def test_more_noise_than_can_be_learned_from_is_refused_for_the_hills():
    with pytest.raises(SpecError, match=r"noise: .*0\.2"):
        GaussRegression().but(noise=0.25)


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


@pytest.mark.parametrize(
    ("cls", "noise"), [(Circle, 0.5), (Xor, 0.5), (Spiral, 0.5), (Checkerboard, 0.5), (PlaneRegression, 0.5), (Moons, 0.0)]
)
def test_points_stay_inside_the_window(cls, noise):
    assert np.abs(cls(n_points=5000, noise=noise).points(0)[0]).max() < SPAN


@pytest.mark.parametrize("cls", [Circle, Gauss, Spiral, Moons])
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
        (Moons, "ecd947d6578f57b8"),
        (Checkerboard, "2dd85bb2f3dfc059"),
        (PlaneRegression, "62e08303514c2c52"),
        (GaussRegression, "ae9654156e81d313"),
    ],
)
def test_the_generator_gives_the_same_bytes_for_ever(cls, digest):
    xy, labels = cls(noise=0.2).points(7)
    assert hashlib.sha256(xy.tobytes() + labels.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("cls", [*TOYS, *REGRESSIONS])
def test_the_smallest_and_oddest_sizes_still_load(cls):
    for n in (20, 21, 23, 37):
        for train, validation in ((0.9, 0.05), (0.1, 0.45), (0.5, 0.45)):
            splits = cls(n_points=n, noise=0.2, train_share=train, validation_share=validation).splits(0)
            assert min(len(splits.train), len(splits.validation), len(splits.test)) >= 1
            assert len(splits.train) + len(splits.validation) + len(splits.test) == n


def test_the_model_sees_raw_coordinates():
    splits = Spiral().splits(0)
    np.testing.assert_array_equal(splits.model_input(splits.train.x), splits.train.x)


FORMULAS = {
    "x1": lambda x, y: x,
    "x2": lambda x, y: y,
    "x1_squared": lambda x, y: x * x,
    "x2_squared": lambda x, y: y * y,
    "x1_x2": lambda x, y: x * y,
    "sin_x1": lambda x, y: math.sin(x),
    "sin_x2": lambda x, y: math.sin(y),
}


@pytest.mark.parametrize("name", FEATURE_LABELS)
def test_a_feature_is_what_its_name_says(name):
    choice = Circle(features=(name,))
    points = np.array([[1.5, -2.0], [0.25, 4.0]], np.float32)
    expected = [[FORMULAS[name](float(x), float(y))] for x, y in points]
    np.testing.assert_allclose(choice.features_of(points), expected, rtol=1e-6)
    assert choice.features_of(points).dtype == np.float32
    assert choice.profile().feature_names == (FEATURE_LABELS[name],)


def test_features_keep_one_order_whatever_the_order_of_ticking():
    one, other = Xor(features=("x1_x2", "x1")), Xor(features=("x1", "x1_x2"))
    assert one == other
    assert one.features == ("x1", "x1_x2")
    assert parse_json(Xor, one.model_dump_json()) == one


@pytest.mark.parametrize(("features", "told"), [((), "at least 1"), (("x1", "x1"), "x1 is there twice"), (("x3",), "x1_x2")])
def test_no_feature_a_repeated_and_an_unknown_one_are_refused(features, told):
    with pytest.raises(SpecError, match=told):
        Xor().but(features=features)


def test_the_plane_is_the_same_whatever_the_model_is_told_of_it():
    plain, rich = Spiral(noise=0.1), Spiral(noise=0.1, features=("x1_squared", "sin_x1", "sin_x2"))
    splits, shown = rich.splits(3), rich.plane(3)
    np.testing.assert_array_equal(shown.points, plain.plane(3).points)
    np.testing.assert_array_equal(shown.y, np.concatenate([splits.train.y, splits.validation.y]))
    np.testing.assert_array_equal(shown.is_validation, np.arange(len(shown.y)) >= len(splits.train))
    seen = np.concatenate([splits.model_input(splits.train.x), splits.model_input(splits.validation.x)])
    np.testing.assert_array_equal(seen, rich.features_of(shown.points))


def test_with_the_right_feature_a_line_is_enough():
    for cls, features in ((Circle, ("x1_squared", "x2_squared")), (Xor, ("x1_x2",))):
        for told, accuracy in ((("x1", "x2"), 0.65), (features, 0.99)):
            train = cls(features=told).splits(0).train
            reached = LogisticRegression(C=1000).fit(train.x, train.y).score(train.x, train.y)
            assert (reached < accuracy) == (told == ("x1", "x2"))


@pytest.mark.parametrize("cls", REGRESSIONS)
def test_a_regression_has_no_classes_and_names_its_target(cls):
    profile = cls().profile()
    assert (profile.task, profile.class_names, profile.n_classes) == ("regression", (), 0)
    assert profile.target_name
