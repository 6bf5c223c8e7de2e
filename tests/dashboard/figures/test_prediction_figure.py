"""What the net says stands beside what is right, where anybody knows it."""

from dataclasses import replace

import numpy as np

from core.results.activations import ActivationMaps
from dashboard.figures.prediction import prediction_figure

LOGITS = np.array([1.0, -2.0, 0.5], np.float32)
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum()


def maps(**changes) -> ActivationMaps:
    plain = ActivationMaps(
        layer_names=("1 Linear",),
        maps=(LOGITS,),
        zero_share=(0.0,),
        input=np.zeros(4, np.float32),
        logits=LOGITS,
        probabilities=SHARES,
        label=2,
        class_names=("a", "b", "c"),
        step=7,
    )
    return replace(plain, **changes)


def test_probabilities_are_bars_and_the_right_class_is_marked():
    figure = prediction_figure(maps())
    assert np.allclose(figure.data[0].x, SHARES)
    assert figure.layout.yaxis.ticktext == ("a", "b", "c (right)")
    assert figure.data[0].marker.line.width == (0, 0, 3)
    assert figure.data[0].customdata[1].endswith("-2")


def test_an_unknown_class_marks_none():
    figure = prediction_figure(maps(label=-1))
    assert figure.layout.yaxis.ticktext == ("a", "b", "c")
    assert figure.data[0].marker.line.width == (0, 0, 0)


def test_the_one_output_of_two_classes_belongs_to_the_second():
    two = maps(logits=LOGITS[:1], probabilities=np.array([0.3, 0.7]), class_names=("no", "yes"), label=0)
    assert prediction_figure(two).data[0].customdata[0] == ""
    assert prediction_figure(two).data[0].customdata[1].endswith("1")


def number(**changes) -> ActivationMaps:
    facts = {"value": 152.4, "truth": 180.0, "target_name": "progression", "class_names": (), "probabilities": SHARES[:0]}
    return maps(**(facts | {"label": -1} | changes))


def test_a_predicted_number_stands_beside_the_right_one():
    figure = prediction_figure(number())
    assert figure.data[0].x == (152.4, 180.0)
    assert figure.layout.yaxis.ticktext == ("predicted", "right")
    assert figure.layout.xaxis.title.text == "progression"


def test_a_number_alone_has_one_bar():
    assert prediction_figure(number(truth=None)).data[0].x == (152.4,)
