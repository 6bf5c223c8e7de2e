"""docs/faults.md and the marks of the tests say the same."""

from tools.list_faults import DOCUMENT, ROOT, marks, numbers, with_places

TEXT = DOCUMENT.read_text()
MARKS = marks(ROOT / "tests")


def test_every_case_has_a_test():
    assert [number for number in numbers(TEXT) if number not in MARKS] == []
    assert set(range(1, 69)) <= set(numbers(TEXT))


def test_every_mark_has_a_case_and_each_case_one_row():
    assert sorted(set(MARKS) - set(numbers(TEXT))) == []
    assert len(numbers(TEXT)) == len(set(numbers(TEXT)))


def test_the_files_are_those_with_the_marks():
    assert with_places(TEXT, MARKS) == TEXT, "run python tools/list_faults.py"
