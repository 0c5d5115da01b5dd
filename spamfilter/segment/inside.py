"""Search inside an element, and taking out what is found, safely.

Usage::

    for node in inside(element, ".author, cite"): ...
    drop(element, "script, form")

The parser's own search also gives the element itself, and an element once for each selector of a list that it
matches; taking out the same element twice would be an error in memory, not an exception.
"""

from __future__ import annotations

from selectolax.lexbor import LexborNode

__all__ = ["Enclosing", "drop", "enclosing", "inside", "once", "outermost"]

# Elements between a comment and the one that holds it: themes put two to eight; the limit keeps 20,000 nested
# elements from being climbed 20,000 times each.
_FARTHEST_PARENT = 30


def once(nodes: list[LexborNode]) -> list[LexborNode]:
    """``nodes`` in their order, each of them once."""
    if len(nodes) < 2:
        return nodes
    return list({node.mem_id: node for node in nodes}.values())


def inside(element: LexborNode, selector: str) -> list[LexborNode]:
    """Elements within ``element`` that match, in reading order, each once and never ``element`` itself."""
    found = element.css(selector)
    if found and "," in selector:
        found = once(found)
    if found and found[0].mem_id == element.mem_id:
        del found[0]
    return found


def drop(element: LexborNode, selector: str) -> None:
    """Take what matches out of ``element``."""
    # Inner parts come later in reading order: taken out first, as taking out an outer one frees them.
    for part in reversed(inside(element, selector)):
        part.decompose()


def enclosing(node: LexborNode, number: dict[int, int]) -> int | None:
    """The number of the nearest element around ``node`` that has one (by its ``mem_id``)."""
    if not number:
        return None
    up = node.parent
    for _ in range(_FARTHEST_PARENT):
        if up is None:
            return None
        position = number.get(up.mem_id)
        if position is not None:
            return position
        up = up.parent
    return None


class Enclosing:
    """``enclosing`` for elements given in reading order, where ``number`` grows by those already given.

    Elements of one parent have the same answer: what stands around them came before them.
    """

    def __init__(self, number: dict[int, int]) -> None:
        self._number = number
        self._of_parent: dict[int, int | None] = {}

    def __call__(self, node: LexborNode) -> int | None:
        """The number of the nearest element around ``node`` that has one."""
        if not self._number:
            return None
        parent = node.parent
        if parent is None:
            return None
        key = parent.mem_id
        if key not in self._of_parent:
            self._of_parent[key] = enclosing(node, self._number)
        return self._of_parent[key]


def outermost(nodes: list[LexborNode]) -> list[LexborNode]:
    """``nodes``, given in reading order, without those that stand inside another one."""
    seen: dict[int, int] = {}
    kept = []
    for position, node in enumerate(nodes):
        if enclosing(node, seen) is None:
            kept.append(node)
        seen[node.mem_id] = position
    return kept
