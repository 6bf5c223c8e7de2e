"""The prediction service: what it answers is what torch answers, and what it cannot read it refuses in words."""

import importlib.util
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from core.data.own.table import table_choice
from core.data.preparation import Preparation
from core.data.prepare import model_points
from core.data.rendered import Digits
from core.data.sequence import Sentiment, text_of
from core.data.tabular import Diabetes
from core.data.toy import Spiral
from core.events import Artifact
from core.export.description import raw_example
from core.export.service import service_files
from core.jobs.export_jobs import ModelExportJob
from core.jobs.inline import run_inline
from core.models.model import build
from core.models.output import class_probabilities, output_form, predicted_numbers
from core.settings import Settings
from tests.core.data.own_files import csv_bytes, flowers, previewed
from tests.core.samples import linear, spiral, stack

testclient = pytest.importorskip("fastapi.testclient")

N = 5
AGE = "age (years)"
READER = stack(("Embedding", {"num_embeddings": 128}), ("PoolTime", {}), linear(2))
PCA = Preparation(scaling="unit", pca=5)
CASES = {
    "points, one output": (Spiral(n_points=200), stack(linear(1))),
    "image, one output for each class": (Digits(), stack("Flatten", linear(10), "Sigmoid")),
    "image by components": (Digits(preparation=PCA), stack(linear(10), "LogSoftmax")),
    "number": (Diabetes(preparation=Preparation(scaling="standardise")), stack(linear(1))),
    "text": (Sentiment(n_examples=200), READER),
    "chinese": (Sentiment(n_examples=200, language="zh", tokens="word"), READER),
}


def own_table():
    """A visitor's table with gaps and a category."""
    rows = flowers(90)
    rows[5], rows[9] = ("", *rows[5][1:]), (*rows[9][:2], "", rows[9][3])
    found = table_choice(previewed(csv_bytes(rows), "t.csv"), "species", "classification", drop_rare=True)
    return found.but(preparation=Preparation(scaling="standardise"))


def folder_of(data, model, place):
    """The service of an untrained model, unpacked, and what torch says of the validation examples."""
    splits = data.splits(0)
    module = build(model, splits.profile.input_shape, 3).eval()
    for name, content in service_files(data, splits, output_form(module), nothing()).items():
        (place / name).write_bytes(content)
    originals = (splits.originals[1] if splits.originals else splits.validation).x[:N]
    x = torch.from_numpy(model_points(splits, data.preparation, originals))
    with torch.no_grad():
        outputs = module(x).double()
    if splits.profile.task == "regression":
        return module, splits, predicted_numbers(outputs).numpy() * splits.target_scale + splits.target_shift
    return module, splits, class_probabilities(module, outputs).numpy()


def nothing() -> bytes:
    """The smallest ONNX model: what is computed is told by torch here, in the place of ONNX Runtime."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    same = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [same])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


class TorchSession:
    """As onnxruntime.InferenceSession, with the outputs of torch."""

    def __init__(self, module):
        self.module = module

    def get_inputs(self):
        return [SimpleNamespace(name="input")]

    def run(self, _, given):
        with torch.no_grad():
            return [self.module(torch.from_numpy(given["input"])).numpy()]


def client_of(folder, model):
    """The app in this process, as its own module."""
    spec = importlib.util.spec_from_file_location(f"app_{folder.name}", folder / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.model.session = TorchSession(model)
    return testclient.TestClient(module.app), module


@pytest.mark.parametrize("case", [*CASES, "own table"])
def test_raw_examples_get_the_answers_of_torch(tmp_path, home, case):
    data, model = CASES[case] if case in CASES else (own_table(), stack(linear(3)))
    module, splits, expected = folder_of(data, model, tmp_path)
    client, _ = client_of(tmp_path, module)
    examples = [raw_example(data, splits, index) for index in range(N)]
    answer = client.post("/predict", json={"examples": examples})
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    if splits.profile.task == "regression":
        assert answer.json()["target"] == splits.profile.target_name
        np.testing.assert_allclose([one["value"] for one in found], expected, rtol=1e-5)
        return
    names = splits.profile.class_names
    np.testing.assert_allclose([[one["probabilities"][name] for name in names] for one in found], expected, atol=1e-6)
    assert [one["class"] for one in found] == [names[i] for i in expected.argmax(1)]
    if case == "text":
        texts = [text_of(row, splits.vocabulary) for row in splits.validation.x[:N]]
        assert client.post("/predict", json={"examples": texts}).json() == answer.json()
    if case == "chinese":
        assert "list of tokens" in client.post("/predict", json={"examples": ["好"]}).json()["detail"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    model, splits, _ = folder_of(Diabetes(), stack(linear(1)), folder)
    client, module = client_of(folder, model)
    return client, module, raw_example(Diabetes(), splits)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row | {"odd": 1}, "unknown columns ['odd']"),
        (lambda row: {name: value for name, value in row.items() if name != AGE}, "missing columns ['age (years)']"),
        (lambda row: row | {AGE: "old"}, "'age (years)' must be a number"),
        (lambda row: row | {AGE: True}, "'age (years)' must be a number"),
        (lambda row: row | {AGE: 1e300}, "'age (years)' must be a number"),
        (lambda row: list(row.values())[1:], "a list of 10 values"),
        (lambda row: "row", "must be an object"),
        (lambda row: None, "must be an object"),
    ],
)
def test_an_example_that_cannot_be_read_is_refused_with_its_place(table, change, words):
    client, _, row = table
    answer = client.post("/predict", json={"examples": [row, change(row)]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("example 1: ")
    assert words in answer.json()["detail"]


def test_questions_are_bounded(table):
    client, module, row = table
    too_many = {"examples": [row] * (module.MAX_EXAMPLES + 1)}
    assert client.post("/predict", json=too_many).status_code == 422
    assert client.post("/predict", json={"examples": []}).status_code == 422
    assert client.post("/predict", json={"examples": [row], "more": 1}).status_code == 422
    large = client.post("/predict", content=b" " * (module.MAX_BODY_BYTES + 1))
    assert (large.status_code, large.json()["detail"]) == (413, "a request has at most 8,388,608 bytes")
    assert client.post("/predict", content=b"not json").status_code == 422


def test_it_says_what_it_takes(table):
    client, _, row = table
    told = client.get("/about").json()
    assert told["input"]["names"] == list(row)
    assert (told["task"], told["target"]) == ("regression", Diabetes().profile().target_name)


def test_pictures_of_another_shape_or_range_are_refused(tmp_path):
    model, _, _ = folder_of(Digits(), stack("Flatten", linear(10)), tmp_path)
    client, _ = client_of(tmp_path, model)
    for image, words in (
        ([[0] * 8] * 7, "its shape is [7, 8]"),
        ([[0] * 8] * 7 + [[0]], "all rows of one length"),
        ([[300] * 8] * 8, "from 0 (black) to 16 (white)"),
    ):
        assert words in client.post("/predict", json={"examples": [image]}).json()["detail"]
    assert client.post("/predict", json={"examples": [[[3] * 8] * 8]}).status_code == 200


def test_the_folder_starts_by_the_command_of_its_readme(tmp_path, home):
    """In a process of its own, by uvicorn, without torch."""
    job = ModelExportJob(experiment=spiral(), format="service")
    items = list(run_inline(job, Settings.from_environment()))
    data = next(item.data for item in items if isinstance(item, Artifact) and item.name == "service.zip")
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = next(line.strip() for line in (tmp_path / "README.md").read_text().splitlines() if "uvicorn app" in line)
    words = command.replace("8000", str(port)).split()
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=tmp_path, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ""}
    )
    try:
        address = f"http://127.0.0.1:{port}"
        assert json.loads(_answer(process, f"{address}/health")) == {"status": "ok"}
        request = urllib.request.Request(
            f"{address}/predict", (tmp_path / "example.json").read_bytes(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            found = json.loads(answer.read())["predictions"]
        with open(f"/proc/{process.pid}/maps") as maps:
            assert "libtorch" not in maps.read()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    splits = Spiral(n_points=200).splits(0)
    model = build(spiral().model, (2,), 0).eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(splits.model_input(splits.validation.x[:3]))).softmax(1).numpy()
    np.testing.assert_allclose([list(one["probabilities"].values()) for one in found], expected, atol=1e-6)


def _answer(process, address):
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.read()
        except OSError:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
