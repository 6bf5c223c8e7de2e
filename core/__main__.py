"""The engine without a page: `python -m core summary|train|race|explain experiment.json`, and `backup|restore|check`.

Events and results are JSON lines on standard output, the result of a race is a table and sentences; an error is one sentence on
standard error and exit code 2.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from core.cli.store import add_commands
from core.errors import LayerwiseError, SpecError
from core.events import Artifact, Event, Failed, Noticed, Planned, line
from core.experiment.check import findings
from core.experiment.codec import file_text, from_file_text
from core.experiment.examples import EXAMPLES, default_experiment
from core.experiment.experiment import Experiment
from core.jobs.lenses import ExplainJob
from core.jobs.work.desk import WorkDesk
from core.models.model import infer
from core.results.attribution import Attribution
from core.results.codec import load_result
from core.settings import Settings
from core.spec import MAX_TEXT_BYTES, parse_json
from core.types import shape_text


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        failed = options.run(options)
    except LayerwiseError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Layerwise without a page.")
    commands = parser.add_subparsers(required=True, metavar="command")
    summary = commands.add_parser("summary", help="print shapes, parameters and what may be wrong")
    train = commands.add_parser("train", help="train, and print events as JSON lines")
    train.add_argument("--checkpoint", type=Path, help="write the last checkpoint (safetensors) to this file")
    race = commands.add_parser("race", help="train all lanes and seeds, and print who won and how sure that is")
    race.add_argument("--by", default="validation_loss", choices=["validation_loss", "validation_accuracy", "train_loss"])
    race.add_argument("--at", default="last", choices=["last", "best"], help="the last epoch, or each lane's best one")
    race.add_argument("--seeds", type=int, help="repeats of each lane; without it, as the experiment says")
    explain = commands.add_parser("explain", help="explain one prediction, and print the attribution as one JSON line")
    explain.add_argument("--checkpoint", type=Path, help="weights, as written by train; without it, the initial weights")
    explain.add_argument("--method", default="integrated_gradients", help="such as lime_image, shap_superpixels, grad_cam")
    explain.add_argument("--split", default="validation", choices=["train", "validation", "test"])
    explain.add_argument("--index", type=int, default=0, help="which example of the split")
    explain.add_argument("--target", type=int, help="class to explain; without it, the predicted one")
    explain.add_argument("--seed", type=int, default=0)
    example = commands.add_parser("example", help="print a ready experiment as JSON")
    example.add_argument("name", nargs="?", default=EXAMPLES[0].name, choices=[example.name for example in EXAMPLES])
    for command, run in ((summary, _summary), (train, _train), (race, _race), (explain, _explain)):
        command.add_argument("experiment", type=Path, help="an experiment file (JSON)")
        command.set_defaults(run=run)
    example.set_defaults(run=_example)
    add_commands(commands)
    return parser


def _experiment(path: Path) -> Experiment:
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise SpecError(
                f"{path} has {path.stat().st_size:,} bytes, the limit is {MAX_TEXT_BYTES:,}.", hint="Is it an experiment file?"
            )
        return from_file_text(path.read_bytes())
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}.", hint="Check the path.") from None


def _summary(options: argparse.Namespace) -> bool:
    experiment = _experiment(options.experiment)
    profile = experiment.data.profile()
    inference = infer(experiment.model, profile.input_shape)
    print(f"{type(experiment.data).label}: {profile.n_train:,} training, {profile.n_validation:,} validation examples")
    print(f"{'':>3} {'layer':<14} {'output':>16} {'parameters':>12} {'multiply-adds':>14}")
    print(f"{'':>3} {'input':<14} {shape_text(profile.input_shape):>16}")
    for index, (layer, info) in enumerate(zip(experiment.model.layers, inference.layers, strict=True), start=1):
        shape = shape_text(info.out_shape) if info.out_shape else "?"
        print(f"{index:>3} {layer.kind:<14} {shape:>16} {info.n_parameters:>12,} {info.multiply_adds:>14,}")
    print(f"{'':>3} {'total':<14} {'':>16} {inference.n_parameters:>12,} {inference.multiply_adds:>14,}")
    found = findings(experiment, Settings.from_environment())
    for finding in found:
        print(f"{finding.severity}: {finding.message} {finding.hint}")
    return any(finding.severity == "error" for finding in found)


def _train(options: argparse.Namespace) -> bool:
    from core.training.loop import train

    experiment = _experiment(options.experiment)
    failed = False
    for item in train(experiment, settings=Settings.from_environment()):
        if item is None:
            continue
        if isinstance(item, Artifact):
            if options.checkpoint:
                _write(options.checkpoint, item.data)
            continue
        print(line(item), flush=True)
        failed = isinstance(item, Failed)
    return failed


def _race(options: argparse.Namespace) -> bool:
    from core.experiment.fairness import fairness
    from core.experiment.race_figures import race_verdict
    from core.history import History
    from core.training.loop import train

    experiment = _experiment(options.experiment)
    if options.seeds is not None:
        experiment = experiment.but(repeats=options.seeds)
    terms = fairness(experiment)
    for sentence in (*terms.equal, *terms.differs):
        print(sentence)
    history = History()
    for item in train(experiment, settings=Settings.from_environment()):
        if isinstance(item, Event):
            history.append(item)
            _print_notice(item)
    result = race_verdict(history, options.by, options.at)
    for standing in result.lanes if result else ():
        if standing is not None:
            print(f"{standing.name:<40} {standing.mean.mean:>12.6g}  first in {standing.n_first} of {experiment.repeats}")
    for sentence in result.sentences if result else ():
        print(sentence)
    return isinstance(history.end, Failed)


def _print_notice(event: Event) -> None:
    """What a person wants to hear while a race goes on."""
    if isinstance(event, Planned):
        print(event.reason, flush=True)
    elif isinstance(event, Noticed | Failed):
        print(event.message, flush=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_name(path.name + ".part")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise SpecError(f"{path} cannot be written: {error.strerror}.", hint="Check the folder and the free space.") from None


def _explain(options: argparse.Namespace) -> bool:
    settings = Settings.from_environment()
    experiment = _experiment(options.experiment)
    shelf = _GivenFile(_bytes(options.checkpoint))
    job = {
        "kind": "explain",
        "experiment": json.loads(experiment.model_dump_json()),
        "weights": shelf.ref(),
        "example": {"split": options.split, "index": options.index},
        "explainer": {"kind": options.method},
        "target": options.target,
        "seed": options.seed,
    }
    desk = WorkDesk(settings, shelf, report=_print_line, is_stopping=lambda: False)
    explain = parse_json(ExplainJob, json.dumps(job))
    explain.check(settings)
    for item in explain.stream(desk):
        if isinstance(item, Artifact):
            print(json.dumps({"result": "Attribution"} | _plain(load_result(Attribution, item.data))), flush=True)
        elif item is not None:
            _print_line(item)
    return False


class _GivenFile:
    """The one artifact that the command line has: the checkpoint of `--checkpoint`."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data

    def ref(self) -> dict[str, str] | None:
        if self.data is None:
            return None
        return {"run": "command-line", "name": "checkpoint", "sha256": hashlib.sha256(self.data).hexdigest()}

    def read(self, run: str, name: str, sha256: str) -> bytes:
        return self.data or b""


def _print_line(event: Event) -> None:
    print(line(event), flush=True)


def _bytes(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}.", hint="Check the path.") from None


def _example(options: argparse.Namespace) -> bool:
    print(file_text(default_experiment(options.name)), end="")
    return False


def _plain(result: Any) -> dict[str, Any]:
    """A Result as JSON data: arrays as nested lists."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


if __name__ == "__main__":
    sys.exit(main())
