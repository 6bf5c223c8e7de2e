"""Range test, sweep and schedule preview on a page: asked for by a button, shown, and their rates taken over."""

import csv
import io

import pytest
from streamlit.testing.v1 import AppTest

from core.experiment.codec import file_text
from core.experiment.experiment import Budget, Lane
from core.optim.optimizers import SGD, Adam
from core.optim.schedules import Cosine, Plateau
from core.results.codec import load_result
from core.results.range_test import RangeTest
from dashboard.session import state
from dashboard.widgets.table_file import csv_text
from tests.core.samples import linear, optimizer_like, spiral, stack

TWO = spiral(lanes=(Lane(optimizer=SGD(lr=0.5)), Lane(optimizer=Adam(lr=0.03))), batch_size=50)


def range_page():
    from dashboard.session import state
    from dashboard.widgets.range_test import range_test

    range_test(state.experiment(), 1, key="t")


def sweep_page():
    from dashboard.session import state
    from dashboard.widgets.sweep import sweep

    sweep(state.experiment(), key="t")


def preview_page():
    from dashboard.session import state
    from dashboard.widgets.schedule_preview import schedule_preview

    experiment = state.experiment()
    schedule_preview(experiment.lanes[0], experiment, key="t")


def opened(page, experiment=TWO) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state[state.EXPERIMENT] = file_text(experiment)
    return ran(app.run())


def ran(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def press(app, key):
    return ran(app.button(key=key).click().run())


def in_hand(app):
    from core.experiment.codec import from_file_text

    return from_file_text(app.session_state[state.EXPERIMENT])


def texts(app):
    return " ".join(element.value for element in [*app.text, *app.caption, *app.info])


def keys(app):
    return {button.key for button in app.button}


def test_a_range_test_runs_when_asked_for(client):
    app = opened(range_page)
    assert not client.jobs
    assert "starts with a tiny learning rate" in texts(app)
    press(app, "t.start")
    assert [job.kind for job in client.jobs] == ["range_test"]
    assert len(app.get("plotly_chart")) == 1
    assert "falls most steeply" in texts(app)
    assert "that limit does not hold: it adapts" in texts(app)


def test_the_suggestion_is_taken_over_and_the_result_stays(client):
    app = press(opened(range_page), "t.start")
    before = in_hand(app)
    press(app, "t.use")
    after = in_hand(app)
    assert after.lanes[0] == before.lanes[0]
    assert after.lanes[1].optimizer.lr != before.lanes[1].optimizer.lr
    assert f"{after.lanes[1].optimizer.lr:g}" in app.button(key="t.use").label
    assert app.button(key="t.use").disabled
    assert len(client.jobs) == 1


def test_a_tenth_of_the_rate_of_the_lowest_loss_is_offered_where_it_is_bolder(client):
    app = press(opened(range_page), "t.start")
    found = load_result(RangeTest, client.artifact_bytes(next(iter(client.store.records)), "result.npz"))
    assert found.lowest / 10 > found.suggestion
    press(app, "t.use_bold")
    assert in_hand(app).lanes[1].optimizer.lr == pytest.approx(found.lowest / 10, rel=0.05)


def test_another_optimizer_is_another_question(client):
    app = press(opened(range_page), "t.start")
    app.session_state[state.EXPERIMENT] = file_text(TWO.with_hyper(1, "beta1", 0.5))
    ran(app.run())
    assert "t.start" in keys(app)
    assert not app.get("plotly_chart")


def test_plain_gradient_descent_is_told_its_limit(client):
    app = press(opened(range_page, TWO.but(lanes=TWO.lanes[::-1])), "t.start")
    assert "SGD is stable up to a rate of" in texts(app)


def test_an_optimizer_without_a_range_says_so(client):
    app = opened(range_page, TWO.but(lanes=(TWO.lanes[0], Lane(optimizer=optimizer_like("rprop")))))
    assert "first step alone" in texts(app)
    assert not keys(app)


def test_an_experiment_that_cannot_run_is_told_in_place(client):
    app = press(opened(range_page, TWO.but(model=stack(linear(2), ("Conv2d", {"out_channels": 2})))), "t.start")
    assert "t.again" in keys(app)


def quick(app):
    """Two rates and five steps."""
    ran(app.number_input(key="t.fields.spec.steps").set_value(5).run())
    return ran(app.number_input(key="t.fields.spec.lowest").set_value(-1).run())


def test_a_sweep_says_what_it_costs_and_runs_when_asked_for(client):
    app = opened(sweep_page)
    assert "12 runs of 200 steps, at most about" in texts(app)
    press(quick(app), "t.start")
    assert [job.kind for job in client.jobs] == ["sweep"]
    assert client.jobs[0].grid.steps == 5
    assert len(app.get("plotly_chart")) == 1
    assert app.dataframe[0].value["optimizer"].tolist() == ["SGD", "Adam"]
    assert "edge of the grid" in texts(app)


def test_the_best_rates_are_taken_over_and_the_result_stays(client):
    app = press(quick(opened(sweep_page)), "t.start")
    best = [float(rate) for rate in app.dataframe[0].value["best learning rate"]]
    press(app, "t.use")
    assert [lane.optimizer.lr for lane in in_hand(app).lanes] == best
    assert app.button(key="t.use").disabled
    assert len(client.jobs) == 1


def test_optimizers_from_the_menu_become_lanes(client):
    app = quick(opened(sweep_page))
    app.get("button_group")[0].set_value("kinds").run()
    ran(app)
    ran(app.multiselect(key="t.kinds").set_value(["adagrad", "rmsprop"]).run())
    press(app, "t.start")
    press(app, "t.use")
    assert {lane.optimizer.kind for lane in in_hand(app).lanes} == {"adagrad", "rmsprop"}


def test_without_an_optimizer_there_is_nothing_to_run(client):
    app = opened(sweep_page)
    app.get("button_group")[0].set_value("kinds").run()
    ran(app.multiselect(key="t.kinds").set_value([]).run())
    assert "Choose at least one" in texts(app)
    assert "t.start" not in keys(app)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lanes": (Lane(optimizer=Adam(), schedule=Cosine()),)}, ""),
        ({"lanes": (Lane(optimizer=Adam(), schedule=Plateau()),)}, "depends on the validation loss"),
        ({"budget": Budget(epochs=None, seconds=5.0)}, "100 epochs are assumed"),
        ({"lanes": (Lane(optimizer=optimizer_like("rprop")),)}, "no schedule changes it"),
    ],
)
def test_the_preview_draws_the_schedule_and_says_what_is_not_known(change, words):
    app = opened(preview_page, TWO.but(**change))
    assert len(app.get("plotly_chart")) == 1
    assert words in texts(app)
    assert bool(words) == bool(texts(app))


@pytest.mark.fault(29)
def test_a_table_file_has_full_precision_and_no_formulas():
    text = csv_text({"name": ["=1+1", "SGD, momentum 0.9"], "rate": [0.1, 1 / 3], "loss": ["", -1.5]})
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "rate", "loss"],
        ["'=1+1", "0.1", ""],
        ["SGD, momentum 0.9", repr(1 / 3), "-1.5"],
    ]
