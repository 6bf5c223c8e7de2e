"""What if: the editor stands there for points as for rows, and waiting for a prediction breaks nothing."""

from streamlit.testing.v1 import AppTest

from core.experiment.codec import link_text
from core.jobs.compare_lenses import PredictionJob
from dashboard.widgets import lens, lens_wait
from tests.core.samples import spiral


def explain():
    from dashboard.screens import explain
    from dashboard.session import state

    state.load_link()
    explain.render()


def what_if() -> AppTest:
    app = AppTest.from_function(explain, default_timeout=60)
    app.query_params["x"] = link_text(spiral())
    app.session_state["explain.section"] = "if"
    return app.run()


def test_the_coordinates_of_a_point_are_changed_with_sliders(client):
    app = what_if()
    assert not app.exception
    first = next(slider for slider in app.slider if slider.label == "x1")
    assert {slider.label for slider in app.slider} >= {"x1", "x2"}
    assert any("Nothing is changed yet." in text.value for text in app.text)
    first.set_value(first.max).run()
    assert not app.exception
    assert any("Changed:" in text.value for text in app.text)


def test_an_unchanged_example_is_predicted_once_even_while_one_waits_for_it(client, monkeypatch):
    asked = lens._asked

    def not_begun(job, key):
        return ("a run that has not begun", None) if isinstance(job, PredictionJob) else asked(job, key)

    monkeypatch.setattr(lens, "_asked", not_begun)
    monkeypatch.setattr(lens_wait, "_progress", lambda *_, **__: (0.0, ""))
    app = what_if()
    assert not app.exception
    assert [button.key for button in app.button if button.label == "Stop"] == ["explain.if.before.stop"]
