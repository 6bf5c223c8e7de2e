"""Names of strangers: safe to show, distinct, and the same when cleaned twice."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.own.reading.names import MAX_NAME, clean_name, distinct_names, file_name, listed


@given(st.text(max_size=200))
def test_a_clean_name_is_short_visible_and_stays_as_it_is(text):
    name = clean_name(text)
    assert len(name) <= MAX_NAME
    assert clean_name(name) == name
    assert all(unicodedata.category(sign)[0] != "C" or sign in "\u200c\u200d" for sign in name)
    name.encode()


@pytest.mark.fault(30)
def test_what_turns_the_writing_direction_is_shown_as_its_code():
    assert clean_name("evil\u202egnp.exe") == "evil\\u202egnp.exe"
    assert clean_name("a\x00b\x1b[31m\u2028c") == "a b [31m c"


def test_long_names_stay_different():
    assert clean_name("x" * 300 + "a") != clean_name("x" * 300 + "b")


@given(st.lists(st.sampled_from(["a", "a ", "b", "", "a (2)", "x" * 99]), max_size=30))
def test_columns_get_distinct_names_in_their_order(names):
    found = distinct_names(names)
    assert len(found) == len(set(found)) == len(names)
    assert all(clean_name(name) == name != "" for name in found)


def test_thirty_thousand_equal_names_cost_no_square():
    assert len(distinct_names(["x"] * 30_000)) == 30_000


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\data\\..\\iris.csv", "iris.csv"),
        ("../../etc/passwd", "passwd"),
        ("数据.csv", "数据.csv"),
        ("a\u202evsc.csv", "a\\u202evsc.csv"),
    ],
)
def test_a_file_is_called_by_the_last_part_of_its_path(path, name):
    assert file_name(path) == name


def test_a_long_file_name_keeps_its_ending():
    assert file_name("n" * 300 + ".csv").endswith(".csv")
    assert len(file_name("n" * 300 + ".csv")) <= MAX_NAME


def test_a_list_of_names_is_cut():
    assert listed(["a", "b", "c"], 2) == '"a", "b" and 1 more'
