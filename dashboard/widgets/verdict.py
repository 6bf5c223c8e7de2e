"""What a race shows so far: who is ahead and how sure that is, what is equal and what differs, who trains together."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.errors import LayerwiseError
from core.experiment.fairness import Fairness, fairness
from core.experiment.race_figures import Figure, Moment, race_verdict
from core.experiment.standing import Standing
from core.experiment.verdict import Verdict
from core.sentence import Sentence
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.figures.theme import categorical
from dashboard.session import pace, resources, state
from dashboard.session.run_history import asked
from dashboard.session.run_now import changes_by_hand
from dashboard.text import _
from dashboard.widgets.failure import failure, plain
from dashboard.widgets.figure import is_dark

POLL_S = 2.0
FIGURES: tuple[Figure, ...] = ("validation_loss", "validation_accuracy", "train_loss")
MOMENTS: tuple[Moment, ...] = ("last", "best")


def verdict(record: RunRecord, *, key: str) -> None:
    """The box under the curves; while the race goes on it is renewed without running the page again."""

    def poll() -> None:
        try:
            present = resources.reader().run(record.id) or record
            with st.container(border=True, key=f"{key}.box"):
                _result(present, key)
                _fairness(present)
        except LayerwiseError as error:
            failure(error)

    st.fragment(poll, run_every=pace.every(POLL_S) if record.state in UNFINISHED else None, key=key)()


def _result(record: RunRecord, key: str) -> None:
    """The verdict in sentences, with the table behind it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(_("Result") if record.state not in UNFINISHED else _("Result so far"), width="stretch")
        by, at = _measure(record, key)
    found = asked(record, lambda history: race_verdict(history, by, at))
    if found is None:
        st.text(_("The first epoch is not over yet: there is nothing to compare."))
        return
    words, table = st.columns([3, 2], gap="medium")
    first, *rest = [said(sentence) for sentence in found.sentences]
    with words:
        st.markdown(f"**{plain(first)}**")
        for text in rest:
            st.text(text)
    with table:
        st.html(standings(found, colours=categorical(dark=is_dark())))


def _measure(record: RunRecord, key: str) -> tuple[Figure, Moment]:
    """By which figure, and of which epoch."""
    is_number = state.experiment_of(record.job).loss.task == "regression"
    figures = {
        "validation_loss": _("validation loss"),
        "validation_accuracy": _("validation R²") if is_number else _("validation accuracy"),
        "train_loss": _("training loss"),
    }
    moments = {"last": _("last epoch"), "best": _("best epoch of each")}
    by = st.selectbox(
        _("Compared by"), FIGURES, key=f"{key}.by", format_func=figures.__getitem__, persist_state="session", width=200
    )
    at = st.selectbox(
        _("Of the"), MOMENTS, key=f"{key}.at", format_func=moments.__getitem__, persist_state="session", width=190
    )
    return by, at


def said(sentence: Sentence) -> str:
    """A sentence in the reader's language."""
    return _(sentence.template).format(**sentence.params)


def standings(found: Verdict, *, colours: Sequence[str]) -> str:
    """All lanes, the best first, as a table of HTML. Lanes that left the race are not in it."""
    present = [(lane, standing) for lane, standing in enumerate(found.lanes) if standing is not None]
    order = {one.lane: one.better_by.mean for one in found.comparisons} | {found.best: float("-inf")}
    rows = "".join(_row(lane, one, colours) for lane, one in sorted(present, key=lambda pair: order.get(pair[0], float("inf"))))
    heads = "".join(
        f"<th>{escape(word)}</th>" for word in (_("Lane"), _("Mean"), _("95 % interval"), _("First"), _("Diverged"))
    )
    return f'<table class="lw-standings"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _row(lane: int, one: Standing, colours: Sequence[str]) -> str:
    interval = f"{one.mean.low:.3g} – {one.mean.high:.3g}" if one.mean.n > 1 else "–"
    figures = (f"{one.mean.mean:.3g}" if one.mean.n else "–", interval, str(one.n_first), str(one.n_diverged or "–"))
    cells = "".join(f"<td>{escape(text)}</td>" for text in figures)
    chip = f'<span class="chip" style="background:{colours[lane % len(colours)]}"></span>'
    return f'<tr><th scope="row">{chip}{escape(one.name)}</th>{cells}</tr>'


def _fairness(record: RunRecord) -> None:
    """What is equal, what differs, and who trains together."""
    experiment = state.experiment_of(record.job).but(changes=changes_by_hand(record))
    found: Fairness = fairness(experiment)
    plan = asked(record, lambda history: history.plan)
    equal, differs = st.columns(2, gap="medium")
    with equal:
        _list(_("Equal for all lanes"), ":material/equal:", found.equal)
    with differs:
        _list(_("What differs"), ":material/difference:", found.differs)
        if plan is not None and plan.reason:
            st.caption(plain(_("Trained so: {reason}").format(reason=plan.reason)))


def _list(title: str, icon: str, sentences: Sequence[Sentence]) -> None:
    st.badge(title, icon=icon, color="blue")
    lines = "\n".join(f"- {plain(said(sentence))}" for sentence in sentences)
    st.markdown(lines or plain(_("Nothing.")))
