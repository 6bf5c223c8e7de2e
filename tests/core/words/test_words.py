"""Seeds, settings and results."""

from dataclasses import dataclass

import numpy as np
import pytest

from core.errors import SpecError, StoreError
from core.results.activations import ActivationMaps
from core.results.attribution import Attribution
from core.results.codec import load_result, result_bytes
from core.seeds import numpy_stream, stream_seed
from core.settings import Settings


def test_streams_are_fixed_for_good():
    assert stream_seed(0, "init") == 8867582867066627834
    assert stream_seed(7, "batches", 2) == 7444103402764014006
    assert stream_seed(0, "init", 1) != stream_seed(0, "init")
    assert numpy_stream(5, "data").random() == numpy_stream(5, "data").random()


def test_settings_come_from_the_environment_and_name_what_is_wrong(monkeypatch):
    monkeypatch.setenv("LAYERWISE_MAX_RUNNING", "7")
    assert Settings.from_environment().max_running == 7
    monkeypatch.setenv("LAYERWISE_MAX_RUNNING", "many")
    with pytest.raises(SpecError, match="LAYERWISE_MAX_RUNNING"):
        Settings.from_environment()


def test_results_survive_their_file():
    maps = ActivationMaps(
        ("a", "b"), (np.ones((2, 3), np.float32), np.zeros(4)), (0.1, 1.0), np.ones(2), np.ones(3), np.ones(3), 1, ("x", "y"), 5
    )
    back = load_result(ActivationMaps, result_bytes(maps))
    assert back.layer_names == maps.layer_names
    assert all(np.array_equal(a, b) for a, b in zip(back.maps, maps.maps, strict=True))
    assert back.maps[0].dtype == np.float32


def test_a_result_saved_before_a_field_was_there_has_its_default():
    @dataclass(frozen=True, slots=True)
    class Before:
        values: np.ndarray

    @dataclass(frozen=True, slots=True)
    class After:
        values: np.ndarray
        unit: str = "logit"
        mask: np.ndarray | None = None

    loaded = load_result(After, result_bytes(Before(np.arange(3))))
    assert loaded.values.tolist() == [0, 1, 2]
    assert (loaded.unit, loaded.mask) == ("logit", None)

    @dataclass(frozen=True, slots=True)
    class Needs:
        values: np.ndarray
        more: str

    with pytest.raises(StoreError, match="damaged"):
        load_result(Needs, result_bytes(Before(np.arange(3))))


def test_a_damaged_result_is_a_sentence():
    with pytest.raises(StoreError, match="damaged"):
        load_result(Attribution, b"PK nothing")
