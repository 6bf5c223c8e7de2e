import json
import math
import struct

import numpy as np
import pytest

from core.events import (
    Diagnosed,
    EpochDone,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    OptimizerSwapped,
    PhaseDone,
    Planned,
    StepMeasured,
    TensorView,
)
from core.history import History
from dashboard.session import live_frames
from dashboard.session.frames import frame
from tests.dashboard.fake_race import JOINED, Race
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
    history.append(steps(1, *np.random.default_rng(0).random(70_000).tolist(), n_series=2))
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


def raced(until: int, **race: object) -> History:
    history, run = History(), Race(2_000, **race)
    for event in (*run.start(), *run.between(0, until)):
        history.append(event)
    return history


def test_hello_names_lanes_repeats_and_the_plan() -> None:
    history = raced(700)
    ((header, _),) = decoded(live_frames.hello(record(), history))
    assert header["repeats"] == 4
    assert len(header["series"]) == 32
    lanes = {lane["name"]: lane for lane in header["lanes"]}
    assert lanes["SGD, lr 0.1"] == {"name": "SGD, lr 0.1", "joined": None, "source": None, "removed": None}
    assert lanes["RMSprop, lr 0.001"]["removed"] == 650
    assert (lanes["NAdam, lr 0.002"]["joined"], lanes["NAdam, lr 0.002"]["source"]) == (450, -1)
    assert lanes["Adam, lr 0.0005"]["source"] == 3
    assert (header["executors"], header["reason"]) == (["batched"] * 24, history.plan.reason)
    assert header["n_train"] == 6_400


def test_measurements_come_with_the_effective_learning_rate() -> None:
    history = History()
    for event in (
        started(("a", "b")),
        steps(1, 1.0, n_series=2),
        StepMeasured(1, (2.0, 0.0), (9.0, 8.0), (0.5, 0.6), (0.1, 0.2)),
    ):
        history.append(event)
    ((_, arrays),) = decoded(live_frames.measured(history, 0))
    np.testing.assert_allclose(arrays["effective_rate"][:, 0], [0.05, np.nan])
    np.testing.assert_allclose(arrays["update_norm"][:, 0], [0.1, 0.2])
    np.testing.assert_allclose(arrays["weight_norm"][:, 0], [9, 8])
    assert arrays["step"].tolist() == [1]


def test_a_run_without_sizes_of_steps_has_gaps_there() -> None:
    history = History()
    for event in (started(("a",)), steps(1, 1.0), StepMeasured(1, (2.0,), (9.0,), (0.5,))):
        history.append(event)
    ((_, arrays),) = decoded(live_frames.measured(history, 0))
    assert np.isnan(arrays["update_norm"]).all()
    assert np.isnan(arrays["effective_rate"]).all()


def test_reports_carry_time_and_learning_rates() -> None:
    ((_, arrays),) = decoded(live_frames.reports(raced(200), 0))
    assert arrays["step"].tolist() == [100, 200]
    np.testing.assert_allclose(arrays["elapsed_s"], [0.25, 0.5])
    np.testing.assert_allclose(arrays["learning_rate"][:4, 1], 0.05 * (1 + math.cos(math.pi / 10)), rtol=1e-6)


@pytest.mark.parametrize("limit", [live_frames.MAX_POINTS, 400])
def test_a_lane_that_catches_up_is_sent_by_itself(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In as many frames as it takes, and its epochs with the last."""
    monkeypatch.setattr(live_frames, "MAX_POINTS", limit)
    history = raced(JOINED)
    frames = [decoded(data)[0] for data in live_frames.past(history, history.filled, history.step)]
    assert [header["lane"] for header, _ in frames] == [6] * len(frames)
    assert [header["first_step"] for header, _ in frames] == list(range(1, JOINED + 1, limit // 4))[: len(frames)]
    losses = np.hstack([arrays["losses"] for _, arrays in frames])
    np.testing.assert_array_equal(losses, np.array(history.losses[24:], np.float32))
    assert np.isfinite(losses).all()
    assert frames[-1][1]["epoch"].tolist() == [1, 2, 3, 4]
    expected = np.array([row.validation_loss[24:] for row in history.epochs], np.float32).T
    np.testing.assert_array_equal(frames[-1][1]["validation_loss"], expected)


def test_marks_tell_what_happened_to_which_lane() -> None:
    changes = [
        HyperChanged(1, 0, "lr", 0.1, 0.2),
        OptimizerSwapped(2, 1, '{"kind": "SGD", "lr": 0.1}', '{"kind": "Adam"}'),
        LaneAdded(3, 2, 1, "{}", "c", ("c",)),
        LaneRemoved(4, 0),
    ]
    ((header, _),) = decoded(live_frames.marks(changes))
    assert header["items"] == [
        {"step": 1, "lane": 0, "kind": "hyper", "name": "lr", "old": 0.1, "new": 0.2},
        {"step": 2, "lane": 1, "kind": "swap", "old": "SGD", "new": "Adam"},
        {"step": 3, "lane": 2, "kind": "added", "source": 1},
        {"step": 4, "lane": 0, "kind": "removed"},
    ]


def test_phases_bring_their_tensors() -> None:
    values = np.array([1.5, -2.5, 3.0], np.float32)
    view = TensorView("logits", (1, 3), -2.5, 3.0, 0.6667, 4.18, values.tobytes())
    ((header, arrays),) = decoded(
        live_frames.phases([PhaseDone(4, "forward", "8 examples", ()), PhaseDone(4, "loss", "2.3", (view,))])
    )
    assert [item["phase"] for item in header["items"]] == ["forward", "loss"]
    assert header["items"][1]["tensors"][0]["name"] == "logits"
    np.testing.assert_array_equal(arrays["1.0"], values)


def test_findings_are_data() -> None:
    ((header, _),) = decoded(
        live_frames.findings([Diagnosed(5, 2, "dead-units", "warning", "m", "h", "2 ReLU", "Use GELU", "{}")])
    )
    assert header["items"] == [
        {
            "step": 5,
            "series": 2,
            "code": "dead-units",
            "severity": "warning",
            "message": "m",
            "hint": "h",
            "layer": "2 ReLU",
            "action": "Use GELU",
        }
    ]


def test_the_status_says_which_lane_catches_up_until_it_has() -> None:
    history = History()
    for event in (started(("a",)), steps(1, *[1.0] * 100), LaneAdded(100, 1, -1, "{}", "b", ("b",))):
        history.append(event)
    history.append(LaneStepsDone(1, 1, (tuple([2.0] * 40),)))
    history.append(LaneEpochDone(1, 1, 40, (1.0,), (1.0,), (1.0,), (1.0,)))
    ((header, _),) = decoded(live_frames.status(record(), history, None))
    assert header["catching_up"] == {"lane": 1, "step": 40, "of": 100}
    history.append(LaneStepsDone(1, 41, (tuple([2.0] * 60),)))
    ((header, _),) = decoded(live_frames.status(record(), history, None))
    assert header["catching_up"] is None


def test_the_status_has_one_learning_rate_per_lane() -> None:
    ((header, _),) = decoded(live_frames.status(record(), raced(100), None))
    assert header["learning_rates"] == pytest.approx([0.05 / (k + 1) * (1 + math.cos(math.pi / 20)) for k in range(6)])


def test_512_series_come_in_frames_of_a_bounded_size() -> None:
    history = raced(300, n_lanes=32, repeats=16, is_plain=True)
    at, n_steps = 0, 0
    while at < history.step:
        data, after = live_frames.steps(history, at)
        ((header, arrays),) = decoded(data)
        assert arrays["losses"].size <= live_frames.MAX_POINTS
        assert len(data) < 300_000
        n_steps += header["n"]
        at = after
    assert n_steps == 300
    assert len(live_frames.status(record(), history, None)) < 4_000
    assert len(live_frames.hello(record(), history)) < 40_000


def test_epochs_from_before_a_lane_joined_are_as_wide_as_the_others() -> None:
    history = History()
    for event in (started(("a",)), steps(1, 1.0), EpochDone(1, 1, *[(0.5,)] * 4, 1.0), LaneAdded(1, 1, -1, "{}", "b", ("b",))):
        history.append(event)
    history.append(steps(2, 1.0, n_series=2))
    history.append(EpochDone(2, 2, *[(0.5, 0.6)] * 4, 1.0))
    ((_, arrays),) = decoded(live_frames.epochs(history.epochs))
    np.testing.assert_allclose(arrays["train_loss"], [[0.5, 0.5], [np.nan, 0.6]])


def test_the_newest_plan_counts() -> None:
    history = raced(10)
    history.append(Planned(10, ("fast",) * 24, "now faster one by one"))
    ((header, _),) = decoded(live_frames.hello(record(), history))
    assert header["reason"] == "now faster one by one"
