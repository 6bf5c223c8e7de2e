"""What people say of runs, and the bin: the supervisor's rooms without processes."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.errors import SpecError
from core.events import EpochDone, Finished, Started, StepsDone, WorkerLost
from core.experiment.origin import Origin
from core.jobs.job import ArtifactRef
from core.jobs.messages import Batch, batch_row, encode
from core.jobs.pool.loop import Pool
from core.jobs.pool.requests import _new_record
from core.jobs.training import TrainJob
from core.run_curve import FIGURES
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord, LoggedEvent
from core.store.sql import SqlReader, SqlWriter
from tests.core.jobs.test_jobs_book import StubEngine, StubWorker
from tests.core.samples import spiral

A, B, C = "a" * 32, "b" * 32, "c" * 32
HOSTILE = "<script>alert(1)</script>\u202e\x00 '; DROP TABLE said; -- ]("


class Desk:
    """A pool of which a test makes the turns."""

    def __init__(self, home, **settings):
        self.settings = Settings(home=home, **settings)
        self.writer = SqlWriter(home / "runs.db")
        self.reader = SqlReader(home / "runs.db")
        self.asked, self.answers = [], []
        control = SimpleNamespace(
            waitables=lambda: (), requests=lambda: [SimpleNamespace(fields=one) for one in self.asked],
            answer=lambda request, answer: self.answers.append(answer),
        )  # fmt: skip
        self.engine = StubEngine()
        self.pool = Pool(self.settings, self.writer, self.engine, control)

    def ask(self, **fields):
        """The answer to one request, after its turn; a refusal is raised."""
        self.asked, self.answers = [fields], []
        self.pool._turn()
        self.asked = []
        answer = self.answers[0]
        if "error" in answer:
            raise SpecError(answer["error"]["message"], hint=answer["error"]["hint"])
        return answer

    def submit(self, run, job=None, state=None, **more):
        job = job or TrainJob(experiment=spiral(steps=20))
        self.ask(ask="submit", run=run, job=job.model_dump_json(), owner="", name=more.get("name", "first"))
        if state:
            self.write(lambda: self.writer.update(run, state=state))

    def write(self, act):
        self.writer.begin()
        act()
        self.writer.commit()

    def turn(self):
        self.pool._requests.library._swept = self.pool._book.summaries._looked = -1e9
        self.pool._turn()

    def row(self, run=A):
        return next((row for row in self.reader.rows(with_deleted=True) if row.id == run), None)


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.reader.close()
    desk.writer.close()


def test_a_queued_run_has_its_facts_at_once(desk):
    desk.submit(A, name="mine")
    row = desk.row()
    assert (row.name, row.state, row.tags, row.note) == ("mine", "queued", (), "")
    assert (row.facts["data"], row.facts["optimizer"], row.facts["lr"], row.facts["batch_size"]) == ("Spiral", "Adam", 0.01, 10)
    assert row.figures == {"n_parameters": 2 * 8 + 8 + 8 * 2 + 2, "multiply_adds": 2 * 8 + 8 * 2}


@pytest.mark.fault(28)
def test_name_tags_and_note_are_plain_text_within_bounds(desk):
    desk.submit(A)
    desk.ask(
        ask="annotate", runs=[A], name=HOSTILE, note="one\ntwo\x07" + "x" * 9999, tags=[HOSTILE, "a,b", "a b", "", "é" * 99]
    )
    row = desk.row()
    assert row.name == "<script>alert(1)</script> '; DROP TABLE said; -- ]("
    assert row.note.startswith("one\ntwoxxx")
    assert len(row.note) == 2000
    assert row.tags == (row.name[:40].strip(), "a b", "é" * 40)
    desk.ask(ask="annotate", runs=[A], tags=["only"])
    assert (desk.row().name, desk.row().tags) == (row.name, ("only",))
    desk.ask(ask="annotate", runs=[A], name="")
    assert desk.row().name == "first"


def test_many_runs_are_tagged_at_once(desk):
    desk.submit(A)
    desk.submit(B)
    desk.ask(ask="tag", runs=[A, B], add=["x", "y"], remove=[])
    desk.ask(ask="tag", runs=[A], add=["z"], remove=["x"])
    assert (desk.row(A).tags, desk.row(B).tags) == (("y", "z"), ("x", "y"))
    with pytest.raises(SpecError, match="at most 12 tags"):
        desk.ask(ask="tag", runs=[B], add=[str(n) for n in range(11)], remove=[])


@pytest.mark.parametrize(
    "fields",
    [
        {"ask": "annotate", "runs": ["no such run"], "name": "x"},
        {"ask": "annotate", "runs": [A], "name": 3},
        {"ask": "annotate", "runs": A, "name": "x"},
        {"ask": "annotate", "runs": [A], "tags": [1]},
        {"ask": "delete", "runs": []},
        {"ask": "delete", "runs": [A, "nobody"]},
        {"ask": "tag", "runs": [A]},
    ],
)
def test_what_is_not_well_formed_is_refused_and_changes_nothing(desk, fields):
    desk.submit(A, state="finished")
    before = desk.reader.rows(with_deleted=True)
    with pytest.raises(SpecError):
        desk.ask(**fields)
    assert desk.reader.rows(with_deleted=True) == before


def test_a_deleted_run_is_hidden_and_can_be_brought_back(desk):
    desk.submit(A, state="finished")
    desk.submit(B, state="finished")
    assert desk.ask(ask="delete", runs=[A]) == {"deleted": [A], "unfinished": []}
    assert [row.id for row in desk.reader.rows()] == [B]
    assert desk.row(A).deleted == pytest.approx(time.time(), abs=5)
    desk.ask(ask="restore", runs=[A])
    assert {row.id for row in desk.reader.rows()} == {A, B}


@pytest.mark.parametrize("state", ["queued", "running", "paused", "stopping"])
def test_a_run_that_has_not_ended_cannot_be_deleted(desk, state):
    desk.submit(A, state=state)
    desk.submit(B, state="finished")
    with pytest.raises(SpecError, match="has not ended"):
        desk.ask(ask="delete", runs=[A])
    assert desk.ask(ask="delete", runs=[A, B]) == {"deleted": [B], "unfinished": [A]}
    assert [row.id for row in desk.reader.rows()] == [A]


def test_after_its_days_a_deleted_run_goes_with_its_files(desk, tmp_path):
    files = ArtifactFiles(tmp_path)
    for run in (A, B):
        desk.submit(run, state="finished")
        files.write(run, "checkpoint", b"weights")
    desk.ask(ask="delete", runs=[A, B])
    desk.write(lambda: desk.writer.say(A, deleted=time.time() - 7.1 * 86_400))
    desk.turn()
    assert (desk.row(A), files.path(A, "checkpoint").exists()) == (None, False)
    assert desk.row(B).deleted
    assert files.path(B, "checkpoint").exists()
    assert desk.writer.to_sweep(time.time(), 10) == (B,)


def test_what_an_unfinished_run_begins_from_is_not_swept_away(desk, tmp_path):
    desk.submit(A, state="finished")
    files = ArtifactFiles(tmp_path)
    saved = files.write(A, "checkpoint-1", b"weights")
    desk.write(lambda: desk.writer.add_artifact(ArtifactRecord(A, "checkpoint-1", "checkpoint", 7, 1, 7, saved.sha256)))
    origin = Origin(run=A, name="checkpoint-1", sha256=saved.sha256, step=7)
    fork = TrainJob(experiment=spiral(steps=20)).model_copy(update={"experiment": spiral(steps=20, origin=origin)})
    desk.write(lambda: desk.writer.create(_waiting(fork)))
    desk.ask(ask="delete", runs=[A])
    assert desk.ask(ask="empty_bin") == {"swept": [], "needed": [A]}
    desk.turn()
    assert files.path(A, "checkpoint-1").exists()
    desk.write(lambda: desk.writer.update(B, state="finished"))
    assert desk.ask(ask="empty_bin") == {"swept": [A], "needed": []}
    desk.turn()
    assert not files.path(A, "checkpoint-1").exists()
    assert desk.row(A) is None
    assert (desk.row(B).parent, desk.row(B).parent_step) == (A, 7)


def _waiting(job):
    return _new_record(B, job, "k", "", "")


EVENTS = (
    Started(0, 42, 140, 30, 30, 14, None, "cpu", ("Adam",), {}, ("Adam",), 1),
    StepsDone(1, 0, (tuple(1 / n for n in range(1, 15)),), (0.01,), 0.5),
    EpochDone(1, 14, (0.5,), (0.7,), (0.6,), (0.65,), 0.6),
    StepsDone(15, 1, (tuple(1 / n for n in range(15, 21)),), (0.01,), 0.9),
    Finished("completed", 20, 1.0, (0.4,), (0.8,)),
)


def test_a_line_is_written_with_the_events_that_it_tells(desk):
    worker = StubWorker()
    desk.submit(A)
    desk.engine.take = lambda lane: worker if lane == "training" else None
    desk.turn()
    worker.said = [encode(Batch(A, tuple(batch_row(n, event) for n, event in enumerate(EVENTS[:3], start=1))))]
    desk.turn()
    row = desk.row()
    assert (row.state, row.figures["validation_loss"], row.figures["steps"]) == ("running", 0.6, 14)
    worker.said = [encode(Batch(A, tuple(batch_row(n, event) for n, event in enumerate(EVENTS[3:], start=4))))]
    desk.turn()
    row = desk.row()
    assert (row.state, row.reason) == ("finished", "completed")
    assert row.figures == {
        "n_parameters": 42, "multiply_adds": 32, "train_loss": 0.5, "train_accuracy": 0.7, "validation_loss": 0.6,
        "validation_accuracy": 0.65, "best_validation_loss": 0.6, "best_validation_accuracy": 0.65, "epochs": 1,
        "test_loss": 0.4, "test_accuracy": 0.8, "steps": 20, "examples": 200, "seconds": 0.9,
    }  # fmt: skip
    curve = desk.reader.curves([A])[A]
    assert list(curve.steps) == list(range(1, 21))
    assert curve.y(FIGURES[2])[0] == pytest.approx(0.6)


def test_runs_of_an_older_database_get_their_lines_one_by_one(desk):
    for run in (A, B, C):
        desk.write(lambda run=run: desk.writer.create(_record(run)))
        desk.write(lambda run=run: desk.writer.append(run, [LoggedEvent(n, one) for n, one in enumerate(EVENTS, start=1)]))
    assert all(row.figures == {} for row in desk.reader.rows())
    for _ in range(3):
        desk.turn()
    assert [row.figures["best_validation_loss"] for row in desk.reader.rows()] == [0.6] * 3
    assert set(desk.reader.curves([A, B, C, "none"])) == {A, B, C}
    assert desk.writer.unsummarised(10) == ()


def _record(run):
    return replace(_waiting(TrainJob(experiment=spiral(steps=20))), id=run, state="finished")


def test_a_job_of_another_version_and_an_event_that_nobody_knows_still_make_a_line(desk):
    desk.write(lambda: desk.writer.create(replace(_record(A), kind="dream", job='{"kind":"dream","depth":9}')))
    desk.write(lambda: desk.writer.create(replace(_record(B), job="not json")))
    desk.turn()
    desk.turn()
    assert [(row.kind, row.facts, row.figures) for row in (desk.row(A), desk.row(B))] == [("dream", {}, {}), ("train", {}, {})]
    assert desk.writer.unsummarised(10) == ()


def test_a_log_that_went_back_takes_its_summary_with_it(desk):
    desk.write(lambda: desk.writer.create(_record(A)))
    desk.write(lambda: desk.writer.append(A, [LoggedEvent(n, one) for n, one in enumerate(EVENTS, start=1)]))
    desk.turn()
    assert desk.row().figures["epochs"] == 1
    desk.write(lambda: desk.writer.rewind(A, 2))
    assert desk.row().figures == {}
    desk.write(lambda: desk.writer.append(A, [LoggedEvent(3, WorkerLost("gone", True))]))
    desk.turn()
    assert desk.row().figures["steps"] == 14
    assert "epochs" not in desk.row().figures


def test_a_job_on_the_weights_of_a_run_has_it_as_its_parent(desk):
    ref = ArtifactRef(run=A, name="checkpoint-1", sha256="0" * 64)
    desk.write(lambda: desk.writer.create(_record(A)))
    desk.write(lambda: desk.writer.add_artifact(ArtifactRecord(A, "checkpoint-1", "checkpoint", 20, 5, 7, "0" * 64)))
    job = SimpleNamespace(weights=ref)
    assert desk.pool._book.summaries._parent(job, None) == (A, 20)
    assert desk.pool._book.summaries._parent(SimpleNamespace(weights=None), spiral()) == ("", 0)


def test_who_asks_for_what_is_in_the_bin_gets_it_back(desk):
    desk.submit(A, state="finished")
    desk.submit(B, state="finished")
    desk.ask(ask="delete", runs=[A, B])
    desk.write(lambda: desk.pool._requests.library.revive(A))
    assert [row.id for row in desk.reader.rows()] == [A]


def test_a_run_that_goes_on_takes_up_its_log_page_by_page_and_then_what_it_says(desk, monkeypatch):
    monkeypatch.setattr("core.jobs.pool.summaries.PAGE", 2)
    worker = StubWorker()
    desk.write(lambda: desk.writer.create(replace(_record(A), state="queued", last_seq=3)))
    desk.write(lambda: desk.writer.append(A, [LoggedEvent(n, one) for n, one in enumerate(EVENTS[:3], start=1)]))
    desk.engine.take = lambda lane: worker if lane == "training" else None
    desk.turn()
    worker.said = [encode(Batch(A, tuple(batch_row(n, event) for n, event in enumerate(EVENTS[3:4], start=4))))]
    for _ in range(3):
        desk.turn()
    worker.said = [encode(Batch(A, tuple(batch_row(n, event) for n, event in enumerate(EVENTS[4:], start=5))))]
    desk.turn()
    figures = desk.row().figures
    assert (figures["steps"], figures["epochs"], figures["test_loss"]) == (20, 1, 0.4)
    assert len(desk.reader.curves([A])[A].losses) == 20


def test_what_cannot_be_summed_up_harms_neither_the_run_nor_its_log(desk):
    worker = StubWorker()
    desk.submit(A)
    desk.engine.take = lambda lane: worker if lane == "training" else None
    desk.turn()
    ragged = EpochDone(1, 14, (0.5, 0.6), (0.7,), (0.6,), (0.65,), 0.6)
    told = (EVENTS[0], ragged, EVENTS[4])
    worker.said = [encode(Batch(A, tuple(batch_row(n, event) for n, event in enumerate(told, start=1))))]
    desk.turn()
    assert desk.reader.run(A).state == "finished"
    assert [one.event for one in desk.reader.events(A)] == list(told)
    assert desk.row().facts["data"] == "Spiral"
