"""The table of runs and the overlay of their curves, as the page's process makes them: 1000 runs of 1000 points each.

The store is written by the real writer, with events in the groups in which the trainer tells them (a spiral of 1000 steps has
some 70) and summed up as the supervisor does on the way. `table_s`: the rows are read, filtered, turned into columns and packed
for the browser. `overlay_s`: the curves of all runs are read, put onto their axes, drawn and turned into JSON. Both are medians
over new readers, of CPU and waiting together; `cold_table_s` and `cold_overlay_s` are the first of them. `write_s` is what the
supervisor takes per run for the line and the curve, of all that it does to take in a run's events.

The peer in the same run does what one would do without these: read every event of every run with `reader.events`, fold it
into a History, and draw that: `naive_s`. `ratio` is naive_s / overlay_s.

Last line: {"table_s": ..., "overlay_s": ..., "ratio": ..., "naive_s": ..., "cold_table_s": ..., "cold_overlay_s": ...,
"write_ms": ..., "runs": ..., "points": ...}. It is kept in benchmarks/results/runs_table.json where --save is given.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from core.data.toy import Moons, Spiral
from core.events import EpochDone, Event, Finished, Planned, Started, StepMeasured, StepsDone, SurfaceMeasured
from core.experiment.examples import default_experiment
from core.experiment.experiment import Experiment, Lane
from core.history import History
from core.jobs.pool.summaries import Summaries
from core.jobs.training import TrainJob
from core.optim.optimizers import SGD, Adam, RMSprop
from core.run_curve import RunCurve
from core.run_row import RunRow
from core.run_table import RunFilter
from core.store.protocol import LoggedEvent, RunRecord
from core.store.sql import SqlReader, SqlWriter
from dashboard.figures.runs_overlay import Axes, overlay_figure
from dashboard.widgets.runs_table_curves import Asked, overlaid
from dashboard.widgets.runs_table_data import fields_of, shown_columns, table, usual_fields

GROUPS = (1, 1, 2, 3, 5, 8, 12, 20, 32, 51, 81, 101)
"""Steps that are told together; the last one goes on."""
PER_EPOCH, N_TRAIN, SIDE = 50, 700, 50
ROUNDS = 5
ASKED = Asked("batch_loss", "step", 1, "optimizer", False, False)
RESULT = Path(__file__).parent / "results" / "runs_table.json"


def experiment(run: int) -> Experiment:
    """A run of a search over optimizers, rates, batches and data."""
    rates = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    optimizer = (SGD, Adam, RMSprop)[run % 3](lr=rates[run // 3 % 6])
    data = (Spiral(n_points=1000), Moons(n_points=1000))[run // 18 % 2]
    batch = (10, 20, 50, 100)[run // 36 % 4]
    return default_experiment("spiral").but(data=data, lanes=(Lane(optimizer=optimizer),), batch_size=batch, seed=run)


def events(run: int, points: int) -> Iterator[Event]:
    """What the trainer says of a run, by formula."""
    rng = np.random.default_rng(run)
    steps = np.arange(1, points + 1)
    speed, noise = 0.0005 * (1 + run % 37), 0.02 + 0.002 * (run % 11)
    curve = 0.7 * np.exp(-steps * speed) + 0.05 + noise * np.abs(rng.standard_normal(points))
    losses = curve.astype(np.float32).astype(float).tolist()
    yield Started(0, 354, N_TRAIN, 150, 150, PER_EPOCH, points, "cpu", ("lane",), {"torch": "2"}, ("lane",), 1)
    yield Planned(0, ("fast",), "one lane of a small model")
    done = 0
    while done < points:
        size = GROUPS[min(len(GROUPS) - 1, done // 12)]
        end = min(points, done + size, done // PER_EPOCH * PER_EPOCH + PER_EPOCH)
        yield StepsDone(done + 1, done // PER_EPOCH + 1, (tuple(losses[done:end]),), (0.01,), end / 900)
        if end % 250 == 0:
            yield StepMeasured(end, (1.0,), (10.0,), (0.9,), (0.01,))
            yield SurfaceMeasured(end, 0, SIDE, 6.0, rng.integers(0, 256, SIDE * SIDE, np.uint8).tobytes())
        if end % PER_EPOCH == 0:
            loss = float(curve[end - 1])
            yield EpochDone(end // PER_EPOCH, end, (loss,), (1 - loss,), (loss + 0.03,), (0.97 - loss,), end / 900)
        done = end
    yield Finished("completed", points, points / 900, (losses[-1],), (1 - losses[-1],))


def make_store(place: Path, runs: int, points: int) -> float:
    """A store with these runs; the seconds per run that their lines and curves took."""
    writer = SqlWriter(place)
    summaries = Summaries(writer)
    spent = 0.0
    for run in range(runs):
        name = f"{run:032x}"
        job = TrainJob(experiment=experiment(run))
        log = [LoggedEvent(seq, event) for seq, event in enumerate(events(run, points), start=1)]
        writer.begin()
        writer.create(_record(name, run, job, len(log), points))
        writer.append(name, log)
        began = time.perf_counter()
        line = summaries.line(name, job)
        for logged in log:
            line.append(logged.event)
        summaries.keep(line)
        spent += time.perf_counter() - began
        writer.commit()
    writer.close()
    return spent / runs


def _record(name: str, run: int, job: TrainJob, last_seq: int, points: int) -> RunRecord:
    at = 1.75e9 + run * 60
    return RunRecord(
        id=name, kind=job.kind, owner="", name=f"search {run}" if run % 4 else "", state="finished", reason="completed",
        job=job.model_dump_json(), key=name, attempt=1, generation=0, last_seq=last_seq, last_step=points,
        created=at, started=at + 1, finished=at + 3,
    )  # fmt: skip


def table_seconds(place: Path) -> float:
    """From a reader that knows nothing to the bytes that the browser gets."""
    from streamlit.dataframe_util import convert_anything_to_arrow_bytes

    began = time.perf_counter()
    reader = SqlReader(place)
    wanted = RunFilter(text="search")
    rows = [row for row in reader.rows() if wanted(row) or not row.name]
    fields = usual_fields(fields_of(rows), rows)
    columns = table(rows, fields, "Europe/Berlin")
    shown_columns(rows, fields)
    convert_anything_to_arrow_bytes(columns)
    reader.close()
    return time.perf_counter() - began


def overlay_seconds(place: Path, rows: tuple[RunRow, ...]) -> float:
    """From a reader that knows nothing to the figure as JSON."""
    began = time.perf_counter()
    reader = SqlReader(place)
    drawn(rows, reader.curves([row.id for row in rows]))
    reader.close()
    return time.perf_counter() - began


def naive_seconds(place: Path, rows: tuple[RunRow, ...]) -> float:
    """The same picture out of every event of every run."""
    began = time.perf_counter()
    reader = SqlReader(place)
    found = {}
    for row in rows:
        history = History()
        for logged in reader.events(row.id):
            history.append(logged.event)
        found[row.id] = _curve(history)
    drawn(rows, found)
    reader.close()
    return time.perf_counter() - began


def _curve(history: History) -> RunCurve:
    losses = np.array(history.losses[0])
    steps = np.arange(1.0, len(losses) + 1)
    none = np.zeros(0)
    return RunCurve(1, PER_EPOCH, N_TRAIN, steps, losses, steps, none, none, none, np.zeros((4, 0)))


def drawn(rows: tuple[RunRow, ...], found: dict[str, RunCurve]) -> str:
    """The overlay as the browser gets it."""
    lines = overlaid(rows, found, ASKED)
    if len(lines.runs) != len(rows):
        raise SystemExit("a curve is missing")
    return str(overlay_figure(lines, Axes("step", "training loss")).to_json())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "runs.db"
        write_s = make_store(place, arguments.runs, arguments.points)
        reader = SqlReader(place)
        rows = reader.rows()
        reader.close()
        n_events = sum(1 for _event in events(0, arguments.points))
        print(f"{len(rows)} runs of {n_events} events, {place.stat().st_size / 2**20:.0f} MB", flush=True)
        drawn(rows[:2], {row.id: _curve(_short_history()) for row in rows[:2]})  # what the server has warmed: plotly, pandas
        _warm_pandas()
        tables = [table_seconds(place) for _ in range(arguments.rounds)]
        overlays = [overlay_seconds(place, rows) for _ in range(arguments.rounds)]
        naive = naive_seconds(place, rows)
    overlay = statistics.median(overlays)
    figures = {
        "table_s": round(statistics.median(tables), 3),
        "overlay_s": round(overlay, 3),
        "ratio": round(naive / overlay, 1),
        "naive_s": round(naive, 2),
        "cold_table_s": round(tables[0], 3),
        "cold_overlay_s": round(overlays[0], 3),
        "write_ms": round(1e3 * write_s, 2),
        "runs": arguments.runs,
        "points": arguments.points,
    }
    if arguments.save:
        RESULT.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures))


def _short_history() -> History:
    history = History()
    for event in events(0, 20):
        history.append(event)
    return history


def _warm_pandas() -> None:
    from streamlit.dataframe_util import convert_anything_to_arrow_bytes

    convert_anything_to_arrow_bytes({"a": [1]})


if __name__ == "__main__":
    main()
