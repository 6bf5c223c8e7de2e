"""A column is what people call one: categories are one column, and values come back as they were."""

import numpy as np
import pytest

from core.data.own.table import table_choice
from core.data.preparation import Preparation
from core.data.tabular import BreastCancer
from core.data.toy import Spiral
from core.explanation.columns import columns_of, model_values, own_values
from tests.core.data.own_files import csv_bytes, flowers, previewed


def flower_table(**preparation):
    data = table_choice(previewed(csv_bytes(flowers(120)), "t.csv"), "species", "classification")
    return data.but(preparation=data.preparation.but(**preparation))


def test_the_inputs_of_a_category_are_one_column(home):
    columns = columns_of(flower_table())
    assert [column.name for column in columns] == ["length", "width", "colour"]
    assert [column.places for column in columns] == [(0,), (1,), (2, 3)]
    assert [column.categories for column in columns] == [(), (), ("blue", "red")]


def test_a_category_that_stays_a_number_has_one_input(home):
    columns = columns_of(flower_table(one_hot=False))
    assert [column.places for column in columns] == [(0,), (1,), (2,)]
    assert columns[2].categories == ("blue", "red")


@pytest.mark.parametrize("one_hot", [True, False])
@pytest.mark.parametrize("scaling", ["none", "standardise", "min_max"])
def test_values_are_those_of_the_file_and_lead_back_to_the_model_s_row(one_hot, scaling, home):
    data = flower_table(one_hot=one_hot, scaling=scaling)
    splits = data.splits(0)
    rows = splits.model_input(splits.train.x)
    for i, column in enumerate(columns_of(data)):
        values = own_values(splits, column, rows)
        assert np.allclose(values, splits.originals[0].x[:, i], atol=1e-4)
        assert np.allclose(model_values(splits, column, values), rows[:, list(column.places)], atol=1e-5)


def test_components_and_features_of_points_are_columns_of_their_own():
    data = BreastCancer(preparation=Preparation(scaling="standardise", pca=3))
    assert [column.name for column in columns_of(data)] == ["PC 1", "PC 2", "PC 3"]
    splits = data.splits(0)
    rows = splits.model_input(splits.validation.x)
    assert np.allclose(own_values(splits, columns_of(data)[1], rows), rows[:, 1])
    spiral = Spiral()
    assert tuple(column.name for column in columns_of(spiral)) == spiral.profile().feature_names
