"""Charts of the Compress screen show the numbers of their results."""

from dataclasses import replace

import numpy as np
import pytest

from core.results.compression import CompressionReport
from core.results.pruning_sweep import PruningSweep
from dashboard.figures.compress_latency import alt_latency, alt_losses, alt_zeros, latency_boxes, loss_line, zero_bars
from dashboard.figures.compress_sweep import alt_sweep, sweep_lines

REPORT = CompressionReport(
    kind="magnitude", step=7, split="validation", n_examples=200, is_accuracy=True,
    score=np.array([[0.9, 0.85, 0.94], [0.88, 0.83, 0.92]]), change=np.array([-0.02, -0.05, 0.01]),
    size_bytes=np.array([4000, 2000]), zipped_bytes=np.array([3900, 1000]), parameters=np.array([100, 100]),
    nonzero=np.array([100, 40]), multiply_adds=np.array([5000, 5000]), useful_multiply_adds=np.array([5000, 1500]),
    batches=(1, 64), latencies=(np.array([[1e-3, 2e-3, 3e-3], [2e-3, 3e-3, 4e-3]]), np.array([[4e-3] * 3, [1e-3] * 3])),
    agreement=0.95, difference=0.03, shown_agreement=1.0, shown_difference=0.0, layers=("1 Linear", "3 Linear"),
    weights=np.array([[60, 30], [30, 0]]), losses=np.array([0.5, 0.25]), loss_unit="nats",
)  # fmt: skip
SWEEP = PruningSweep(
    methods=("magnitude", "random"), sparsities=np.array([0.0, 0.5, 0.9]),
    scores=np.array([[[0.9, np.nan], [0.9, np.nan], [0.4, np.nan]], [[0.9, 0.9], [0.7, 0.5], [0.1, 0.1]]]),
    low=np.array([[0.8, 0.8, 0.3], [0.9, 0.4, 0.1]]), high=np.array([[0.95, 0.95, 0.5], [0.9, 0.8, 0.1]]),
    zeros=np.array([[0, 0.5, 0.9]] * 2), parameters=np.full((2, 3), 100), original=np.array([0.9, 0.8, 0.95]),
    split="validation", n_examples=200, is_accuracy=True,
)  # fmt: skip


def test_times_stand_in_milliseconds_beside_each_other():
    figure = latency_boxes(REPORT, 1)
    assert [box.x.tolist() for box in figure.data] == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert figure.data[0].marker.color != figure.data[1].marker.color
    assert "ms" in figure.layout.xaxis.title.text
    assert "original 2 ms, compressed 3 ms" in alt_latency(REPORT, 1)


def test_one_slow_answer_does_not_squeeze_all_others():
    times = np.full((2, 20), 1e-3)
    times[0, 0] = 1.0
    assert latency_boxes(replace(REPORT, latencies=(times, times)), 64).layout.xaxis.range[1] < 3


def test_zero_weights_are_shares_of_their_layer():
    figure = zero_bars(REPORT, dark=True)
    assert figure.data[0].x.tolist() == [50.0, 0.0]
    assert figure.layout.yaxis.ticktext == ("1 Linear", "3 Linear")
    assert alt_zeros(REPORT) == "Share of zero weights by layer: 1 Linear 50%, 3 Linear 0%."
    bare = replace(REPORT, layers=(), weights=np.zeros((0, 2), np.int64))
    assert not zero_bars(bare).data
    assert "no layer" in alt_zeros(bare)


@pytest.mark.parametrize(("kind", "unit"), [("magnitude", "loss (nats)"), ("distillation", "distillation loss")])
def test_losses_of_further_training_have_their_unit(kind, unit):
    figure = loss_line(replace(REPORT, kind=kind))
    assert figure.data[0].y.tolist() == [0.5, 0.25]
    assert figure.layout.yaxis.title.text == unit
    assert "2 epochs: from 0.5 to 0.25" in alt_losses(REPORT)


def test_the_sweep_has_a_line_and_a_band_for_each_method_and_one_for_the_original():
    figure = sweep_lines(SWEEP)
    original, *others = figure.data
    bands, lines = others[::2], others[1::2]
    assert original.y == (90.0, 90.0)
    assert [line.name for line in lines] == ["magnitude", "random"]
    np.testing.assert_allclose(lines[1].y, [90, 60, 10])
    np.testing.assert_allclose(bands[0].y, [95, 95, 50, 30, 80, 80])
    assert len({line.line.dash for line in lines}) == 2
    assert figure.layout.yaxis.range == (0, 102)


def test_the_sweep_says_up_to_where_each_method_holds():
    assert SWEEP.last_good(0) == 0.5
    assert SWEEP.last_good(1) == 0.0
    words = alt_sweep(SWEEP)
    assert "magnitude: within the original's interval up to 50% pruned, 40.0% at 90%." in words
    low = replace(SWEEP, original=np.array([0.99, 0.95, 1.0]))
    assert low.last_good(0) == 0.0
    numbers = replace(SWEEP, is_accuracy=False)
    assert "R² 0.900" in alt_sweep(numbers)
    assert sweep_lines(numbers).layout.yaxis.range[1] == 1.02
