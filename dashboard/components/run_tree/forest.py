"""Runs as a forest: each below the one that it was made from, in the order in which a tree is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """A run as the tree shows it, in ready words."""

    id: str
    title: str
    created: float
    parent: str = ""
    """The run that it was made from; empty for none."""
    edge: str = ""
    """How it came from there: `forked at step 300`."""
    facts: str = ""
    """What it trained, in a few words."""
    score: str = ""
    state: str = ""
    """The word for its state; `tone` is its colour."""
    tone: str = "quiet"


@dataclass(frozen=True, slots=True)
class Row:
    """A node at its place. `rails` says for each level left of it whether the line there goes on below; `is_last` whether it
    is the last child of its parent; `n_below` counts all that came from it."""

    node: Node
    depth: int
    rails: tuple[bool, ...]
    is_last: bool
    n_below: int


@dataclass(slots=True)
class _Family:
    children: dict[str, list[Node]] = field(default_factory=dict)


def forest(nodes: Sequence[Node]) -> tuple[Row, ...]:
    """Every node once: roots by the newest run in their tree, children by age. A node whose parent is not among them is a root.

    Nodes that are each other's ancestors, which no run can be but a damaged store could say, are roots too.
    """
    known = {node.id: node for node in nodes}
    family = _Family()
    roots = []
    for node in sorted(nodes, key=lambda one: (one.created, one.id)):
        if node.parent in known and not _is_circular(node, known):
            family.children.setdefault(node.parent, []).append(node)
        else:
            roots.append(node)
    newest = {root.id: max(row.node.created for row in _walk(root, family, 0, (), is_last=True)) for root in roots}
    roots.sort(key=lambda root: (-newest[root.id], root.id))
    return tuple(row for root in roots for row in _walk(root, family, 0, (), is_last=True))


def _is_circular(node: Node, known: dict[str, Node]) -> bool:
    seen, at = {node.id}, node.parent
    while at in known:
        if at in seen:
            return True
        seen.add(at)
        at = known[at].parent
    return False


def _walk(root: Node, family: _Family, depth: int, rails: tuple[bool, ...], *, is_last: bool) -> Iterator[Row]:
    """Without recursion: a chain of forks may be long."""
    waiting = [(root, depth, rails, is_last)]
    rows: list[tuple[Node, int, tuple[bool, ...], bool]] = []
    while waiting:
        node, at, lines, last = waiting.pop()
        rows.append((node, at, lines, last))
        children = family.children.get(node.id, [])
        below = (*lines, not last) if at else ()
        waiting += [(child, at + 1, below, child is children[-1]) for child in reversed(children)]
    sizes: dict[str, int] = {}
    for node, *_rest in reversed(rows):
        sizes[node.id] = sum(1 + sizes[child.id] for child in family.children.get(node.id, []))
    yield from (Row(node, at, lines, last, sizes[node.id]) for node, at, lines, last in rows)
