"""Every rule about data: one case that it finds and one that it does not, and a fix that mends what it found."""

from dataclasses import replace

import numpy as np
import pytest

from core.data.dataset import DataProfile
from core.data.lint import DATA_RULES, data_findings, report_findings
from core.data.preparation import Preparation
from core.data.report_lint import REPORT_RULES
from core.data.wording import listed, quoted
from core.results.data_report import DataReport

TABLE = DataProfile("tabular", (4,), ("a", "b"), 100, 30, 30, ("v", "w", "x", "y"))
PRICES = replace(TABLE, class_names=(), task="regression", target_name="price")
COLOURED = replace(TABLE, categories=((), ("red", "green", "blue"), ("no", "yes"), ()))
PICTURES = DataProfile("image", (3, 16, 16), ("cat", "dog"), 100, 30, 30)
WORDS = DataProfile("sequence", (9,), ("a", "b"), 100, 30, 30, n_tokens=50)
POINTS = DataProfile("points", (2,), ("a", "b"), 100, 30, 30, ("x1", "x2"))
UNIT, STANDARD = Preparation(scaling="unit"), Preparation(scaling="standardise")

DATA_CASES = {
    "pca-too-large": [
        (True, TABLE, STANDARD.but(pca=5)),
        (False, TABLE, STANDARD.but(pca=4)),
        (False, COLOURED, STANDARD.but(pca=7)),
        (True, COLOURED, STANDARD.but(pca=5, one_hot=False)),
        (True, replace(PICTURES, n_train=20), UNIT.but(pca=21)),
        (False, WORDS, Preparation(pca=50)),
    ],
    "pca-unscaled": [
        (True, TABLE, Preparation(pca=2)),
        (False, TABLE, STANDARD.but(pca=2)),
        (False, PICTURES, Preparation(pca=2)),
        (False, POINTS, Preparation(pca=2)),
    ],
    "unscaled-columns": [(True, TABLE, Preparation()), (False, TABLE, STANDARD), (False, POINTS, Preparation())],
    "unscaled-pixels": [(True, PICTURES, Preparation()), (False, PICTURES, UNIT), (False, TABLE, Preparation())],
    "unscaled-target": [
        (True, PRICES, Preparation(scale_target=False)),
        (False, PRICES, Preparation()),
        (False, TABLE, Preparation(scale_target=False)),
        (False, replace(PRICES, modality="points"), Preparation(scale_target=False)),
    ],
    "categories-as-numbers": [
        (True, COLOURED, STANDARD.but(one_hot=False)),
        (False, COLOURED, STANDARD),
        (False, replace(COLOURED, categories=((), (), ("no", "yes"), ())), STANDARD.but(one_hot=False)),
    ],
    "more-inputs-than-examples": [
        (True, replace(COLOURED, n_train=6), STANDARD),
        (False, replace(COLOURED, n_train=7), STANDARD),
        (False, replace(COLOURED, n_train=6), STANDARD.but(pca=3)),
        (False, replace(PICTURES, n_train=9), UNIT),
    ],
    "label-noise": [
        (True, TABLE, STANDARD.but(label_noise=0.1)),
        (False, TABLE, STANDARD),
        (False, PRICES, STANDARD.but(label_noise=0.1)),
    ],
    "preparation-without-effect": [
        (True, WORDS, Preparation(pca=2)),
        (True, WORDS, UNIT),
        (True, PRICES, STANDARD.but(label_noise=0.1)),
        (False, WORDS, Preparation(label_noise=0.1)),
        (False, TABLE, STANDARD.but(pca=2, label_noise=0.1)),
    ],
    "empty-split": [
        (True, replace(TABLE, n_validation=0), STANDARD),
        (True, replace(TABLE, n_train=0), STANDARD),
        (False, replace(TABLE, n_test=0), STANDARD),
    ],
    "small-split": [
        (True, replace(TABLE, n_validation=3), STANDARD),
        (False, replace(TABLE, n_validation=4), STANDARD),
        (True, replace(PRICES, n_test=9), STANDARD),
        (False, replace(PRICES, n_test=10), STANDARD),
        (False, replace(PRICES, n_test=0), STANDARD),
    ],
}


def report(**changes):
    """A report on 100 + 30 + 30 examples in which there is nothing to find."""
    rows = np.array([[0.0, 1.0, -3.0, 0.0, 3.0, 0.0], [5.0, 2.0, 1.0, 5.0, 9.0, 0.0]])
    clean = DataReport(
        class_names=("cat", "dog", "emu"),
        feature_names=("size", "price"),
        split_sizes=np.array([100, 30, 30]),
        class_counts=np.array([[40, 30, 30], [10, 10, 10], [10, 10, 10]]),
        statistics=rows,
        correlation=np.array([[1.0, 0.5], [0.5, 1.0]]),
    )
    return replace(clean, **changes)


def rows(column=0, **changes):
    """The statistics of the clean report with some of one column changed."""
    names = ("mean", "deviation", "least", "median", "largest", "missing")
    table = report().statistics.copy()
    for name, value in changes.items():
        table[column, names.index(name)] = value
    return table


def counts(*train):
    return np.array([train, [10, 10, 10], [10, 10, 10]])


LIKE_EACH_OTHER = np.array([[1.0, -0.99], [-0.99, 1.0]])
REPORT_CASES = {
    "single-class": [
        ({"class_counts": np.array([[100, 0, 0], [30, 0, 0], [30, 0, 0]])}, ["“cat”"]),
        ({"class_counts": np.array([[100, 0, 0], [29, 1, 0], [30, 0, 0]])}, None),
    ],
    "missing-class": [
        ({"class_counts": np.array([[50, 50, 0], [10, 10, 10], [10, 10, 10]])}, ["training split", "“emu”"]),
        ({"class_counts": np.array([[50, 50, 0], [15, 15, 0], [15, 15, 0]])}, None),
    ],
    "unused-class": [
        ({"class_counts": np.array([[50, 50, 0], [15, 15, 0], [15, 15, 0]])}, ["“emu”"]),
        ({}, None),
    ],
    "class-imbalance": [
        ({"class_counts": counts(441, 40, 60)}, ["“cat” has 441", "“dog” 40", "one to 11", "82%"]),
        ({"class_counts": counts(400, 40, 60)}, None),
    ],
    "few-examples": [
        ({"class_counts": counts(50, 9, 41)}, ["“dog” (9)"]),
        ({"class_counts": counts(50, 10, 40)}, None),
    ],
    "constant-columns": [
        ({"statistics": rows(1, least=9.0, largest=9.0)}, ["“price”"]),
        (
            {
                "statistics": rows(1, mean=np.nan, deviation=np.nan, least=np.nan, median=np.nan, largest=np.nan),
                "category_counts": (np.zeros((3, 0), int), np.array([[40, 0], [30, 0], [30, 0]])),
            },
            ["“price”"],
        ),
        ({"category_counts": (np.zeros((3, 0), int), np.array([[40, 0], [30, 1], [30, 0]]))}, None),
        ({}, None),
    ],
    "correlated-columns": [
        ({"correlation": LIKE_EACH_OTHER}, ["“size” and “price” (-0.990)"]),
        ({"correlation": np.array([[1.0, 0.98], [0.98, 1.0]])}, None),
        ({"correlation": np.full((2, 2), np.nan)}, None),
    ],
    "empty-columns": [({"statistics": rows(missing=100)}, ["“size”"]), ({"statistics": rows(missing=99)}, None)],
    "many-missing-values": [
        ({"statistics": rows(missing=21)}, ["“size” (21%)"]),
        ({"statistics": rows(missing=20)}, None),
        ({"statistics": rows(missing=100)}, None),
    ],
    "outliers": [
        ({"statistics": rows(least=-11.0)}, ["“size” (11)"]),
        ({"statistics": rows(deviation=0.0)}, None),
        ({}, None),
    ],
    "duplicates": [({"n_duplicates": 7}, ["7 of 160"]), ({}, None)],
    "leakage": [({"n_leaks": 5}, ["5 of the 60"]), ({}, None)],
    "label-conflicts": [({"n_conflicts": 4}, ["4 examples"]), ({}, None)],
}


def flat(cases):
    return [pytest.param(code, *case, id=f"{code}-{i}") for code, several in cases.items() for i, case in enumerate(several)]


def check_words(finding):
    assert finding.message.endswith(".")
    assert finding.severity in ("error", "warning", "info")


def everything_found():
    """What all cases of all rules find together."""
    for several in DATA_CASES.values():
        for _, *case in several:
            yield from data_findings(*case)
    for several in REPORT_CASES.values():
        for changes, _ in several:
            yield from report_findings(report(**changes))


@pytest.mark.parametrize(("code", "is_found", "profile", "preparation"), flat(DATA_CASES))
def test_a_rule_about_data_finds_its_case_and_no_other_and_its_fix_mends_it(code, is_found, profile, preparation):
    found = [finding for finding in data_findings(profile, preparation) if finding.code == code]
    assert bool(found) == is_found
    for finding in found:
        check_words(finding)
        if finding.fix:
            assert isinstance(finding.fix.spec, Preparation)
            assert code not in {left.code for left in data_findings(profile, finding.fix.spec)}


@pytest.mark.parametrize(("code", "changes", "words"), flat(REPORT_CASES))
def test_a_rule_about_a_report_finds_its_case_with_names_and_numbers_and_no_other(code, changes, words):
    found = [finding for finding in report_findings(report(**changes)) if finding.code == code]
    assert bool(found) == (words is not None)
    for finding in found:
        check_words(finding)
        assert all(word in finding.message for word in words)


def test_every_rule_is_tested_by_its_name():
    codes = {rule.__name__.replace("_", "-") for rule in (*DATA_RULES, *REPORT_RULES)}
    tested = {*DATA_CASES, *REPORT_CASES}
    assert codes <= tested
    found = {finding.code for finding in everything_found()}
    assert found == tested


def test_a_report_without_tables_or_classes_has_nothing_to_find():
    empty = DataReport(class_names=(), feature_names=(), split_sizes=np.zeros(3, int))
    assert report_findings(empty) == report_findings(report()) == ()


def test_errors_come_first_and_infos_last():
    found = data_findings(replace(TABLE, n_validation=3, n_test=0), Preparation(pca=9, label_noise=0.1))
    assert [finding.severity for finding in found] == ["error", "warning", "warning", "info"]


def test_every_severe_finding_says_what_to_do():
    assert all(finding.hint for finding in everything_found() if finding.severity != "info")


def test_of_many_names_five_are_told_and_the_rest_counted():
    assert listed(["a", "b"]) == "a, b"
    assert quoted(list("abcdefgh")) == "“a”, “b”, “c”, “d”, “e” and 3 more"
