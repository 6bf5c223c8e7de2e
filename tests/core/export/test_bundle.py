"""A bundle of a run, what is refused of strangers' bundles, and the run that comes back."""

import io
import json
import zipfile
from dataclasses import replace

import pytest

from core.data.own.keep import store_upload
from core.data.own.table import table_choice
from core.errors import SpecError, TooExpensive
from core.events import Artifact, ArtifactSaved, Failed, Finished, Pause, Resume, SetHyper, Stop
from core.export.bundle import digest_of
from core.export.bundle_reading import opened_bundle
from core.export.formats import safetensors_bytes
from core.jobs.bundle_jobs import BundleJob, BundleLookJob
from core.jobs.compress import CompressJob
from core.jobs.imported_run import ImportedRunJob
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.menu import parse_job
from core.jobs.run_log import folded
from core.jobs.training import TrainJob
from core.models.model import build
from core.models.weights import imported as import_weights
from core.models.weights_check import weights_file
from core.results.codec import load_result
from core.results.exported import BundleFound, ExportedFile
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from tests.core.data.own_files import csv_bytes, flowers, previewed
from tests.core.export.recorded_runs import record_run
from tests.core.samples import linear, spiral, stack

EXPERIMENT = spiral(steps=40)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The log, shelf and bundle of a run whose learning rate was changed and that rested once."""
    settings = Settings(home=tmp_path_factory.mktemp("bundle") / "home", checkpoint_s=0.01)
    shelf = MemoryShelf()
    commands = ((10, SetHyper(0, "lr", 0.02)), (20, Pause()), (20, Resume()))
    logged = record_run(TrainJob(experiment=EXPERIMENT), settings, shelf, "source", name="My <run>", commands=commands)
    job = BundleJob(experiment=EXPERIMENT, weights=shelf.references("source")[-1], run="source", last_seq=logged[-1].seq)
    told, data = bundle(job, settings, shelf)
    return settings, shelf, logged, told, data, job


def bundle(job, settings, shelf):
    items = list(run_inline(job, settings, shelf=shelf, run="b"))
    found = {item.name: item.data for item in items if isinstance(item, Artifact)}
    assert found, items
    return load_result(ExportedFile, found["result.npz"]), found["bundle.zip"]


@pytest.fixture
def quick(monkeypatch):
    """Bundles without ONNX and script: what they cost is told elsewhere."""
    for part in ("_onnx", "_script"):
        monkeypatch.setattr(BundleJob, part, lambda self, desk, known, trained: {})


def imported(data, home, **more):
    """What the import says and keeps, on another machine."""
    settings = Settings(home=home)
    job = ImportedRunJob(file=store_upload(data, "bundle.zip", settings), experiment=EXPERIMENT)
    job.check(settings)
    return list(run_inline(parse_job(job.model_dump_json()), settings, run="new", **more))


def events_of(items):
    return [one.event for one in items if not isinstance(one, Artifact)]


def without_rests(events):
    return [event for event in events if type(event).__name__ not in ("Paused", "Resumed")]


def test_a_run_comes_back_bit_for_bit(made, tmp_path):
    _, shelf, logged, _, data, _ = made
    items = imported(data, tmp_path / "other")
    told = [one.event for one in logged]
    assert events_of(items) == without_rests(told)
    assert "HyperChanged" in {type(event).__name__ for event in told}
    artifacts = {item.name: item.data for item in items if isinstance(item, Artifact)}
    saved = [event for event in told if isinstance(event, ArtifactSaved)]
    assert len(saved) >= 3
    assert artifacts == {one.name: shelf.read("source", one.name, one.sha256) for one in saved}
    there, here = folded(told), folded(events_of(items))
    assert [list(one) for one in there.losses] == [list(one) for one in here.losses]
    assert (there.epochs, there.changes, there.end) == (here.epochs, here.changes, here.end)


def test_the_bundle_holds_what_people_want_and_no_pickle(made):
    _, _, logged, told, data, _ = made
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        card = archive.read("model_card.md").decode()
        manifest = json.loads(archive.read("manifest.json"))
        assert {entry["path"]: entry["sha256"] for entry in manifest["files"]} == {
            name: digest_of(archive.read(name)) for name in names - {"manifest.json"}
        }
    assert {"experiment.json", "events.jsonl", "model/weights.safetensors", "model/model.onnx", "environment.json"} <= names
    assert "script/train.py" in names
    assert not [name for name in names if name.endswith((".pt", ".pkl", ".pickle"))]
    assert r"My \<run\>" in card
    assert (told.n_bytes, told.sha256, told.notes) == (len(data), digest_of(data), ())
    assert f"{len(logged):,} events" in told.check


def test_equal_runs_give_equal_bundles(made):
    settings, shelf, _, _, data, job = made
    assert bundle(job, settings, shelf)[1] == data


def test_the_newest_checkpoint_alone_gives_the_same_curve(made, quick, tmp_path):
    settings, shelf, logged, _, data, job = made
    _, small = bundle(job.but(checkpoints="newest"), settings, shelf)
    items = imported(small, tmp_path / "other")
    assert len(small) < len(data)
    assert [one.name for one in items if isinstance(one, Artifact)] == [job.weights.name]
    told = [event for event in without_rests(one.event for one in logged) if not isinstance(event, ArtifactSaved)]
    assert [event for event in events_of(items) if not isinstance(event, ArtifactSaved)] == told


def test_after_a_lost_worker_the_import_goes_on_behind_the_checkpoint(made, tmp_path):
    _, _, _, _, data, _ = made
    shelf = MemoryShelf()
    whole = events_of(imported(data, tmp_path / "one", shelf=shelf))
    at = next(place for place, event in enumerate(whole) if isinstance(event, ArtifactSaved) and event.step > 0)
    ref = next(ref for ref in shelf.references("new") if ref.name == whole[at].name)
    again = events_of(imported(data, tmp_path / "two", shelf=shelf, resume=(ref, ())))
    assert again == whole[at + 1 :]


def test_an_import_can_be_stopped_and_nothing_else(made, tmp_path):
    _, _, _, _, data, _ = made
    items = imported(data, tmp_path / "other", commands=[(5, Stop())])
    end = events_of(items)[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.step < 40) == ("stopped", True)
    with pytest.raises(SpecError, match="only be stopped"):
        ImportedRunJob(file="0" * 64, experiment=EXPERIMENT).check_command(SetHyper(0, "lr", 1.0))


def test_a_run_that_had_not_ended_ends_as_stopped(made, quick, tmp_path):
    settings, shelf, logged, _, _, job = made
    _, part = bundle(job.but(last_seq=logged[-1].seq - 4), settings, shelf)
    end = events_of(imported(part, tmp_path / "other"))[-1]
    assert (type(end), end.reason) == (Finished, "stopped")


def test_a_look_says_what_is_in_it(made, tmp_path):
    _, _, logged, _, data, _ = made
    settings = Settings(home=tmp_path / "other")
    job = BundleLookJob(file=store_upload(data, "b.zip", settings), name="b.zip")
    items = list(run_inline(job, settings))
    found = load_result(BundleFound, next(item.data for item in items if isinstance(item, Artifact)))
    assert (found.n_steps, found.n_events, found.name) == (40, len(logged), "My <run>")
    assert found.n_epochs == len(folded(one.event for one in logged).epochs)
    assert found.n_checkpoints == len([one for one in logged if isinstance(one.event, ArtifactSaved)])


def changed(data, change):
    """The bundle with its files, by path, changed by `change`, which gets a dict."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def in_manifest(**fields):
    def change(files):
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | fields).encode()

    return change


def retold(path, content):
    """A file changed together with its entry in the manifest: only a thorough look finds it."""

    def change(files):
        files[path] = content(files[path])
        manifest = json.loads(files["manifest.json"])
        for entry in [*manifest["files"], *manifest["artifacts"]]:
            if entry.get("path", f"artifacts/{entry.get('name')}") == path:
                entry |= {"sha256": digest_of(files[path]), "n_bytes": len(files[path])}
        files["manifest.json"] = json.dumps(manifest).encode()

    return change


@pytest.mark.fault(119)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: files.pop("manifest.json"), "no manifest.json"),
        (lambda files: files.pop("experiment.json"), "experiment.json is missing"),
        (lambda files: files.update({"evil.py": b"1"}), "does not name"),
        (lambda files: files.update({"../evil": b"1"}), "leads out of the archive"),
        (lambda files: files.update({"events.jsonl": files["events.jsonl"] + b"\n"}), "events.jsonl has"),
        (lambda files: files.update({"experiment.json": files["experiment.json"].replace(b"10", b"20", 1)}), "was changed"),
        (in_manifest(version=2), "version 2"),
        (in_manifest(format="other"), "format"),
        (in_manifest(artifacts=[{"name": "../x", "kind": "checkpoint"}]), "artifacts"),
        (lambda files: files.update({"manifest.json": b"[" * 60_000}), "cannot be read"),
    ],
)
def test_a_faulty_bundle_is_refused_in_words_before_anything_is_kept(made, tmp_path, change, words):
    data = changed(made[4], change)
    with pytest.raises(SpecError, match=words):
        opened_bundle(data, "bundle.zip", Settings(home=tmp_path))


@pytest.mark.fault(119)
@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("events.jsonl", lambda data: data.replace(b'"StepsDone"', b'"StepsGone"', 1), "no event that is known"),
        ("events.jsonl", lambda data: data + data.splitlines(True)[0], "out of order"),
        ("events.jsonl", lambda data: b"".join(data.splitlines(True)[:-1]), "its manifest says"),
        ("artifacts", lambda data: b"garbage", "cannot be read"),
        ("artifacts", lambda data: data[:8] + data[8:].replace(b'"layerwise"', b'"layerwisf"', 1), "cannot be read"),
    ],
)
def test_a_thorough_look_finds_what_a_manifest_hides(made, tmp_path, path, content, words):
    settings = Settings(home=tmp_path)
    path = f"artifacts/{made[5].weights.name}" if path == "artifacts" else path
    data = changed(made[4], retold(path, content))
    job = BundleLookJob(file=store_upload(data, "b.zip", settings), name="b.zip")
    end = list(run_inline(job, settings))[-1].event
    assert isinstance(end, Failed)
    assert words in end.message


def test_a_bundle_over_the_limit_names_the_way_to_a_smaller_one(made, tmp_path):
    with pytest.raises(TooExpensive, match="limit is 1 MB") as refused:
        opened_bundle(made[4] + bytes(2**20), "bundle.zip", Settings(home=tmp_path, upload_mb=1))
    assert "newest checkpoint only" in refused.value.hint


@pytest.mark.fault(119)
def test_a_zip_bomb_is_refused_by_its_directory(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(30 * 2**20))
    with pytest.raises(SpecError, match="would unpack"):
        opened_bundle(buffer.getvalue(), "bundle.zip", Settings(home=tmp_path))


def test_artifacts_of_a_bundle_have_names_that_the_store_takes(made):
    files = ArtifactFiles(made[0].home)
    for one in opened_bundle(made[4], "b.zip", made[0]).manifest.artifacts:
        assert files.path("run", one.name).name == one.name


def test_a_bundle_of_another_experiment_is_not_taken_for_this_one(made, tmp_path):
    settings = Settings(home=tmp_path)
    job = ImportedRunJob(file=store_upload(made[4], "b.zip", settings), experiment=EXPERIMENT.but(seed=7))
    end = list(run_inline(job, settings))[-1].event
    assert isinstance(end, Failed)
    assert replace(end, hint="").message == "The bundle holds another experiment."


def test_a_visitors_data_and_weights_go_along_and_are_found_elsewhere(quick, tmp_path, monkeypatch):
    here, there = Settings(home=tmp_path / "here"), Settings(home=tmp_path / "there")
    monkeypatch.setenv("LAYERWISE_HOME", str(here.home))
    data = table_choice(previewed(csv_bytes(flowers(90)), "t.csv"), "species", "classification")
    model = stack(linear(3))
    start = safetensors_bytes(build(model, data.profile().input_shape, 5))
    model = model.but(weights=import_weights(start, "w.safetensors", here).digest)
    experiment = spiral(data=data, model=model, steps=3)
    shelf = MemoryShelf()
    logged = record_run(TrainJob(experiment=experiment), here, shelf, "own")
    _, packed = bundle(BundleJob(experiment=experiment, run="own", last_seq=logged[-1].seq), here, shelf)

    monkeypatch.setenv("LAYERWISE_HOME", str(there.home))
    job = ImportedRunJob(file=store_upload(packed, "b.zip", there), experiment=experiment)
    assert events_of(run_inline(job, there)) == [one.event for one in logged]
    assert weights_file(model.weights, there).read_bytes() == weights_file(model.weights, here).read_bytes()
    again = events_of(run_inline(TrainJob(experiment=experiment), there))  # all that it needs is there
    assert folded(again).losses == folded(one.event for one in logged).losses

    _, bare = bundle(BundleJob(experiment=experiment, run="own", last_seq=logged[-1].seq, with_files=False), here, shelf)
    assert not [
        one for one in opened_bundle(bare, "b.zip", here).manifest.files if one.path.startswith(("uploads/", "imported"))
    ]


def test_a_compressed_model_comes_back_with_its_report(quick, tmp_path):
    settings, shelf = Settings(home=tmp_path / "here"), MemoryShelf()
    list(run_inline(TrainJob(experiment=EXPERIMENT), settings, shelf=shelf, run="big"))
    job = CompressJob(experiment=EXPERIMENT, weights=shelf.references("big")[-1])
    logged = record_run(job, settings, shelf, "small")
    small = job.trained()
    told, packed = bundle(BundleJob(experiment=small, run="small", last_seq=logged[-1].seq), settings, shelf)
    there = Settings(home=tmp_path / "there")
    back = ImportedRunJob(file=store_upload(packed, "b.zip", there), experiment=small)
    items = list(run_inline(back, there))
    assert events_of(items) == [one.event for one in logged]
    assert {item.name for item in items if isinstance(item, Artifact)} >= {"result.npz", "compressed.safetensors"}
    assert told.notes == ()
