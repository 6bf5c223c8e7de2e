import json
import math
import struct

import numpy as np
import pytest

from core.events import Finished
from core.history import History
from dashboard.session import live_frames
from dashboard.session.frames import frame
from tests.dashboard.fake_reader import record, started, steps, surface


def decoded(message: bytes) -> list[tuple[dict, dict[str, np.ndarray]]]:
    """What the browser makes of a message, written from the description alone."""
    found, at = [], 0
    while at < len(message):
        assert at % 8 == 0
        (length,) = struct.unpack_from("<I", message, at)
        header = json.loads(message[at + 4 : at + 4 + length])
        at += -(-(4 + length) // 8) * 8
        arrays = {}
        for item in header["arrays"]:
            count = math.prod(item["shape"])
            dtype = np.dtype(item["dtype"]).newbyteorder("<")
            arrays[item["name"]] = np.frombuffer(message, dtype, count, at).reshape(item["shape"])
            at += -(-count * dtype.itemsize // 8) * 8
        found.append((header, arrays))
    assert at == len(message)
    return found


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 33])
def test_arrays_of_every_length_come_back_as_they_were(n: int) -> None:
    arrays = {"a": ("u1", np.arange(n)), "b": ("f4", np.linspace(-1, 1, n)), "c": ("i4", np.arange(n)), "d": ("f8", np.ones(n))}
    ((header, found),) = decoded(frame("test", {"text": "é" * n}, arrays))
    assert header["type"] == "test"
    assert header["text"] == "é" * n
    for name, (code, data) in arrays.items():
        np.testing.assert_array_equal(found[name], np.asarray(data, code))


def test_several_frames_in_a_row_are_told_apart() -> None:
    message = frame("one", {}) + frame("two", {"x": 1}, {"a": ("u1", [1, 2, 3])}) + frame("three", {})
    assert [header["type"] for header, _ in decoded(message)] == ["one", "two", "three"]


def test_a_header_is_json_even_with_nan_and_infinity() -> None:
    ((header, _),) = decoded(frame("test", {"a": math.nan, "b": (1.5, math.inf), "c": {"d": -math.inf}}))
    assert (header["a"], header["b"], header["c"]) == (None, [1.5, None], {"d": None})


def test_nan_losses_reach_the_browser_as_nan() -> None:
    history = History()
    history.append(started())
    history.append(steps(1, 1.0, math.nan, 3.0))
    ((_, arrays),) = decoded(live_frames.steps(history, 0)[0])
    np.testing.assert_array_equal(arrays["losses"], np.array([[1, np.nan, 3]], np.float32))


def test_a_long_history_comes_in_pieces_that_join_without_gap() -> None:
    history = History()
    history.append(started(("a", "b")))
    history.append(steps(1, *np.random.default_rng(0).random(25_000).tolist(), n_series=2))
    at, pieces = 0, []
    while at < history.step:
        data, after = live_frames.steps(history, at)
        ((header, arrays),) = decoded(data)
        assert header["first_step"] == at + 1
        assert arrays["losses"].size <= live_frames.MAX_POINTS
        pieces.append(arrays["losses"])
        at = after
    assert len(pieces) == 3
    np.testing.assert_array_equal(np.hstack(pieces), np.array(history.losses, np.float32))


def test_a_surface_keeps_its_bytes() -> None:
    event = surface(7)
    ((header, arrays),) = decoded(live_frames.surface(event))
    assert (header["side"], header["span"], header["step"]) == (event.side, 6.0, 7)
    assert arrays["values"].tobytes() == event.values


def test_the_status_counts_epochs_from_one_and_knows_the_time_left() -> None:
    history = History()
    history.append(started(total_steps=1000))  # 100 steps an epoch
    history.append(steps(1, *([1.0] * 100)))
    ((header, _),) = decoded(live_frames.status(record(), history, None))
    assert (header["epoch"], header["n_epochs"], header["step"], header["total_steps"]) == (1, 10, 100, 1000)
    assert header["left_s"] == pytest.approx(900 / history.steps_per_s)
    history.append(steps(101, 1.0))
    ((header, _),) = decoded(live_frames.status(record(), history, None))
    assert header["epoch"] == 2


def test_a_finished_run_says_its_test_accuracy_and_no_time_left() -> None:
    history = History()
    history.append(started())
    history.append(Finished("completed", 0, 12.5, (0.2,), (0.93,)))
    ((header, _),) = decoded(live_frames.status(record(state="finished"), history, None))
    assert header["test_accuracy"] == [0.93]
    assert header["elapsed_s"] == 12.5
    assert header["left_s"] is None
