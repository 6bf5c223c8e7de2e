"""Lessons: what a link hides is not there, everything else is; any text in a link is safe."""

import importlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core.events import HyperChanged
from core.experiment.codec import link_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import Budget
from core.jobs.training import TrainJob
from dashboard.session import lesson
from tests.dashboard.screens.test_screens import APP

ROOT = Path(__file__).resolve().parents[3]
GROUPS = {group.name: group for group in lesson.GROUPS}
SECTIONS = [
    name for name in GROUPS
    if name.partition(".")[0] in ("inspect", "explain", "evaluate", "runs", "compress", "export") and "." in name
]  # fmt: skip
# where a group is seen: the screen, and the key (or a word) of something that is drawn for it alone
SEEN = {
    "start": ("train", "header.train"), "undo": ("train", "header.undo"), "examples": ("train", "header.ready.spiral"),
    "share": ("train", "share.lesson"), "sentence": ("train", "Spiral"),
    "run.pause": ("train", "train.resume"), "run.step": ("train", "train.step"), "run.stop": ("train", "train.stop"),
    "run.reset": ("train", "train.reset"), "run.speed": ("train", "train.speed"),
    "run.rate": ("train", "train.learning_rate.0"),
    "change": ("train", "Change the run"), "phases": ("train", "A step in four phases"),
    "doctor": ("train", "Nothing to worry about so far."), "repeat": ("train", "train.repeat.take"),
    "fork": ("train", "Fork from here"), "plane": ("train", "train.boundary"), "curves.controls": ("train", "bare"),
    "race.setup": ("race", "Who races, and how"), "race.verdict": ("race", "Result so far"),
    "race.surface": ("race", "On a surface"),
    "race.sweep": ("race", "Sweep"), "race.plane": ("race", "In one plane"),
    "data.choice": ("data", "data.choice"), "data.preparation": ("data", "Preparation"),
    "data.report": ("data", "Statistics and quality"), "data.augmentation": ("data", "Augmentation"),
    "data.own": ("data", "Own data"),
    "build.data": ("build", "build.data"), "build.training": ("build", "build.training"),
    "build.presets": ("build", "build.preset"), "build.network": ("build", "build.network"), "build.code": ("build", "Code"),
    "compare": ("inspect", "inspect.pin"),
}  # fmt: skip


def test_every_group_is_in_the_table_above_a_screen_or_a_section():
    assert set(GROUPS) == {*SEEN, *SECTIONS, *lesson.SCREENS}


@pytest.mark.fault(106)
@given(st.lists(st.text() | st.sampled_from([*GROUPS]), max_size=30).map(",".join))
@settings(max_examples=50)
def test_any_text_hides_known_groups_alone_each_once_and_says_the_same_again(text):
    found = lesson.parsed(text)
    assert set(found) <= set(GROUPS)
    assert len(set(found)) == len(found)
    assert lesson.parsed(",".join(found)) == found


@pytest.mark.fault(106)
def test_ten_thousand_words_hide_what_is_known_of_them():
    assert lesson.parsed(",".join([f"x{i}" for i in range(10_000)] + ["undo", "data"] * 5000)) == ("data", "undo")


def screen_page(name, hide):
    """One screen below the header, with all that it needs from the app."""
    import importlib

    from dashboard.session import lesson, state
    from dashboard.widgets.header import header

    state.load_link()
    lesson.hide(hide)
    header({}, here=name)
    importlib.import_module(f"dashboard.screens.{name}").render()


def drawn(name, hide, experiment, run) -> set[str]:
    """All words and keys that the page has drawn."""
    app = AppTest.from_function(screen_page, kwargs={"name": name, "hide": hide}, default_timeout=60)
    app.query_params["x"] = link_text(experiment)
    if run:
        app.query_params["run"] = run
    app.session_state["train.unit"] = "phase"
    app.run()
    assert not app.exception
    return set(found_in(app._tree))


def found_in(block):
    for child in block.children.values():
        proto = getattr(child, "proto", None)
        yield str(getattr(child, "label", ""))
        yield str(getattr(child, "value", ""))
        yield str(proto)
        if hasattr(child, "children"):
            yield from found_in(child)


@pytest.fixture
def paused(client):
    """A paused run of an experiment with a change on the way."""
    experiment = default_experiment("spiral").but(budget=Budget(epochs=1))
    run = client.submit(TrainJob(experiment=experiment))
    client.put(run, HyperChanged(1, 0, "lr", 0.003, 0.01), state="paused")
    return experiment, run


@pytest.mark.parametrize("screen", sorted({screen for screen, _what in SEEN.values()}))
def test_a_group_takes_its_own_away_and_nothing_else(screen, client, paused, monkeypatch):
    experiment, run = paused
    if screen == "data":
        experiment, run = default_experiment("digits"), None
        monkeypatch.setattr(importlib.import_module("dashboard.screens.data"), "_examples", lambda _experiment: None)
    if screen == "build":
        run = None
    if screen == "inspect":
        from dashboard.screens import inspect

        monkeypatch.setattr(inspect, "side_by_side", lambda *_args, **_kwargs: None)
    groups = [name for name, (where, _what) in SEEN.items() if where == screen]
    for hide in (groups[0::2], groups[1::2]):
        text = "\n".join(drawn(screen, hide, experiment, run))
        for name in groups:
            what = 'bare\\": false' if name == "curves.controls" else SEEN[name][1]
            assert (what in text) is (name not in hide), name


@pytest.mark.parametrize("screen", sorted({name.partition(".")[0] for name in SECTIONS}))
def test_a_hidden_section_cannot_be_chosen(screen):
    def page(screen, hide):
        import importlib

        from dashboard.session import lesson

        lesson.hide(hide)
        module = importlib.import_module(f"dashboard.screens.{screen}")
        (module._lens if screen == "inspect" else module._section)()

    sections = [name.partition(".")[2] for name in SECTIONS if name.startswith(f"{screen}.")]
    module = importlib.import_module(f"dashboard.screens.{screen}")
    assert sections == list(module.LENSES if screen == "inspect" else module.SECTIONS)
    app = AppTest.from_function(page, kwargs={"screen": screen, "hide": []}).run()
    everything = app.button_group[0].options
    assert len(everything) == len(sections)
    app = AppTest.from_function(page, kwargs={"screen": screen, "hide": [f"{screen}.{sections[0]}"]}).run()
    assert not app.exception
    assert app.button_group[0].options == everything[1:]


def test_a_screen_whose_sections_are_all_hidden_shows_them_all(monkeypatch):
    monkeypatch.setattr(lesson, "hidden", lambda: ("runs.table", "runs.charts", "inspect.weights"))
    monkeypatch.setattr(lesson.view, "is_projector", lambda: False)
    assert lesson.left("runs", ("table", "charts")) == ["table", "charts"]
    assert lesson.left("inspect", ("weights", "embedding")) == ["embedding"]


def opened(**link):
    app = AppTest.from_file(APP, default_timeout=60)
    for name, text in link.items():
        app.query_params[name] = text
    return app.run()


def words(app):
    return " ".join(element.value for element in [*app.text, *app.info])


def test_a_hidden_screen_opens_the_first_one_that_is_shown_and_all_can_be_shown_again(client):
    app = opened(hide="data,train,undo,nonsense,<script>")
    assert not app.exception
    assert app.query_params["hide"] == "data,train,undo"
    assert app.get("bidi_component"), "Build is the first that is shown"
    assert "does not show" not in words(app)
    app.button(key="lesson.show_all").click().run()
    assert not app.exception
    assert "hide" not in app.query_params
    assert [button.key for button in app.button if button.key == "lesson.show_all"] == []
    assert app.button(key="header.undo")


def test_a_lesson_without_any_screen_says_so_instead_of_running_in_circles(client):
    app = opened(hide=",".join(lesson.SCREENS))
    assert not app.exception
    assert "This lesson does not show the screen Train" in words(app)


@pytest.mark.fault(107)
@pytest.mark.parametrize("view", ["<script>alert(1)</script>", "projector\0", "x" * 5000])
def test_a_view_that_is_not_known_is_dropped_from_the_address(view, client):
    app = opened(view=view)
    assert not app.exception
    assert "view" not in app.query_params


def test_the_form_makes_a_link_that_hides_what_is_checked_and_tries_it(client):
    def page():
        from dashboard.session import state
        from dashboard.widgets.lesson import lesson_form

        state.load_link()
        lesson_form()
        state.write_link()

    app = AppTest.from_function(page)
    app.query_params["hide"] = "runs"
    app.run()
    assert not app.exception
    assert [box.key for box in app.checkbox if box.value] == ["lesson.runs"]
    assert len(app.checkbox) == len(lesson.GROUPS)
    app.checkbox(key="lesson.run.speed").check().run()
    link = app.code[0].value
    assert "hide=runs,run.speed" in link
    assert "x=" in link
    app.button(key="lesson.try").click().run()
    assert app.query_params["hide"] == "runs,run.speed"
    app.button(key="lesson.all").click().run()
    assert "hide" not in app.query_params
    assert [box.key for box in app.checkbox if box.value] == ["lesson.runs", "lesson.run.speed"], "to be brought back"


def test_a_lesson_travels_in_words_that_may_be_anything(client):
    def page(text):
        import streamlit as st

        from dashboard.session import lesson

        lesson.take(text)
        st.text(lesson.to_share())

    assert AppTest.from_function(page, kwargs={"text": "undo,,<b>,runs"}).run().text[0].value == "runs,undo"


def test_the_page_about_lessons_lists_every_group_and_no_other():
    rows = re.findall(r"^\| `([a-z.]+)`( ★)? \| (.+) \|$", (ROOT / "docs/lessons.md").read_text(), re.MULTILINE)
    assert [(name, label) for name, _star, label in rows] == [(group.name, group.label) for group in lesson.GROUPS]
    assert {name for name, star, _label in rows if star} == lesson.PROJECTOR_HIDES
