"""Choose data, look at them, bring in one's own, and say how they are made ready for the model."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.data.drawn import DrawnPoints
from core.data.menu import AnyDataset
from core.data.plane import Plane
from core.experiment.check import findings
from core.experiment.experiment import Experiment
from core.jobs.data_lenses import AugmentationJob
from core.results.augmented import AugmentedExamples
from dashboard.components.boundary import boundary
from dashboard.components.point_pad import point_pad
from dashboard.figures.data_charts import alt_augmentation_sheet, augmentation_sheet
from dashboard.session import lesson, resources, state
from dashboard.session.plane import plane_points
from dashboard.text import _
from dashboard.widgets.augmentation_form import augmentation_form
from dashboard.widgets.changes import use, use_data
from dashboard.widgets.choice_form import choice_form, fields
from dashboard.widgets.data_report import data_report
from dashboard.widgets.data_samples import data_samples
from dashboard.widgets.download import download_offer
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.findings import findings as findings_list
from dashboard.widgets.lens import look
from dashboard.widgets.own_data import own_data
from dashboard.widgets.presets import way_out

ABOUT = ("data", "augmentation")


def render() -> None:
    """The Data screen."""
    experiment = state.experiment()
    choosing, looking = st.columns([2, 5], gap="medium")
    with choosing:
        if not lesson.is_hidden("data.choice"):
            _choice(experiment)
        if not lesson.is_hidden("data.preparation"):
            _preparation(experiment)
    with looking:
        _about(experiment)
        views: dict[str, Callable[[Experiment], None]] = {_("Examples"): _examples}
        if not lesson.is_hidden("data.report"):
            views[_("Statistics and quality")] = _report
        if experiment.data.original_profile().modality == "image" and not lesson.is_hidden("data.augmentation"):
            views[_("Augmentation")] = _augmentation
        if not lesson.is_hidden("data.own"):
            views[_("Own data")] = _own
        for tab, view in zip(st.tabs(list(views), key="data.tabs", on_change="rerun"), views.values(), strict=True):
            if tab.open:
                with tab:
                    view(experiment)


def _choice(experiment: Experiment) -> None:
    """Which data, how many, and how they are split."""
    with st.container(border=True):
        st.subheader(_("Data"))
        choice_form(
            AnyDataset, experiment.data, key="data.choice", label=_("Data set"), on_change=partial(use_data, experiment)
        )
        profile = experiment.data.profile()
        st.number_input(
            _("Seed"), 0, 2**31 - 1, experiment.seed, key=f"data.seed.{experiment.seed}", on_change=_reseed, args=(experiment,),
            help=_("Draws the data, splits them, and starts all that is random in training."),
        )  # fmt: skip
        sizes = _("{train:,} training, {validation:,} validation, {test:,} test examples")
        st.caption(sizes.format(train=profile.n_train, validation=profile.n_validation, test=profile.n_test))
        download_offer(experiment.data, key="data.download")


def _reseed(experiment: Experiment) -> None:
    seed = st.session_state[f"data.seed.{experiment.seed}"]
    if seed is not None:
        use(experiment, seed=seed)


def _preparation(experiment: Experiment) -> None:
    """What is done to the examples; fitted on the training split alone."""
    with st.container(border=True):
        st.subheader(
            _("Preparation"), help=_("All that is learned from the data for it is learned from the training split alone.")
        )

        def change(preparation: object) -> None:
            use_data(experiment, experiment.data.but(preparation=preparation))

        fields(experiment.data.preparation, key="data.preparation", on_change=change)


def _about(experiment: Experiment) -> None:
    """What is found about the data before they are loaded."""
    found = findings(experiment, resources.settings())
    findings_list([finding for finding in found if finding.where[:1] and finding.where[0] in ABOUT], screen="data")
    if any(finding.severity == "error" and finding.where[:1] == ("layers",) for finding in found):
        way_out(experiment, key="data.way_out", on_use=lambda model: use(experiment, model=model))


def _examples(experiment: Experiment) -> None:
    data = experiment.data
    if isinstance(data, DrawnPoints):
        point_pad(
            data.drawn,
            key="data.pad",
            class_names=("0", "1"),
            on_edit=lambda points: use_data(experiment, data.but(drawn=points)),
        )
    elif isinstance(data, Plane):
        points, labels, is_validation = plane_points(data, experiment.seed)
        names = tuple(_(name) for name in data.class_names)
        with st.container(width=560):
            boundary(points, labels, is_validation, key="data.plane", class_names=names)
    if data.original_profile().modality != "points":
        data_samples(experiment, key="data.samples")


def _report(experiment: Experiment) -> None:
    data_report(experiment, key="data.report")


def _augmentation(experiment: Experiment) -> None:
    augmentation_form(
        experiment.augmentation, key="data.augmentation", on_change=lambda changed: use(experiment, augmentation=changed)
    )
    if not experiment.augmentation:
        st.info(_("Switch a change on to see what it does to the training images."), icon=":material/info:")
        return
    job = AugmentationJob(data=experiment.data, augmentation=experiment.augmentation, seed=experiment.seed)

    def show(sheet: AugmentedExamples) -> None:
        figure(augmentation_sheet(sheet, dark=is_dark()), key="data.augmentation.sheet", alt=alt_augmentation_sheet(sheet))

    look(job, AugmentedExamples, show, key="data.augmentation.preview")


def _own(experiment: Experiment) -> None:
    own_data(partial(use_data, experiment))
