"""Search inside an element, and taking out what is found, safely.

Usage::

    for node in inside(element, ".author, cite"): ...
    drop(element, "script, form")

The parser's own search also gives the element itself, and an element once for each selector of a list that it
matches; taking out the same element twice would be an error in memory, not an exception.
"""

from __future__ import annotations

from selectolax.lexbor import LexborNode

__all__ = ["drop", "inside", "once"]


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
