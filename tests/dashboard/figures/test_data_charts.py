"""Charts of a data report, by their data: every count at its place, named axes, and a sentence for each."""

from dataclasses import replace

import numpy as np
import pytest

from core.results.augmented import AugmentedExamples
from core.results.data_report import DataReport
from dashboard.figures import data_charts as charts
from dashboard.figures import data_pictures, stacks, theme

RNG = np.random.default_rng(0)
NAMES = ("cat", "dog", "emu")
CLASS_COUNTS = np.array([[40, 30, 20], [10, 9, 8], [5, 4, 3]])
EDGES = np.array([0.0, 1.0, 2.5, 4.0])
BY_CLASS = RNG.integers(1, 9, (3, 4, 3))  # classes, columns, bins
COLOURS = np.array([[1, 20, 4], [2, 0, 4], [3, 1, 4]])
CORRELATION = np.array([[1.0, -0.9, np.nan, 0.2], [-0.9, 1.0, np.nan, 0.5], [np.nan] * 4, [0.2, 0.5, np.nan, 1.0]])
FEATURES = ("size", "price", "colour", "empty")


def report(**changes) -> DataReport:
    """A table with a column of colours and an empty one."""
    edges = np.stack([EDGES, EDGES * 2, np.full(4, np.nan), np.full(4, np.nan)])
    none = np.zeros((3, 0), int)
    table = DataReport(
        class_names=NAMES,
        feature_names=FEATURES,
        split_sizes=CLASS_COUNTS.sum(axis=1),
        class_counts=CLASS_COUNTS,
        histogram_edges=edges,
        histogram_counts=BY_CLASS,
        categories=((), (), ("red", "green", "blue"), ()),
        category_counts=(none, none, COLOURS, none),
        correlation=CORRELATION,
    )
    return replace(table, **changes)


def prices() -> DataReport:
    counts = np.array([[5, 1, 2], [1, 1, 0], [0, 2, 1]])
    return report(class_names=(), class_counts=None, target_name="price (€)", target_edges=EDGES, target_counts=counts)


def pictures(channels=3, n_classes=3) -> DataReport:
    rng = np.random.default_rng(channels)
    return report(
        class_names=NAMES[:n_classes],
        image_mean=rng.uniform(0, 255, (channels, 6, 5)),
        class_means=rng.uniform(0, 255, (n_classes, channels, 6, 5)),
        pixel_counts=rng.integers(0, 50, (channels, 17)) + np.eye(17, dtype=int)[0] * 1000,
    )


def texts() -> DataReport:
    counts = np.array([[9, 1, 0], [2, 3, 4]])
    return report(lengths=np.array([0, 0, 4, 5, 3]), tokens=("film", "bad"), token_counts=counts)


def augmented(shape=(6, 5)) -> AugmentedExamples:
    before, after = RNG.integers(1, 256, (2, *shape)).astype(np.uint8), RNG.integers(1, 256, (2, 3, *shape)).astype(np.uint8)
    return AugmentedExamples(before, after, ("cat", "dog"), (("cat", "70% cat, 30% dog", "cat"), ("dog",) * 3))


DRAWN = {
    "class_balance": (charts.class_balance, charts.alt_class_balance, (report(),)),
    "target_histogram": (charts.target_histogram, charts.alt_target_histogram, (prices(),)),
    "feature_histogram": (charts.feature_histogram, charts.alt_feature_histogram, (report(), 0)),
    "categories": (charts.feature_histogram, charts.alt_feature_histogram, (report(), 2)),
    "correlation_map": (charts.correlation_map, charts.alt_correlation_map, (report(),)),
    "token_bars": (charts.token_bars, charts.alt_token_bars, (texts(),)),
    "length_histogram": (charts.length_histogram, charts.alt_length_histogram, (texts(),)),
    "explained_variance": (charts.explained_variance_bars, charts.alt_explained_variance_bars, ((0.6, 0.3),)),
    "pixel_histogram": (charts.pixel_histogram, charts.alt_pixel_histogram, (pictures(),)),
}
SHEETS = {
    "image_means": (charts.image_means, charts.alt_image_means, (pictures(),)),
    "augmentation_sheet": (charts.augmentation_sheet, charts.alt_augmentation_sheet, (augmented(),)),
}


@pytest.mark.parametrize(("draw", "alt", "args"), DRAWN.values(), ids=DRAWN)
def test_axes_are_named_and_every_theme_has_its_ink(draw, alt, args):
    for dark in (False, True):
        figure = draw(*args, dark=dark)
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text
        assert figure.layout.title.text
        assert figure.layout.template.layout.font.color == theme.ink(dark)
        assert all("<extra></extra>" in trace.hovertemplate for trace in figure.data)


@pytest.mark.parametrize(("draw", "alt", "args"), (DRAWN | SHEETS).values(), ids=[*DRAWN, *SHEETS])
def test_each_figure_has_a_sentence_and_is_drawn_from_its_arguments_alone(draw, alt, args):
    assert alt(*args).endswith(".")
    assert draw(*args).to_json() == draw(*args).to_json()


def test_class_balance_has_every_count_of_every_split():
    bars = charts.class_balance(report()).data
    assert [bar.name for bar in bars] == ["training", "validation", "test"]
    for bar, counts in zip(bars, CLASS_COUNTS, strict=True):
        assert list(bar.x) == counts.tolist()
        assert list(bar.customdata) == list(NAMES)
    assert charts.alt_class_balance(report()) == "3 classes; most examples: cat (55), fewest: emu (31)."


def test_of_very_many_classes_the_largest_are_shown_in_their_order():
    names = tuple(f"class {k}" for k in range(100))
    counts = np.stack([np.arange(100), np.zeros(100, int), np.zeros(100, int)])
    figure = charts.class_balance(report(class_names=names, class_counts=counts))
    assert list(figure.data[0].x) == list(range(40, 100))
    assert "60 largest of 100" in figure.layout.title.text


def test_a_target_is_drawn_over_its_edges_in_its_unit():
    figure = charts.target_histogram(prices())
    assert figure.layout.xaxis.title.text == "price (€)"
    for bar, counts in zip(figure.data, prices().target_counts, strict=True):
        np.testing.assert_allclose(np.array(bar.x) - np.array(bar.width) / 2, EDGES[:-1])
        assert list(bar.width) == [1.0, 1.5, 1.5]
        assert list(bar.y) == counts.tolist()
    assert charts.alt_target_histogram(prices()) == "price (€): from 0 to 4, most often between 0 and 1 (46%)."


def test_a_column_is_drawn_by_class_over_its_edges():
    figure = charts.feature_histogram(report(), 1)
    assert [bar.name for bar in figure.data] == list(NAMES)
    for bar, counts in zip(figure.data, BY_CLASS[:, 1], strict=True):
        assert list(bar.y) == counts.tolist()
        np.testing.assert_allclose(np.array(bar.customdata)[:, 0], EDGES[:-1] * 2)
    assert figure.layout.barmode == "stack"


def test_a_column_of_categories_has_the_most_frequent_on_top():
    figure = charts.feature_histogram(report(), 2)
    assert list(figure.data[0].customdata) == ["green", "blue", "red"]
    assert [list(bar.x) for bar in figure.data] == [[20, 4, 1], [0, 4, 2], [1, 4, 3]]
    assert charts.alt_feature_histogram(report(), 2) == "colour: 3 categories; most frequent is green (54%)."


@pytest.mark.parametrize(("index", "words"), [(3, "No training example has a value here."), (4, "Only the first 4 columns")])
def test_a_column_without_a_histogram_says_why(index, words):
    wide = report(feature_names=(*FEATURES, "more"))
    figure = charts.feature_histogram(wide, index)
    assert len(figure.data) == 0
    assert words in figure.layout.annotations[0].text
    assert words in charts.alt_feature_histogram(wide, index)


def test_for_regression_a_column_is_one_colour():
    figure = charts.feature_histogram(report(class_names=(), histogram_counts=BY_CLASS[:1]), 0)
    assert len(figure.data) == 1
    assert figure.layout.showlegend is False
    assert list(figure.data[0].y) == BY_CLASS[0, 0].tolist()


def test_beyond_six_classes_the_small_ones_are_one_grey_group_and_nothing_is_lost():
    counts = RNG.integers(1, 100, (9, 5))
    groups = stacks.class_groups(counts, tuple("abcdefghi"))
    assert len(groups) == 6
    assert sum(group.counts for group in groups).tolist() == counts.sum(axis=0).tolist()
    largest = {"abcdefghi"[k] for k in np.argsort(-counts.sum(axis=1), kind="stable")[:5]}
    assert {group.name for group in groups[:-1]} == largest
    assert groups[-1].is_rest
    assert "4 other classes" in groups[-1].name
    figure = stacks.named_bars(groups, list("vwxyz"), kind="k", unit="u", dark=True)
    colours = [bar.marker.color for bar in figure.data]
    assert colours == [*theme.categorical(True)[:5], theme.OTHERS]


def test_the_correlation_map_is_symmetric_about_0_with_gaps_and_numbers():
    figure = charts.correlation_map(report())
    trace = figure.data[0]
    np.testing.assert_array_equal(trace.z, CORRELATION)
    assert (trace.zmin, trace.zmax, trace.hoverongaps, trace.texttemplate) == (-1, 1, False, "%{z:.2f}")
    assert list(figure.layout.xaxis.ticktext) == list(FEATURES)
    assert charts.alt_correlation_map(report()) == "Strongest of the correlations: size and price, -0.90."
    assert charts.alt_correlation_map(report(correlation=np.eye(4))) == "No two columns go together."
    many = charts.correlation_map(report(feature_names=tuple(map(str, range(80))), correlation=np.eye(64)))
    assert many.data[0].texttemplate == ""
    assert "first 64" in many.layout.title.text


def test_tokens_and_lengths_are_drawn_as_counted():
    figure = charts.token_bars(texts())
    assert [list(bar.x) for bar in figure.data] == [[9, 2], [1, 3], [0, 4]]
    assert list(figure.layout.yaxis.ticktext) == ["film", "bad"]
    assert charts.alt_token_bars(texts()) == "Most frequent tokens: film (10), bad (9)."
    lengths = charts.length_histogram(texts()).data[0]
    assert list(lengths.x) == [0, 1, 2, 3, 4]
    assert list(lengths.y) == [0, 0, 4, 5, 3]
    assert charts.alt_length_histogram(texts()) == "Examples have 2 to 4 tokens, half of them at most 3."


def test_explained_variance_adds_up_along_its_line():
    bars, line = charts.explained_variance_bars(np.array([0.5, 0.3, 0.1])).data
    assert list(bars.x) == [1, 2, 3]
    np.testing.assert_allclose(line.y, [0.5, 0.8, 0.9])
    assert (
        charts.alt_explained_variance_bars((0.5, 0.3, 0.1)) == "3 components explain 90% of the variance, the first alone 50%."
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_the_brightness_of_pixels_is_a_share_per_channel_told_apart_without_colour(channels):
    found = pictures(channels)
    figure = charts.pixel_histogram(found)
    assert len(figure.data) == channels
    for trace, counts in zip(figure.data, found.pixel_counts, strict=True):
        np.testing.assert_allclose(np.nan_to_num(trace.y), counts / counts.sum())
        assert (trace.x[0], trace.x[-1]) == (0, 255)
    assert len({trace.line.dash for trace in figure.data}) == channels
    assert figure.layout.yaxis.type == "log"


def tiles(figure, height, width):
    """The pictures of a sheet, by where it is not clear."""
    z = np.asarray(figure.data[0].z)
    solid = z[..., 3] == 255
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    return [
        z[top : top + height, left : left + width, :3]
        for top in rows[::height]
        for left in columns[::width]
        if solid[top, left]
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_mean_images_are_the_mean_of_all_and_of_each_class_with_their_names(channels):
    found = pictures(channels)
    figure = charts.image_means(found)
    expected = np.rint([found.image_mean, *found.class_means]).astype(np.uint8).transpose(0, 2, 3, 1)
    for tile, picture in zip(tiles(figure, 6, 5), expected, strict=True):
        np.testing.assert_array_equal(tile, np.broadcast_to(picture, (6, 5, 3)))
    assert [note.text for note in figure.layout.annotations] == ["all", *NAMES]


def test_without_class_means_or_with_very_many_classes_the_sheet_stays_small():
    assert len(tiles(charts.image_means(report(image_mean=np.full((1, 6, 5), 7.0))), 6, 5)) == 1
    names = tuple(map(str, range(60)))
    many = report(class_names=names, image_mean=np.ones((1, 6, 5)), class_means=np.ones((60, 1, 6, 5)))
    figure = charts.image_means(many)
    assert len(tiles(figure, 6, 5)) == data_pictures.MAX_TILES
    assert "first 32" in figure.layout.title.text


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)], ids=["grey", "colour"])
def test_the_augmentation_sheet_has_each_image_and_then_its_draws(shape):
    sheet = augmented(shape)
    found = tiles(charts.augmentation_sheet(sheet), 6, 5)
    expected = [picture for i in range(2) for picture in (sheet.before[i], *sheet.after[i])]
    for tile, picture in zip(found, expected, strict=True):
        np.testing.assert_array_equal(tile, picture if picture.ndim == 3 else np.stack([picture] * 3, -1))
    notes = [note.text for note in charts.augmentation_sheet(sheet).layout.annotations]
    assert notes == ["cat", "70% cat, 30% dog", "dog"]


def test_large_pictures_are_thinned_until_they_can_be_drawn():
    large = np.zeros((40, 300, 300), np.uint8)
    thin = data_pictures._thinned(large)
    assert np.prod(thin.shape) <= data_pictures.MAX_PIXELS * 1.1
    assert data_pictures._thinned(large[:2]).shape == (2, 300, 300)


def test_names_that_strangers_wrote_are_no_markup():
    evil = '<a href="http://x">%{x}</a>'
    bad = report(class_names=(evil, "b", "c"), feature_names=(evil, *FEATURES[1:]))
    for figure in (charts.class_balance(bad), charts.feature_histogram(bad, 0), charts.correlation_map(bad)):
        assert "&lt;a href" in str(figure.to_dict())
        assert "<a" not in str(figure.to_dict())
        assert all("href" not in trace.hovertemplate for trace in figure.data)
