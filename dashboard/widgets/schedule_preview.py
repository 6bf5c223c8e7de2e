"""How a lane's schedule changes its learning rate over the run, drawn before anything is trained."""

import streamlit as st

from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.optim.schedules import STAND_IN_EPOCHS, Plateau, clock_of, preview
from dashboard.figures.rates import alt_schedule, schedule_curve
from dashboard.text import _
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.table_file import download_table


def schedule_preview(lane: Lane, experiment: Experiment, *, key: str) -> None:
    """The curve of the learning rate over the budget of the experiment, with what must be known to read it."""
    n_train = experiment.data.profile().n_train
    budget = experiment.budget
    clock = clock_of(n_train, experiment.batch(n_train), budget.epochs, budget.steps)
    steps, rates = preview(lane.schedule, lane.optimizer.lr, clock)
    drawing = schedule_curve(steps, rates, clock.steps_per_epoch, dark=is_dark())
    figure(drawing, key=f"{key}.curve", alt=alt_schedule(steps, rates))
    if isinstance(lane.schedule, Plateau):
        st.caption(_("When it drops depends on the validation loss; drawn is a run in which that gets better all the time."))
    if clock.total_steps is None:
        st.caption(
            _("This run ends by the clock, so its length is not known: {n} epochs are assumed.").format(n=STAND_IN_EPOCHS)
        )
    if lane.optimizer.uses_lr_once:
        st.caption(_("This optimizer looks at the learning rate in its first step alone: no schedule changes it."))
    columns = {"step": steps.tolist(), "learning_rate": rates.tolist()}
    download_table(columns, "schedule.csv", key=f"{key}.download")
