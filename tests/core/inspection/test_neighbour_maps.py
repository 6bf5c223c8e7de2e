"""t-SNE is scikit-learn's, a process of its own gives the same, and it can be stopped."""

import io
import os
import time

import numpy as np
import pytest
from sklearn.manifold import TSNE

from core.errors import MissingPackage, PoolError
from core.inspection import neighbour_maps as module
from core.inspection.neighbour_maps import neighbour_maps
from core.inspection.neighbour_process import ITERATIONS, ITERATIONS_WARM, chain, distinct, read_frame, write_frame

N = 30
GROUP = np.arange(N) % 3 == 0
FEATURES = (np.random.default_rng(0).normal(size=(2, N, 6)) + 4 * GROUP[:, None]).astype(np.float32)
START = FEATURES[0, :, :2]
TSNE_ASK = {"method": "tsne", "seed": 3, "settings": {"perplexity": 5}}
UMAP_ASK = {"method": "umap", "seed": 3, "settings": {"n_neighbors": 5, "min_dist": 0.1}}


def ignore(done: int) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def both_maps():
    return list(chain(TSNE_ASK, FEATURES, START))


@pytest.mark.parametrize("moment", [0, 1])
def test_each_moment_is_what_scikit_learn_gives_from_the_same_start(both_maps, moment):
    start = START if moment == 0 else both_maps[0]
    begin = ((start - start.mean(0)) / start.std(0)[0] * 1e-4).astype(np.float32)
    n_iter = ITERATIONS_WARM if moment else ITERATIONS
    wanted = TSNE(2, perplexity=5, init=begin, random_state=3, max_iter=n_iter).fit_transform(FEATURES[moment])
    np.testing.assert_array_equal(both_maps[moment], wanted)


def test_the_process_gives_the_same_and_tells_how_far_it_is(both_maps, tmp_path):
    told = []
    found = neighbour_maps(FEATURES, START, TSNE_ASK, tmp_path, told.append)
    np.testing.assert_array_equal(found, np.stack(both_maps))
    assert found.dtype == np.float32
    assert (told[0], told[-1]) == (0, 2)


def test_whoever_listens_can_stop_it(tmp_path):
    class Enough(Exception):
        """Stops."""

    def stop(done: int) -> None:
        raise Enough

    began = time.monotonic()
    with pytest.raises(Enough):
        neighbour_maps(np.repeat(FEATURES, 50, axis=1), np.repeat(START, 50, axis=0), TSNE_ASK, tmp_path, stop)
    assert time.monotonic() - began < 5


def test_what_goes_wrong_there_is_told_in_words(tmp_path):
    with pytest.raises(PoolError, match="ended early") as caught:
        neighbour_maps(FEATURES, START, TSNE_ASK | {"settings": {"perplexity": 1000}}, tmp_path, ignore)
    assert "perplexity" in caught.value.params["cause"]


def test_without_the_package_it_says_which_one_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match="UMAP is not installed"):
        neighbour_maps(FEATURES, START, UMAP_ASK, tmp_path, ignore)


def is_apart(places: np.ndarray, group: np.ndarray) -> bool:
    """Whether the centres of two groups lie further from each other than their points from them."""
    parts = places[group], places[~group]
    spread = max(np.linalg.norm(part - part.mean(0), axis=1).mean() for part in parts)
    return bool(np.linalg.norm(parts[0].mean(0) - parts[1].mean(0)) > 1.5 * spread)


def test_umap_keeps_groups_together(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "IS_COMPILED", False)  # compiling takes longer than a few points by plain Python
    few = slice(0, 15)
    found = neighbour_maps(FEATURES[:1, few], START[few], UMAP_ASK, tmp_path, ignore)
    assert is_apart(found[0], GROUP[few])


@pytest.mark.skipif("LAYERWISE_COMPILE" not in os.environ, reason="LAYERWISE_COMPILE=1 compiles UMAP, for a minute")
def test_compiled_umap_is_the_same_twice(tmp_path):
    first, second = (neighbour_maps(FEATURES, START, UMAP_ASK, tmp_path, ignore) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert is_apart(first[1], GROUP)


def test_a_start_without_extent_gets_a_little_noise():
    flat = np.zeros((N, 2), np.float32)
    flat[:, 0] = np.arange(N)
    begin = distinct(flat, 0)
    np.testing.assert_array_equal(begin[:, 0], flat[:, 0])
    assert 0 < begin[:, 1].std() < 0.1 * flat[:, 0].std()
    assert (distinct(np.zeros((N, 2)), 0).std(0) > 0).all()


def test_a_frame_comes_back_and_a_torn_one_is_empty():
    stream = io.BytesIO()
    write_frame(stream, b"abc")
    stream.seek(0)
    assert read_frame(stream) == b"abc"
    assert read_frame(stream) == b""
