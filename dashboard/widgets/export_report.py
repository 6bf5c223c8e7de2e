"""A report that opens offline, event files for TensorBoard, a model card, and a bundle of it all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import streamlit as st

from core.data.own.keep import store_upload
from core.data.own.own_file import OwnFile
from core.errors import LayerwiseError
from core.jobs.bundle_jobs import BundleJob
from core.jobs.export_jobs import EventFilesJob, ModelCardJob
from core.jobs.job import ArtifactRef
from core.jobs.lenses import ExampleRef
from core.spec import parse_json
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import resources
from dashboard.session.sender import sender
from dashboard.text import _, counted, size_words
from dashboard.widgets.compress_made import is_made_smaller
from dashboard.widgets.export_file import Offer, card, offered, prepared
from dashboard.widgets.failure import toast
from dashboard.widgets.report import report_html
from dashboard.widgets.report_gather import gathered
from dashboard.widgets.subject import Subject

MIB = 2**20


def panel(subject: Subject, *, key: str) -> None:
    """A report that opens offline, event files for TensorBoard, a model card, and a bundle of it all."""
    record = resources.reader().run(subject.run) if subject.run else None
    if record is None or not record.last_seq:
        st.info(_("There is no run yet to report on: press Train, then come back."), icon=":material/info:")
        return
    subject, record = _held(subject, record, key)
    left, right = st.columns(2)
    with left:
        build = _report(subject, record, f"{key}.report")
        _card(subject, record, f"{key}.model_card")
    with right:
        _bundle(subject, record, build, f"{key}.bundle")
        _events(subject, record, f"{key}.events")


def _held(subject: Subject, record: RunRecord, key: str) -> tuple[Subject, RunRecord]:
    """A run that goes on, as it was when this panel first saw it: what is prepared must not be out of date at once."""
    place = f"{key}.held"
    if record.state not in UNFINISHED:
        st.session_state.pop(place, None)
        return subject, record
    known: tuple[str, int, int, str] | None = st.session_state.get(place)
    if known is None or known[0] != record.id:
        weights = subject.weights.model_dump_json() if subject.weights else ""
        known = st.session_state[place] = (record.id, record.last_seq, subject.step, weights)
    _run, last_seq, step, weights = known
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(_("This run goes on. Here it is as it was after step {step:,}.").format(step=step), width="content")
        st.button(_("Take it as it is now"), key=f"{key}.now", on_click=_set, args=(place, None), icon=":material/update:")
    ref = parse_json(ArtifactRef, weights) if weights else None
    return replace(subject, weights=ref, step=step), replace(record, last_seq=last_seq)


def _report(subject: Subject, record: RunRecord, key: str) -> Callable[[], bytes] | None:
    """The report, once it was asked for and all that belongs in it is there; what makes it."""
    with st.container(border=True, key=f"{key}.card"):
        st.markdown(f":material/article: **{_('Report (HTML)')}**")
        st.caption(
            _("One page with curves, figures, errors, explanations, configuration and versions. It opens offline and prints.")
        )
        wanted = f"{key}.wanted"
        if st.session_state.get(wanted) != record.id:
            st.button(_("Prepare the report"), key=f"{key}.prepare", on_click=_set, args=(wanted, record.id), type="primary")
            return None
        facts = gathered(subject, record, key=key)
        if facts is None:
            return None

        def build() -> bytes:
            return report_html(facts)

        st.text(_("It holds its own scripts and pictures, and its policy forbids every request to a network."))
        st.download_button(
            _("Download report.html"),
            build,
            f"report-{record.id[:8]}.html",
            "text/html",
            key=f"{key}.download",
            icon=":material/download:",
            on_click="ignore",
        )
        return build


def _card(subject: Subject, record: RunRecord, key: str) -> None:
    """Facts of the model, as Markdown."""
    offer = Offer(
        _("Model card (Markdown)"),
        _("Plain facts for whoever gets the model: use, data, training, figures, limits. Add what only you know."),
        ":material/badge:",
        _("Write the card"),
    )
    job = ModelCardJob(**_asked(subject), run=record.id, last_seq=record.last_seq)
    offered(offer, job, "model_card.md", key=key)


def _events(subject: Subject, record: RunRecord, key: str) -> None:
    """The curves for TensorBoard; a model that was made smaller has none."""
    if is_made_smaller(record):
        return
    offer = Offer(
        _("TensorBoard event files"),
        _("Losses, figures, learning rates and norms at their steps: unpack them and run tensorboard --logdir on the folder."),
        ":material/monitoring:",
        _("Write the event files"),
    )
    is_regression = subject.experiment.data.profile().task == "regression"
    job = EventFilesJob(run=record.id, last_seq=record.last_seq, is_regression=is_regression)
    offered(offer, job, f"tensorboard-{record.id[:8]}.zip", key=key)


def _bundle(subject: Subject, record: RunRecord, build: Callable[[], bytes] | None, key: str) -> None:
    """Everything in one archive, and how large it will be."""
    offer = Offer(
        _("Bundle"),
        _("The whole run in one ZIP: log, checkpoints, weights, ONNX, script, card. Import gives it back, bit for bit."),
        ":material/inventory_2:",
        _("Pack the bundle"),
    )
    with card(offer, key=key):
        job = BundleJob(
            **_asked(subject),
            run=record.id,
            last_seq=record.last_seq,
            checkpoints=_checkpoints(record, key),
            with_files=_asks_for_files(subject, key),
            report=_kept_report(record, build, key),
        )
        prepared(offer, job, f"bundle-{record.id[:8]}.zip", key=key)


def _checkpoints(record: RunRecord, key: str) -> Literal["all", "newest"]:
    """Which checkpoints go along, with their sizes."""
    saved = [one for one in resources.reader().artifacts(record.id) if one.kind == "checkpoint"]
    if len(saved) == 1:
        st.caption(_("With its checkpoint, {size}.").format(size=size_words(saved[0].n_bytes)))
        return "all"
    newest = max(saved, key=lambda one: one.seq, default=None)
    sizes = {"all": sum(one.n_bytes for one in saved), "newest": newest.n_bytes if newest else 0}
    n = counted("{n} checkpoint", "{n} checkpoints", len(saved))
    labels = {
        "all": _("All {n}, {size}").format(n=n, size=size_words(sizes["all"])),
        "newest": _("The newest, {size}").format(size=size_words(sizes["newest"])),
    }
    kept = st.segmented_control(
        _("Checkpoints in it"), list(labels), default="all", key=f"{key}.kept", required=True, format_func=labels.__getitem__
    )
    limit = resources.settings().upload_mb
    if sizes[kept] > limit * MIB:
        st.caption(_("More than {limit:,} MB: this server would not import it again. Take the newest.").format(limit=limit))
    return "all" if kept == "all" else "newest"


def _asks_for_files(subject: Subject, key: str) -> bool:
    """Whether the visitor's own files go along; True where there are none."""
    experiment = subject.experiment
    if not isinstance(experiment.data, OwnFile) and not experiment.model.weights:
        return True
    return st.checkbox(
        _("With your own data and imported weights"),
        value=True,
        key=f"{key}.with_files",
        help=_("Without them the run can be looked at elsewhere, and not be repeated. With them you hand your data on."),
    )


def _kept_report(record: RunRecord, build: Callable[[], bytes] | None, key: str) -> str:
    """The digest of the report that goes along; empty for none."""
    place = f"{key}.report"
    known: tuple[str, str] | None = st.session_state.get(place)
    digest = known[1] if known and known[0] == record.id else ""
    if digest:
        st.caption(_("The report goes along."))
        return digest
    if build is not None:
        st.button(_("Put the report in too"), key=f"{key}.with_report", on_click=_keep, args=(place, record.id, build))
    return ""


def _keep(place: str, run: str, build: Callable[[], bytes]) -> None:
    try:
        st.session_state[place] = (run, store_upload(build(), "report.html", resources.settings(), sender()))
    except LayerwiseError as error:
        toast(error)


def _set(place: str, value: str | None) -> None:
    st.session_state[place] = value


def _asked(subject: Subject) -> dict[str, Any]:
    return subject.asked() | {"example": ExampleRef()}
