"""Weights from a file: imported by a worker, compared with the stack, and taken as the start of training."""

from collections.abc import Callable

import streamlit as st

from core.data.own.keep import store_upload
from core.errors import LayerwiseError
from core.experiment.experiment import Experiment
from core.jobs.data_lenses import WeightsImportJob
from core.models.model import ModelSpec, backbone_of, infer, stack_error, with_backbone_weights
from core.models.weights_check import check_weights_bytes
from core.results.weights_report import ImportedWeights
from dashboard.session import resources
from dashboard.session.sender import sender
from dashboard.text import _, counted
from dashboard.widgets.failure import plain, problem
from dashboard.widgets.lens import look

HEAD_BYTES = 64 * 1024
FILE = "weights.file"
PROBLEM = "weights.problem"


def weights(experiment: Experiment, *, key: str, on_use: Callable[[ModelSpec], None]) -> None:
    """An uploader, what the file holds, and a button that starts from it."""
    model = experiment.model
    if model.weights:
        with st.container(horizontal=True, vertical_alignment="center"):
            words = _("Training starts from imported weights ({digest}), not from random ones.")
            st.info(words.format(digest=model.weights[:8]), icon=":material/upload_file:")
            st.button(_("Start from random weights"), key=f"{key}.forget", on_click=on_use, args=(model.but(weights=""),))
    st.file_uploader(
        _("A state_dict (.pt, .pth) or safetensors file, of this very stack or of its Backbone"),
        ["safetensors", "pt", "pth"],
        key=f"{key}.upload",
        on_change=_keep,
        args=(f"{key}.upload",),
        max_upload_size=resources.settings().upload_mb,
    )
    if words := st.session_state.get(PROBLEM):
        problem(words)
    kept: tuple[str, str] | None = st.session_state.get(FILE)
    if kept is None:
        return

    is_backbone = backbone_of(model) is not None and _is_for_backbone(key)

    def show(found: ImportedWeights) -> None:
        started = with_backbone_weights(model, found.digest) if is_backbone else model.but(weights=found.digest)
        _found(found, started, key, on_use, is_used=started == model)

    job = WeightsImportJob(
        file=kept[0],
        name=kept[1],
        model=model.but(weights=""),
        input_shape=experiment.data.profile().input_shape,
        is_backbone=is_backbone,
    )
    if (error := stack_error(job.model, infer(job.model, job.input_shape))) is not None:
        problem(str(error))
        return
    look(job, ImportedWeights, show, key=f"{key}.import")


def _keep(upload_key: str) -> None:
    """Keep the uploaded file, if it is of the right kind."""
    upload = st.session_state[upload_key]
    st.session_state[PROBLEM], st.session_state[FILE] = "", None
    if upload is None:
        return
    data, settings = upload.getvalue(), resources.settings()
    try:
        check_weights_bytes(data[:HEAD_BYTES], len(data), upload.name, settings)
        st.session_state[FILE] = (store_upload(data, upload.name, settings, sender()), upload.name[:200])
    except LayerwiseError as error:
        st.session_state[PROBLEM] = str(error)


def _is_for_backbone(key: str) -> bool:
    """Which of the two the file is for."""
    names = {True: _("the Backbone layer"), False: _("the whole stack")}
    chosen = st.segmented_control(
        _("The file is for"), [True, False], default=True, required=True, key=f"{key}.part", format_func=names.__getitem__
    )
    return bool(chosen)


def _found(found: ImportedWeights, started: ModelSpec, key: str, on_use: Callable[[ModelSpec], None], *, is_used: bool) -> None:
    """What the file holds, and a button that takes the model that starts from it."""
    st.text(
        _("{tensors} with {n:,} numbers.").format(
            tensors=counted("{n} tensor", "{n} tensors", len(found.names)), n=found.n_parameters
        )
    )
    for note in found.notes:
        st.caption(plain(note))
    with st.expander(_("Tensors")):
        st.dataframe({_("name"): list(found.names), _("shape"): list(found.shapes)}, hide_index=True, key=f"{key}.tensors")
    st.button(
        _("Start from these weights"),
        key=f"{key}.use",
        on_click=on_use,
        args=(started,),
        disabled=is_used,
        icon=":material/check:",
    )
