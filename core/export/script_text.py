"""How a script is written: blocks, cells, calls and values as source that a formatter would leave as it is."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.models.code_classes import Import, file_text, taken

WIDTH = 100
"""Characters per line."""
CELL = "# %% "
"""Begins a cell, for editors that know cells, and for the notebook."""
PIECES = Path(__file__).parent / "pieces"
OPTIM = Path(__file__).parents[1] / "optim"


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a script with a title: blocks of code, and what they import."""

    title: str
    blocks: tuple[str, ...]
    """Each a text without a line's end; classes and functions get two empty lines around them, all else one."""
    imports: frozenset[Import] = field(default=frozenset())


def cell(title: str, blocks: Iterable[str], imports: Iterable[Import] = ()) -> Cell:
    """A cell of those blocks that say something."""
    return Cell(title, tuple(block for block in blocks if block), frozenset(imports))


def piece(path: Path, *names: str) -> tuple[set[Import], list[str]]:
    """Definitions of a file of ours, with all that they use, as imports and blocks."""
    return taken(file_text(path), names)


def joined(blocks: Iterable[str]) -> str:
    """Blocks below each other."""
    text, was_definition = "", False
    for block in blocks:
        is_definition = block.startswith(("def ", "class ", "@"))
        text += ("\n\n\n" if is_definition or was_definition else "\n\n") * bool(text) + block
        was_definition = is_definition
    return text


def value(thing: Any) -> str:
    """A number, bool, None, text, or a tuple of these, as source. A text of a user's stays a text, whatever is in it."""
    if isinstance(thing, str):
        return quoted(thing)
    if isinstance(thing, tuple):
        inner = ", ".join(map(value, thing))
        return f"({inner},)" if len(thing) == 1 else f"({inner})"
    if thing is None or isinstance(thing, bool | int | float):
        return repr(thing)
    raise TypeError(f"a script cannot say {type(thing).__name__}")


def quoted(text: str) -> str:
    """A text as source on one line, in double quotes where it has none itself."""
    return '"' + repr("'" + text)[2:] if '"' not in text else repr(text)


def call(head: str, arguments: Iterable[str], *, indent: str = "", room: int = 0) -> str:
    """`head` with its arguments on one line, or on a line each where that is too long.

    Args:
        room: how many characters further in it will stand.
    """
    arguments, tail = list(arguments), ")"
    line = f"{indent}{head}{', '.join(arguments)}{tail}"
    if len(line) + room <= WIDTH:
        return line
    return "\n".join([indent + head, *(f"{indent}    {each}," for each in arguments), indent + tail])


def keywords(arguments: Mapping[str, Any]) -> list[str]:
    """`name=value` of each."""
    return [f"{name}={value(each)}" for name, each in arguments.items()]


def paragraphs(*texts: str) -> str:
    """Texts as they stand in a docstring, wrapped."""
    return "\n\n".join(textwrap.fill(text, WIDTH) for text in texts if text)
