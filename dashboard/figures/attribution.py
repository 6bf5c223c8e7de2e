"""Where an explanation points in an image: over the grey picture, as a map of its own, or by size alone."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from core.results.attribution import Attribution
from dashboard.figures import theme
from dashboard.figures.bars import contributions as bar_values
from dashboard.text import _

View = Literal["overlay", "map", "abs"]
HEIGHT = 340


def attribution_figure(
    attribution: Attribution, *, view: View = "overlay", limit: float | None = None, dark: bool = False
) -> go.Figure:
    """The values of an image attribution at each pixel.

    Signed colours are symmetric about 0, which is clear ("overlay") or neutral ("map"). "abs" shows sizes, from 0.
    `limit` is the value of the strongest colour; give several figures the same one to compare them. None: the 99.5th
    percentile of the sizes, so that a single pixel does not pale all others.
    """
    values = np.asarray(attribution.values, np.float32)
    shown = np.abs(values) if view == "abs" else values
    limit = colour_limit(attribution) if limit is None else limit
    is_two_sided = attribution.signed and view != "abs"
    figure = go.Figure()
    if view == "overlay":
        figure.add_trace(_grey_base(attribution))
    details, hover = _hover(attribution)
    figure.add_trace(
        go.Heatmap(
            z=shown,
            zmin=-limit if is_two_sided else 0.0,
            zmax=limit,
            colorscale=_scale(view, is_two_sided, dark),
            colorbar=theme.colour_bar(_unit(attribution, view), dark),
            customdata=details,
            hovertemplate=hover,
            name=attribution.label,
        )
    )
    if attribution.segments is not None:
        line = {"color": theme.outline(dark), "width": 1}
        figure.add_trace(_outlines(attribution.segments, line, "patches"))
    _add_evidence(figure, attribution)
    return _as_picture(figure, shown.shape[:2], attribution.label, dark)


def colour_limit(attribution: Attribution) -> float:
    """The 99.5th percentile of the sizes of the values, or 1 where that is 0."""
    return float(np.percentile(np.abs(attribution.values), 99.5)) or 1.0


def shared_limits(found: Sequence[Attribution]) -> list[float]:
    """For each attribution the largest limit of those with the same unit and the same kind of parts: patches, or pixels.

    With it their colours, or bars, mean the same. A patch has the value of all its pixels, so it is no match for one of them.
    """
    limits = [colour_limit(one) if one.pixels is not None else float(np.abs(bar_values(one)).max(initial=0.0)) for one in found]
    kinds = [(one.unit, one.segments is not None) for one in found]
    return [max(limit for limit, kind in zip(limits, kinds, strict=True) if kind == own) for own in kinds]


def picture_figure(attribution: Attribution, *, dark: bool = False) -> go.Figure:
    """The picture that is explained, as it is, with its known evidence outlined."""
    picture = _picture(attribution)
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    figure = go.Figure(go.Image(z=colour, hovertemplate=_place() + "<br>%{z}<extra></extra>", name="picture"))
    _add_evidence(figure, attribution)
    return _as_picture(figure, colour.shape[:2], _("The picture"), dark)


def picture_alt_text(attribution: Attribution) -> str:
    """The picture in a sentence: its size, and where the known evidence lies."""
    height, width = _picture(attribution).shape[:2]
    sentence = _("The picture that is explained, {height} × {width} pixels.").format(height=height, width=width)
    if has_evidence(attribution):
        rows, columns = np.nonzero(attribution.evidence)
        sentence += " " + _("Known evidence in rows {top} to {bottom}, columns {left} to {right}.").format(
            top=rows.min(), bottom=rows.max(), left=columns.min(), right=columns.max()
        )
    return sentence


def has_evidence(attribution: Attribution) -> bool:
    """Whether it is known which pixels decide the class."""
    return (
        attribution.evidence is not None
        and attribution.evidence.shape == attribution.values.shape
        and attribution.evidence.any()
    )


def alt_text(attribution: Attribution) -> str:
    """The figure in a sentence: what was explained, where most of it lies, and what the sum is."""
    values = np.abs(np.asarray(attribution.values, float))
    row, column = (int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
    sentence = _("{method} for “{target}”: strongest at row {row}, column {column} of {height} × {width} pixels.").format(
        method=attribution.label,
        target=attribution.target_name,
        row=row,
        column=column,
        height=values.shape[0],
        width=values.shape[1],
    )
    if attribution.signed:
        share = float(np.mean(np.asarray(attribution.values) > 0))
        sentence += " " + _("{share:.0%} of the pixels speak for it.").format(share=share)
    return sentence


def _grey_base(attribution: Attribution) -> go.Heatmap:
    picture = _picture(attribution).astype(float)
    # The weights of red, green and blue in perceived brightness (ITU-R BT.601).
    grey = picture @ np.array([0.299, 0.587, 0.114]) if picture.ndim == 3 else picture
    return go.Heatmap(
        z=grey.astype(np.float32),
        zmin=0,
        zmax=255,
        colorscale=theme.pale_grey(),
        showscale=False,
        hoverinfo="skip",
        name="grey",
    )


def _picture(attribution: Attribution) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8; where no picture was kept, the model's input, spread over the grey levels."""
    if attribution.pixels is not None:
        return attribution.pixels
    values = attribution.input.transpose(1, 2, 0) if len(attribution.input) == 3 else attribution.input[0]
    span = float(values.max() - values.min()) or 1.0
    return ((values - values.min()) / span * 255).round().astype(np.uint8)


def _scale(view: View, is_two_sided: bool, dark: bool) -> theme.Scale:
    if view == "overlay":
        return theme.signed_veil() if is_two_sided else theme.unsigned_veil()
    return theme.diverging(dark) if is_two_sided else theme.sequential()


def _unit(attribution: Attribution, view: View) -> str:
    return _("size, {unit}").format(unit=attribution.unit) if view == "abs" and attribution.signed else attribution.unit


def _place() -> str:
    return _("row") + " %{y}, " + _("column") + " %{x}"


def _hover(attribution: Attribution) -> tuple[np.ndarray | None, str]:
    """What a pixel says under the pointer: its place, its value and, where there are superpixels, which and how sure."""
    value = "<br><b>%{z:.3g}</b> " + attribution.unit
    if attribution.segments is None:
        return None, _place() + value + "<extra></extra>"
    layers = [attribution.segments.astype(np.float32)]
    if attribution.stderr is not None:
        layers.append(attribution.stderr.astype(np.float32)[attribution.segments])
        value += " ± %{customdata[1]:.2g}"
    return np.stack(layers, -1), _place() + "<br>" + _("patch") + " %{customdata[0]:d}" + value + "<extra></extra>"


def _add_evidence(figure: go.Figure, attribution: Attribution) -> None:
    """A dark line on a pale one around what is known to decide the class."""
    if not has_evidence(attribution):
        return
    line, halo = theme.evidence_outline()
    regions = np.pad(np.asarray(attribution.evidence, np.int32), 1)
    figure.add_trace(_outlines(regions, {"color": halo, "width": 4}, "evidence halo", shift=1))
    figure.add_trace(_outlines(regions, {"color": line, "width": 1.5, "dash": "dot"}, "evidence", shift=1))


def _outlines(segments: np.ndarray, line: dict[str, object], name: str, shift: int = 0) -> go.Scatter:
    """Lines between pixels of different regions; pixel (i, j) reaches from j - 0.5 to j + 0.5, less the `shift`."""
    x: list[float | None] = []
    y: list[float | None] = []
    for i, j in np.argwhere(segments[:, 1:] != segments[:, :-1]) - shift:
        x += [j + 0.5, j + 0.5, None]
        y += [i - 0.5, i + 0.5, None]
    for i, j in np.argwhere(segments[1:] != segments[:-1]) - shift:
        x += [j - 0.5, j + 0.5, None]
        y += [i + 0.5, i + 0.5, None]
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, name=name)


def _as_picture(figure: go.Figure, shape: tuple[int, ...], title: str, dark: bool) -> go.Figure:
    """Row 0 on top, square pixels, quiet axes."""
    height, width = shape
    quiet = {"showgrid": False, "zeroline": False, "constrain": "domain", "nticks": 5, "ticks": ""}
    return figure.update_layout(
        template=theme.template(dark),
        title_text=title,
        height=HEIGHT,
        xaxis={"title_text": _("pixel column"), "range": [-0.5, width - 0.5], **quiet},
        yaxis={"title_text": _("pixel row"), "range": [height - 0.5, -0.5], "scaleanchor": "x", **quiet},
    )
