"""Changes of the experiment in hand, for forms to call; one that cannot be is told, and nothing changes."""

import streamlit as st

from core.data.menu import AnyDataset
from core.errors import LayerwiseError
from core.experiment.adapt import with_data
from core.experiment.experiment import Experiment
from core.experiment.refit import with_model
from core.models.model import ModelSpec
from dashboard.session import state
from dashboard.widgets.failure import toast


def use(experiment: Experiment, **changes: object) -> None:
    """Take the experiment with some fields changed in hand; frozen layers follow a changed stack."""
    try:
        model = changes.pop("model", None)
        if isinstance(model, ModelSpec):
            experiment = with_model(experiment, model)
        state.set_experiment(experiment.but(**changes))
    except LayerwiseError as error:
        toast(error)


def use_data(experiment: Experiment, data: AnyDataset) -> None:
    """Take other data in hand, with what must change with them; that is said in a moment's note."""
    try:
        adapted = with_data(experiment, data)
    except LayerwiseError as error:
        toast(error)
        return
    state.set_experiment(adapted.experiment)
    if adapted.notes:
        st.toast(" ".join(adapted.notes), icon=":material/sync:")
