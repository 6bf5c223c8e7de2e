"""The Runs screen: table, groups, bin, curves and charts over a real store."""

import pytest
from streamlit.testing.v1 import AppTest

from core.events import EpochDone, Finished, Started, StepsDone
from core.run_curve import FIGURES
from core.settings import Settings
from dashboard.session import resources
from tests.core.samples import spiral
from tests.dashboard.store_client import StoreClient

GRID, SCOPE = "runs.table.grid.rows", "runs.charts.scope"
HOSTILE = "<img src=x onerror=alert(1)> [link](javascript:1) `=1+1`"


@pytest.fixture
def client(home, monkeypatch):
    home.mkdir(parents=True, exist_ok=True)
    client = StoreClient(home)
    monkeypatch.setattr(resources, "client", lambda: client)
    monkeypatch.setattr(resources, "pool", lambda: client)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    yield client
    client.close()


def runs():
    from dashboard.screens import runs

    runs.render()


def said(loss: float, n_series: int = 1) -> list:
    """What a run with this validation loss says in two epochs of five steps."""
    names = tuple(f"lane {k}" for k in range(n_series))
    steps = [StepsDone(5 * k + 1, k, ((loss + 1.0,) * 5,) * n_series, (0.1,), (k + 1) / 2) for k in range(2)]
    rows = [
        EpochDone(k + 1, 5 * k + 5, *(tuple(loss + 0.1 * j for j in range(n_series)) for _figure in FIGURES), (k + 1) / 2)
        for k in range(2)
    ]
    begun = Started(0, 42, 50, 10, 10, 5, None, "cpu", names, {}, names, 1)
    return [begun, steps[0], rows[0], steps[1], rows[1], Finished("completed", 10, 1.0)]


def three(client) -> list[str]:
    """Adam twice, SGD once; the second is the best."""
    return [
        client.put(spiral(), said(0.3), name="first"),
        client.put(spiral(lr=0.1), said(0.1), name=HOSTILE),
        client.put(spiral("sgd"), said(0.2)),
    ]


def opened(**state) -> AppTest:
    app = AppTest.from_function(runs, default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    return app


def grid(app: AppTest):
    return next(frame.value for frame in app.dataframe if "name" in frame.value.columns)


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info, *app.subheader])


def choose(app: AppTest, *runs: str) -> AppTest:
    app.session_state["runs.chosen"] = runs
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def test_without_runs_the_screen_says_what_to_do(client):
    assert "press Train" in texts(opened())


def test_the_table_has_a_row_per_run_newest_first_with_settings_and_figures(client):
    three(client)
    table = grid(opened())
    assert list(table["name"]) == ["run 000000", HOSTILE, "first"]
    assert list(table["optimizer"]) == ["SGD", "Adam", "Adam"]
    assert list(table["best_validation_loss"]) == [0.2, 0.1, 0.3]
    assert list(table["lr"]) == [0.01, 0.1, 0.01]


def test_a_race_is_one_row_of_its_best_lane_and_says_how_many_lanes(client):
    lanes = (*spiral("sgd", 0.5).lanes, *spiral("adam", 0.02).lanes, *spiral("rmsprop", 0.03).lanes)
    client.put(spiral(lanes=lanes[::-1]), said(0.3, 3))
    table = grid(opened())
    assert list(table["optimizer"]) == ["RMSprop (best of 3 lanes)"]
    assert list(table["lr"]) == [0.03]


def test_rows_of_unknown_jobs_and_of_runs_that_have_said_nothing_are_shown(client):
    client.put_plain("f" * 32, kind="dream", job='{"kind": "dream"}', name="from tomorrow")
    client.put(spiral(), state="running")
    app = opened()
    table = grid(app)
    assert list(table["name"]) == ["from tomorrow", "run 000000"]
    assert list(table["kind"]) == ["dream", "Training"]
    assert list(table["state"]) == ["Finished", "Running"]
    assert "Curves appear as soon as a run trains" in texts(app)
    app.segmented_control(key="runs.section").set_value("charts").run()
    assert not app.exception
    assert "1 of 2 runs are left out" in texts(app)


def test_words_and_lists_filter_and_the_way_back_is_one_button(client):
    three(client)
    app = opened()
    app.text_input(key="runs.table.filter.text").set_value("lr=0.01").run()
    assert len(grid(app)) == 2
    assert "2 shown" in texts(app)
    app.text_input(key="runs.table.filter.text").set_value("lr=0.01 adam").run()
    assert list(grid(app)["name"]) == ["first"]
    press(app, "runs.table.filter.clear")
    assert len(grid(app)) == 3
    app.multiselect(key="runs.table.filter.states").set_value(["failed"]).run()
    app.multiselect(key="runs.table.filter.states").set_value([]).run()
    assert len(grid(app)) == 3


def test_nothing_that_fits_is_said(client):
    three(client)
    app = opened()
    app.text_input(key="runs.table.filter.text").set_value("nowhere").run()
    assert "No run fits the search and the filter" in texts(app)
    press(app, "runs.table.filter.again")
    assert len(grid(app)) == 3


def test_clearing_the_filter_does_not_set_a_widget_twice(client, caplog):
    three(client)
    app = opened()
    app.multiselect(key="runs.table.filter.states").set_value(["finished"]).run()
    press(app, "runs.table.filter.clear")
    assert not [record for record in caplog.records if "default value" in record.getMessage()]


def test_settings_that_differ_are_the_first_to_group_by(client):
    three(client)
    fields = opened().selectbox(key="runs.table.filter.by").options
    assert set(fields[1:4]) >= {"Optimizer", "Learning rate"}


def test_axes_of_runs_with_equal_settings_are_the_usual_ones_until_others_tell_them_apart(client):
    client.put(spiral(), said(0.3))
    client.put(spiral(), said(0.2))
    app = opened(**{"runs.section": "charts"})
    axes = "runs.charts.parallel.axes"
    assert app.multiselect(key=axes).value == ["optimizer", "lr", "best_validation_loss"]
    client.put(spiral(batch_size=20), said(0.1))
    app.run()
    assert app.multiselect(key=axes).value == ["batch_size", "best_validation_loss"]
    app.multiselect(key=axes).set_value(["lr", "steps"]).run()
    assert not app.exception
    assert app.multiselect(key=axes).value == ["lr", "steps"]


def test_charts_of_a_single_chosen_run_say_where_the_others_are(client):
    first, *_others = three(client)
    app = opened(**{"runs.section": "charts"})
    choose(app, first)
    app.session_state[SCOPE] = "chosen"
    app.run()
    assert "choose more in the table" in texts(app)
    app.session_state["runs.filter"] = {"text": "nonsense"}
    app.session_state[SCOPE] = "shown"
    choose(app)
    assert "holds all runs back" in texts(app)


def test_the_best_run_is_chosen_by_a_figure(client):
    runs = three(client)
    app = press(opened(), "runs.table.best.choose")
    assert app.session_state["runs.chosen"] == (runs[1],)
    app.segmented_control(key="runs.table.best.sense").set_value(True).run()
    press(app, "runs.table.best.choose")
    assert app.session_state["runs.chosen"] == (runs[0],)
    assert "1 chosen" in texts(app)


def test_groups_say_how_many_the_best_and_the_mean(client):
    three(client)
    app = opened()
    app.selectbox(key="runs.table.filter.by").set_value("optimizer").run()
    assert not app.exception
    groups = app.dataframe[0].value
    assert [list(row)[:4] for row in groups.to_numpy()] == [["Adam", 2, 0.1, 0.2], ["SGD", 1, 0.2, 0.2]]


def test_a_name_a_note_and_tags_are_kept_as_plain_text(client):
    runs = three(client)
    app = choose(opened(), runs[0])
    base = f"runs.table.actions.{runs[0]}"
    app.text_input(key=f"{base}.name").set_value(HOSTILE + "\u202e")
    app.text_area(key=f"{base}.note").set_value("two\nlines")
    press(app, f"{base}.save")
    row = client.store.rows()[2]
    assert (row.name, row.note) == (HOSTILE, "two\nlines")
    choose(app, *runs[:2])
    client.tag(runs[:1], add=["old"])
    app.run()
    client.tag(runs[:2], add=["new"])
    app.run()
    app.multiselect(key="runs.table.actions.remove").set_value(["old"]).run()
    press(app, "runs.table.actions.apply")
    assert [row.tags for row in client.store.rows()] == [(), ("new",), ("new",)]


def test_a_delete_is_undone_by_a_button_or_out_of_the_bin(client):
    runs = three(client)
    app = choose(opened(), *runs[:2])
    press(app, "runs.table.actions.delete")
    assert len(grid(app)) == 1
    assert "2 runs went into the bin." in texts(app)
    assert app.session_state["runs.chosen"] == ()
    press(app, "runs.table.undo.undo")
    assert len(grid(app)) == 3
    assert "into the bin" not in texts(app)
    choose(app, runs[0])
    press(app, "runs.table.actions.delete")
    press(app, "runs.table.undo.fine")
    press(app, "runs.table.bin.empty")
    press(app, "runs.table.bin.sure")
    assert [row.id for row in client.store.rows(with_deleted=True)] == [runs[2], runs[1]]


def test_a_run_that_goes_on_is_not_deleted_and_that_is_said(client):
    runs = three(client)
    client.set(runs[0], state="running")
    app = choose(opened(), *runs[:2])
    press(app, "runs.table.actions.delete")
    assert "has not ended" in app.toast[0].value
    assert {row.id for row in client.store.rows()} == {runs[0], runs[2]}
    assert app.session_state["runs.chosen"] == (runs[0],)


def test_opening_a_run_makes_it_the_present_one_with_its_experiment(client):
    runs = three(client)
    app = press(choose(opened(), runs[2]), "runs.table.actions.open")
    assert app.session_state["state.run"] == runs[2]
    assert '"sgd"' in app.session_state["state.experiment"].lower()
    client.put_plain("e" * 32, job='{"kind": "dream"}')
    app = press(choose(opened(), "e" * 32), "runs.table.actions.open")
    assert "state.run" not in app.session_state


def test_the_tree_opens_a_run_with_its_experiment_and_refuses_one_without_a_model(client):
    runs = three(client)
    tree = {"runs.section": "tree"}
    app = press(opened(**tree, **{"runs.tree.node": runs[2]}), "runs.tree.open")
    assert app.session_state["state.run"] == runs[2]
    assert '"sgd"' in app.session_state["state.experiment"].lower()
    client.put_plain("e" * 32, job='{"kind": "dream"}')
    app = press(opened(**tree, **{"runs.tree.node": "e" * 32}), "runs.tree.open")
    assert "state.run" not in app.session_state


def test_a_value_far_above_all_others_gets_a_hint(client):
    three(client)
    assert "Log y" not in texts(opened())
    client.put(spiral(), said(1e9))
    app = opened()
    assert "Turn on Log y" in texts(app)
    app.toggle(key="runs.table.curves.log_y").set_value(True).run()
    assert "Turn on Log y" not in texts(app)


def test_when_all_runs_are_in_the_bin_that_is_said(client):
    app = choose(opened(), *three(client))
    press(app, "runs.table.actions.delete")
    assert "All runs are in the bin" in texts(app)


@pytest.mark.parametrize(("measure", "axis"), [("batch_loss", "examples"), ("validation_accuracy", "seconds")])
def test_curves_are_drawn_along_any_axis(client, measure, axis):
    three(client)
    app = opened()
    app.selectbox(key="runs.table.curves.y").set_value(measure)
    app.segmented_control(key="runs.table.curves.x").set_value(axis)
    app.toggle(key="runs.table.curves.log_y").set_value(True).run()
    assert not app.exception
    assert "Curves of the 3 runs that are shown" in texts(app)
    assert len(app.get("plotly_chart")) == 1


def test_charts_are_of_the_chosen_runs_or_of_all_that_are_shown(client):
    runs = three(client)
    client.put(spiral(), state="queued")
    app = opened()
    app.segmented_control(key="runs.section").set_value("charts").run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert "1 of 4 runs are left out" in texts(app)
    choose(app, *runs[:2])
    app.segmented_control(key=SCOPE).set_value("chosen").run()
    assert "All 2 runs are in the chart." in texts(app)
    app.selectbox(key="runs.charts.scatter.x").set_value("optimizer").run()
    app.selectbox(key="runs.charts.scatter.colour").set_value("").run()
    app.multiselect(key="runs.charts.parallel.axes").set_value(["lr"]).run()
    assert not app.exception
    assert "at least two axes" in texts(app)
