"""What a follower does on one's own: fork what is shown, come back, and go on with what was one's own."""

import streamlit as st

from core.errors import SpecError
from core.experiment.fork import forked
from core.experiment.origin import Origin
from dashboard.session import resources, run_now, selection, state
from dashboard.session.moments import Moment, moments
from dashboard.session.rooms import MINE, Mine, follow_again, in_hand, me, on_ones_own
from dashboard.text import _


def moment_in_hand() -> Moment | None:
    """The kept moment of the run in hand that is looked at; None where the run has kept none."""
    record = state.run()
    found = moments(record) if record is not None else ()
    if record is None or not found:
        return None
    chosen = selection.moment(record.id)
    if chosen is None:
        return next(one for one in found if one.is_newest)
    return min(found, key=lambda one: abs(one.step - chosen))


def fork_from_here() -> None:
    """On one's own, with a fork of the run at this moment in hand: training goes on from its weights.

    Raises:
        LayerwiseError: it cannot be forked.
    """
    record, moment = state.run(), moment_in_hand()
    if record is None or moment is None:
        raise SpecError(
            _("This run has kept no checkpoint yet: there is nothing to fork from."), hint=_("Wait for its first epoch.")
        )
    source, ref = run_now.experiment_now(record), moment.ref
    series = selection.series(len(source.lanes) * source.repeats)
    wanted = forked(source, Origin(run=ref.run, name=ref.name, sha256=ref.sha256, series=series, step=moment.step))
    on_ones_own()
    state.set_experiment(wanted)


def come_back() -> None:
    """Follow again, exactly where the presenter is now; what is in hand is kept."""
    st.session_state[MINE] = in_hand()
    follow_again()


def has_mine() -> bool:
    """Whether there is something of one's own to go on with."""
    return MINE in st.session_state or bool((member := me()) and member.run)


def go_on_with_mine() -> None:
    """Take one's own experiment and run in hand again; after a reload, those of the newest run that was started here."""
    mine: Mine | None = st.session_state.pop(MINE, None) or _newest()
    if mine is not None:
        state.take_in_hand(*mine)
        on_ones_own()


def _newest() -> Mine | None:
    member = me()
    record = resources.reader().run(member.run) if member and member.run else None
    if record is None:
        return None
    return state.experiment_of(record.job).model_dump_json(), record.id
