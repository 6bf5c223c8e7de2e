"""Fork a run on the page: what is asked of the pool, what is said before, and the tree that comes of it."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.experiment.experiment import Budget, Experiment
from core.experiment.fork import from_scratch
from core.jobs.training import TrainJob
from core.run_row import RunRow
from core.settings import Settings
from core.spec import parse_json
from dashboard.components.run_tree import Node, alt_tree
from dashboard.components.run_tree.forest import forest
from dashboard.session import resources
from dashboard.session.chosen_runs import CHOSEN
from dashboard.session.state import EXPERIMENT, RUN
from tests.core.samples import linear, spiral, stack
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.inline_client import InlineClient, InlineStore

DROPPED = stack(linear(6), "Tanh", ("Dropout", {"p": 0.1}), linear(2))
SOURCE = spiral(model=DROPPED, budget=Budget(epochs=2))


class Rows(InlineStore):
    """With the table of runs, as the supervisor would keep it."""

    def rows(self, *, owner=None, with_deleted: bool = False, limit: int = 10_000) -> tuple[RunRow, ...]:
        return tuple(row_of(record, place) for place, record in reversed(list(enumerate(self.records.values()))))[:limit]


def row_of(record, place) -> RunRow:
    origin = parse_json(TrainJob, record.job).experiment.origin
    came = {"parent": origin.run, "parent_step": origin.step} if origin else {}
    figures = {"best_validation_loss": 0.25}
    facts = {"data": "Spiral", "optimizer": "Adam", "lr": 0.01}
    return RunRow(record.id, record.kind, record.name, record.state, float(place), facts=facts, figures=figures, **came)


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    fake.store = Rows()
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return fake


def page():
    from dashboard.widgets import runs_tree

    runs_tree.panel(key="tree")


def header():
    from dashboard.session import state
    from dashboard.widgets.changes import use
    from dashboard.widgets.fork_origin import frozen_form, origin_line

    origin_line(state.experiment())
    frozen_form(state.experiment(), key="frozen", on_change=lambda chosen: use(state.experiment(), frozen=chosen))


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    return app


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


def last(client) -> Experiment:
    return client.jobs[-1].experiment


def test_without_runs_the_tree_says_what_to_do(client):
    assert "No runs yet. Press Train" in texts(opened())


def test_a_fork_starts_from_the_chosen_moment_with_what_was_changed_and_the_tree_shows_it(client):
    first = client.submit(TrainJob(experiment=SOURCE))
    app = opened()
    assert "Nothing was forked yet" in texts(app)
    assert "Trains 32 of 32 parameters." in texts(app)
    moments = app.selectbox(key="tree.fork.moment")
    step = client.store.saved[first][1].step
    moments.set_value(step).run()
    app.number_input(key=f"tree.fork.rate.{first}.0.adam").set_value(0.0005).run()
    app.number_input(key=f"tree.fork.epochs.{first}").set_value(1).run()
    app.checkbox(key="tree.fork.state").check().run()
    assert not app.exception
    app.button(key="tree.fork.fork").click().run()
    made = last(client)
    saved = next(one for one in client.store.saved[first] if one.step == step)
    assert (made.origin.run, made.origin.sha256, made.origin.step) == (first, saved.sha256, step)
    assert (made.origin.optimizer_state, made.lanes[0].optimizer.lr, made.budget.epochs) == (True, 0.0005, 1)
    assert made.model == SOURCE.model
    fork = app.session_state[RUN]
    assert client.store.run(fork).state == "finished"
    rows = component_data(opened(), "tree.tree")["rows"]
    assert [(row["id"], row["depth"], row["edge"]) for row in rows] == [(first, 0, ""), (fork, 1, f"forked at step {step}")]
    assert rows[1]["score"] == "validation loss 0.25"


def test_frozen_layers_are_counted_and_what_does_not_fit_is_said_before(client):
    first = client.submit(TrainJob(experiment=SOURCE))
    app = opened()
    frozen = app.multiselect(key=f"tree.fork.frozen.{first}")
    assert frozen.options == ["1 Linear", "4 Linear"]
    frozen.set_value([0]).run()
    assert "Trains 14 of 32 parameters." in texts(app)
    app.multiselect(key=f"tree.fork.frozen.{first}").set_value([0, 3]).run()
    assert "there is nothing to train" in texts(app)
    assert app.button(key="tree.fork.fork").disabled
    app.multiselect(key=f"tree.fork.frozen.{first}").set_value([]).run()
    app.selectbox(key=f"tree.fork.optimizer.{first}.0").set_value("sgd").run()
    app.checkbox(key="tree.fork.state").check().run()
    assert "The checkpoint has the state of Adam" in texts(app)
    assert app.button(key="tree.fork.fork").disabled


def test_one_click_compares_with_from_scratch(client):
    client.submit(TrainJob(experiment=SOURCE))
    app = opened()
    app.button(key="tree.fork.compare").click().run()
    assert not app.exception
    fork, scratch = (job.experiment for job in client.jobs[-2:])
    assert scratch == from_scratch(fork)
    assert scratch.budget == fork.budget
    assert scratch.seed == fork.seed
    runs = list(client.store.records)[-2:]
    assert list(app.session_state[CHOSEN]) == runs
    assert "Lowest validation loss: fork" in texts(app)
    assert "One run each" in texts(app)
    assert app.get("plotly_chart")
    app.session_state["tree.node"] = client.submit(TrainJob(experiment=SOURCE))  # another run: the pair is not of it
    app.run()
    assert "Lowest validation loss: fork" not in texts(app)


def test_editing_the_rest_takes_the_fork_in_hand_and_the_header_can_forget_it(client):
    first = client.submit(TrainJob(experiment=SOURCE))
    app = opened()
    app.multiselect(key=f"tree.fork.frozen.{first}").set_value([0]).run()
    app.button(key="tree.fork.edit").click().run()
    kept = app.session_state[EXPERIMENT]
    strip = AppTest.from_function(header, default_timeout=60)
    strip.session_state[EXPERIMENT] = kept
    strip.run()
    chip = strip.button(key="header.from_scratch")
    assert chip.label == f"from run {first[:6]}, step {client.store.run(first).last_step} · 1 layer frozen"
    strip.multiselect(key="frozen.layers").set_value([3]).run()
    assert parse_json(Experiment, strip.session_state[EXPERIMENT]).frozen == (3,)
    strip.button(key="header.from_scratch").click().run()
    forgotten = parse_json(Experiment, strip.session_state[EXPERIMENT])
    assert (forgotten.origin, forgotten.frozen) == (None, ())


def test_a_click_in_the_tree_chooses_what_is_forked_and_anything_else_is_ignored(client):
    first = client.submit(TrainJob(experiment=SOURCE), name="*first*")
    second = client.submit(TrainJob(experiment=SOURCE.but(seed=1)))
    app = opened()
    assert component_data(app, "tree.tree")["chosen"] == second
    fire(app, "tree.tree", "pick", first)
    assert component_data(app, "tree.tree")["chosen"] == first
    assert "Fork *first*" in [element.value for element in app.text]
    for odd in ("nobody", 7, None, {"id": second}):
        fire(app, "tree.tree", "pick", odd)
        assert component_data(app, "tree.tree")["chosen"] == first
        assert not app.exception


def test_a_forest_has_every_run_once_below_the_one_that_it_came_from():
    made = {"b": "a", "c": "b", "d": "a", "f": "gone", "g": "h", "h": "g"}
    nodes = [Node(name, name, float(age), parent=made.get(name, "")) for age, name in enumerate("abcdefgh")]
    rows = forest(nodes)
    assert sorted(row.node.id for row in rows) == list("abcdefgh")
    at = {row.node.id: row for row in rows}
    assert [at[name].depth for name in "abcdefgh"] == [0, 1, 2, 1, 0, 0, 0, 0]
    tree = [row.node.id for row in rows if row.node.id in "abcd"]
    assert tree == ["a", "b", "c", "d"]
    assert [at[name].n_below for name in "abcd"] == [3, 1, 0, 0]
    assert (at["c"].rails, at["b"].is_last, at["d"].is_last) == ((True,), False, True)
    assert alt_tree(nodes) == "1 tree of runs that were forked, with 4 runs in all; the longest line of descent has 3 runs."


def test_a_line_of_a_thousand_forks_and_a_thousand_lone_runs_are_laid_out_at_once():
    line = [Node(str(n), "", float(n), parent=str(n - 1) if n else "") for n in range(1000)]
    lone = [replace(node, id=f"x{node.id}", parent="") for node in line]
    rows = forest([*line, *lone])
    assert len(rows) == 2000
    assert max(row.depth for row in rows) == 999
