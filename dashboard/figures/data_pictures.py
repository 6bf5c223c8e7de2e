"""Pictures side by side: mean images of a data set, images before and after augmentation, and how bright their pixels are."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.results.augmented import AugmentedExamples
from core.results.data_report import DataReport
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, short
from dashboard.text import _, counted

MAX_PIXELS = 250_000
"""Of one drawing, in all its pictures; larger pictures are thinned out."""
GAP = 2
MAX_TILES = 33
WIDE = 11
"""Pictures in a row."""


def image_means(report: DataReport, *, dark: bool = False) -> go.Figure:
    """The mean of all training images, and after it the mean of each class."""
    tiles = [np.asarray(report.image_mean)]
    names = [_("all")]
    if report.class_means is not None and len(report.class_means) == len(report.class_names):
        tiles += list(report.class_means)
        names += report.class_names
    shown = tiles[:MAX_TILES]
    columns = min(len(shown), WIDE)
    pictures = np.stack([_picture(tile) for tile in shown])
    title = _("Mean image") if len(tiles) == 1 else _("Mean image of all and of each class")
    if len(tiles) > MAX_TILES:
        title += " " + _("(the first {n})").format(n=MAX_TILES - 1)
    return _sheet(pictures, names[:MAX_TILES], columns, dark).update_layout(title_text=title)


def alt_image_means(report: DataReport) -> str:
    """The figure in a sentence: size and mean brightness."""
    height, width = np.shape(report.image_mean)[1:]
    return _("Mean of the training images, {height} × {width} pixels, {brightness:.0%} of full brightness.").format(
        height=height,
        width=width,
        brightness=float(np.mean(report.image_mean)) / 255,
    )


def pixel_histogram(report: DataReport, *, dark: bool = False) -> go.Figure:
    """How many pixels have each brightness, on a logarithmic axis: in most images nearly all are dark."""
    counts = np.asarray(report.pixel_counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.linspace(0, 255, counts.shape[1])
    names = [_("red"), _("green"), _("blue")] if len(counts) == 3 else [_("grey")]
    places, dashes = (1, 2, 0), ("dash", "solid", "dot")  # told apart without their colours too
    figure = go.Figure()
    for i, (name, share) in enumerate(zip(names, shares, strict=True)):
        figure.add_scatter(
            x=values,
            y=np.where(share > 0, share, np.nan),
            mode="lines+markers" if len(values) < 40 else "lines",
            name=name,
            line={
                "color": theme.categorical(dark)[places[i] if len(names) == 3 else 0],
                "dash": dashes[i] if len(names) == 3 else "solid",
                "shape": "hvh",
            },
            hovertemplate=_("brightness") + " %{x:.0f}<br><b>%{y:.3%}</b>, " + name + "<extra></extra>",
        )
    return figure.update_layout(
        template=theme.template(dark),
        title_text=_("Brightness of the pixels"),
        height=300,
        showlegend=len(names) > 1,
        legend=LEGEND,
        xaxis={"title_text": _("brightness, 0 black to 255 white"), "range": [-4, 259], "showgrid": False},
        yaxis={"title_text": _("share of the pixels"), "type": "log", "tickformat": "~%", "dtick": 1},
    )


def alt_pixel_histogram(report: DataReport) -> str:
    """The figure in a sentence: how many pixels are quite black and quite white."""
    counts = np.asarray(report.pixel_counts).sum(axis=0)
    shares = counts / max(int(counts.sum()), 1)
    return _("{black:.0%} of the pixels are as dark as can be, {white:.0%} as bright as can be.").format(
        black=shares[0], white=shares[-1]
    )


def augmentation_sheet(augmented: AugmentedExamples, *, dark: bool = False) -> go.Figure:
    """One row for each image: as it is, and then as training may see it."""
    n, k = augmented.after.shape[:2]
    rows = np.concatenate([augmented.before[:, None], augmented.after], axis=1)
    captions = [
        caption
        for name, drawn in zip(augmented.names, augmented.after_names, strict=True)
        for caption in (name, *("" if one == name else one for one in drawn))
    ]
    figure = _sheet(rows.reshape(n * (k + 1), *rows.shape[2:]), captions, k + 1, dark)
    return figure.update_layout(title_text=_("Left as they are, then {n} draws of each").format(n=k))


def alt_augmentation_sheet(augmented: AugmentedExamples) -> str:
    """The figure in a sentence: how many images, how often, and of what."""
    n, k = augmented.after.shape[:2]
    return _("{images} before and after augmentation, {draws} of each: {names}.").format(
        images=counted("{n} image", "{n} images", n),
        draws=counted("{n} draw", "{n} draws", k),
        names=", ".join(augmented.names),
    )


def _picture(values: np.ndarray) -> np.ndarray:
    """A mean image (C, H, W), 0 to 255, as (H, W) or (H, W, 3) uint8; black where there is none."""
    pixels = np.rint(np.nan_to_num(values)).clip(0, 255).astype(np.uint8)
    return pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]


def _sheet(pictures: np.ndarray, captions: Sequence[str], columns: int, dark: bool) -> go.Figure:
    """Pictures (T, H, W) or (T, H, W, 3) uint8 in rows, each with its caption above; clear between them."""
    pictures = _thinned(pictures)
    n, height, width = pictures.shape[:3]
    n_rows = -(-n // columns)
    # A caption takes the height of a fifth of a picture.
    high, wide = height + GAP + max(2, height // 5), width + GAP
    sheet = np.zeros((n_rows * high, columns * wide - GAP, 4), np.uint8)
    notes = []
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        top, left = (i // columns) * high + high - height, (i % columns) * wide
        place = sheet[top : top + height, left : left + width]
        place[..., :3] = picture if picture.ndim == 3 else picture[..., None]
        place[..., 3] = 255
        if caption:
            notes.append(_caption(short(caption), left + (width - 1) / 2, top - 0.5, dark))
    hidden = {"visible": False, "constrain": "domain"}
    # On a page about 900 pixels wide.
    drawn = min(900 / sheet.shape[1], 120 / width) * sheet.shape[0]
    return go.Figure(go.Image(z=sheet, colormodel="rgba256", hoverinfo="skip", name=_("images"))).update_layout(
        template=theme.template(dark),
        height=int(np.clip(drawn + 60, 160, 1400)),
        annotations=notes,
        xaxis={"range": [-0.5, sheet.shape[1] - 0.5], **hidden},
        yaxis={"range": [sheet.shape[0] - 0.5, -0.5], "scaleanchor": "x", "constraintoward": "top", **hidden},
    )


def _thinned(pictures: np.ndarray) -> np.ndarray:
    """Every pixel, or every second, third, ... of each axis, so that all of them together stay drawable."""
    step = int(np.ceil(np.sqrt(np.prod(pictures.shape[:3]) / MAX_PIXELS))) or 1
    return pictures[:, ::step, ::step]


def _caption(text: str, x: float, y: float, dark: bool) -> dict[str, object]:
    """Words above a picture."""
    at = {"x": x, "y": y, "xanchor": "center", "yanchor": "bottom", "showarrow": False}
    return {"text": text, "font": {"size": 11, "color": theme.quiet_ink(dark)}, **at}
