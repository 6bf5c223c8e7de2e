"""CSV files as people save them: encodings, separators, decimals, headers; and what is wrong in them, in words."""

import tracemalloc

import numpy as np
import pytest

from core.data.own.keep import MIB
from core.data.own.reading.csv_text import dialect_of, number, rows_of
from core.errors import SpecError, TooExpensive
from core.settings import Settings
from tests.core.data.own_files import csv_bytes, flowers, kept, previewed, problem

SETTINGS = Settings()
PLAIN = [("height", "city", "kind"), ("1.5", "Köln", "a"), ("2.25", "Bern", "b"), ("3.125", "Bern", "a")]


def read(data):
    dialect = dialect_of(data, "t.csv", SETTINGS)
    return dialect, list(rows_of(data, dialect, "t.csv"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_however_it_is_written(encoding, separator, end):
    data = end.join(separator.join(row) for row in PLAIN).encode(encoding)
    dialect, rows = read(data)
    assert (dialect.encoding, dialect.separator, dialect.decimal) == (encoding, separator, ".")
    assert dialect.names == PLAIN[0]
    assert rows == [list(row) for row in PLAIN[1:]]


def test_quoted_cells_may_hold_separators_and_line_breaks():
    data = b'text,kind\n"a, ""b""\nc",x\n"d",y\n'
    assert read(data)[1] == [['a, "b"\nc', "x"], ["d", "y"]]


def test_a_decimal_comma_is_found_and_read():
    data = csv_bytes([("a", "b"), ("1,5", "x"), ("-0,25", "y"), ("1.234,5", "x"), ("3", "y")], ";")
    dialect, rows = read(data)
    assert dialect.decimal == ","
    assert [number(row[0], ",") for row in rows] == [1.5, -0.25, 1234.5, 3.0]


def test_english_thousands_are_no_decimals():
    dialect, rows = read(b'a,b\n"1,234",x\n"12,345,678.5",y\n')
    assert dialect.decimal == "."
    assert [number(row[0], ".") for row in rows] == [1234.0, 12345678.5]


@pytest.mark.parametrize(
    ("cell", "value"), [("1e999", np.inf), ("-inf", -np.inf), (" 7 ", 7.0), ("1_000", None), ("١", None), ("x", None)]
)
def test_a_cell_is_a_number_or_not(cell, value):
    assert number(cell, ".") == value


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([("5.1", "3.5", "setosa"), ("4.9", "3.0", "setosa"), ("6.1", "3.0", "other")], ("column 1", "column 2", "column 3")),
        ([("good film", "pos"), ("bad film", "neg"), ("fine film", "pos")], ("column 1", "column 2")),
        ([("text", "label"), ("bad film", "neg"), ("fine film", "pos")], ("text", "label")),
        (
            [("", "0", "1", "2", "3"), ("0", "4.5", "1", "1", "2"), ("1", "4.5", "1", "1", "2")],
            ("column 1", "0", "1", "2", "3"),
        ),
        ([("a", "a", ""), ("1", "2", "3"), ("4", "5", "6")], ("a", "a (2)", "column 3")),
    ],
)
def test_the_first_line_names_the_columns_or_is_an_example(rows, names):
    assert read(csv_bytes(rows))[0].names == names


@pytest.mark.fault(42)
def test_a_million_columns_are_refused_after_64_kilobytes(home):
    data = b",".join(b"column%d" % i for i in range(1_000_000)) + b"\n" + b"1," * 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(TooExpensive, match=r"more than 500 columns \(at least [\d,]+ in its first line\)") as caught:
            kept(data, "wide.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "LAYERWISE_MAX_COLUMNS" in caught.value.hint
    assert peak < 4 * MIB


@pytest.mark.fault(43)
def test_thirty_thousand_equal_names_are_refused_without_a_square(home):
    data = b",".join([b"x"] * 30_000) + b"\n"
    tracemalloc.start()
    try:
        with pytest.raises(TooExpensive, match="at least 30,000"):
            kept(data, "wide.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MIB


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"a,b\n1,\x00\n", "no text has", "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16", "UTF-8"),
        (bytes(range(256)) * 20, "binary", "UTF-8"),
        (b"\xff\xfea\x00,\x00b\x00\n\x00\x00\xd8", "marked as UTF-16", "UTF-8"),
        (b"\xef\xbb\xbfa,b\n\xff,1\n", "marked as UTF-8", "UTF-8"),
        (b"\n\n\n", "has no rows", "first line"),
        (b"a\n1\n2\n", "one column only", "comma or semicolon"),
        (b"a" * 70_000 + b",b\n1,2\n", "first line", "short words"),
        (b'"a\nb",' + b"c," * 600 + b"d\n1,2\n", "more than 500 columns", "LAYERWISE_MAX_COLUMNS"),
    ],
)
def test_a_text_that_is_no_table_is_refused_in_words(home, data, message, hint):
    with pytest.raises(SpecError) as caught:
        kept(data, "t.csv")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_quotation_mark_that_is_never_closed_is_found_by_its_line(home):
    rows = b"".join(b"%d,ok,%s\n" % (i, b"ab"[i % 2 : i % 2 + 1]) for i in range(50))
    data = b"n,text,kind\n" + rows + b'50,"never closed' + b"x" * 200_000
    with pytest.raises(SpecError, match=r"cannot be read beyond line \d+: field larger") as caught:
        previewed(data, "t.csv")
    assert "quotation mark" in caught.value.hint


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("größe,stück,straße\n", "cp1252", "Western European (Windows-1252)"),
        ("评论文字,类别\n这部电影很好看,正面\n非常无聊，浪费时间,负面\n", "gb18030", "Chinese (GB 18030)"),
    ],
)
def test_text_that_is_not_utf8_is_read_and_the_guess_is_said(home, text, encoding, words):
    n_columns = text.split("\n")[0].count(",") + 1
    data = text.encode(encoding) + b"".join(
        b"%d,%s\n" % (i, b",".join([b"ab"[i % 2 : i % 2 + 1]] * (n_columns - 1))) for i in range(20)
    )
    found = previewed(data, "t.csv")
    assert problem(found, "not UTF-8", "warning")[1] == f"This file is not UTF-8. It was read as {words}."
    assert found.columns == tuple(text.split("\n")[0].split(","))


def test_real_latin_1_sentences_are_not_taken_for_chinese():
    sentences = b"".join(b"a caf\xe9 \xe0 la carte %d,pos\nna\xefve fa\xe7ade,neg\n" % i for i in range(50))
    assert dialect_of(b"text,label\n" + sentences, "t.csv", SETTINGS).encoding == "cp1252"


@pytest.mark.fault(45)
def test_missing_infinite_and_strange_values_are_counted_and_named(home):
    rows = flowers(200)
    for place, cell in enumerate(["", "NA", "?", "null", "1e999", "-inf", "oops"]):
        rows[place + 1] = (cell, *rows[place + 1][1:])
    found = previewed(csv_bytes(rows), "t.csv")
    assert found.column_kinds == ("number", "number", "category", "category")
    assert found.n_missing.tolist() == [6, 0, 0, 0]
    assert problem(found, "6 values are missing", "warning")[1].endswith('in 1 of 4 columns: "length" (6).')
    assert "Preparation" in problem(found, "6 values are missing")[2]
    assert problem(found, "2 numbers are infinite", "warning")[2].startswith("They count as missing")
    assert '"oops"' in problem(found, "values that are no numbers", "warning")[1]


def test_constant_columns_row_numbers_and_texts_are_told_apart(home):
    rng = np.random.default_rng(0)
    rows = [("id", "same", "value", "review", "code", "label")]
    for i in range(100):
        words = " ".join(rng.choice(["good", "bad", "film", "plot", "hero"], 6))
        rows.append((i + 1, "x", f"{rng.normal():.3f}", f"{words} {i}", f"A{i}", "pos" if i % 2 else "neg"))
    found = previewed(csv_bytes(rows), "t.csv")
    assert found.column_kinds == ("id", "constant", "number", "text", "id", "category")
    assert (found.suggested_target, found.suggested_task, found.suggested_text) == ("label", "classification", "review")
    assert '"same" is the same in every row' in problem(found, "same in every row", "warning")[1]
    assert '"id", "code" are different' in problem(found, "different in almost every row", "info")[1]


@pytest.mark.fault(46)
def test_a_target_of_a_single_class_is_said(home):
    rows = [(*row[:-1], "species" if i == 0 else "setosa") for i, row in enumerate(flowers())]
    found = previewed(csv_bytes(rows), "t.csv")
    assert "two classes" in problem(found, '"species" is the same in every row', "warning")[2]


def test_a_table_without_anything_to_predict_is_said(home):
    rows = [("a", "b")] + [(f"row{i}", "x") for i in range(30)]
    found = previewed(csv_bytes(rows), "t.csv")
    assert "Add a column" in problem(found, "no column that could be predicted", "error")[2]


def test_classes_of_one_row_are_named(home):
    rows = [*flowers(), ("1", "2", "red", "rare"), ("1", "2", "red", "Kind0")]
    found = previewed(csv_bytes(rows), "t.csv")
    assert (
        '2 of 5 classes of "species" have one example only: "Kind0", "rare".'
        in problem(found, "one example only", "warning")[1]
    )
    assert '"Kind0" and "kind0"' in problem(found, "differ in capitals", "warning")[1]


def test_repeated_rows_and_uneven_rows_are_counted(home):
    rows = [*flowers(), *flowers()[1:6], ("1", "2"), ("1", "2", "red", "kind0", "more")]
    found = previewed(csv_bytes(rows), "t.csv")
    assert (found.n_examples, found.n_distinct) == (67, 62)
    assert problem(found, "equal an earlier one", "warning")[1].startswith("5 of 67 rows")
    assert problem(found, "fewer cells", "warning")[1].startswith(
        "1 of 67 rows have fewer cells than the first line, 1 have more"
    )


@pytest.mark.fault(46)
@pytest.mark.parametrize("n", [1, 9])
def test_too_few_rows_are_refused_with_their_number(home, n):
    with pytest.raises(SpecError, match=f"has {n} examples, at least 10") as caught:
        previewed(csv_bytes(flowers(n)), "t.csv")
    assert "Add examples" in caught.value.hint


def test_too_many_rows_are_refused_with_the_limit(home):
    with pytest.raises(TooExpensive, match="more than 40 rows") as caught:
        previewed(csv_bytes(flowers(60)), "t.csv", upload_rows=40)
    assert "LAYERWISE_UPLOAD_ROWS" in caught.value.hint


def test_the_preview_shows_rows_as_they_are_written_and_safe(home):
    rows = flowers()
    rows[1] = ("<img src=x onerror=alert(1)>" + "y" * 500, "\u202e1", "red", "kind0")
    found = previewed(csv_bytes(rows), "t.csv")
    assert len(found.rows) == 20
    assert found.rows[0][0].startswith("<img src=x")
    assert len(found.rows[0][0]) == 201
    assert found.rows[0][1] == "\\u202e1"
    assert found.rows[1] == rows[2]


def test_a_large_table_is_looked_through_in_pieces(home):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 10, (20_000, 12))
    data = b"a,b,c,d,e,f,g,h,i,j,k,label\n" + "\n".join(",".join(map(str, row)) for row in values.tolist()).encode()
    upload, settings = kept(data, "t.csv")
    del values
    from core.data.own.preview import preview

    tracemalloc.start()
    try:
        found = preview(upload.digest, upload.name, settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.n_examples == 20_000
    assert peak < 16 * MIB
