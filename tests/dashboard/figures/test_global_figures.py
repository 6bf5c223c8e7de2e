"""Charts of many examples: every dot at its value, bars in order, lines from where they should begin."""

import numpy as np
import pytest

from core.results.global_view import GlobalMaps, GlobalView, GlobalWords
from core.results.partial_dependence import PartialDependence
from dashboard.figures import beeswarm, global_bars, global_maps, partial_dependence, theme

RNG = np.random.default_rng(0)
N, K = 40, 20


def view(**changes) -> GlobalView:
    contributions = RNG.normal(size=(N, K)) * np.arange(1, K + 1)
    return GlobalView(
        **{
            "columns": (*(f"c{k}" for k in range(K - 1)), "<colour>"),
            "categories": (*([()] * (K - 1)), ("red", "blue")),
            "contributions": contributions,
            "values": np.hstack([RNG.normal(size=(N, K - 1)), RNG.integers(0, 2, (N, 1))]),
            "mean_sizes": np.abs(contributions).mean(0),
            "outputs": contributions.sum(1),
            "base": 0.0,
            "indices": np.arange(N) * 3,
            "labels": np.arange(N) % 2,
            "split": "validation",
            "class_names": ("a", "b"),
            "target_name": "b",
            "unit": "logit",
            "stderr": 0.0,
            "losses": RNG.normal(size=(5, K)) * 0.1 + np.arange(K),
            "scores": RNG.normal(size=(5, K)) * 0.1,
            "loss": 0.2,
            "score": 0.9,
            "loss_unit": "nats",
            "score_name": "accuracy",
            "n_shuffled": 200,
            "n_evaluations": 1000,
            "seconds": 1.0,
            "step": 3,
        }
        | changes
    )


@pytest.mark.parametrize("dark", [False, True])
def test_every_dot_stands_at_its_contribution_near_its_row_and_knows_its_example(dark):
    one = view()
    dots = beeswarm.beeswarm_figure(one, dark=dark).data[0]
    order = np.argsort(-one.mean_sizes)[: beeswarm.MOST]
    assert len(dots.x) == N * beeswarm.MOST
    for row, column in enumerate(order):
        part = slice(row * N, (row + 1) * N)
        assert np.allclose(dots.x[part], one.contributions[:, column])
        assert np.abs(dots.y[part] - row).max() <= beeswarm.REACH
        assert [words[0] for words in dots.customdata[part]] == one.indices.tolist()
    assert "&lt;colour>" in " ".join(words[1] for words in dots.customdata)
    assert "= red" in " ".join(words[1] for words in dots.customdata)


def test_dots_at_one_place_stand_beside_each_other():
    offsets = beeswarm.swarm(np.zeros(7), (-1.0, 1.0))
    assert len(np.unique(offsets)) == 7
    assert offsets.mean() == pytest.approx(0, abs=1e-9)
    assert beeswarm.swarm(np.array([-1.0, 0.0, 1.0]), (-1.0, 1.0)) == pytest.approx(np.zeros(3))


def test_each_column_has_its_own_colours():
    assert beeswarm.shade(np.arange(101.0) * 1000, ()) == pytest.approx(np.clip((np.arange(101) - 5) / 90, 0, 1))
    assert beeswarm.shade(np.array([0.0, 1.0, 2.0]), ("a", "b", "c")).tolist() == [0, 0.5, 1]
    assert beeswarm.shade(np.full(4, 7.0), ()).tolist() == [0.5] * 4
    assert beeswarm.shade(np.array([0.0] * 99 + [1.0]), ()).tolist() == [0.0] * 99 + [1.0]


def test_the_example_that_is_looked_at_has_rings_on_its_dots():
    one = view()
    dots, rings = beeswarm.beeswarm_figure(one, marked=6).data
    place = one.indices.tolist().index(6)
    assert list(rings.x) == [dots.x[row * N + place] for row in range(beeswarm.MOST)]
    assert list(rings.y) == [dots.y[row * N + place] for row in range(beeswarm.MOST)]
    assert len(beeswarm.beeswarm_figure(one, marked=7).data) == 1  # not among them


def test_the_alt_text_says_what_high_values_do():
    values = RNG.normal(size=(N, 2))
    one = view(
        columns=("up", "down"), categories=((), ()), values=values, contributions=values * [3, -2],
        mean_sizes=np.abs(values * [3, -2]).mean(0),
    )  # fmt: skip
    text = beeswarm.alt_text(one)
    assert "up (high values speak for it)" in text
    assert "down (high values speak against it)" in text


def test_bars_fall_and_carry_their_spread():
    one = view()
    sizes = global_bars.mean_size_bars(one).data[0]
    assert list(sizes.x) == sorted(one.mean_sizes, reverse=True)[: global_bars.MOST]
    importance = global_bars.importance_bars(one, by_loss=True)
    assert list(importance.data[0].x) == pytest.approx(np.sort(one.losses.mean(0))[::-1][: global_bars.MOST])
    order = np.argsort(-one.losses.mean(0))[: global_bars.MOST]
    assert list(importance.data[0].error_x.array) == pytest.approx(one.losses.std(0, ddof=1)[order])
    assert "nats" in importance.layout.xaxis.title.text
    by_score = global_bars.importance_bars(one, by_loss=False)
    assert "accuracy" in by_score.layout.xaxis.title.text
    assert {*by_score.data[0].marker.color} <= {theme.POSITIVE, theme.NEGATIVE, theme.CATEGORICAL[0]}


def words(counts) -> GlobalWords:
    return GlobalWords(
        "SHAP", "logit", "good", ("fine", "awful", "once"), np.array([2.0, -1.0, 0.5]), np.array([0.1, 0.2, np.nan]),
        np.array(counts), 10, "validation", 100, 1.0, 3,
    )  # fmt: skip


def test_words_that_occur_once_are_left_out_while_there_are_others():
    bars = global_bars.word_bars(words([5, 3, 1])).data[0]
    assert list(bars.x) == [2.0, -1.0]
    assert list(bars.marker.color) == [theme.POSITIVE, theme.NEGATIVE]
    assert global_bars.repeated(words([1, 1, 1])).tolist() == [0, 1, 2]
    assert global_bars.word_bars(words([1, 1, 1])).data[0].error_x.array[2] is None


def line(categories=()) -> PartialDependence:
    g = len(categories) or 6
    answers = RNG.normal(size=(9, g))
    return PartialDependence(
        "size", categories, np.arange(g, dtype=float), answers, answers.mean(0), RNG.integers(0, g, 9).astype(float),
        np.arange(g) * 2.0, 1.0, 2.0, "logit", "b", 3,
    )  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("centred", [False, True])
def test_lines_their_mean_and_the_own_line_are_drawn(centred, dark):
    one = line()
    figure = partial_dependence.partial_dependence_figure(one, centred=centred, dark=dark)
    lines, mean, own, point, rug = figure.data
    start = one.answers[:, :1] if centred else 0
    assert np.allclose(np.reshape(lines.y, (9, 7))[:, :6], one.answers - start)
    assert np.isnan(np.reshape(lines.y, (9, 7))[:, 6]).all()
    assert np.allclose(mean.y, one.mean - (one.mean[0] if centred else 0))
    assert np.allclose(own.y, one.own - (one.own[0] if centred else 0))
    assert (point.x[0], point.y[0]) == (1.0, 2.0)
    assert np.array_equal(rug.x, one.values)
    assert "size" in figure.layout.xaxis.title.text


def test_categories_are_bars_with_their_counts_and_the_own_one_is_filled():
    one = line(("red", "green", "blue"))
    figure = partial_dependence.partial_dependence_figure(one)
    bars, dots, own = figure.data
    assert np.allclose(bars.y, one.mean)
    assert len(dots.y) == 27
    assert list(own.marker.symbol) == ["diamond-open", "diamond", "diamond-open"]
    assert [words[1] for words in bars.customdata] == np.bincount(one.values.astype(int), minlength=3).tolist()
    assert "has green" in partial_dependence.alt_text(one)


@pytest.mark.parametrize("colours", [False, True])
def test_each_class_with_examples_has_its_map_over_its_mean_picture(colours):
    maps = RNG.random((12, 8, 8)).astype(np.float32)
    pictures = RNG.integers(0, 256, (12, 8, 8, 3) if colours else (12, 8, 8)).astype(np.uint8)
    counts = np.arange(12)  # the first has none
    one = GlobalMaps("Grad-CAM", "relative", maps, pictures, counts, tuple("abcdefghijkl"), "validation", 66, 1.0, 3)
    figure = global_maps.global_maps_figure(one)
    assert len(figure.data) == 22
    assert np.array_equal(figure.data[1].z, maps[1])
    assert {trace.zmax for trace in figure.data[1::2]} == {figure.data[1].zmax}
    assert [note.text for note in figure.layout.annotations][:2] == ["b (1)", "c (2)"]
    assert "a:" not in global_maps.alt_text(one)
