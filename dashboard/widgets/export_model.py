"""The trained model in the formats that others read."""

import streamlit as st

from core.jobs.compress import CompressJob
from core.jobs.export_jobs import FILES, ModelExportJob, ModelFormat
from core.jobs.lenses import ExampleRef
from core.jobs.menu import parse_job
from core.models.model import infer
from dashboard.session import resources
from dashboard.text import _
from dashboard.widgets.compress_words import NUMBER_FORMATS
from dashboard.widgets.export_file import Offer, offered
from dashboard.widgets.subject import Subject

CHEAP = 2_000_000
"""Parameters up to which weights are written without being asked for."""
AT_ONCE: tuple[ModelFormat, ...] = ("safetensors", "state_dict")


def panel(subject: Subject, *, key: str) -> None:
    """The trained model in the formats that others read."""
    fields = subject.asked() | {"example": ExampleRef()}
    inference = infer(subject.experiment.model, subject.experiment.data.profile().input_shape)
    is_cheap = inference.n_parameters + inference.n_frozen <= CHEAP
    st.text(_("Every file is checked here before you get it. Its weights are those after step {n:,}.").format(n=subject.step))
    _of_numbers(subject)
    columns = st.columns(2)
    for place, (name, offer) in enumerate(offers().items()):
        job = ModelExportJob(**fields, format=name)
        with columns[place % 2]:
            offered(offer, job, file_name(name, subject.step), key=f"{key}.{name}", at_once=is_cheap and name in AT_ONCE)


def _of_numbers(subject: Subject) -> None:
    """Of a model that computes in int8 or half precision: where its own file is."""
    record = resources.reader().run(subject.run) if subject.run else None
    job = parse_job(record.job) if record is not None and record.kind == "compress" else None
    if isinstance(job, CompressJob) and job.compression.kind in NUMBER_FORMATS:
        st.caption(_("These files hold the rounded weights as 32-bit floats. The small file is on Compress, with its figures."))


def offers() -> dict[ModelFormat, Offer]:
    """All formats, the most asked for first."""
    return {
        "safetensors": Offer(
            "safetensors",
            _("The weights alone: names, shapes, numbers. Many libraries read it, and nothing in it can run."),
            ":material/lock:",
        ),
        "state_dict": Offer(
            "state_dict (.pt)",
            _("The weights for model.load_state_dict; torch.load reads them with weights_only=True."),
            ":material/weight:",
        ),
        "onnx": Offer(
            "ONNX",
            _("The whole model without Python: for ONNX Runtime, browsers, phones. Any number of examples."),
            ":material/hub:",
            _("Write and check ONNX"),
        ),
        "program": Offer(
            "torch.export (.pt2)",
            _("The whole model as a graph that torch runs without its source. Any number of examples."),
            ":material/account_tree:",
            _("Write and check the program"),
        ),
        "service": Offer(
            _("Prediction service"),
            _("A folder that starts with one command and answers over HTTP: raw examples in, predictions out. Needs no torch."),
            ":material/dns:",
            _("Build the service"),
        ),
    }


def file_name(format: ModelFormat, step: int) -> str:
    """What the file is called: its kind, and the step of its weights."""
    stem, _dot, ending = FILES[format].partition(".")
    return f"{stem}-step-{step}.{ending}"
