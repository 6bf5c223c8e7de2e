"""The Race screen, by AppTest: who races, by which rates, and how a race is watched and changed while it goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.events import (
    AddLane,
    HyperChanged,
    LaneAdded,
    LaneRemoved,
    OptimizerSwapped,
    Pause,
    PhaseDone,
    RemoveLane,
    SetHyper,
    SetSpeed,
    Step,
    Stop,
    SwapOptimizer,
    TensorView,
)
from core.experiment.codec import from_link_text, link_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import MAX_LANES, Budget, Lane
from core.experiment.races import RACES
from core.jobs.training import TrainJob
from core.optim.optimizers import SGD, AnyOptimizer
from core.settings import Settings
from core.spec import choices, parse_json
from dashboard.session import resources
from tests.dashboard.inline_client import InlineClient

APP = str(Path(__file__).resolve().parents[3] / "dashboard" / "app.py")
RACE = default_experiment("race").but(budget=Budget(epochs=1), repeats=2)


@pytest.fixture
def client(home, monkeypatch):
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    return fake


def screen(experiment=RACE, run=None, name="race"):
    """The Race (or Train) screen alone, on an experiment or a run."""

    def race():
        from dashboard.screens import race
        from dashboard.session import state

        state.load_link()
        race.render()
        state.write_link()

    def train():
        from dashboard.screens import train
        from dashboard.session import state

        state.load_link()
        train.render()
        state.write_link()

    app = AppTest.from_function({"race": race, "train": train}[name], default_timeout=60)
    app.query_params["x"] = link_text(experiment)
    if run is not None:
        app.query_params["run"] = run
    return app.run()


@pytest.fixture
def live(client):
    """The id of a race that goes on: nothing has been computed, so each test says what happened in it."""
    return started(client, RACE)


def started(client, experiment, state="running"):
    client.store.records["r" * 32] = record = client.record(TrainJob(experiment=experiment), "r" * 32)
    client.store.records[record.id] = replace(record, state=state)
    client.store.logs[record.id], client.store.saved[record.id] = [], []
    return record.id


def present(app):
    value = app.query_params["x"]
    return from_link_text(value[0] if isinstance(value, list) else value)


def texts(app):
    kinds = [*app.text, *app.markdown, *app.caption, *app.info, *app.subheader, *app.latex]
    return " ".join(element.value for element in kinds)


def labels(app):
    return [lane.label for lane in present(app).lanes]


def test_it_says_what_a_race_is_and_what_to_do_first(client):
    app = screen()
    assert not app.exception
    assert "only the lanes differ" in texts(app)
    assert "No race yet" in texts(app)
    for name in ("pause", "step", "stop", "reset"):
        assert app.button(key=f"race.{name}").disabled


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_a_whole_field_comes_at_one_click(client, race):
    app = screen(default_experiment("spiral"))
    app.button(key=f"race.preset.{race.name}").click().run()
    assert not app.exception
    assert present(app).lanes == race.lanes(default_experiment("spiral").lanes[0].optimizer)


def test_lanes_are_added_duplicated_renamed_and_removed(client):
    app = screen()
    app.selectbox(key="race.lanes.add").set_value("nadam").run()
    assert labels(app)[-1].startswith("NAdam")
    assert app.text_input(key="race.lanes.name").value == labels(app)[-1]
    app.text_input(key="race.lanes.name").set_value("  The  new one ").run()
    assert labels(app)[-1] == "The new one"
    app.button(key="race.lanes.copy").click().run()
    assert len(labels(app)) == 8
    assert labels(app)[-1].startswith("NAdam")
    app.button(key="race.lanes.open.0").click().run()
    app.button(key="race.lanes.remove").click().run()
    assert not app.exception
    assert len(labels(app)) == 7
    assert "SGD" not in labels(app)


def test_a_name_is_emptied_by_its_own_label(client):
    app = screen()
    app.text_input(key="race.lanes.name").set_value("SGD, lr 0.1").run()
    assert present(app).lanes[0].name == ""
    app.text_input(key="race.lanes.name").set_value("").run()
    assert labels(app)[0] == "SGD, lr 0.1"


def test_the_list_ends_where_an_experiment_does(client):
    app = screen(RACE.but(lanes=tuple(Lane(optimizer=SGD()) for _ in range(MAX_LANES)), repeats=1))
    assert not app.exception
    assert app.selectbox(key="race.lanes.add").disabled
    assert app.button(key="race.lanes.copy").disabled
    assert not app.button(key="race.lanes.remove").disabled


def test_the_last_lane_stays(client):
    assert screen(default_experiment("spiral")).button(key="race.lanes.remove").disabled


def test_one_lane_is_changed_and_the_others_stay(client):
    app = screen()
    app.button(key="race.lanes.open.3").click().run()
    app.number_input(key="race.lanes.lane.optimizer.adam.lr").set_value(0.02).run()
    app.session_state["race.lanes.lane.schedule_box"] = True
    app.session_state["race.lanes.lane.regularizers_box"] = True
    app.run()
    app.selectbox(key="race.lanes.lane.schedule.kind").set_value("cosine").run()
    app.pills(key="race.lanes.lane.regularizers.kinds").set_value(["clip_norm", "l1"]).run()
    app.number_input(key="race.lanes.lane.regularizers.clip_norm.clip_norm.limit").set_value(0.5).run()
    assert not app.exception
    lane = present(app).lanes[3]
    assert (lane.optimizer.lr, lane.schedule.kind) == (0.02, "cosine")
    assert {one.kind for one in lane.regularizers} == {"l1", "clip_norm"}
    assert next(one for one in lane.regularizers if one.kind == "clip_norm").limit == 0.5
    others = [index for index in range(6) if index != 3]
    assert [present(app).lanes[i] for i in others] == [RACE.lanes[i] for i in others]


@pytest.mark.parametrize("cls", choices(AnyOptimizer), ids=lambda cls: cls.kind_name())
def test_every_optimizer_tells_its_formula_its_memory_and_its_paper(client, cls):
    def script(kind):
        from core.optim.optimizers import AnyOptimizer
        from core.spec import choice_class
        from dashboard.widgets.optimizer_card import optimizer_card

        optimizer_card(choice_class(AnyOptimizer, kind)())

    app = AppTest.from_function(script, kwargs={"kind": cls.kind_name()}).run()
    assert not app.exception
    assert cls.formula.strip() in app.latex[0].value
    for one in cls.state:
        assert one in texts(app)
    assert "Source" in texts(app)


def test_one_rate_for_all_is_taken_by_all_and_by_those_who_join(client):
    app = screen()
    app.segmented_control(key="race.rates.mode").set_value("shared").run()
    assert {lane.optimizer.lr for lane in present(app).lanes} == {0.1}
    app.number_input(key="race.rates.shared").set_value(0.02).run()
    app.selectbox(key="race.lanes.add").set_value("lion").run()
    assert {lane.optimizer.lr for lane in present(app).lanes} == {0.02}
    app.number_input(key="race.lanes.lane.optimizer.lion.lr").set_value(0.005).run()
    assert not app.exception
    assert {lane.optimizer.lr for lane in present(app).lanes} == {0.005}


def test_a_list_of_rates_makes_a_lane_for_each(client):
    app = screen()
    app.segmented_control(key="race.rates.mode").set_value("swept").run()
    app.text_input(key="race.rates.list").set_value("0.5, 0.05; 5e-3,").run()
    app.button(key="race.rates.take").click().run()
    assert not app.exception
    assert [(lane.optimizer.kind, lane.optimizer.lr) for lane in present(app).lanes] == [
        ("sgd", 0.5),
        ("sgd", 0.05),
        ("sgd", 0.005),
    ]


@pytest.mark.parametrize("listed", ["", "fast, slow", "99", "nan", "-1"])
def test_what_is_no_list_of_rates_is_said_and_changes_nothing(client, listed):
    app = screen()
    app.segmented_control(key="race.rates.mode").set_value("swept").run()
    app.text_input(key="race.rates.list").set_value(listed).run()
    app.button(key="race.rates.take").click().run()
    assert not app.exception
    assert len(app.toast) == 1
    assert present(app) == RACE


def test_seeds_and_training_belong_to_the_race(client):
    app = screen()
    app.number_input(key="race.seeds").set_value(8).run()
    app.number_input(key="race.training.epochs").set_value(9).run()
    app.number_input(key="race.training.patience").set_value(3).run()
    app.number_input(key="race.training.target_accuracy").set_value(0.97).run()
    app.number_input(key="race.training.accumulation").set_value(2).run()
    app.selectbox(key="race.training.device").set_value("cpu").run()
    app.selectbox(key="race.training.precision").set_value("bfloat16").run()
    assert not app.exception
    made = present(app)
    assert (made.repeats, made.accumulation, made.device, made.precision) == (8, 2, "cpu", "bfloat16")
    assert made.budget == Budget(epochs=9, patience=3, target_accuracy=0.97)
    app.number_input(key="race.training.patience").set_value(None).run()
    app.number_input(key="race.seeds").set_value(None).run()
    assert (present(app).budget.patience, present(app).repeats) == (None, 8)


def test_the_controls_send_their_commands(client, live):
    app = screen(run=live)
    assert not app.exception
    app.button(key="race.pause").click().run()
    app.segmented_control(key="race.unit").set_value("phase").run()
    app.button(key="race.step").click().run()
    app.segmented_control(key="race.unit").set_value("epoch").run()
    app.button(key="race.step").click().run()
    app.select_slider(key="race.speed").set_value(5.0).run()
    assert app.select_slider(key="race.speed").value == 5.0
    app.button(key="race.stop").click().run()
    assert not app.exception
    commands = [Pause(), Step(1, "phase"), Step(1, "epoch"), SetSpeed(5.0), Stop()]
    assert client.commands == [(live, command) for command in commands]


def test_reset_starts_the_same_experiment_again_and_waits_at_its_initial_weights(client, live):
    app = screen(RACE.but(seed=99), run=live)
    app.button(key="race.reset").click().run()
    assert not app.exception
    assert client.commands == [(live, Stop())]
    assert client.jobs == [TrainJob(experiment=RACE, starts_paused=True)]
    assert present(app) == RACE.but(seed=99)


def test_any_number_of_any_lane_can_be_changed(client, live):
    app = opened_by_hand(live)
    app.selectbox(key="race.hand.lane").set_value(3).run()
    app.number_input(key="race.hand.number.3.adam.beta1").set_value(0.5).run()
    assert not app.exception
    assert client.commands == [(live, SetHyper(3, "beta1", 0.5))]
    assert app.number_input(key="race.hand.number.3.adam.beta1").value == 0.5
    shown = {
        element.key.rpartition(".")[2] for element in app.number_input if str(element.key).startswith("race.hand.number.3")
    }
    assert shown == set(RACE.lanes[3].numbers())


def opened_by_hand(run, name="race"):
    app = screen(run=run, name=name)
    app.session_state[f"{name}.by_hand"] = True
    return app.run()


def unfolded(app, key):
    """The page with this popover open."""
    app.session_state[key] = True
    return app.run()


def test_the_numbers_shown_are_those_that_hold_now(client, live):
    client.put(live, HyperChanged(5, 3, "beta1", 0.9, 0.25))
    client.put(live, OptimizerSwapped(9, 0, RACE.lanes[0].optimizer.model_dump_json(), '{"kind": "adamw", "lr": 0.07}'))
    app = opened_by_hand(live)
    assert app.number_input(key="race.hand.number.0.adamw.lr").value == 0.07
    app.selectbox(key="race.hand.lane").set_value(3).run()
    assert app.number_input(key="race.hand.number.3.adam.beta1").value == 0.25


def test_an_optimizer_is_swapped_in_mid_race(client, live):
    app = unfolded(opened_by_hand(live), "race.hand.swap")
    app.selectbox(key="race.hand.swap.to.kind").set_value("lion").run()
    app.number_input(key="race.hand.swap.to.lion.lr").set_value(0.002).run()
    app.button(key="race.hand.swap.do").click().run()
    assert not app.exception
    ((run, command),) = client.commands
    assert isinstance(command, SwapOptimizer)
    assert (run, command.lane) == (live, 0)
    assert (
        parse_json(AnyOptimizer, command.optimizer).model_dump() | {"lr": 0.002, "kind": "lion"}
        == parse_json(AnyOptimizer, command.optimizer).model_dump()
    )


def test_lanes_are_forked_added_and_removed_in_mid_race(client, live):
    app = opened_by_hand(live)
    app.selectbox(key="race.hand.lane").set_value(3).run()
    unfolded(app, "race.hand.fork").number_input(key="race.hand.fork.to.adam.lr").set_value(0.5).run()
    app.button(key="race.hand.fork.do").click().run()
    assert not app.session_state["race.hand.fork"]
    unfolded(app, "race.hand.add")
    app.selectbox(key="race.hand.add.to.kind").set_value("rprop").run()
    app.button(key="race.hand.add.do").click().run()
    app.button(key="race.hand.remove").click().run()
    assert not app.exception
    fork, added, removed = [command for _, command in client.commands]
    assert isinstance(fork, AddLane)
    assert (fork.source, parse_json(Lane, fork.definition).optimizer.lr) == (3, 0.5)
    assert isinstance(added, AddLane)
    assert (added.source, parse_json(Lane, added.definition).optimizer.kind) == (-1, "rprop")
    assert removed == RemoveLane(3)


def test_a_lane_that_joined_is_there_and_one_that_left_is_not(client, live):
    lane = Lane(optimizer=SGD(lr=0.123))
    client.put(live, LaneAdded(4, 6, -1, lane.model_dump_json(), lane.label, ("a", "b")))
    client.put(live, LaneRemoved(5, 0))
    app = opened_by_hand(live)
    assert not app.exception
    names = " ".join(app.selectbox(key="race.hand.lane").options)
    assert "7  SGD, lr 0.123" in names
    assert "1  SGD" not in names


def test_a_run_that_is_over_cannot_be_changed_but_repeated(client, live):
    client.put(live, HyperChanged(5, 1, "lr", 0.03, 0.3), state="finished")
    client.put(live, LaneRemoved(7, 0))
    app = screen(run=live)
    assert "race.by_hand" not in app.session_state
    assert "2 changes by hand" in texts(app)
    app.button(key="race.repeat.take").click().run()
    assert not app.exception
    assert [(change.kind, change.after_step) for change in present(app).changes] == [("hyper", 5), ("remove", 7)]
    assert present(app).but(changes=()) == RACE


def test_changes_that_were_still_to_come_are_repeated_too(client):
    later = RACE.but(changes=({"kind": "hyper", "after_step": 50, "lane": 0, "name": "lr", "value": 0.5},))
    run = started(client, later, state="stopped")
    client.put(run, HyperChanged(5, 1, "lr", 0.03, 0.3), last_step=20)
    app = screen(later, run=run)
    app.button(key="race.repeat.take").click().run()
    assert [change.after_step for change in present(app).changes] == [5, 50]


def test_a_plain_run_can_be_changed_on_the_train_screen_too(client):
    run = started(client, default_experiment("spiral"))
    app = opened_by_hand(run, name="train")
    app.number_input(key="train.lanes.number.0.adam.beta2").set_value(0.9).run()
    assert not app.exception
    assert client.commands == [(run, SetHyper(0, "beta2", 0.9))]


def test_the_verdict_names_the_first_and_its_uncertainty_and_what_is_equal(client):
    race = default_experiment("race").but(budget=Budget(epochs=3), repeats=3, lanes=RACE.lanes[:2])
    run = client.submit(TrainJob(experiment=race))
    app = screen(race, run=run)
    assert not app.exception
    words = texts(app)
    for said in ("Result", "of 3 seeds", "95 % interval", "Initial weights: within each of the 3 seeds", "Trained so"):
        assert said in words.replace("\\", "")
    assert html(app).count("<tr>") == 1 + 2
    before = html(app)
    app.selectbox(key="race.verdict.by").set_value("validation_accuracy").run()
    assert not app.exception
    assert html(app) != before


def test_before_the_first_epoch_nobody_is_ahead(client, live):
    assert "first epoch is not over" in texts(screen(run=live))


def view(name="1 Linear weight", shape=(2, 3), values=(0.0, 1.0, -2.0, 0.5, 0.25, -0.125)):
    data = np.array(values, "<f4")
    return TensorView(name, shape, float(data.min()), float(data.max()), float(data.mean()), 2.5, data.tobytes())


def test_a_step_is_shown_phase_by_phase(client):
    run = started(client, RACE, state="paused")
    app = screen(run=run)
    assert "four phases" not in texts(app)
    app.segmented_control(key="race.unit").set_value("phase").run()
    assert "each press does one phase" in texts(app)
    client.put(run, PhaseDone(3, "forward", "32 examples pass the network.", (view("input"),)), last_step=2)
    client.put(run, PhaseDone(3, "loss", "The mean over the batch is 0.7 nats.", (view("targets", (), (0.5,)),)))
    app.run()
    assert not app.exception
    assert "Step 3 in four phases" in texts(app)
    assert "32 examples pass the network." in texts(app)
    assert "0.7 nats" in texts(app)
    assert "moves every weight a little" in texts(app)
    assert "targets" in html(app)
    shown = next(element for element in app.segmented_control if str(element.key).startswith("race.phases.shown"))
    shown.set_value("forward").run()
    assert "2 × 3" in html(app)


def html(app):
    return " ".join(element.proto.body for element in app.get("html"))


def test_phases_of_an_earlier_step_are_gone_once_training_went_on(client):
    run = started(client, RACE, state="paused")
    client.put(run, PhaseDone(3, "update", "SGD moves all weights.", ()), last_step=9)
    assert "SGD moves" not in texts(screen(run=run))


def whole_page(experiment, **parameters):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["x"] = link_text(experiment)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def test_the_strip_names_a_long_field_shortly(client):
    app = whole_page(default_experiment("race"))
    assert "6 lanes: SGD, Momentum, RMSprop, … × 4 seeds" in texts(app)
    assert "Adam, lr 0.003" in texts(whole_page(default_experiment("spiral")))


def test_what_was_changed_by_hand_travels_in_the_shared_file(client, live):
    app = whole_page(RACE, run=live)
    assert "share.download_changes" not in {button.key for button in app.get("download_button")}
    client.put(live, HyperChanged(5, 1, "lr", 0.03, 0.3))
    app.run()
    assert not app.exception
    assert "share.download_changes" in {button.key for button in app.get("download_button")}


def test_build_edits_the_first_lane_and_leaves_the_others(client):
    def script():
        from dashboard.screens import build
        from dashboard.session import state

        state.load_link()
        build.render()
        state.write_link()

    app = AppTest.from_function(script, default_timeout=60)
    app.query_params["x"] = link_text(RACE)
    app.run()
    assert "lane 1 of 6" in texts(app)
    app.selectbox(key="build.optimizer.kind").set_value("lion").run()
    assert not app.exception
    made = present(app)
    assert (made.lanes[0].optimizer.kind, made.lanes[0].name) == ("lion", "")
    assert made.lanes[1:] == RACE.lanes[1:]


@pytest.mark.parametrize("tab", ["On a surface", "Sweep", "In one plane"])
def test_every_tab_opens_without_a_run(client, tab):
    app = screen()
    app.session_state["race.tabs"] = tab
    app.run()
    assert not app.exception
    assert app.session_state["race.tabs"] == tab
    words = {"On a surface": "Rosenbrock", "Sweep": "the same tries", "In one plane": "No race yet. Its ways"}
    shown = texts(app) + " ".join(str(box.value) + " ".join(box.options) for box in app.selectbox)
    assert words[tab] in shown
