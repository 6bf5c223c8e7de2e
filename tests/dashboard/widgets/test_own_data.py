"""Own data on the page: sent, refused or previewed, and made a data set of."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.own.images import OwnImages
from core.data.own.table import OwnTable
from core.data.own.text import OwnText
from core.settings import Settings
from dashboard.session import resources
from tests.core.data.own_files import csv_bytes, flowers, image_folder, noise, npz_bytes, picture_bytes, zip_bytes
from tests.dashboard.apptest_helpers import component_data
from tests.dashboard.inline_client import InlineClient


def page():
    import streamlit as st

    from dashboard.widgets.own_data import own_data

    def use(choice):
        st.session_state["used"] = choice

    own_data(use)


@pytest.fixture
def app(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return AppTest.from_function(page, default_timeout=60).run()


def texts(app):
    return " ".join(element.value for element in app.text)


def sent(app, data, name):
    app.file_uploader(key="data.own.file").set_value((name, data, "application/octet-stream")).run()
    assert not app.exception
    return app


def widget(kind, name):
    """The widget whose key ends so: keys hold the start of a digest."""
    return next(each for each in kind if each.key.endswith(name))


def used(app):
    widget(app.button, ".use").click().run()
    assert not app.exception
    return app.session_state["used"]


def test_a_table_is_sent_looked_at_and_used(app):
    sent(app, csv_bytes(flowers(90)), "flowers.csv")
    assert "flowers.csv, " in texts(app)
    assert "90 rows, 4 columns; utf-8, comma between cells" in texts(app)
    assert widget(app.selectbox, ".target").value == "species"
    assert "90 examples of 3 inputs, 3 classes to predict" in texts(app)
    choice = used(app)
    assert isinstance(choice, OwnTable)
    assert [column.name for column in choice.columns] == ["length", "width", "colour"]
    assert choice.splits(0).profile.n_classes == 3


def test_target_task_and_columns_are_chosen(app):
    sent(app, csv_bytes(flowers(90)), "flowers.csv")
    widget(app.selectbox, ".target").set_value("length").run()
    assert widget(app.selectbox, ".task.length").value == "regression"
    widget(app.multiselect, ".left_out.length").set_value(["colour"]).run()
    assert "90 examples of 2 inputs, one number to predict" in texts(app)
    choice = used(app)
    assert (choice.target, choice.task, [column.name for column in choice.columns]) == (
        "length",
        "regression",
        ["width", "species"],
    )


def test_repeated_rows_and_rare_classes_are_asked_for(app):
    sent(app, csv_bytes([*flowers(90), *flowers(90)[1:6], ("1", "2", "red", "rare")]), "flowers.csv")
    assert "5 of 96 rows equal an earlier one" in texts(app)
    assert '1 of 4 classes have one example only: "rare".' in texts(app)
    assert not any(button.key.endswith(".use") for button in app.button)
    widget(app.checkbox, ".drop_rare").check().run()
    widget(app.checkbox, ".drop_duplicates").check().run()
    choice = used(app)
    assert (choice.n_examples, choice.drop_duplicates, choice.class_names) == (90, True, ("kind0", "kind1", "kind2"))


def test_a_column_of_texts_is_offered_with_its_tokens(app):
    rows = [("review", "stars", "label")]
    rows += [(f"what a {('good', 'bad')[i % 2]} film number {i}", i % 5, ("pos", "neg")[i % 2]) for i in range(60)]
    sent(app, csv_bytes(rows), "reviews.csv")
    assert widget(app.selectbox, ".inputs").value == "review"
    widget(app.selectbox, ".tokens").set_value("character").run()
    widget(app.number_input, ".max_length").set_value(20).run()
    choice = used(app)
    assert isinstance(choice, OwnText)
    assert (choice.text_column, choice.target, choice.tokens, choice.max_length) == ("review", "label", "character", 20)
    assert choice.splits(0).train.x.shape[1:] == (20,)


def test_images_are_sent_as_an_archive_shown_and_used(app):
    sent(app, zip_bytes(image_folder(10)), "pets.zip")
    assert "20 images of 2 classes" in texts(app)
    picker = next(each for each in app.get("bidi_component") if each.proto.id.endswith(".pictures"))
    shown = component_data(app, picker.proto.id.rpartition("-")[2])
    assert len(shown["pictures"]) == 20
    assert set(shown["names"]) == {"cats", "dogs"}
    assert widget(app.number_input, ".height").value == 20
    widget(app.number_input, ".height").set_value(12).run()
    widget(app.selectbox, ".channels").set_value(1).run()
    choice = used(app)
    assert isinstance(choice, OwnImages)
    assert choice.splits(0).train.x.shape[1:] == (1, 12, 20)


def test_a_folder_is_sent_file_by_file(app):
    files = [(f"my pets/{path}", content, "image/png") for path, content in image_folder(10).items()]
    app.file_uploader(key="data.own.folder").set_value(files).run()
    assert not app.exception
    assert "my pets.zip, " in texts(app)
    assert used(app).class_names == ("cats", "dogs")


def test_arrays_are_sent(app):
    rng = np.random.default_rng(0)
    sent(app, npz_bytes(x=rng.normal(size=(40, 3)), y=np.arange(40) % 2), "arrays.npz")
    assert used(app).class_names == ("0", "1")


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.csv", "is empty"),
        (b"a,b\n1,\x00\n", "a.csv", "no text has"),
        (b",".join([b"x"] * 30_000), "a.csv", "more than 500 columns"),
        (zip_bytes({"../../x.png": b"x"}), "a.zip", "leads out of the archive"),
        (picture_bytes(noise(0)), "photo.png", "is one picture"),
        (csv_bytes(flowers(3)), "a.csv", "has 3 examples, at least 10"),
    ],
)
def test_what_cannot_be_used_is_said_in_place(app, data, name, words):
    sent(app, data, name)
    assert words in texts(app)
    assert not any(button.key.endswith(".use") for button in app.button)


def test_a_refused_file_puts_the_one_before_away_and_the_next_mends_it(app):
    sent(app, csv_bytes(flowers()), "flowers.csv")
    sent(app, b"", "empty.csv")
    assert "is empty" in texts(app)
    assert "60 rows" not in texts(app)
    sent(app, csv_bytes(flowers()), "flowers.csv")
    assert "is empty" not in texts(app)
    app.button(key="data.own.forget").click().run()
    assert "60 rows" not in texts(app)


@pytest.mark.fault(117)
def test_names_of_strangers_are_shown_as_text(app):
    evil = "<img src=x onerror=alert(1)>"
    rows = [(evil, "**b**", "$x$"), *[(i * 0.5, i * 0.25, f"[k{i % 2}](javascript:x)") for i in range(40)]]
    sent(app, csv_bytes(rows), "![x](http:evil).csv")
    assert "![x](http:evil).csv" in texts(app)
    shown = [element.value for element in [*app.markdown, *app.caption, *app.info]]
    assert not any("onerror" in value or "javascript" in value or "http" in value for value in shown)
    assert used(app).class_names == ("[k0](javascript:x)", "[k1](javascript:x)")
