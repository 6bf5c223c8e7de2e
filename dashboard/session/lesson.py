"""What a lesson leaves out: screens and groups of controls that the link of this page hides, so that it shows what it is about.

The link says `hide=data,undo,run.speed`: names of GROUPS with commas between them; other words mean nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from dashboard.session import state, view

LINK = "hide"
LEFT = "lesson.left"
"""What was hidden before somebody asked to see all."""


@dataclass(frozen=True, slots=True)
class Group:
    """What can be hidden together."""

    name: str
    """The word in the link. `inspect.weights` is a part of the screen `inspect`."""
    part: str
    """Under which heading it can be chosen: a name of PARTS."""
    label: str


PARTS = {
    "screens": "Screens",
    "header": "Top of the page",
    "run": "Controls of a run",
    "train": "Train and Race",
    "race": "Race alone",
    "build": "Data and Build",
    "looking": "Inspect and Explain",
    "sections": "Parts of other screens",
}

_TABLE = {
    "screens": {
        "data": "Data",
        "build": "Build",
        "train": "Train",
        "race": "Race",
        "inspect": "Inspect",
        "explain": "Explain",
        "evaluate": "Evaluate",
        "runs": "Runs",
        "compress": "Compress",
        "export": "Export",
        "room": "Room",
        "health": "Health",
    },
    "header": {
        "start": "Train button",
        "undo": "Undo and Redo",
        "examples": "Examples",
        "share": "Share",
        "sentence": "The experiment in a line",
    },
    "run": {
        "run.pause": "Pause and Resume",
        "run.step": "Step",
        "run.stop": "Stop",
        "run.reset": "Reset",
        "run.speed": "Speed",
        "run.rate": "Learning rate",
    },
    "train": {
        "change": "Change the run",
        "phases": "Step in four phases",
        "doctor": "Training doctor",
        "repeat": "Repeat with my changes",
        "fork": "Fork from here",
        "plane": "Decision surface",
        "curves.controls": "Settings of the curves",
    },
    "race": {
        "race.setup": "Who races, and how",
        "race.verdict": "Standings and verdict",
        "race.surface": "On a surface",
        "race.sweep": "Sweep",
        "race.plane": "In one plane",
    },
    "build": {
        "data.choice": "Choice of the data set",
        "data.preparation": "Preparation",
        "data.report": "Statistics and quality",
        "data.augmentation": "Augmentation",
        "data.own": "Own data",
        "build.data": "Data on Build",
        "build.training": "Training on Build",
        "build.presets": "Ready models and initialisation",
        "build.network": "Drawing of the network",
        "build.code": "Code, text and weights",
    },
    "looking": {
        "compare": "Pin to compare",
        "inspect.activations": "Activations",
        "inspect.weights": "Weights and gradients",
        "inspect.sequence": "Memory and attention",
        "inspect.embedding": "Embeddings",
        "inspect.landscape": "Loss landscape",
        "explain.one": "This prediction",
        "explain.if": "What if",
        "explain.all": "All examples",
        "explain.differ": "Disagreement",
    },
    "sections": {
        "evaluate.metrics": "Metrics",
        "evaluate.errors": "Errors",
        "evaluate.robustness": "Robustness",
        "evaluate.folds": "Cross-validation",
        "runs.table": "Table and curves",
        "runs.charts": "Charts",
        "runs.compare": "Compare runs",
        "runs.tree": "Tree and fork",
        "compress.one": "Compress one model",
        "compress.sweep": "Pruning sweep",
        "export.script": "Training script",
        "export.model": "Model files",
        "export.report": "Report and bundle",
        "export.import": "Import",
    },
}
GROUPS = tuple(Group(name, part, label) for part, labels in _TABLE.items() for name, label in labels.items())
"""All that can be hidden, in the order of the form and of the link."""
PROJECTOR_HIDES = frozenset(
    (
        *("undo", "examples", "share", "run.step", "run.stop", "run.reset", "run.speed", "change", "phases", "repeat", "fork"),
        *("curves.controls", "race.setup", "data.preparation", "data.report", "data.augmentation", "data.own", "build.data"),
        *("build.training", "build.presets", "build.code", "compare"),
    )
)
"""What is left out on a projector whatever the lesson: it is set up before, and looked at there."""
SCREENS = tuple(group.name for group in GROUPS if group.part == "screens")
_NAMES = frozenset(group.name for group in GROUPS)


@lru_cache(maxsize=64)
def parsed(text: str) -> tuple[str, ...]:
    """The groups that a link's `hide` names, each once and in the order of the table; what is no group is left out."""
    words = {word.strip() for word in text.split(",")} & _NAMES
    return tuple(group.name for group in GROUPS if group.name in words)


def hidden() -> tuple[str, ...]:
    """What this lesson hides, in the order of the table."""
    return parsed(state.kept(LINK))


def is_hidden(group: str) -> bool:
    """Whether this lesson, or the projector, leaves the group out: it is then not drawn at all."""
    return group in hidden() or (group in PROJECTOR_HIDES and view.is_projector())


def left(screen: str, sections: Iterable[str]) -> list[str]:
    """The sections of a screen that this lesson shows; all of them where it would show none."""
    known = list(sections)
    return [section for section in known if not is_hidden(f"{screen}.{section}")] or known


def hide(groups: Iterable[str]) -> None:
    """From now on hide these, and nothing else."""
    state.keep(LINK, ",".join(parsed(",".join(groups))))


def show_all() -> None:
    """Show everything; what was hidden can be brought back."""
    if hidden():
        st.session_state[LEFT] = state.kept(LINK)
    hide(())


def was_left() -> tuple[str, ...]:
    """What the lesson hid that this visitor has left; nothing where none was left."""
    return parsed(str(st.session_state.get(LEFT, "")))


def to_share() -> str:
    """What this lesson hides, in words that others can `take`."""
    return ",".join(hidden())


def tidy_link() -> None:
    """What stands in the address for lesson and view is what we know; anything else that came with a link is dropped."""
    view.set_projector(view.is_projector())
    hide(hidden())


def take(text: str) -> None:
    """Hide what somebody else's lesson hides. Any text is safe."""
    hide(text.split(","))
