"""The visitor's state: the present experiment and run, and a few choices. Plain text only, parsed again on read.

The link carries both, so that a reload, a bookmark or a friend finds the same place.
"""

from functools import lru_cache

import streamlit as st

from core.errors import LayerwiseError, SpecError
from core.experiment.codec import MAX_LINK_CHARACTERS, file_text, from_file_text, from_link_text, link_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import Experiment
from core.jobs.shipping import AnyJob
from core.spec import parse_json
from core.store.protocol import RunRecord
from dashboard.session import resources
from dashboard.session.address import KEPT_IN_LINK, keep, kept
from dashboard.text import _

EXPERIMENT = "state.experiment"
RUN = "state.run"
RECENT = "state.recent_runs"
LOADED = "state.loaded"
LINK_PROBLEM = "state.link_problem"
UNDO, REDO = "state.undo", "state.redo"
MAX_UNDO = 100
MAX_RECENT = 20


@lru_cache(maxsize=64)
def _parsed(text: str) -> Experiment:
    return from_file_text(text)


@lru_cache(maxsize=64)
def _link(experiment: Experiment) -> str:
    return link_text(experiment)


def experiment() -> Experiment:
    """The experiment that this visitor has in hand."""
    text = st.session_state.get(EXPERIMENT)
    return _parsed(text) if text else default_experiment()


def set_experiment(changed: Experiment) -> None:
    """Take another experiment in hand; the present run stays where it is. What was in hand before can be brought back."""
    before, text = file_text(experiment()), file_text(changed)
    if text != before:
        st.session_state[UNDO] = (*st.session_state.get(UNDO, ()), before)[-MAX_UNDO:]
        st.session_state[REDO] = ()
    st.session_state[EXPERIMENT] = text
    st.session_state[LINK_PROBLEM] = ""


def experiment_text() -> str:
    """The experiment in hand as text; empty for the one that everybody begins with."""
    return str(st.session_state.get(EXPERIMENT, ""))


def take_in_hand(text: str, run: str | None) -> None:
    """Take what somebody else has in hand, or what one had oneself, as experiment and run: there is no way back before it.

    Raises:
        SpecError: the text is no experiment; then nothing has changed.
    """
    if text:
        _parsed(text)
    st.session_state[EXPERIMENT] = text
    st.session_state[UNDO] = st.session_state[REDO] = ()
    set_run(run)


def can_undo() -> bool:
    return bool(st.session_state.get(UNDO))


def can_redo() -> bool:
    return bool(st.session_state.get(REDO))


def undo() -> None:
    """Bring back the experiment before the last change."""
    _step_back(UNDO, REDO)


def redo() -> None:
    """Do the last change that was undone again."""
    _step_back(REDO, UNDO)


def _step_back(source: str, target: str) -> None:
    texts = st.session_state.get(source, ())
    if texts:
        st.session_state[target] = (*st.session_state.get(target, ()), file_text(experiment()))
        st.session_state[source] = texts[:-1]
        st.session_state[EXPERIMENT] = texts[-1]


def run_id() -> str | None:
    """The run that this visitor looks at."""
    return st.session_state.get(RUN)


def recent_runs() -> tuple[str, ...]:
    """The runs that this visitor has looked at, the newest first."""
    return tuple(st.session_state.get(RECENT, ()))


def set_run(run: str | None) -> None:
    """Look at another run."""
    st.session_state[RUN] = run
    if run is not None:
        others = [one for one in recent_runs() if one != run]
        st.session_state[RECENT] = (run, *others)[:MAX_RECENT]
    st.session_state[LINK_PROBLEM] = ""


def run() -> RunRecord | None:
    """The row of the run that this visitor looks at; None without a run, or when it is gone."""
    present = run_id()
    return resources.reader().run(present) if present else None


@lru_cache(maxsize=64)
def experiment_of(job: str) -> Experiment:
    """The experiment whose weights the run of this job keeps.

    Raises:
        SpecError: it keeps none, or it is from another version.
    """
    trained: Experiment | None = parse_json(AnyJob, job).trained()  # type: ignore[attr-defined]
    if trained is None:
        raise SpecError("This is not a training run.", hint="Open a training run.")
    return trained


def load_link() -> None:
    """On the first script run of a session, take experiment and run from the link."""
    if st.session_state.get(LOADED):
        return
    st.session_state[LOADED] = True
    for name in KEPT_IN_LINK:
        keep(name, st.query_params.get(name, ""))
    problems = []
    text, run = st.query_params.get("x"), st.query_params.get("run")
    try:
        record = resources.reader().run(run) if run else None
        if run and record is None:
            problems.append(_("The run of this link is not here (any more)."))
        if record is not None:
            set_experiment(experiment_of(record.job))
            set_run(record.id)
        if text:
            set_experiment(from_link_text(text))
    except LayerwiseError as error:
        problems.append(str(error))
    st.session_state[LINK_PROBLEM] = " ".join(problems)
    st.session_state[UNDO] = ()  # a link is where this session begins


def link_problem() -> str:
    """What was wrong with the link that this session came by; empty when nothing was."""
    return str(st.session_state.get(LINK_PROBLEM, ""))


def fits_link() -> bool:
    """Whether the present experiment is short enough for a link; else it travels as a file."""
    return len(_link(experiment())) <= MAX_LINK_CHARACTERS


def link_parts() -> dict[str, str]:
    """What the address of the page says: the experiment where it fits, the run, and what is kept beside them."""
    link = _link(experiment())
    wanted = {name: kept(name) for name in KEPT_IN_LINK if kept(name)}
    if len(link) <= MAX_LINK_CHARACTERS:
        wanted["x"] = link
    present = run_id()
    if present:
        wanted["run"] = present
    return wanted


def write_link() -> None:
    """Keep the address of the page in step with experiment and run."""
    wanted = link_parts()
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)
