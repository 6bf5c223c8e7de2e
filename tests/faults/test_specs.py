"""Experiments that cannot be: refused by file, by link and before they are queued, with a sentence, and without the memory."""

import json
import re
import time

import pytest

from core.data.rendered import Digits
from core.errors import SpecError
from core.experiment.check import findings
from core.experiment.codec import from_file_text, from_link_text, link_text
from core.experiment.experiment import Experiment, Lane
from core.jobs.menu import parse_job
from core.optim.optimizers import SGD
from core.settings import Settings
from tests.core.jobs.test_jobs_library import A, Desk
from tests.core.samples import linear, spiral, stack
from tests.faults.hostile import MIB, as_json, job_text, link, little_memory, refusals

SETTINGS = Settings()
FLAT = spiral()
WIDE = spiral(model=stack(*[linear(16_384)] * 3, linear(2)))
IMAGES = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 8}), "Flatten", linear(10)))
LAYER = "model.layers.0.out_features"
LR = "lanes.0.optimizer.lr"


def deep(levels: int) -> str:
    return '{"kind":"Residual","layers":[' * levels + "]}" * levels


def fault_case(number, experiment, changes, words, name):
    return pytest.param(experiment, changes, words, id=f"{number} {name}", marks=pytest.mark.fault(number))


CASES = [
    fault_case(1, FLAT, {LAYER: "1000000"}, r"out_features.*16384", "a million neurons"),
    fault_case(1, WIDE, {}, r"parameters.*limit|50,000,000", "layers that are possible one by one"),
    fault_case(2, FLAT, {LAYER: str(2**62)}, r"out_features", "2**62 neurons"),
    fault_case(3, FLAT, {LAYER: "-8"}, r"out_features.*greater than or equal to 1", "negative size"),
    fault_case(4, IMAGES, {"model.layers.0.kernel_size": "100000"}, r"kernel_size.*32", "kernel of 100,000"),
    fault_case(5, FLAT, {LAYER: "0"}, r"out_features.*greater than or equal to 1", "size 0"),
    fault_case(6, FLAT, {LAYER: '"8"'}, r"out_features.*integer", "text for a number"),
    fault_case(6, FLAT, {LAYER: '"<script>"'}, r"out_features.*integer", "script for a number"),
    fault_case(7, FLAT, {LAYER: "true"}, r"out_features.*integer", "bool for a number"),
    fault_case(7, FLAT, {LR: "false"}, r"lr", "bool for a rate"),
    fault_case(9, FLAT, {"model.layers.0": '{"kind":"Conv2d"}'}, r"Layer 1 Conv2d needs maps", "shapes"),
    fault_case(10, FLAT, {LR: "NaN"}, r"lr|JSON", "NaN"),
    fault_case(10, FLAT, {LR: "Infinity"}, r"lr|JSON", "infinity"),
    fault_case(10, FLAT, {LR: "1e999"}, r"lr", "1e999"),
    fault_case(10, FLAT, {LR: "-0.1"}, r"lr", "negative"),
    fault_case(10, FLAT, {LR: "0"}, r"lr", "zero"),
    fault_case(11, FLAT, {"batch_size": "5000"}, r"batch size 5,000 is larger than the training split", "batch"),
    fault_case(12, FLAT, {LAYER: "9" * 5000}, r"out_features|number out of range", "an int of 5,000 digits"),
    fault_case(12, FLAT, {LR: "0." + "3" * 5000 + "e9"}, r"lr", "a float of 5,000 digits"),
    fault_case(13, FLAT, {"model.layers.0": deep(1500)}, r"nested more than 3 deep|recursion limit", "deep layers"),
    fault_case(14, FLAT, {"seed": "NaN"}, r"seed|JSON", "NaN for a seed"),
    fault_case(15, FLAT, {"model.layers.0.kind": '"Linaer"'}, r"no 'Linaer'", "unknown layer"),
    fault_case(15, FLAT, {"lanes.0.optimizer.kind": '"adma"'}, r"no 'adma'", "unknown optimizer"),
    fault_case(15, FLAT, {"model.layers.0.kind": '"../../etc/passwd"'}, r"there is no", "a path for a layer"),
    fault_case(15, FLAT, {"data.kind": '"own_everything"'}, r"there is no", "unknown data"),
    fault_case(15, FLAT, {"colour": "1"}, r"colour: this name is not known", "unknown key"),
    fault_case(15, FLAT, {"__class__": '"os.system"'}, r"__class__: this name is not known", "a class for a key"),
    fault_case(
        18,
        IMAGES,
        {"model.layers.0.out_channels": "1024", "model.layers.0.padding": "8", "batch_size": '"full"'},
        r"memory",
        "memory",
    ),
    fault_case(19, FLAT, {"version": "2"}, r"version", "a newer version"),
    fault_case(20, FLAT, {"seed": "-1"}, r"seed", "seed -1"),
    fault_case(20, FLAT, {"seed": str(2**70)}, r"seed", "seed 2**70"),
    fault_case(20, FLAT, {"repeats": "100000"}, r"repeats", "repeats"),
    fault_case(20, FLAT, {"budget.steps": str(10**15)}, r"steps", "steps"),
    fault_case(20, FLAT, {"frozen": "[99]"}, r"frozen", "a layer that is not there"),
]


@pytest.fixture(autouse=True, scope="module")
def _warm():
    """What is imported at the first look is no memory of a case."""
    findings(IMAGES)
    parse_job(job_text(as_json(FLAT)))


@pytest.mark.parametrize(
    ("experiment", "changes", "words"),
    CASES,
)
def test_what_cannot_be_is_refused_by_every_way_in_words_and_without_memory(experiment, changes, words):
    with little_memory():
        found = refusals(as_json(experiment, **changes), SETTINGS)
    for error in found:
        assert re.search(words, error.message), error.message
        assert error.hint
        assert len(str(error)) < 600


@pytest.mark.fault(8)
def test_three_hundred_layers_are_refused_by_their_number_and_the_most_allowed_is_looked_at_in_a_second():
    layers = ",".join(['{"kind":"Linear","out_features":64}'] * 300)
    with little_memory():
        for error in refusals(as_json(FLAT, **{"model.layers": f"[{layers}]"}), SETTINGS):
            assert "at most 64 items" in error.message
    most = spiral(model=stack(*[linear(64), "ReLU"] * 31, linear(2)))
    begun = time.process_time()
    findings(most)
    assert time.process_time() - begun < 1


@pytest.mark.fault(13)
@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 100_000 + "]" * 100_000])
def test_brackets_without_end_are_no_experiment(text):
    for error in refusals(text, SETTINGS):
        assert re.search(r"not valid JSON|recursion|the limit is 65,536", error.message)


@pytest.mark.fault(16)
def test_lanes_of_one_name_are_numbered_since_layers_have_none():
    twice = FLAT.but(lanes=(Lane(optimizer=SGD(), name="same"), Lane(optimizer=SGD(), name="same")))
    assert twice.lane_names() == ("same", "same (2)")
    (error, *_) = refusals(as_json(FLAT, **{"model.layers.0.name": '"fc1"'}), SETTINGS)
    assert "name: this name is not known here" in error.message


@pytest.mark.fault(17)
def test_an_experiment_of_more_than_64_kilobytes_is_refused_before_it_is_parsed():
    text = as_json(FLAT) + " " * 65_536
    with little_memory(4 * MIB):
        for error in refusals(text, SETTINGS):
            assert "the limit is 65,536" in error.message


@pytest.mark.fault(18)
@pytest.mark.parametrize(("device", "severity"), [("cpu", "error"), ("auto", "warning"), ("cuda", None)])
def test_a_step_of_minutes_is_told_before_it_begins(device, severity):
    heavy = ("Conv2d", {"out_channels": 512, "kernel_size": 12, "padding": 6})
    model = stack(("Conv2d", {"out_channels": 512}), heavy, "Flatten", linear(10))
    slow = spiral(data=Digits(), model=model, batch_size="full", device=device)
    patient = SETTINGS.model_copy(update={"worker_file_mb": 2048})
    found = [finding for finding in findings(slow, patient) if finding.code == "slow-step"]
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all("One step takes about" in finding.message and finding.hint for finding in found)


@pytest.mark.fault(19)
@pytest.mark.parametrize("version", ["2", "99999999999", "0", '"1"', "null"])
def test_another_version_is_refused_by_its_field(version):
    for error in refusals(as_json(FLAT, version=version), SETTINGS):
        assert re.search(r"\bversion: this is of version .* and version 1 is read here", error.message)
        assert "update" in error.hint
    with pytest.raises(SpecError, match="not from this version"):
        from_link_text("lw2." + link_text(FLAT)[4:])


@pytest.mark.fault(10)
@pytest.mark.fault(12)
@pytest.mark.fault(13)
def test_the_supervisor_queues_nothing_of_all_this_and_goes_on(tmp_path):
    desk = Desk(tmp_path)
    try:
        for one in CASES:
            experiment, changes, _ = one.values
            with pytest.raises(SpecError):
                desk.ask(ask="submit", run=A, job=job_text(as_json(experiment, **changes)), owner="", name="")
        for text in ("", "{}", "[" * 60_000, '{"kind":"train"}', '{"kind":"os.system"}', "null", '"x"', "\ud800"):
            with pytest.raises(SpecError):
                desk.ask(ask="submit", run=A, job=text, owner="", name="")
        assert desk.reader.rows(with_deleted=True) == ()
        desk.submit(A)
        assert desk.row().state == "queued"
    finally:
        desk.reader.close()
        desk.writer.close()


@pytest.mark.fault(108)
@pytest.mark.parametrize("plain", [b" " * 60_000_000, b"[" * 60_000_000, b'{"version":1,"x":"' + b"a" * 60_000_000])
def test_a_link_that_inflates_without_end_is_cut_off_at_the_limit(plain):
    text = link(plain)
    del plain
    if len(text) > 8_000:
        text = text[:8_000]
    with little_memory(2 * MIB), pytest.raises(SpecError):
        from_link_text(text)


@pytest.mark.fault(109)
@pytest.mark.parametrize(
    "text",
    ["", "lw1.", "lw1.=", "lw1.AAAA", "../../etc/passwd", "lw1." + "A" * 100_000, "\x00", "lw1.\ud800", "javascript:alert(1)"],
)
def test_garbage_for_a_link_or_a_file_is_a_sentence(text):
    for read in (from_link_text, from_file_text):
        with pytest.raises(SpecError) as caught:
            read(text)
        assert caught.value.hint


def test_a_sound_experiment_passes_by_every_way():
    with pytest.raises(AssertionError, match="by_file lets it in"):
        refusals(as_json(FLAT), SETTINGS)
    assert from_link_text(link(as_json(FLAT))) == Experiment.model_validate_json(json.dumps(json.loads(as_json(FLAT)))) == FLAT
