"""The weights of one layer as pictures, page by page."""

import streamlit as st

from core.jobs.lenses import ExampleRef
from core.jobs.weight_lenses import FiltersJob, weight_layers
from core.results.filters import Filters
from core.types import shape_text
from dashboard.figures.filters import Scale, View, alt_text, filters_figure, in_view, is_of_neurons, page_size
from dashboard.session import selection
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

Path = tuple[int, ...]


def panel(subject: Subject, *, key: str) -> None:
    """Which layer, and its weights."""
    layers = dict(weight_layers(subject.experiment))
    if not layers:
        st.info(_("No layer of this net has matrices or kernels to look at."), icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        path = _layer(layers, subject, key)
        controls = st.container(horizontal=True, vertical_alignment="bottom")
    tensor = int(st.session_state.get(_tensor_key(key, path)) or 0)
    job = FiltersJob(**subject.asked() | {"example": ExampleRef(), "layer": path, "tensor": tensor})
    look(job, Filters, lambda found: _pictures(found, controls, path, key), key=f"{key}.pictures")


def _layer(layers: dict[Path, str], subject: Subject, key: str) -> Path:
    """The layer that is looked at: the selected one, where it has weights."""
    chosen, paths = selection.layer(len(subject.experiment.model.layers)), list(layers)
    name = f"{key}.layer"
    kept = st.session_state.get(name)
    fitting = [path for path in paths if path[0] == chosen]
    is_kept = kept in paths and (kept in fitting or not fitting)
    st.session_state[name] = kept if is_kept else (fitting or paths)[0]

    def choose() -> None:
        selection.choose_unit(st.session_state[name][0])

    st.selectbox(_("Layer"), paths, key=name, on_change=choose, format_func=layers.__getitem__, width=240)
    path: Path = st.session_state[name]
    return path


def _tensor_key(key: str, path: Path) -> str:
    return f"{key}.tensor.{'.'.join(map(str, path))}"


def _pictures(found: Filters, controls: "st.delta_generator.DeltaGenerator", path: Path, key: str) -> None:
    """The pictures, with what they need to be chosen from."""
    with controls:
        if len(found.tensors) > 1:
            st.selectbox(
                _("Weights"),
                range(len(found.tensors)),
                key=_tensor_key(key, path),
                format_func=found.tensors.__getitem__,
                width=220,
            )
        view = _view(found, key)
        scale = _scale(found, key)
    figure(filters_figure(found, view, scale=scale, dark=is_dark()), key=f"{key}.figure", alt=alt_text(found, view))
    st.caption(in_words(found, view))
    download_arrays(found, "weights.npz", key=f"{key}.download", label=_("Download these weights (NPZ)"))


def _view(found: Filters, key: str) -> View:
    """Which outputs and inputs are seen."""
    sizes, counts = page_size(found), found.weights.shape[:2]
    labels = (_("Outputs") if is_of_neurons(found) else _("Filters"), _("Inputs"))
    first = [_page(labels[i], counts[i], sizes[i], f"{key}.page.{i}") for i in range(2)]
    return View(*first)


def _page(label: str, n: int, size: int, key: str) -> int:
    """The first of a page of `size`; no choice where one page has all."""
    if n <= size:
        return 0
    starts = list(range(0, n, size))
    key = f"{key}.{n}.{size}"
    chosen = st.selectbox(label, starts, key=key, format_func=lambda start: f"{start}–{min(n, start + size) - 1}", width=120)
    return int(chosen or 0)


def _scale(found: Filters, key: str) -> Scale:
    """What one colour scale spans; a picture in colour has its own."""
    if found.form == "colour":
        return "filter"
    labels = {"layer": _("the layer"), "filter": _("each output") if is_of_neurons(found) else _("each filter")}
    chosen = st.segmented_control(
        _("One colour scale for"),
        list(labels),
        default="layer",
        key=f"{key}.scale",
        persist_state="session",
        format_func=labels.__getitem__,
    )
    return "filter" if chosen == "filter" else "layer"


def in_words(found: Filters, view: View) -> str:
    """What the pictures are, of which moment, and what is left out."""
    words = {
        "colour": _(
            "Each picture is one filter over the red, green and blue of the image: grey is a weight of 0, a brighter colour "
            "counts for the filter, a darker one against it."
        ),
        "tiles": _("Each tile is what one filter looks for in one input map: blue weights count against, red ones for it.")
        if not is_of_neurons(found)
        else _(
            "Each tile is what one output looks for in one map before Flatten: blue weights count against, red ones for it."
        ),
        "matrix": _("Each row is one output of the layer, each column one input: blue weights count against, red ones for it."),
    }
    if found.form == "tiles" and found.is_of_input and found.weights.shape[1] == 1:
        words["tiles"] = _("Each tile is what one output looks for in the image: blue weights count against, red ones for it.")
    moment = _("Weights after step {step:,}.").format(step=found.step) if found.step else _("Initial weights.")
    shape = _("{name} is {shape}.").format(name=found.name, shape=shape_text(found.shape))
    return " ".join([words[found.form], shape, moment, *_left_out(found, view)])


def _left_out(found: Filters, view: View) -> list[str]:
    """What is not seen."""
    part = in_view(found, view)
    words = []
    if part.shape[:2] != found.weights.shape[:2]:
        words.append(
            _("Seen are {a} of {b} outputs and {c} of {d} inputs.").format(
                a=len(part), b=found.n_outputs, c=part.shape[1], d=found.weights.shape[1]
            )
        )
    if len(found.weights) < found.n_outputs:
        words.append(
            _("The layer is large: outputs from {n:,} on are left out here and in the download.").format(n=len(found.weights))
        )
    return words
