"""The driver of streams, in process."""

import pytest

from core.errors import StoreError
from core.events import (
    Artifact,
    Failed,
    Finished,
    HyperChanged,
    Pause,
    Paused,
    Resume,
    Resumed,
    SetHyper,
    Step,
    StepsDone,
    Stop,
)
from core.jobs.inline import ListedInbox, MemoryShelf, run_inline
from core.jobs.job import Stopped
from core.jobs.work.desk import WorkDesk
from core.jobs.work.driver import Driver
from core.jobs.work.failures import kebab
from core.settings import Settings
from core.store.protocol import LoggedEvent
from tests.core.jobs.demo_jobs import Ask, Count, curve


def events(job, commands=(), **options):
    items = list(run_inline(job, Settings(), commands=commands, **options))
    logged = [item for item in items if isinstance(item, LoggedEvent)]
    assert [one.seq for one in logged] == list(range(1, len(logged) + 1))
    return [one.event for one in logged]


def losses(events):
    return [loss for event in events if isinstance(event, StepsDone) for loss in event.losses[0]]


def ends(stream_items):
    def keep(artifact):
        raise StoreError("The disk is full.", hint="Free some space.")

    def stream():
        yield from stream_items

    return list(Driver(stream(), ListedInbox([]), keep).events())


def test_a_job_runs_to_its_end_and_each_artifact_comes_before_its_event():
    items = list(run_inline(Count(seed=2, steps=20), Settings()))
    kinds = ["artifact" if isinstance(item, Artifact) else type(item.event).__name__ for item in items]
    assert kinds.count("artifact") == 2
    assert all(kinds[index + 1] == "ArtifactSaved" for index, kind in enumerate(kinds) if kind == "artifact")
    assert kinds[-1] == "Finished"


def test_pause_steps_a_change_and_resume_come_in_their_order():
    commands = [(5, Pause()), (5, Step(2)), (99, SetHyper(0, "lr", 0.25)), (99, Resume()), (12, Stop())]
    seen = events(Count(seed=2, steps=50), commands)
    told = [event for event in seen if isinstance(event, (Paused, Resumed, HyperChanged, Finished))]
    assert [type(event).__name__ for event in told] == ["Paused", "Paused", "HyperChanged", "Resumed", "Finished"]
    assert [event.step for event in told[:3]] == [5, 7, 7]
    assert told[-1].reason == "stopped"
    assert losses(seen) == curve(2, told[-1].step, {7: 0.25})


def test_a_resume_before_the_steps_are_done_is_not_forgotten():
    commands = [(5, Step(4)), (5, Resume())]

    class Inbox(ListedInbox):
        def take(self, step, *, wait):
            assert not wait, "nobody will come"
            return super().take(step, wait=wait)

    def stream():
        command = yield StepsDone(1, 0, ((0.5,) * 5,), (0.1,), 0.0)
        assert command == Step(4)
        yield StepsDone(6, 0, ((0.5,) * 2,), (0.1,), 0.0)
        yield StepsDone(8, 0, ((0.5,) * 2,), (0.1,), 0.0)
        yield Paused(9)
        yield Finished("completed", 9, 0.0)

    seen = list(Driver(stream(), Inbox(commands), lambda artifact: None).events())
    assert [type(event).__name__ for event in seen[-3:]] == ["Paused", "Resumed", "Finished"]


def test_a_run_goes_on_from_a_checkpoint_on_the_shelf_with_its_changes():
    shelf = MemoryShelf()
    whole = events(Count(seed=2, steps=40), [(25, SetHyper(0, "lr", 0.25))], shelf=shelf)
    (changed,) = [event for event in whole if isinstance(event, HyperChanged)]
    at_20 = shelf.references("inline")[1]
    rest = events(Count(seed=2, steps=40), resume=(at_20, ((changed.step, SetHyper(0, "lr", 0.25)),)), shelf=shelf)
    assert losses(rest) == losses(whole)[20:]


def test_another_digest_is_refused():
    shelf = MemoryShelf()
    events(Ask(question="q"), shelf=shelf)
    (ref,) = shelf.references("inline", "result")
    assert shelf.read(ref.run, ref.name, ref.sha256) == b"Q"
    with pytest.raises(StoreError):
        shelf.read(ref.run, ref.name, "0" * 64)


def test_a_stream_that_ends_without_a_word_is_a_bug_in_words():
    (end,) = ends([])
    assert isinstance(end, Failed)
    assert (end.code, end.message) == (
        "bug",
        "Something went wrong inside Layerwise: RuntimeError: the stream ended without Finished or Failed.",
    )


def test_nothing_comes_after_the_end():
    assert ends([Finished("completed", 1, 0.0), Finished("completed", 2, 0.0)]) == [Finished("completed", 1, 0.0)]


def test_an_artifact_that_cannot_be_kept_ends_the_run_in_words():
    (end,) = ends([Artifact("a", "result", 0, b"")])
    assert end == Failed("store-error", "The disk is full.", "Free some space.", 0)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")])
def test_too_little_memory_is_told_from_a_bug(error):
    def stream():
        yield Paused(3)
        raise error

    end = list(Driver(stream(), ListedInbox([]), lambda artifact: None).events())[-1]
    assert (end.code, end.step) == ("out-of-memory", 3)


def test_progress_is_throttled_ends_complete_and_stops():
    seen, stop = [], []
    desk = WorkDesk(Settings(), MemoryShelf(), seen.append, lambda: bool(stop))
    for done in range(1, 1001):
        desk.progress(done, 1000)
    assert 1 <= len(seen) < 20
    assert (seen[-1].done, seen[-1].total, seen[-1].left_s) == (1000, 1000, 0.0)
    stop.append(True)
    with pytest.raises(Stopped):
        desk.progress(1, 2)


def test_names_of_errors_are_kebab_case():
    assert [kebab(name) for name in ("SpecError", "NotApplicable", "TooExpensive")] == [
        "spec-error",
        "not-applicable",
        "too-expensive",
    ]
