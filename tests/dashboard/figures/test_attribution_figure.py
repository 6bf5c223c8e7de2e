"""Attribution figures show the values that they were given, on colours that do not lie."""

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from core.results.attribution import Attribution
from dashboard.figures import bars, theme
from dashboard.figures.attribution import (
    alt_text,
    attribution_figure,
    colour_limit,
    has_evidence,
    picture_alt_text,
    picture_figure,
    shared_limits,
)

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(6, 8)).astype(np.float32)
SEGMENTS = (np.arange(48).reshape(6, 8) // 12).astype(np.int32)


def image_attribution(**changes) -> Attribution:
    plain = Attribution(
        method="integrated_gradients",
        label="Integrated Gradients",
        target=1,
        target_name="one",
        unit="logit",
        values=VALUES,
        output=2.5,
        probability=0.8,
        step=3,
        signed=True,
        n_evaluations=34,
        seconds=0.1,
        input=RNG.random((1, 6, 8)).astype(np.float32),
        pixels=RNG.integers(0, 255, (6, 8)).astype(np.uint8),
        base=0.5,
        residual=0.0,
    )
    return replace(plain, **changes)


def map_of(figure: go.Figure) -> go.Heatmap:
    return next(trace for trace in figure.data if trace.name == "Integrated Gradients")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("view", ["overlay", "map"])
def test_signed_values_are_shown_as_they_are_with_zero_in_the_middle(view, dark):
    shown = map_of(attribution_figure(image_attribution(), view=view, dark=dark))
    assert np.array_equal(shown.z, VALUES)
    assert shown.zmin == -shown.zmax
    assert shown.zmax == pytest.approx(np.percentile(np.abs(VALUES), 99.5))
    assert shown.colorbar.title.text == "logit"
    middle = [colour for at, colour in shown.colorscale if at == 0.5]
    assert len(middle) == 1


def test_nothing_is_clear_in_the_overlay():
    scale = dict(map_of(attribution_figure(image_attribution(), view="overlay")).colorscale)
    assert scale[0.5].replace(" ", "").endswith(",0)")
    one_sided = dict(map_of(attribution_figure(image_attribution(signed=False, values=np.abs(VALUES)))).colorscale)
    assert one_sided[0.0].replace(" ", "").endswith(",0)")


@pytest.mark.parametrize("view", ["overlay", "map", "abs"])
def test_unsigned_values_have_a_scale_from_zero(view):
    shown = map_of(attribution_figure(image_attribution(signed=False, values=np.abs(VALUES)), view=view))
    assert shown.zmin == 0
    assert shown.zmax > 0


def test_sizes_are_shown_from_zero_and_say_so():
    shown = map_of(attribution_figure(image_attribution(), view="abs"))
    assert np.array_equal(shown.z, np.abs(VALUES))
    assert shown.zmin == 0
    assert shown.colorbar.title.text == "size, logit"


def test_a_given_limit_makes_figures_comparable_and_an_empty_map_has_limit_1():
    shown = map_of(attribution_figure(image_attribution(), limit=9.0))
    assert (shown.zmin, shown.zmax) == (-9.0, 9.0)
    assert colour_limit(image_attribution(values=np.zeros((6, 8), np.float32))) == 1.0


def test_the_base_of_the_overlay_is_grey_and_silent_also_for_a_colour_picture():
    colour = RNG.integers(0, 255, (6, 8, 3)).astype(np.uint8)
    base = attribution_figure(image_attribution(pixels=colour)).data[0]
    assert np.allclose(base.z, colour @ np.array([0.299, 0.587, 0.114]), atol=1e-3)
    assert base.hoverinfo == "skip"
    assert base.showscale is False
    assert len(attribution_figure(image_attribution(), view="map").data) == 1


def test_superpixels_have_outlines_numbers_and_error_bars_on_hover():
    players, stderr = RNG.normal(size=4), np.abs(RNG.normal(size=4))
    painted = image_attribution(values=players[SEGMENTS].astype(np.float32), players=players, segments=SEGMENTS, stderr=stderr)
    figure = attribution_figure(painted)
    shown = map_of(figure)
    assert np.array_equal(shown.customdata[..., 0], SEGMENTS)
    assert np.allclose(shown.customdata[..., 1], stderr[SEGMENTS])
    assert drawn(figure.data[-1]) == {
        frozenset([(i, j), (i + di, j + dj)])
        for i in range(6)
        for j in range(8)
        for di, dj in ((0, 1), (1, 0))
        if i + di < 6 and j + dj < 8 and SEGMENTS[i, j] != SEGMENTS[i + di, j + dj]
    }


def drawn(lines: go.Scatter) -> set:
    """The pairs of neighbouring pixels between which a line is drawn."""
    starts = np.array(lines.x[0::3], float), np.array(lines.y[0::3], float)
    ends = np.array(lines.x[1::3], float), np.array(lines.y[1::3], float)
    pairs = set()
    for x0, y0, x1, y1 in zip(*starts, *ends, strict=True):
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        sides = [(middle_y, middle_x - 0.5), (middle_y, middle_x + 0.5)]
        if x0 != x1:
            sides = [(middle_y - 0.5, middle_x), (middle_y + 0.5, middle_x)]
        pairs.add(frozenset((int(i), int(j)) for i, j in sides))
    return pairs


EVIDENCE = np.zeros((6, 8), bool)
EVIDENCE[:3, 5:] = True  # in a corner, so that its border is also the picture's


@pytest.mark.parametrize("of", [picture_figure, attribution_figure])
def test_known_evidence_is_outlined_on_the_picture_and_on_every_map_also_along_its_edge(of):
    figure = of(image_attribution(evidence=EVIDENCE))
    halo, line = (next(trace for trace in figure.data if trace.name == name) for name in ("evidence halo", "evidence"))
    inside = {(int(i), int(j)) for i, j in np.argwhere(EVIDENCE)}
    expected = {
        frozenset([(i, j), (i + di, j + dj)])
        for i, j in inside
        for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0))
        if (i + di, j + dj) not in inside
    }
    assert drawn(line) == drawn(halo) == expected
    assert halo.line.width > line.line.width


def test_without_known_evidence_nothing_is_outlined():
    for evidence in (None, np.zeros((6, 8), bool), np.ones((3,), bool)):
        found = image_attribution(evidence=evidence)
        assert not has_evidence(found)
        assert len(picture_figure(found).data) == 1


def test_the_picture_is_shown_as_it_is_and_the_sentence_says_where_its_evidence_lies():
    grey = image_attribution()
    assert np.array_equal(np.asarray(picture_figure(grey).data[0].z), np.repeat(grey.pixels[..., None], 3, 2))
    colour = image_attribution(pixels=RNG.integers(0, 255, (6, 8, 3)).astype(np.uint8), evidence=EVIDENCE)
    assert np.array_equal(np.asarray(picture_figure(colour).data[0].z), colour.pixels)
    assert "rows 0 to 2, columns 5 to 7" in picture_alt_text(colour)
    assert "Known evidence" not in picture_alt_text(grey)


def test_methods_that_measure_the_same_share_a_scale_but_pixels_and_patches_do_not():
    small, large = image_attribution(), image_attribution(values=VALUES * 3)
    patches = image_attribution(values=VALUES * 9, segments=SEGMENTS)
    slope = image_attribution(values=VALUES * 2, unit="logit per unit of input")
    limit = colour_limit(small)
    assert shared_limits([small, patches, large, slope]) == pytest.approx([3 * limit, 9 * limit, 3 * limit, 2 * limit])
    rows = [row_attribution(), row_attribution(values=np.full(20, -7, np.float32))]
    assert shared_limits(rows) == pytest.approx([7, 7])
    assert shared_limits([]) == []


@pytest.mark.parametrize("view", ["overlay", "map", "abs"])
def test_row_0_is_on_top_pixels_are_square_and_axes_have_names(view):
    layout = attribution_figure(image_attribution(), view=view).layout
    assert layout.yaxis.range == (5.5, -0.5)
    assert layout.xaxis.range == (-0.5, 7.5)
    assert layout.yaxis.scaleanchor == "x"
    assert layout.xaxis.title.text == "pixel column"
    assert layout.yaxis.title.text == "pixel row"
    assert layout.title.text == "Integrated Gradients"


def test_the_sentence_for_screen_readers_names_the_strongest_pixel():
    values = np.zeros((6, 8), np.float32)
    values[2, 5] = -3
    sentence = alt_text(image_attribution(values=values))
    assert "row 2, column 5 of 6 × 8" in sentence
    assert "“one”" in sentence


def test_a_figure_is_small_on_the_wire():
    big = image_attribution(
        values=RNG.normal(size=(28, 28)).astype(np.float32), pixels=RNG.integers(0, 255, (28, 28)).astype(np.uint8)
    )
    assert len(attribution_figure(big).to_json()) < 40_000


def row_attribution(n: int = 20, **changes) -> Attribution:
    values = (np.arange(n) - n / 2 + 0.25).astype(np.float32) / 4
    names = tuple(f"feature {i}" for i in range(n))
    shared = {"values": values, "input": np.zeros(n, np.float32), "pixels": None, "feature_names": names}
    shared |= {"label": "SHAP", "feature_values": np.arange(n) * 10.0}
    return image_attribution(**(shared | changes))


def test_bars_are_the_largest_contributions_and_the_rest_in_one():
    found = row_attribution()
    bar = bars.contribution_bars(found, top=5).data[0]
    order = np.argsort(-np.abs(found.values))
    assert np.allclose(bar.x[:5], found.values[order[:5]])
    assert bar.x[5] == pytest.approx(found.values[order[5:]].sum())
    assert sum(bar.x) == pytest.approx(found.values.sum())
    assert bar.customdata[0] == f"feature {order[0]} = {order[0] * 10}"
    assert bar.customdata[5] == "15 others"


def test_bars_tell_signs_by_colour_and_by_number():
    figure = bars.contribution_bars(row_attribution(n=4), top=4)
    bar = figure.data[0]
    assert [beside.text for beside in figure.layout.annotations] == list(bar.text)
    for size, colour, text in zip(bar.x, bar.marker.color, bar.text, strict=True):
        assert colour == (theme.POSITIVE if size > 0 else theme.NEGATIVE)
        assert text[0] == ("+" if size > 0 else "-")
    assert len(bar.x) == 4


def test_bars_have_whiskers_where_there_is_a_standard_error():
    found = row_attribution(stderr=np.arange(20) / 100)
    bar = bars.contribution_bars(found, top=3).data[0]
    order = np.argsort(-np.abs(found.values))[:3]
    assert list(bar.error_x.array[:3]) == pytest.approx(list(order / 100))
    assert bar.error_x.array[3] is None
    assert bars.contribution_bars(row_attribution()).data[0].error_x.array is None


def test_the_title_says_from_where_to_where_and_limes_intercept_is_not_a_base():
    assert bars.contribution_bars(row_attribution()).layout.title.text == "SHAP: base 0.5 → output 2.5 logit"
    assert "intercept 0.5" in bars.contribution_bars(row_attribution(fit_r2=0.7)).layout.title.text
    assert bars.contribution_bars(row_attribution(base=None)).layout.title.text == "SHAP: output 2.5 logit"


def test_features_that_read_alike_keep_their_own_bars():
    alike = row_attribution(n=3, feature_names=("a", "a", "a"), feature_values=np.zeros(3))
    figure = bars.contribution_bars(alike)
    assert figure.data[0].y == (0, 1, 2)
    assert figure.layout.yaxis.ticktext == ("a = 0", "a = 0", "a = 0")
    assert figure.layout.xaxis.title.text == "contribution, logit"


def test_the_sentence_for_bars_names_the_largest():
    assert "feature 0 = 0 -2.44" in bars.alt_text(row_attribution())


def test_figures_are_plain_json_for_both_themes():
    for figure in (attribution_figure(image_attribution(), dark=True), bars.contribution_bars(row_attribution(), dark=True)):
        assert json.loads(figure.to_json())["layout"]["template"]["layout"]["font"]["color"] == theme.ink(True)
