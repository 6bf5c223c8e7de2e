"""The classes and functions of ours that exported code needs, copied from our files as text; nothing is imported."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

OURS = "core.models.modules."
FOLDER = Path(__file__).parent / "modules"
STANDARD = ("collections", "copy", "csv", "functools", "math", "pathlib", "time", "typing")
"""Modules of the standard library that our modules import: they come first."""

Import = tuple[str, str]
"""("math", "") for `import math`; ("numpy as np", "") for `import numpy as np`; ("torch", "nn") for `from torch import nn`."""
FOR_LINTERS = re.compile(r"  # (noqa|type: ignore).*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, function or constant at the top of a file: its text, and the names that it uses."""

    text: str
    uses: frozenset[str]
    defaults: Mapping[str, Any]
    """Of the arguments that make an object of this class."""
    is_constant: bool


@dataclass(frozen=True, slots=True)
class ModuleText:
    """What a file defines, in its order, and what it imports, by the name under which it is used."""

    definitions: dict[str, Definition]
    imports: dict[str, Import]


def copied(targets: Iterable[str]) -> tuple[set[Import], list[str]]:
    """The imports, and the texts in the order in which they can run, of all that `targets` name and use.

    A target is as in a Call: "core.models.modules.branches:Residual". Files come in the order of the alphabet.
    """
    imports: set[Import] = set()
    texts: list[str] = []
    wanted: dict[str, set[str]] = {}
    for target in targets:
        module, _, name = target.partition(":")
        wanted.setdefault(module.removeprefix(OURS), set()).add(name)
    for module in sorted(wanted):
        found = taken(module_text(module), wanted[module])
        imports |= found[0]
        texts += found[1]
    return imports, texts


def taken(text: ModuleText, names: Iterable[str]) -> tuple[set[Import], list[str]]:
    """What these names of one file, and all that they use, need to run: imports and texts."""
    needed = _with_used(text, names)
    used = {use for name in needed for use in text.definitions[name].uses}
    texts = _joined([definition for name, definition in text.definitions.items() if name in needed])
    return {text.imports[use] for use in used if use in text.imports}, texts


def module_text(module: str) -> ModuleText:
    """The file `core/models/modules/<module>.py`, taken apart."""
    return file_text(FOLDER / f"{module}.py")


@cache
def file_text(path: Path) -> ModuleText:
    """A file of ours, taken apart."""
    source = FOR_LINTERS.sub("", path.read_text(encoding="utf-8"))
    lines, body = source.splitlines(), ast.parse(source).body
    definitions: dict[str, Definition] = {}
    imports: dict[str, Import] = {}
    last = ""
    for node in body[1:]:  # the first is the docstring
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports |= dict(_imported(node))
        elif isinstance(node, ast.Expr) and last:  # the docstring of a constant
            before = definitions[last]
            definitions[last] = replace(before, text=f"{before.text}\n{_lines(node, lines)}")
        else:
            last = _defined(node)
            is_constant = isinstance(node, ast.Assign | ast.AnnAssign)
            definitions[last] = Definition(_lines(node, lines), frozenset(_uses(node)), _defaults(node), is_constant)
    return ModuleText(definitions, imports)


def class_defaults(target: str) -> Mapping[str, Any]:
    """The arguments of a class of ours that may be left out, with what they are then."""
    module, _, name = target.partition(":")
    return module_text(module.removeprefix(OURS)).definitions[name].defaults


def import_lines(imports: Iterable[Import]) -> list[str]:
    """The imports as lines, the standard library first, in the order of isort."""
    groups: tuple[list[str], list[str]] = ([], [])
    for is_foreign, group in enumerate(groups):
        chosen = [each for each in imports if (each[0].split(".")[0] not in STANDARD) == bool(is_foreign)]
        group += [f"import {module}" for module, name in sorted(chosen) if not name]
        for module in sorted({module for module, name in chosen if name}):
            names = sorted({name for each, name in chosen if each == module and name})
            group.append(f"from {module} import {', '.join(names)}")
    standard, others = groups
    return [*standard, "", *others] if standard else others


def _with_used(text: ModuleText, names: Iterable[str]) -> set[str]:
    """`names`, and all definitions of the same file that they use, also through each other."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [use for use in text.definitions[name].uses if use in text.definitions]
    return found


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
    for alias in node.names:
        if isinstance(node, ast.Import) and alias.asname:
            yield alias.asname, (f"{alias.name} as {alias.asname}", "")
        elif isinstance(node, ast.Import):
            yield alias.name.split(".")[0], (alias.name, "")
        else:
            yield alias.name, (node.module or "", alias.name)


def _defined(node: ast.stmt) -> str:
    """The name that a statement at the top of a file defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    raise TypeError(f"a file that is copied from may hold classes, functions and constants, not {ast.unparse(node)[:80]!r}")


def _defaults(node: ast.stmt) -> dict[str, Any]:
    """The defaults of a class's arguments, all of which are literals."""
    body = node.body if isinstance(node, ast.ClassDef) else []
    for function in body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            given = function.args
            pairs = list(zip(given.args[len(given.args) - len(given.defaults) :], given.defaults, strict=True))
            pairs += [
                (name, value) for name, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value is not None
            ]
            return {name.arg: ast.literal_eval(value) for name, value in pairs}
    return {}


def _joined(definitions: Iterable[Definition]) -> list[str]:
    """One text per class or function; constants that follow each other stand together."""
    groups = groupby(definitions, key=lambda each: each.is_constant)
    return [text for is_constant, group in groups for text in _texts(is_constant, [each.text for each in group])]


def _texts(is_constant: bool, texts: list[str]) -> list[str]:
    return ["\n".join(texts)] if is_constant else texts


def _uses(node: ast.stmt) -> Iterator[str]:
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _lines(node: ast.stmt, lines: list[str]) -> str:
    """The text of a statement, its decorators too."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(lines[first - 1 : node.end_lineno])
