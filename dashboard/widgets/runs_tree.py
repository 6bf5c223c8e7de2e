"""What was made from what, and a new run from any checkpoint."""

import streamlit as st

from core.errors import LayerwiseError
from core.run_row import RunRow
from core.run_table import title
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.components.run_tree import Node, alt_tree, run_tree
from dashboard.session import pace, resources, state
from dashboard.session.visitor import visitor
from dashboard.text import _
from dashboard.widgets.compare import SHORT_RUN
from dashboard.widgets.failure import failure
from dashboard.widgets.fork_form import fork_form
from dashboard.widgets.header import STATES
from dashboard.widgets.runs_table_actions import open_run
from dashboard.widgets.table_file import download_table

POLL_S = 2.0
MOST_ROWS = 2000
TONES = {"finished": "good", "failed": "bad"}


def panel(*, key: str) -> None:
    """The tree, and below it the form for the run that is chosen in it."""
    try:
        rows = resources.reader().rows(owner=visitor().owner, limit=MOST_ROWS)
    except LayerwiseError as error:
        failure(error)
        return
    if not rows:
        st.info(_("No runs yet. Press Train; then come back to fork what it has learned."), icon=":material/info:")
        return
    record = _chosen(rows, key)
    st.subheader(_("Tree of runs"))
    _tree(rows, record, key)
    if record is not None:
        _run(record, rows, key)


def _chosen(rows: tuple[RunRow, ...], key: str) -> RunRecord | None:
    """The run that was chosen in the tree, else the present one, else the newest that keeps weights."""
    known = {row.id for row in rows}
    wanted = [st.session_state.get(f"{key}.node"), state.run_id(), next((r.id for r in rows if r.kind == "train"), rows[0].id)]
    return next((resources.reader().run(run) for run in wanted if run in known), None)


def _tree(rows: tuple[RunRow, ...], record: RunRecord | None, key: str) -> None:
    nodes = [node_of(row) for row in rows]
    known = {row.id for row in rows}
    has_forks = any(row.parent in known for row in rows)
    st.caption(alt_tree(nodes) if has_forks else _("Nothing was forked yet: choose a run, and fork it below."))

    def pick(run: str) -> None:
        st.session_state[f"{key}.node"] = run

    run_tree(nodes, record.id if record else "", key=f"{key}.tree", on_pick=pick)
    columns: dict[str, list[object]] = {
        "run": [row.id for row in rows],
        "name": [title(row) for row in rows],
        "kind": [row.kind for row in rows],
        "state": [row.state for row in rows],
        "made_from": [row.parent for row in rows],
        "at_step": [row.parent_step if row.parent else "" for row in rows],
        "best_validation_loss": [row.figures.get("best_validation_loss", "") for row in rows],
    }
    download_table(columns, "tree-of-runs.csv", key=f"{key}.download")
    _follow(rows)


def _follow(rows: tuple[RunRow, ...]) -> None:
    """Run the page again when a run that goes on has changed its state, or a new one is there."""
    if not any(row.state in UNFINISHED for row in rows):
        return
    known = [(row.id, row.state) for row in rows]

    def poll() -> None:
        if [(row.id, row.state) for row in resources.reader().rows(owner=visitor().owner, limit=MOST_ROWS)] != known:
            st.rerun()

    st.fragment(poll, run_every=pace.every(POLL_S))()


def node_of(row: RunRow) -> Node:
    """A run in the words of the tree."""
    word = STATES[row.state][0]
    return Node(
        id=row.id,
        title=title(row),
        created=row.created,
        parent=row.parent,
        edge=_edge(row),
        facts=_facts(row),
        score=_score(row),
        state=_(word),
        tone=TONES.get(row.state, "live" if row.state in UNFINISHED else "quiet"),
    )


def _edge(row: RunRow) -> str:
    if not row.parent:
        return ""
    words = {"train": _("forked at step {step}"), "compress": _("compressed at step {step}")}
    return words.get(row.kind, _("made at step {step}")).format(step=f"{row.parent_step:,}")


def _facts(row: RunRow) -> str:
    facts = row.facts
    optimizer, rate = facts.get("optimizer"), facts.get("lr")
    lane = _("{optimizer}, lr {rate:g}").format(optimizer=optimizer, rate=rate) if isinstance(rate, float) else optimizer
    known_as = _("run {run}").format(run=row.id[:SHORT_RUN]) if row.name else ""
    return " · ".join(str(part) for part in (known_as, facts.get("compression"), facts.get("data"), lane) if part)


def _score(row: RunRow) -> str:
    loss = row.figures.get("best_validation_loss", row.figures.get("validation_loss"))
    return "" if loss is None else _("validation loss {loss:.4g}").format(loss=loss)


def _run(record: RunRecord, rows: tuple[RunRow, ...], key: str) -> None:
    """What can be done with the chosen run."""
    row = next(row for row in rows if row.id == record.id)
    with st.container(border=True, key=f"{key}.run"):
        with st.container(key=f"{key}.head", horizontal=True, vertical_alignment="center"):
            st.text(_("Fork {name}").format(name=title(row)), width="content")
            st.space("stretch")
            if row.parent and any(other.id == row.parent for other in rows):
                st.button(
                    _("Go to its origin"),
                    key=f"{key}.up",
                    icon=":material/arrow_upward:",
                    on_click=_pick,
                    args=(key, row.parent),
                )
            if st.button(
                _("Open"), key=f"{key}.open", icon=":material/open_in_new:", help=_("Looks at this run on all screens.")
            ):
                open_run(record.id)
        fork_form(record, key=f"{key}.fork")


def _pick(key: str, run: str) -> None:
    st.session_state[f"{key}.node"] = run
