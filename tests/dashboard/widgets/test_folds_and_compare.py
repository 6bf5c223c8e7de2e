"""Cross-validation and comparisons on a page: asked for by a button, shown with their numbers, told in words."""

import io

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.tabular import Diabetes, Iris
from core.experiment.codec import file_text
from core.experiment.experiment import Budget, Lane
from core.jobs.cross_validation import CrossValidationJob
from core.jobs.training import TrainJob
from core.optim.losses import MeanSquaredError
from core.results.codec import load_result
from core.results.cross_validation import CrossValidation
from core.results.prediction import Prediction
from core.results.predictions import Predictions
from dashboard.session import chosen_runs, state
from tests.core.samples import linear, optimizer_like, spiral, stack

IRIS = spiral(
    data=Iris(), model=stack(linear(4), "Tanh", linear(3)), budget=Budget(epochs=2), batch_size=40, seed=2, lr=0.05
)  # fmt: skip
OTHER = IRIS.but(lanes=(Lane(optimizer=optimizer_like("sgd", 0.01)),))
TWO_LANES = IRIS.but(lanes=(*IRIS.lanes, *OTHER.lanes))


def folds_page():
    from dashboard.session import state
    from dashboard.widgets.evaluate_folds import panel
    from dashboard.widgets.subject import ExampleRef, Subject

    record = state.run()
    panel(Subject(state.experiment(), None, ExampleRef(), record.id if record else None), key="f")


def compare_page():
    from dashboard.widgets.runs_compare import panel

    panel(key="c")


def opened(page, experiment=IRIS, **kept) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state[state.EXPERIMENT] = file_text(experiment)
    for name, value in kept.items():
        app.session_state[name.replace("__", ".")] = value
    return ran(app.run())


def ran(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def press(app, key):
    return ran(app.button(key=key).click().run())


def texts(app):
    return " ".join(element.value for element in [*app.text, *app.caption, *app.info, *app.markdown, *app.subheader])


def trained(client, *experiments):
    return [client.submit(TrainJob(experiment=one)) for one in experiments]


def test_cross_validation_says_its_cost_and_runs_when_asked_for(client):
    app = opened(folds_page, TWO_LANES)
    assert not client.jobs
    assert "10 runs of" in texts(app)
    assert "(estimated)" in texts(app)
    app.slider(key="f.k").set_value(3).run()
    assert "6 runs of 6 steps" in texts(app)
    press(app, "f.start")
    assert [job.kind for job in client.jobs] == ["cross_validation"]
    found = load_result(CrossValidation, client.artifact_bytes(next(iter(client.store.records)), "result.npz"))
    assert "held\\-out accuracy" in texts(app)
    assert f"{found.last_score[0].mean():.1%}".replace(".", "\\.") in texts(app)
    table = app.dataframe[0].value
    assert len(table) == 6
    assert table["last accuracy"].tolist() == pytest.approx(found.last_score.ravel().tolist(), rel=1e-3)
    assert "Corrected resampled t test over 3 folds" in texts(app).replace("\\", "")
    assert len(app.get("plotly_chart")) == 1


def test_a_cross_validation_that_is_known_is_shown_at_once_and_a_run_gives_its_speed(client):
    (run,) = trained(client, IRIS)
    client.submit(CrossValidationJob.of(IRIS, 5))
    app = opened(folds_page, **{state.RUN.replace(".", "__"): run})
    assert "by the speed of the present run" in texts(app)
    assert len(app.dataframe[0].value) == 5


def test_too_many_folds_for_the_classes_are_refused_in_words(client):
    few = IRIS.but(data=Iris(train_share=0.1, validation_share=0.1), batch_size="full")
    app = opened(folds_page, few)
    app.slider(key="f.k").set_value(20).run()
    assert "some class has 10 or fewer" in texts(app)
    assert "f.start" not in {button.key for button in app.button}


def test_five_seeds_are_taken_in_hand(client):
    app = press(opened(folds_page), "f.seeds.repeat")
    assert "has 5 seeds per lane: press Train" in texts(app)


def test_without_anything_to_compare_it_says_how_to_get_there(client):
    assert "This needs two runs, or lanes" in texts(opened(folds_page))


def test_two_runs_are_compared_over_their_seeds(client):
    trained(client, IRIS.but(repeats=3), OTHER.but(repeats=3), IRIS.but(repeats=3, seed=9))
    app = opened(folds_page)
    assert "No other one has the same examples" in texts(app)
    app.selectbox(key="f.paired.seeds.first").select_index(1).run()
    told = texts(ran(app)).replace("\\", "")
    assert "Paired t test over 3 seeds" in told
    assert "validation accuracy" in told


def test_two_cross_validations_are_compared_over_their_folds(client):
    for one in (IRIS, OTHER):
        client.submit(CrossValidationJob.of(one, 4))
    client.submit(CrossValidationJob.of(IRIS, 3))
    app = opened(folds_page, f__paired__way="folds")
    app.selectbox(key="f.paired.folds.first").select_index(1).run()
    told = texts(ran(app)).replace("\\", "")
    assert "Corrected resampled t test over 4 folds" in told
    assert len(client.store.records) == 3  # answers that are there are not asked for


def test_two_models_are_compared_over_test_examples(client):
    trained(client, IRIS, OTHER)
    app = opened(folds_page, f__paired__way="examples")
    told = texts(app).replace("\\", "")
    first, second = (load_predictions(client, number) for number in (0, 1))
    assert f"McNemar's exact test on {len(first.labels)} examples" in told
    only = (first.predicted == first.labels) & (second.predicted != second.labels)
    assert f"{only.sum()} that only" in told


def load_predictions(client, number):
    return load_result(Predictions, client.artifact_bytes(runs_of(client, "predictions")[number], "result.npz"))


def runs_of(client, kind):
    return [run for run, record in client.store.records.items() if record.kind == kind]


def test_numbers_are_compared_by_how_far_off_they_are(client):
    numbers = spiral(
        data=Diabetes(), model=stack(linear(1)), loss=MeanSquaredError(), budget=Budget(epochs=1), batch_size="full"
    )  # fmt: skip
    trained(client, numbers, numbers.but(budget=Budget(epochs=2)))
    told = texts(opened(folds_page, numbers, f__paired__way="examples")).replace("\\", "")
    assert "mean absolute error" in told
    assert "how far off each prediction is" in told


def test_compare_asks_for_two_runs_first(client):
    assert "Choose two or more training runs" in texts(opened(compare_page))


def test_settings_that_differ_are_listed_with_both_values(client):
    runs = trained(client, IRIS, IRIS.with_hyper(0, "lr", 0.01))
    app = opened(compare_page, **{chosen_runs.CHOSEN.replace(".", "__"): tuple(runs)})
    table = app.dataframe[0].value
    assert table.iloc[0].tolist() == ["Lane 1 > optimizer > lr", "0.05", "0.01"]
    assert len(table) == 1
    app.multiselect(key="c.runs").set_value([]).run()
    assert "Choose two or more training runs" in texts(ran(app))


def test_equal_experiments_are_said_to_be_equal(client):
    runs = trained(client, IRIS, IRIS)
    assert "equal in every setting" in texts(opened(compare_page, **{"runs__chosen": tuple(runs)}))


def test_costs_are_those_of_the_runs_and_energy_follows_the_watts(client):
    runs = trained(client, IRIS, IRIS.but(model=stack(linear(40), "Tanh", linear(3))))
    app = opened(compare_page, **{"runs__chosen": tuple(runs), "c__part": "cost"})
    table = app.dataframe[0].value
    assert table["parameters, frozen ones too"].tolist() == [4 * 4 + 4 + 4 * 3 + 3, 4 * 40 + 40 + 40 * 3 + 3]
    app.number_input(key="c.cost.watts").set_value(360.0).run()
    table = ran(app).dataframe[0].value
    assert table["energy (Wh, at 360 W)"].tolist() == pytest.approx((table["training time (s)"] / 10).tolist(), rel=1e-2)
    assert len(app.get("plotly_chart")) == 1


def test_one_example_goes_through_all_models_that_know_it(client):
    runs = trained(client, IRIS, TWO_LANES, IRIS.but(seed=7))
    kept = {"runs__chosen": tuple(runs), "c__part": "example", "subject__split": "validation", "subject__example": 3}
    app = opened(compare_page, **kept)
    assert "they are left out" in texts(app)
    asked = [job for job in client.jobs if job.kind == "prediction"]
    assert [job.example.index for job in asked] == [3, 3]
    answers = [load_result(Prediction, client.artifact_bytes(run, "result.npz")) for run in runs_of(client, "prediction")]
    guesses = {int(one.probabilities.argmax()) for one in answers}
    assert ("All 2 say" if len(guesses) == 1 else "They disagree") in texts(app)
    assert len(app.get("plotly_chart")) == 1


def test_one_model_alone_is_no_comparison(client):
    runs = trained(client, IRIS, IRIS.but(seed=7))
    app = opened(compare_page, **{"runs__chosen": tuple(runs), "c__part": "example"})
    assert "nothing to hold it against" in texts(app)
    assert "All 1" not in texts(app)


def test_a_run_without_a_score_has_no_best_lane_and_is_said_to_be_missing(client):
    data, loss = Diabetes(), MeanSquaredError()
    lost = spiral("sgd", 10.0, data=data, model=stack(linear(8), "ReLU", linear(1)), loss=loss)
    sound = spiral(data=data, model=stack(linear(1)), loss=loss, budget=Budget(epochs=1))
    app = opened(compare_page, **{"runs__chosen": tuple(trained(client, lost, sound)), "c__part": "cost"})
    lanes = app.dataframe[0].value["best lane"].tolist()
    assert [one for one in lanes if isinstance(one, str)] == [sound.lane_names()[0]]
    assert "Not drawn" in texts(app)


def test_the_result_travels_as_npz(client):
    client.submit(CrossValidationJob.of(IRIS, 2))
    with np.load(io.BytesIO(client.artifact_bytes(next(iter(client.store.records)), "result.npz"))) as arrays:
        assert arrays["validation_loss"].shape == (1, 2, 2)
