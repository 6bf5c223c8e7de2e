"""Own tables and texts: from a preview to a description that a link can carry, and from that to examples."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from core.data.own.keep import kept_upload
from core.data.own.own_file import LINK_CHARACTERS
from core.data.own.reading.tokens import tokens
from core.data.own.table import Column, OwnTable, table_choice
from core.data.own.text import OwnText, text_choice
from core.errors import MissingData, SpecError, TooExpensive
from core.results.codec import load_result, result_bytes
from core.results.upload_preview import UploadPreview
from tests.core.data.own_files import csv_bytes, flowers, npz_bytes, parts, previewed

SENTENCES = ["a very good film", "not a good film at all", "这部电影很好看", "bad, really bad!"]


def reviews(n=60):
    return [("text", "stars", "label")] + [(f'"{SENTENCES[i % 4]} {i}"', i % 5, ("pos", "neg")[i % 2]) for i in range(n)]


def joined(splits, name):
    return np.concatenate([getattr(part, name) for part in parts(splits)])


def test_a_preview_travels_as_a_file(home):
    found = previewed(csv_bytes(flowers()), "t.csv")
    again = load_result(UploadPreview, result_bytes(found))
    for name in UploadPreview.__dataclass_fields__:
        np.testing.assert_equal(getattr(again, name), getattr(found, name))


def test_the_rows_come_back_as_they_were_written(home):
    rows = flowers(90)
    rows[5] = ("", "inf", "green?", "kind1")
    choice = table_choice(previewed(csv_bytes(rows), "t.csv"), "species", "classification", drop_rare=True)
    assert choice.columns == (
        Column(name="length"), Column(name="width"), Column(name="colour", categories=("blue", "green?", "red")),
    )  # fmt: skip
    splits = choice.original(0)
    assert splits.profile == choice.original_profile()
    assert splits.profile.categories == ((), (), ("blue", "green?", "red"))
    colours = {"blue": 0, "green?": 1, "red": 2}
    want = [[float(a or "nan"), float("nan") if b == "inf" else float(b), colours[c], int(d[-1])] for a, b, c, d in rows[1:]]
    got = np.column_stack([joined(splits, "x"), joined(splits, "y")])
    order = np.lexsort(np.nan_to_num(got, nan=-9).T)
    want = np.array(want, np.float32)
    np.testing.assert_array_equal(got[order].astype(np.float32), want[np.lexsort(np.nan_to_num(want, nan=-9).T)])
    assert (splits.train.x.dtype, splits.train.y.dtype) == (np.float32, np.int64)


def test_every_class_is_in_every_split_and_no_row_in_two(home):
    choice = table_choice(previewed(csv_bytes(flowers(90)), "t.csv"), "species", "classification")
    splits = choice.original(0)
    assert [len(part) for part in parts(splits)] == list(choice.sizes)
    assert all(set(part.y.tolist()) == {0, 1, 2} for part in parts(splits))
    rows = [{row.tobytes() for row in part.x} for part in parts(splits)]
    assert len(set.union(*rows)) == sum(map(len, rows))
    assert splits.train.x.tobytes() == choice.original(0).train.x.tobytes() != choice.original(1).train.x.tobytes()


def test_what_is_prepared_has_no_gaps_and_one_input_per_category(home):
    rows = flowers(90)
    rows[5] = ("", "1", "red", "kind1")
    splits = table_choice(previewed(csv_bytes(rows), "t.csv"), "species", "classification").splits(0)
    assert splits.profile.input_shape == (4,)
    assert np.isfinite(splits.model_input(splits.train.x)).all()


def test_a_number_is_predicted_and_rows_without_it_are_left_out(home):
    rows = flowers(90)
    for place, cell in enumerate(["", "1e999", "nan"]):
        rows[place + 1] = (cell, *rows[place + 1][1:])
    choice = table_choice(previewed(csv_bytes(rows), "t.csv"), "length", "regression")
    splits = choice.original(0)
    assert (choice.n_examples, choice.class_names, splits.profile.target_name) == (87, (), "length")
    want = sorted(np.float32(row[0]) for row in rows[4:])
    assert sorted(joined(splits, "y").tolist()) == [float(value) for value in want]
    means = [part.y.mean() for part in parts(splits)]
    assert max(means) - min(means) < 0.3 * np.std(want)


def test_numbers_are_classes_in_their_order_however_they_are_written(home):
    rows = [("x", "y")] + [(i, ("2", "10", "1.0", "1")[i % 4]) for i in range(40)]
    choice = table_choice(previewed(csv_bytes(rows), "t.csv"), "y", "classification", ("x",))
    assert choice.class_names == ("1", "2", "10")
    splits = choice.original(0)
    by_x = dict(zip(joined(splits, "x")[:, 0].tolist(), joined(splits, "y").tolist(), strict=True))
    assert [by_x[i] for i in range(4)] == [1, 2, 0, 0]


def test_repeated_rows_can_be_left_out(home):
    data = csv_bytes([*flowers(), *flowers()[1:21]])
    found = previewed(data, "t.csv")
    both = [table_choice(found, "species", "classification", drop_duplicates=drop) for drop in (False, True)]
    assert [choice.n_examples for choice in both] == [80, 60]
    assert [len(joined(choice.original(0), "y")) for choice in both] == [80, 60]


def test_classes_of_one_row_are_refused_or_left_out(home):
    found = previewed(csv_bytes([*flowers(), ("1", "2", "red", "rare")]), "t.csv")
    with pytest.raises(SpecError, match='1 of 4 classes have one example only: "rare"') as caught:
        table_choice(found, "species", "classification")
    assert "leave these classes out" in caught.value.hint
    choice = table_choice(found, "species", "classification", drop_rare=True)
    assert (choice.class_names, choice.n_examples) == (("kind0", "kind1", "kind2"), 60)
    assert len(joined(choice.original(0), "y")) == 60


def with_column(cell):
    return [(*row, cell(i)) for i, row in enumerate(flowers())]


@pytest.mark.parametrize(
    ("rows", "target", "task", "columns", "message", "hint"),
    [
        (flowers(), "specis", "classification", (), 'no column "specis"', "'species'"),
        (with_column(lambda i: "z" if i else "same"), "same", "classification", (), '"z" in every row', "another target"),
        (with_column(lambda i: "" if i else "empty"), "empty", "regression", (), "nothing in every row", "another target"),
        (flowers(), "species", "regression", (), "has no numbers", "Predict its class"),
        (flowers(), "species", "classification", ("species",), "cannot predict itself", "others"),
        (
            with_column(lambda i: f"A{i}x" if i else "code"),
            "species",
            "classification",
            ("code",),
            "its kind is id",
            "'colour'",
        ),
        (flowers(), "species", "classification", ("lenght",), "its kind is unknown", "'length'"),
        (
            with_column(lambda i: f"A{i}x" if i else "code"),
            "code",
            "classification",
            (),
            "have one example only",
            "another target",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused_with_what_to_choose(home, rows, target, task, columns, message, hint):
    with pytest.raises(SpecError) as caught:
        table_choice(previewed(csv_bytes(rows), "t.csv"), target, task, columns)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_more_than_a_thousand_classes_are_refused(home):
    rows = [("x", "y")] + [(i, f"c{i // 2}x") for i in range(2400)]
    with pytest.raises(SpecError, match="more than 1,000 different values") as caught:
        table_choice(previewed(csv_bytes(rows), "t.csv"), "y", "classification")
    assert "another target" in caught.value.hint


def test_names_that_fit_no_link_are_refused_with_their_length(home):
    rng = np.random.default_rng(0)
    names = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 50)) for _ in range(300)]
    rows = [(*names, "y")] + [(*rng.integers(0, 99, 300).tolist(), i % 2) for i in range(20)]
    with pytest.raises(TooExpensive, match=f"{LINK_CHARACTERS:,} and 49,152 are possible") as caught:
        table_choice(previewed(csv_bytes(rows), "t.csv"), "y", "classification")
    assert "Leave out columns" in caught.value.hint


def test_five_hundred_numbered_columns_fit_a_link(home):
    rng = np.random.default_rng(0)
    rows = [(*(f"pixel {i}" for i in range(499)), "label")] + [(*rng.integers(0, 99, 499).tolist(), i % 10) for i in range(40)]
    choice = table_choice(previewed(csv_bytes(rows), "t.csv"), "label", "classification")
    assert OwnTable.model_validate_json(choice.model_dump_json()) == choice


def test_more_numbers_than_the_limit_are_refused_with_both(home, monkeypatch):
    rows = [("x", "c", "y")] + [(i, f"n{i % 60}", i % 2) for i in range(20_000)]
    found = previewed(csv_bytes(rows), "t.csv")
    monkeypatch.setenv("LAYERWISE_UPLOAD_VALUES_M", "1")
    with pytest.raises(TooExpensive, match="20,000 examples of 60 numbers are 1 million numbers, the limit is 1 million"):
        table_choice(found, "y", "classification")


def test_a_file_that_is_not_here_is_asked_for_and_then_recognised(home):
    data = csv_bytes(flowers())
    choice = table_choice(previewed(data, "iris.csv"), "species", "classification")
    before = choice.original(0).train.x.tobytes()
    path = home / "uploads" / choice.file
    path.unlink()
    assert choice.original(0).train.x.tobytes() == before  # its arrays are still kept
    other = choice.but(drop_duplicates=True)
    with pytest.raises(MissingData, match=r'"iris.csv" is not on this server') as caught:
        other.original(0)
    assert "Data screen" in caught.value.hint
    previewed(data, "renamed.csv")
    assert other.original(0).train.x.tobytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_examples": 59}, "it has 60 examples, not 59"),
        ({"n_examples": 61}, "it has 60 examples, not 61"),
        ({"class_names": ("kind0", "kind1", "kind2", "kind3")}, 'no example of "kind3"'),
        ({"class_names": ("kind0", "kind1")}, "it has 40 examples, not 60"),
        ({"target": "breed"}, 'no column "breed"'),
        ({"columns": (Column(name="size"),)}, 'no column "size"'),
    ],
)
def test_a_link_that_lies_about_the_file_is_refused(home, changes, message):
    choice = table_choice(previewed(csv_bytes(flowers()), "t.csv"), "species", "classification").but(**changes)
    with pytest.raises(SpecError) as caught:
        choice.original(0)
    assert message in caught.value.message
    assert "Data screen" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "../../etc/passwd"},
        {"name": "a\u202eb"},
        {"name": "x" * 61},
        {"class_names": ["a"]},
        {"class_names": ["a", "a"]},
        {"class_names": ["a", "<b>\n"]},
        {"class_names": [f"c{i}" for i in range(1001)]},
        {"task": "regression"},
        {"n_examples": 9},
        {"n_examples": 10**9},
        {"columns": []},
        {"columns": [{"name": "species"}]},
        {"columns": [{"name": "x"}, {"name": "x"}]},
        {"stranger": 1},
    ],
)
def test_a_description_from_a_stranger_is_checked(home, changes):
    choice = table_choice(previewed(csv_bytes(flowers()), "t.csv"), "species", "classification")
    given = json.loads(choice.model_dump_json())
    assert OwnTable.model_validate_json(json.dumps(given)) == choice
    with pytest.raises(ValidationError):
        OwnTable.model_validate_json(json.dumps(given | changes))


def test_a_table_of_arrays_is_a_table(home):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    x[0, 0], x[1, 1] = np.nan, np.inf
    y = rng.permutation(np.arange(50) % 2)
    data = npz_bytes(X=x, Y=y, feature_names=np.array(["a", "b", "c"]), target_names=np.array(["no", "yes"]))
    found = previewed(data, "t.npz")
    assert (found.columns, found.suggested_target) == (("a", "b", "c", "y"), "y")
    assert found.n_missing.tolist() == [1, 1, 0, 0]
    choice = table_choice(found, "y", "classification")
    splits = choice.original(0)
    assert choice.class_names == ("no", "yes")
    x[1, 1] = np.nan
    got = np.column_stack([joined(splits, "x"), joined(splits, "y")])
    want = np.column_stack([x, y]).astype(np.float32)
    np.testing.assert_array_equal(got[np.argsort(got[:, 2])], want[np.argsort(want[:, 2])])


def test_arrays_give_a_number_to_predict(home):
    rng = np.random.default_rng(0)
    found = previewed(npz_bytes(x=rng.normal(size=(50, 3)).astype(np.float32), y=rng.normal(size=50)), "t.npz")
    assert (found.suggested_target, found.suggested_task) == ("y", "regression")
    assert len(joined(table_choice(found, "y", "regression").original(0), "y")) == 50


def test_texts_become_tokens_that_were_learned_from_the_training_split(home):
    found = previewed(csv_bytes(reviews()), "t.csv")
    assert found.suggested_text == "text"
    choice = text_choice(found, "text", "label").but(max_length=6, max_vocabulary=15)
    splits = choice.original(0)
    assert splits.profile.input_shape == (6,)
    assert splits.profile.n_tokens == 15 == len(splits.vocabulary)
    assert splits.train.x.dtype == np.int64
    texts = [tokens(f"{SENTENCES[i % 4]} {i}", "word")[:6] for i in range(60)]
    train = [[splits.vocabulary[token] for token in row if token] for row in splits.train.x]
    known = set(splits.vocabulary[2:])
    shown = [[token if token in known else "<unknown>" for token in text] for text in texts]
    assert all(row in shown for row in train)
    counts = {token: sum(text.count(token) for text in train) for token in known}
    assert min(counts.values()) >= 1
    assert [counts[token] for token in splits.vocabulary[2:]] == sorted(counts.values(), reverse=True)
    assert all((np.diff((row > 0).astype(int)) >= 0).all() for row in splits.train.x)  # padding on the left


def test_text_is_cut_into_words_or_characters():
    assert tokens("It's NOT good, 很好!", "word") == ["it's", "not", "good", ",", "很", "好", "!"]
    assert tokens("A  b\n", "character") == ["a", " ", "b"]
    assert tokens("", "word") == []


def test_an_empty_text_is_one_unknown_token(home):
    rows = reviews()
    rows[1] = ("", "1", "pos")
    splits = text_choice(previewed(csv_bytes(rows), "t.csv"), "text", "label").original(0)
    assert (joined(splits, "x") > 0).any(axis=1).all()
    assert (joined(splits, "x").sum(axis=1) == 1).sum() == 1


def test_a_number_is_predicted_from_texts(home):
    splits = text_choice(previewed(csv_bytes(reviews()), "t.csv"), "text", "stars", "regression").original(0)
    assert sorted(set(joined(splits, "y").tolist())) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("column", "target", "message"), [("txt", "label", 'no column of texts "txt"'), ("text", "text", "cannot predict itself")]
)
def test_a_wrong_column_of_texts_is_refused(home, column, target, message):
    with pytest.raises(SpecError, match=message):
        text_choice(previewed(csv_bytes(reviews()), "t.csv"), column, target)


def test_a_text_choice_is_checked_like_any_link(home):
    choice = text_choice(previewed(csv_bytes(reviews()), "t.csv"), "text", "label")
    assert OwnText.model_validate_json(choice.model_dump_json()) == choice
    with pytest.raises(SpecError):
        choice.but(target="text")
    with pytest.raises(SpecError, match='no column "words"'):
        choice.but(text_column="words").original(0)


def test_only_the_newest_imports_stay_on_the_disk(home):
    choice = text_choice(previewed(csv_bytes(reviews()), "t.csv"), "text", "label")
    for length in range(10, 30):
        choice.but(max_length=length).original(0)
    assert len(list((home / "datasets" / "own").glob("*/*"))) == 12


def test_the_kept_file_is_the_one_that_was_sent(home):
    from core.settings import Settings

    found = previewed(csv_bytes(reviews()), "t.csv")
    assert kept_upload(found.file, Settings(home=home)) == csv_bytes(reviews())
