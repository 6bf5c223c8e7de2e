"""One unit of one layer: what activates it most, how a convolution makes its map, and which pixels it sees."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.jobs.activation_lenses import ConvolutionJob, ReceptiveFieldJob, TopExamplesJob, n_units_of
from core.jobs.lenses import ExampleRef
from core.models.layers.convolution import Conv2d
from core.models.model import all_layers, layer_number
from core.models.stack import Path
from core.results.activations import ActivationMaps
from core.results.convolution import ConvolutionParts
from core.results.receptive_field import ReceptiveField
from core.results.top_examples import TopExamples
from dashboard.components.conv_arithmetic import Palettes, conv_arithmetic
from dashboard.components.image_picker import image_picker
from dashboard.components.receptive_field import receptive_field
from dashboard.figures import theme
from dashboard.figures.activations import ColourScope
from dashboard.figures.map_pictures import MOST, framed_pictures, map_pictures
from dashboard.session import selection
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import is_dark
from dashboard.widgets.inspect_activation_details import split_words
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject, example_place

CONVOLUTION_FILE, FIELD_FILE = "convolution.npz", "receptive_field.npz"


def one_unit(subject: Subject, maps: ActivationMaps, *, scale: ColourScope, key: str) -> None:
    """Choose a layer and one of its units; below it what there is to see of them, computed when it is opened."""
    with st.container(key=f"{key}.choice", horizontal=True, vertical_alignment="bottom"):
        layer = _layer(maps, key)
        unit = _unit(maps, layer, key)
    if maps.maps[layer].ndim == 3:
        _maps(maps, layer, unit, scale, key)
    _section(_("Inputs that activate this unit most"), "trophy", f"{key}.top", lambda at: _top(subject, layer, unit, at))
    convolutions = [path for path, one in all_layers(subject.experiment.model.layers) if isinstance(one, Conv2d)]
    if convolutions:
        words = _("A convolution, number by number")
        _section(words, "calculate", f"{key}.conv", lambda at: _convolution(subject, convolutions, layer, unit, at))
    if maps.pixels is not None and maps.maps[layer].ndim == 3:
        words = _("What a pixel of this map can see")
        _section(words, "select_all", f"{key}.field", lambda at: _field(subject, layer, unit, at))


def palettes() -> Palettes:
    """The scales of maps, for both themes."""

    def colours(scale: theme.Scale) -> tuple[str, ...]:
        return tuple(colour for _at, colour in scale)

    plain = colours(theme.sequential())
    return {"signed": (colours(theme.diverging(False)), colours(theme.diverging(True))), "unsigned": (plain, plain)}


def _section(label: str, icon: str, key: str, show: Callable[[str], None]) -> None:
    box = st.expander(label, key=key, on_change="rerun", icon=f":material/{icon}:")
    if box.open:
        with box:
            show(key)


def _layer(maps: ActivationMaps, key: str) -> int:
    """The layer that is looked at closer: the chosen one, or the first that gives maps."""
    names, widget = maps.layer_names, f"{key}.layer"
    first = next((i for i, values in enumerate(maps.maps) if values.ndim == 3), 0)
    chosen = selection.layer(len(names))
    present = first if chosen is None else chosen
    st.session_state[widget] = present

    def choose() -> None:
        selection.choose_unit(st.session_state[widget])

    st.selectbox(
        _("Look closer at layer"), range(len(names)), format_func=names.__getitem__, key=widget, on_change=choose, width=260
    )
    return present


def _unit(maps: ActivationMaps, layer: int, key: str) -> int:
    """The unit of this layer by its number."""
    values, widget = maps.maps[layer], f"{key}.unit"
    n_units = n_units_of(values.shape)
    present = selection.unit(n_units) or 0
    st.session_state[widget] = present

    def choose() -> None:
        selection.choose_unit(layer, int(st.session_state[widget]))

    name = _("Map") if values.ndim == 3 else _("Unit") if values.ndim == 1 else _("Feature")
    words = _("{name}, 0 to {last}").format(name=name, last=n_units - 1)
    st.number_input(words, 0, n_units - 1, key=widget, on_change=choose, width=180)
    return present


def _maps(maps: ActivationMaps, layer: int, unit: int, scale: ColourScope, key: str) -> None:
    """The unit by its map."""
    pictures = map_pictures(maps, layer, scale=scale, dark=is_dark())
    image_picker(
        pictures,
        [_("map {n}").format(n=n) for n in range(len(pictures))],
        unit if unit < len(pictures) else -1,
        key=f"{key}.maps",
        label=_("Choose a map"),
        on_pick=lambda place: selection.choose_unit(layer, place),
    )
    n_maps = len(maps.maps[layer])
    if n_maps > MOST:
        st.caption(_("The pictures are of the first {n} maps; by number you reach all {all}.").format(n=MOST, all=n_maps))


def _top(subject: Subject, layer: int, unit: int, key: str) -> None:
    asked = subject.asked() | {"example": ExampleRef(split=subject.example.split)}  # no matter which of its examples
    job = TopExamplesJob(**asked, layer=layer, unit=unit)
    look(job, TopExamples, lambda found: _top_examples(found, key), key=f"{key}.look")


def _top_examples(found: TopExamples, key: str) -> None:
    st.text(top_sentence(found))
    names = top_names(found)
    indices = found.indices.tolist()

    def pick(place: int) -> None:
        selection.choose_example(found.split, indices[place])

    if found.pixels is not None:
        framed = framed_pictures(found.pixels, found.fields)
        chosen = example_place(found.split, indices)  # type: ignore[arg-type]
        words = _("Inputs that activate this unit most")
        with st.container(key=f"{key}.large-pictures"):  # page.css knows this name
            image_picker(framed, names, chosen, key=f"{key}.pictures", label=words, on_pick=pick)
        words = _("Choose one, and every lens looks at it.")
        if (found.fields[:, 0] >= 0).any():
            words = _("Framed: the pixels that the unit sees where it is strongest.") + " " + words
        st.caption(words)
    else:

        def pick_row() -> None:
            rows = st.session_state[f"{key}.table"].selection.rows
            if rows and rows[0] < len(indices):
                pick(rows[0])

        st.dataframe(top_table(found), hide_index=True, key=f"{key}.table", on_select=pick_row, selection_mode="single-row")
        st.caption(_("Choose a row, and every lens looks at it."))
    download_arrays(found, "top_examples.npz", key=f"{key}.download")


def top_sentence(found: TopExamples) -> str:
    """Over which examples, how large, and how often above 0."""
    if not found.values.any() and found.mean == 0:
        words = _("Unit {unit} of {layer} gives 0 for each of the {n:,} {examples} that were looked at: it is dead.")
    else:
        words = _(
            "Unit {unit} of {layer}: up to {most:.4g} over {n:,} {examples}, {mean:.3g} on average; above 0 for {share:.0%} of "
            "them."
        )
    told = words.format(
        unit=found.unit,
        layer=found.layer_name,
        most=float(found.values[0]),
        n=found.n_looked,
        examples=split_words(found.split),
        mean=found.mean,
        share=found.active_share,
    )
    if found.n_looked < found.n_split:
        told += " " + _("They are a sample of {all:,}.").format(all=found.n_split)
    return told


def top_names(found: TopExamples) -> list[str]:
    """The value of each, and its class or its target."""
    rights = [f"{one:.4g}" for one in found.targets] or [found.class_names[label] for label in found.labels]
    return [f"{value:.3g} · {right}" for value, right in zip(found.values, rights, strict=True)]


def top_table(found: TopExamples) -> dict[str, Any]:
    """Rows or sentences, the strongest first."""
    right = list(found.targets) if found.targets else [found.class_names[label] for label in found.labels]
    table: dict[str, Any] = {
        _("value"): found.values.tolist(),
        found.target_name or (_("target") if found.targets else _("class")): right,
        _("number"): found.indices.tolist(),
    }
    if found.texts:
        words = {_("strongest at"): list(found.words)} if any(found.words) else {}
        return table | words | {_("text"): list(found.texts)}
    raw = found.raw if found.raw is not None else []
    names = found.raw_names or tuple(_("input {n}").format(n=i + 1) for i in range(len(raw[0]) if len(raw) else 0))
    return table | {name: [float(row[i]) for row in raw] for i, name in enumerate(names)}


def _convolution(subject: Subject, paths: list[Path], layer: int, unit: int, key: str) -> None:
    """Which convolution, which of its maps; then its arithmetic."""
    layers = subject.experiment.model.layers
    names = {path: f"{layer_number(layers, path)} Conv2d" for path in paths}
    before = [path for path in paths if path[0] <= layer]
    with st.container(key=f"{key}.controls", horizontal=True, vertical_alignment="bottom"):
        path = _conv_path(paths, before[-1] if before else paths[0], names, f"{key}.path.{layer}")
        n_maps = dict(all_layers(layers))[path].out_channels  # type: ignore[attr-defined]
        widget = f"{key}.channel.{layer}.{unit}.{path}"

        def choose() -> None:
            if len(path) == 1:
                selection.choose_unit(path[0], int(st.session_state[widget]))

        words = _("Output map, 0 to {last}").format(last=n_maps - 1)
        channel = st.number_input(words, 0, n_maps - 1, unit if unit < n_maps else 0, key=widget, on_change=choose, width=200)
    job = ConvolutionJob(**subject.asked(), path=path, channel=int(channel))
    look(job, ConvolutionParts, lambda parts: _arithmetic(parts, key), key=f"{key}.look")


def _conv_path(paths: list[Path], present: Path, names: dict[Path, str], key: str) -> Path:
    def choose() -> None:
        path = st.session_state[key]
        if len(path) == 1:
            selection.choose_unit(path[0])

    chosen: Path = st.selectbox(
        _("Convolution"), paths, index=paths.index(present), key=key, on_change=choose, format_func=names.__getitem__, width=200
    )
    return chosen


def _arithmetic(parts: ConvolutionParts, key: str) -> None:
    conv_arithmetic(parts, key=f"{key}.parts", palettes=palettes())
    st.text(arithmetic_sentence(parts))
    download_arrays(parts, CONVOLUTION_FILE, key=f"{key}.download")


def arithmetic_sentence(parts: ConvolutionParts) -> str:
    """The settings, how near our sum comes to what the layer gave, and what is not shown one by one."""
    side = parts.kernels.shape[-1]
    told = [
        _("Kernel {side} × {side}, stride {stride}, padding {padding}, dilation {dilation}, groups {groups}.").format(
            side=side, stride=parts.stride, padding=parts.padding, dilation=parts.dilation, groups=parts.groups
        ),
        _("Over the whole map, our own sum differs from what the layer gave by at most {difference:.1e}.").format(
            difference=parts.largest_difference
        ),
    ]
    if parts.groups > 1:
        n = len(parts.input_channels) + parts.n_rest
        told.append(_("This map sees the {n} channels of its group only, of {all}.").format(n=n, all=parts.n_inputs))
    if parts.n_rest:
        words = _("To keep the page light, the {n} channels that add most are shown one by one, and {rest} as one sum.")
        told.append(words.format(n=len(parts.input_channels), rest=parts.n_rest))
    return " ".join(told)


def _field(subject: Subject, layer: int, unit: int, key: str) -> None:
    job = ReceptiveFieldJob(**subject.asked(), layer=layer, unit=unit)
    look(job, ReceptiveField, lambda field: _fields(field, key), key=f"{key}.look")


def _fields(field: ReceptiveField, key: str) -> None:
    receptive_field(field, key=f"{key}.field", palettes=palettes())
    st.caption(
        _("The receptive field of {layer} is {height} × {width} pixels; at the edges a part of it is padding.").format(
            layer=field.layer_name, height=field.size[0], width=field.size[1]
        )
    )
    download_arrays(field, FIELD_FILE, key=f"{key}.download")
