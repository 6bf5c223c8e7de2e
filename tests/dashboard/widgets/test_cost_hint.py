"""What a large run will take is said before it is started."""

from dataclasses import replace

from core.experiment.need import need_of
from core.settings import Settings
from dashboard.widgets.cost_hint import cost_words
from tests.core.samples import spiral


def test_memory_arithmetic_time_and_turns_are_said():
    need = replace(need_of(spiral()), memory_bytes=700 * 2**20, step_gflop=12.34, seconds=125.0)
    words = cost_words(need, Settings(large_running=2))
    assert "about 700 MB of memory, 12.3 GFLOP per step, " in words
    assert words.endswith("on one core. 2 of them work at once, others wait.")


def test_a_time_that_nobody_knows_is_left_out():
    need = replace(need_of(spiral()), seconds=None)
    assert cost_words(need, Settings(large_running=1)).endswith("GFLOP per step. 1 of them works at once, others wait.")
