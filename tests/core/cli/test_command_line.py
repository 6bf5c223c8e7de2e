"""`python -m core`: JSON lines on standard output, one sentence and exit code 2 on an error."""

import json

import pytest

from core.__main__ import main
from core.experiment.codec import file_text
from core.experiment.examples import default_experiment
from core.experiment.experiment import Budget, Lane
from core.models.presets import preset
from core.optim.optimizers import SGD, Adam
from core.training.checkpoints import load_state
from tests.core.samples import linear, spiral, stack


@pytest.fixture
def file_of(tmp_path):
    def write(experiment):
        path = tmp_path / "experiment.json"
        path.write_text(experiment if isinstance(experiment, str) else file_text(experiment))
        return str(path)

    return write


def lines(capsys):
    return [json.loads(text) for text in capsys.readouterr().out.splitlines()]


def test_summary_prints_shapes_parameters_and_totals(file_of, capsys):
    digits = default_experiment("rendered").but(model=preset("cnn-32-64").model(10))
    assert main(["summary", file_of(digits)]) == 0
    printed = capsys.readouterr().out
    assert "32 × 26 × 26" in printed
    assert "121,930" in printed
    assert "2,528,000" in printed


def test_summary_says_what_is_wrong_and_exits_with_one(file_of, capsys):
    assert main(["summary", file_of(spiral(model=stack(("Conv2d", {"out_channels": 4}), linear(2))))]) == 1
    assert "error: Layer 1 Conv2d needs" in capsys.readouterr().out


def test_train_prints_events_and_explain_reads_its_checkpoint(file_of, capsys, tmp_path, home):
    weights = tmp_path / "weights.safetensors"
    path = file_of(default_experiment("cancer").but(budget=Budget(epochs=2)))
    assert main(["train", path, "--checkpoint", str(weights)]) == 0
    events = lines(capsys)
    assert events[0]["event"] == "Started"
    assert events[-1]["event"] == "Finished"
    assert load_state(weights.read_bytes()).step == events[-1]["step"]
    assert main(["explain", path, "--checkpoint", str(weights), "--method", "shap_tabular", "--target", "1"]) == 0
    result = next(entry for entry in lines(capsys) if "result" in entry)
    assert result["target_name"] == "benign"
    assert sum(result["values"]) + result["base"] == pytest.approx(result["output"], abs=1e-3)
    assert result["step"] == events[-1]["step"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["summary", "/nowhere.json"], "cannot be read"),
        (["explain", "{file}", "--method", "shap_tabula"], "shap_tabular"),
        (["explain", "{file}", "--checkpoint", "{file}"], "checkpoint is damaged"),
        (["explain", "{file}", "--index", "100000"], "There is no example 100,000"),
        (["train", "{file}", "--checkpoint", "/nowhere/w.safetensors"], "cannot be written"),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_two(arguments, words, file_of, capsys, home):
    path = file_of(default_experiment("cancer"))
    assert main([argument.replace("{file}", path) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert len(printed.err.splitlines()) == 1


def test_a_file_that_is_no_experiment_names_the_field(file_of, capsys):
    assert main(["train", file_of('{"version": 1}')]) == 2
    assert "data: Field required" in capsys.readouterr().err


def test_the_weights_of_another_model_are_refused_in_words(file_of, capsys, tmp_path, home):
    weights = tmp_path / "weights.safetensors"
    assert main(["train", file_of(spiral(steps=5)), "--checkpoint", str(weights)]) == 0
    other = file_of(spiral(model=stack(linear(9), "Tanh", linear(2))))
    assert main(["explain", other, "--checkpoint", str(weights), "--method", "shap_tabular"]) == 2
    assert "another model: 0.weight is (8, 2) there and (9, 2) here" in capsys.readouterr().err


def test_race_prints_the_terms_who_trains_what_the_table_and_the_verdict(tmp_path, capsys):
    lanes = tuple(Lane(optimizer=one) for one in (SGD(lr=1e-6), Adam(lr=0.02)))
    path = tmp_path / "race.json"
    path.write_text(file_text(spiral(steps=200).but(lanes=lanes)))
    assert main(["race", str(path), "--seeds", "3"]) == 0
    told = capsys.readouterr().out
    assert "Initial weights: within each of the 3 seeds the same for all lanes." in told
    assert "Adam, lr 0.02" in told
    assert "first in 3 of 3" in told
    assert "Adam, lr 0.02 is first in 3 of 3 seeds." in told


def test_race_by_a_word_that_is_no_figure_is_refused(tmp_path):
    with pytest.raises(SystemExit):
        main(["race", str(tmp_path / "race.json"), "--by", "beauty"])
