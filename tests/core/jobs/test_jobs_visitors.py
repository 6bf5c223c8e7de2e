"""The limits of each visitor, who is here, and shared answers: the supervisor's rooms without processes."""

from dataclasses import replace

import pytest

from core.errors import SpecError
from core.events import ArtifactSaved, Finished, Noticed, Started, Stop, dump
from core.experiment.need import need_of
from core.jobs.messages import Batch, batch_row, encode
from core.jobs.pool.overtime import span
from core.jobs.pool.presence import Presence
from core.jobs.pool.quota import expected_file_bytes
from core.jobs.training import TrainJob
from core.store.usage import Usage
from tests.core.jobs.demo_jobs import Ask, Count
from tests.core.jobs.test_jobs_book import StubEngine, StubWorker
from tests.core.jobs.test_jobs_library import Desk
from tests.core.samples import linear, spiral, stack

ADA, BOB, CY = "a" * 32, "b" * 32, "c" * 32
STARTED = Started(0, 1, 1, 1, 0, 1, None, "cpu", ("lane 1",), {})


class Hands(StubEngine):
    """Gives a worker to whoever asks."""

    def take(self, lane):
        return StubWorker(lane)


class Visit(Desk):
    """A desk with tiny jobs and as many workers as are asked for."""

    def __init__(self, home, monkeypatch, menu="tests.core.jobs.demo_jobs:AnyJob", **settings):
        monkeypatch.setenv("LAYERWISE_JOBS", menu)
        super().__init__(home, **settings)
        self.pool._engine = Hands()
        self.n = 0

    def submit(self, by=ADA, job=None):
        """The id of the run that has the answer."""
        self.n += 1
        job = job or Count(seed=self.n)
        who = {} if by is None else {"by": by}
        return self.ask(ask="submit", run=f"{self.n:032x}", job=job.model_dump_json(), owner="", name="", **who)["run"]

    def order(self, run, name="Stop", by=ADA, fields="{}", **more):
        return self.ask(ask="command", run=run, command=name, fields=fields, by=by, **more)

    def says(self, run, *events):
        """The worker of a run speaks, and is heard."""
        live = self.pool._live[run]
        rows = tuple(batch_row(live.seq + n, event) for n, event in enumerate(events, start=1))
        live.worker.said.append(encode(Batch(run, rows)))
        self.pool._turn()

    def state(self, run):
        return self.reader.run(run).state

    def said(self, run):
        return [logged.event for logged in self.reader.events(run)]

    def keep(self, run, n_bytes):
        """A checkpoint of so many bytes."""
        self.says(run, ArtifactSaved(f"checkpoint-{self.n}", "checkpoint", 1, n_bytes, "0" * 64))

    @property
    def admission(self):
        return self.pool._requests.admission


@pytest.fixture
def visit(tmp_path, monkeypatch):
    made = []

    def make(**settings):
        made.append(Visit(tmp_path, monkeypatch, **settings))
        return made[-1]

    yield make
    for one in made:
        one.reader.close()
        one.writer.close()


@pytest.mark.fault(67)
def test_a_sixth_unfinished_run_is_refused_with_numbers_and_what_to_do(visit):
    desk = visit(profile="workshop", visitor_running=1, visitor_unfinished=5, max_queued=150)
    runs = [desk.submit() for _ in range(5)]
    with pytest.raises(SpecError, match="5 of your runs have not ended yet, the limit for one visitor is 5") as caught:
        desk.submit()
    assert caught.value.hint == "Wait until one ends, or stop one."
    assert desk.state(desk.submit(by=BOB)) == "starting"  # the others are not touched by that
    assert [desk.state(run) for run in runs] == ["starting", *["queued"] * 4]
    desk.order(runs[3])
    assert desk.submit()


def test_more_than_one_run_of_a_visitor_wait_for_each_other_and_those_of_nobody_do_not(visit):
    desk = visit(visitor_running=1, max_running=10)
    first, second, third = desk.submit(), desk.submit(), desk.submit(by=None)
    fourth = desk.submit(by=None)
    assert [desk.state(run) for run in (first, second, third, fourth)] == ["starting", "queued", "starting", "starting"]
    desk.says(first, STARTED, Finished("completed", 0, 0.0))
    assert desk.state(second) == "starting"


def test_a_paused_run_goes_on_when_its_owners_others_do_not_work(visit):
    desk = visit(visitor_running=1)
    first = desk.submit()
    desk.pool._live[first].state = "paused"
    second = desk.submit()
    assert desk.state(second) == "starting"
    with pytest.raises(SpecError, match="1 of your runs work at the moment, the limit for one visitor is 1"):
        desk.order(first, "Resume")
    with pytest.raises(SpecError, match="1 of your runs work at the moment"):
        desk.order(first, "Step", fields='{"n":1,"unit":"epoch"}')  # may take as long as one likes
    desk.order(first, "Step", fields='{"n":1}')
    desk.says(second, STARTED, Finished("completed", 0, 0.0))
    desk.order(first, "Resume")


def test_of_two_paused_runs_one_goes_on(visit):
    desk = visit(visitor_running=1)
    first = desk.submit()
    desk.pool._live[first].state = "paused"
    second = desk.submit()
    desk.pool._live[second].state = "paused"
    desk.order(first, "Resume")
    with pytest.raises(SpecError, match="1 of your runs work at the moment"):
        desk.order(second, "Resume")  # before the first has said that it goes on
    desk.order(first, "Resume")


def several(desk, *jobs, by=ADA):
    """The answers to jobs that come with one request."""
    asked = []
    for job in jobs:
        desk.n += 1
        asked.append({"run": f"{desk.n:032x}", "job": job.model_dump_json()})
    return desk.ask(ask="submit_all", jobs=asked, owner="", name="", by=by)["answers"]


def test_of_several_questions_with_one_request_each_is_answered_as_if_it_came_alone(visit):
    desk = visit(visitor_lens_unfinished=2)
    answers = several(desk, Ask(question="a"), Ask(question="b"), Ask(question="c"), Ask(question="a"))
    assert [answer.get("run") for answer in answers] == [f"{1:032x}", f"{2:032x}", None, f"{1:032x}"]
    assert "2 of your questions are still being worked on" in answers[2]["error"]["message"]
    assert answers[2]["error"]["kind"] == "TooExpensive"
    assert [desk.reader.run(f"{n:032x}").owner for n in (1, 2)] == [ADA, ADA]
    assert desk.reader.run(f"{3:032x}") is None


@pytest.mark.parametrize("jobs", [None, [], "abc", [1], [{}] * 33], ids=["none", "empty", "text", "numbers", "too many"])
def test_a_list_of_jobs_that_is_none_is_refused_before_anything_is_begun(visit, jobs):
    desk = visit()
    with pytest.raises(SpecError, match="this must be a list of 1 to 32 jobs"):
        desk.ask(ask="submit_all", jobs=jobs, owner="", name="", by=ADA)
    assert desk.reader.n_runs() == 0


def test_questions_have_a_limit_of_their_own(visit):
    desk = visit(visitor_lens_unfinished=2, visitor_unfinished=1)
    desk.submit(job=Ask(question="a"))
    desk.submit(job=Ask(question="b"))
    with pytest.raises(SpecError, match="2 of your questions are still being worked on, the limit is 2"):
        desk.submit(job=Ask(question="c"))
    desk.submit(by=BOB, job=Ask(question="c"))
    desk.submit()


def test_kept_runs_have_a_limit_and_deleted_ones_do_not_count(visit):
    desk = visit(visitor_runs=2)
    runs = [desk.submit(), desk.submit()]
    for run in runs:
        desk.says(run, STARTED, Finished("completed", 0, 0.0))
    with pytest.raises(SpecError, match="You keep 2 runs, the limit for one visitor is 2") as caught:
        desk.submit()
    assert "Delete some" in caught.value.hint
    desk.ask(ask="delete", runs=[runs[0]], by=ADA)
    assert desk.submit()


@pytest.mark.fault(76)
def test_who_has_stored_as_much_as_one_may_is_refused_before_anything_is_written(visit):
    desk = visit(visitor_stored_mb=100)
    run = desk.submit()
    desk.says(run, STARTED)
    desk.keep(run, 101 * 2**20)
    desk.says(run, Finished("completed", 1, 0.0))
    with pytest.raises(SpecError, match="Your runs and files hold 101 MB") as caught:
        desk.submit()
    assert "Delete runs" in caught.value.hint
    assert desk.reader.usage(ADA) == Usage(n_runs=1, ended_bytes=desk.reader.usage(ADA).ended_bytes)
    desk.submit(by=BOB)


@pytest.mark.fault(76)
def test_who_has_stored_as_much_as_one_may_cannot_resume_either(visit):
    desk = visit(visitor_stored_mb=100)
    stopped, large = desk.submit(), desk.submit()
    for run in (stopped, large):
        desk.says(run, STARTED)
    desk.keep(large, 101 * 2**20)
    desk.says(large, Finished("completed", 1, 0.0))
    desk.says(stopped, Finished("stopped", 1, 0.0))
    with pytest.raises(SpecError, match="Your runs and files hold 101 MB"):
        desk.order(stopped, "Resume")
    desk.ask(ask="delete", runs=[large], by=ADA)
    desk.ask(ask="empty_bin", by=ADA)
    desk.order(stopped, "Resume")
    assert desk.state(stopped) in ("queued", "starting")


def test_what_unfinished_runs_may_still_write_counts(visit):
    wide = spiral(model=stack(linear(1000), "ReLU", linear(1000), "ReLU", linear(2)))
    need = need_of(wide)
    desk = visit(visitor_stored_mb=1000, menu="", max_running=1)
    settings = desk.settings
    assert expected_file_bytes(need, settings) == settings.checkpoints_mb * 2**20 < 40 * need.checkpoint_bytes
    runs = [desk.submit(job=TrainJob(experiment=wide.but(seed=n))) for n in range(2)]
    with pytest.raises(SpecError, match="with your unfinished ones may add 1,200 MB"):
        desk.submit(job=TrainJob(experiment=wide))
    desk.order(runs[1])
    desk.submit(job=TrainJob(experiment=wide))


def test_large_runs_take_turns_and_small_ones_go_past_them(visit):
    large = spiral(model=stack(linear(2000), "ReLU", linear(2000), "ReLU", linear(2)))
    desk = visit(menu="", large_running=1, max_running=10, small_run_mb=200)
    jobs = [TrainJob(experiment=large), TrainJob(experiment=large.but(seed=1)), TrainJob(experiment=spiral())]
    runs = [desk.submit(by=who, job=job) for who, job in zip((ADA, BOB, CY), jobs, strict=True)]
    assert [desk.state(run) for run in runs] == ["starting", "queued", "starting"]
    place, wait_s, why = desk.ask(ask="queue")["queue"][runs[1]]
    assert (place, why) == (1, "large")
    assert wait_s > 0


def test_memory_of_all_runs_together_keeps_within_its_share(visit):
    desk = visit(menu="", max_running=10)
    need = need_of(spiral()).memory_bytes
    desk.admission.line._limits = replace(desk.admission.line._limits, memory_bytes=2 * need)
    runs = [desk.submit(by=who, job=TrainJob(experiment=spiral())) for who in (ADA, BOB, CY)]
    assert [desk.state(run) for run in runs] == ["starting", "starting", "queued"]


def test_a_model_that_a_worker_has_no_memory_for_never_waits(visit):
    giant = spiral(model=stack(linear(3000), "ReLU", linear(3000), "ReLU", linear(2)))
    desk = visit(menu="", worker_memory_mb=256)
    with pytest.raises(SpecError, match=r"This run needs about \d+ MB of memory, a run may take 256 MB"):
        desk.submit(job=TrainJob(experiment=giant))


@pytest.mark.fault(77)
def test_a_run_that_works_for_too_long_is_stopped_with_a_notice_and_pauses_do_not_count(visit):
    desk = visit(run_max_s=600.0)
    now, worked = [1000.0], desk.admission.overtime.worked
    worked._clock = lambda: now[0]
    run = desk.submit()
    desk.says(run, STARTED)
    for state, passed in (("running", 590.0), ("paused", 5000.0), ("running", 0.0), ("running", 9.0)):
        desk.pool._live[run].state = state
        desk.pool._turn()
        now[0] += passed
        desk.pool._turn()
    assert desk.pool._live[run].stop_deadline is None
    now[0] += 2.0
    desk.pool._turn()
    assert desk.state(run) == "stopping"
    desk.says(run, Finished("stopped", 7, 600.0))
    noticed, end = desk.said(run)[-2:]
    assert isinstance(noticed, Noticed)
    assert noticed.message == "This run has worked for 10 minutes, which is the limit: it was stopped at its last step."
    assert (end, desk.state(run)) == (Finished("stopped", 7, 600.0), "stopped")
    assert [logged.seq for logged in desk.reader.events(run)] == [1, 2, 3]
    desk.order(run, "Resume")  # and has its time anew
    desk.pool._turn()
    assert desk.pool._live[run].stop_deadline is None


@pytest.mark.fault(78)
def test_runs_of_who_has_left_end_after_the_lease_and_those_of_who_is_here_go_on(visit):
    desk = visit(lease_s=900.0, visitor_running=1)
    now = [0.0]
    desk.admission.presence = desk.admission.overtime._presence = Presence(900.0, lambda: now[0])
    runs = {"works": desk.submit(), "waits": desk.submit(), "hers": desk.submit(by=BOB), "nobody's": desk.submit(by=None)}
    now[0] = 800.0
    desk.ask(ask="present", owners=[BOB])
    now[0] = 901.0
    desk.admission.overtime._looked = -1e9
    desk.pool._turn()
    assert {name: desk.state(run) for name, run in runs.items()} == {
        "works": "stopping", "waits": "stopped", "hers": "starting", "nobody's": "starting",
    }  # fmt: skip
    noticed, end = desk.said(runs["waits"])
    assert "no page open for 15 minutes" in noticed.message
    assert end == Finished("stopped", 0, 0.0)


def test_without_a_lease_and_right_after_a_restart_nobody_is_gone():
    now = [5000.0]
    assert not Presence(0.0, lambda: now[0]).is_gone(ADA)
    presence = Presence(900.0, lambda: now[0])
    now[0] += 899.0
    assert not presence.is_gone(ADA)
    now[0] += 2.0
    assert presence.is_gone(ADA)
    assert not presence.is_gone("")


@pytest.mark.parametrize("owners", ["ada", [1], None, ["x"] * 10_001])
def test_nonsense_about_who_is_here_is_refused(visit, owners):
    with pytest.raises(SpecError, match="list of texts"):
        visit().ask(ask="present", owners=owners)


@pytest.mark.fault(79)
def test_a_shared_answer_goes_on_until_the_last_who_asked_stops_it(visit):
    desk = visit()
    run = desk.submit(job=Ask(question="same"))
    assert desk.submit(by=BOB, job=Ask(question="same")) == run
    with pytest.raises(SpecError, match="belongs to somebody else"):
        desk.order(run, by=CY)
    desk.order(run)
    desk.order(run)  # a second click takes nothing from Bob
    assert desk.state(run) == "starting"
    desk.order(run, by=BOB)
    assert desk.state(run) == "stopping"


def test_who_asks_again_after_stopping_waits_again(visit):
    desk = visit()
    run = desk.submit(job=Ask(question="same"))
    desk.submit(by=BOB, job=Ask(question="same"))
    desk.order(run)
    desk.submit(job=Ask(question="same"))
    desk.order(run, by=BOB)
    assert desk.state(run) == "starting"
    desk.order(run, by=CY, as_host=True)  # a host who has not asked ends it for all
    assert desk.state(run) == "stopping"


def test_a_stop_of_the_owner_alone_ends_a_question_and_a_training_run(visit):
    desk = visit()
    for job in (Ask(question="mine"), Count(seed=9)):
        run = desk.submit(job=job)
        desk.order(run)
        assert desk.state(run) == "stopping"


def test_a_command_line_without_a_visitor_stops_everything(visit):
    desk = visit()
    run = desk.submit(job=Ask(question="same"))
    desk.ask(ask="command", run=run, command="Stop", fields=dump(Stop()))
    assert desk.state(run) == "stopping"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (40, "40 seconds"),
        (1, "1 second"),
        (600, "10 minutes"),
        (9000, "2.5 hours"),
        (604_800, "7 days"),
    ],
)
def test_a_length_of_time_is_said_as_people_do(seconds, words):
    assert span(seconds) == words
