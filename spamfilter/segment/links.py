"""Marks of links in plain text, blanked out so that lines read as a person reads them and every offset stays.

Usage::

    shown = without_links("[12]Ann says:")          # "    Ann says:"
    len(shown) == len(text)                        # always: what is cut out of ``text`` by offsets of ``shown`` fits

``lynx -dump`` numbers links ("[12]Ann") and lists them under "References" at the end; converters to Markdown write
``[Ann](https://…)`` and ``![alt](image)``.
"""

from __future__ import annotations

import re

__all__ = ["without_links"]

_NUMBERED = re.compile(r"\[\d{1,4}\]")
_REFERENCES = re.compile(r"^References[ \t\r]*\n(?=\s*(?:Visible links[ \t\r]*\n\s*)?1\. )", re.MULTILINE)
# The target of a Markdown link, with brackets in it once, as addresses of encyclopaedias have them; converters that
# break lines break long targets too.
_TARGET = r"\((?:\\[()]|[^()\s]|\n(?! *\n)|\([^()\s]{0,200}\)){0,2000}+(?:\s\"[^\"]{0,300}\")?\)"
_IMAGE = re.compile(rf"!\[[^\[\]]{{0,500}}+\]{_TARGET}")
_LINK = re.compile(rf"\[([^\[\]]{{0,1000}}+)\]{_TARGET}")
_EMPHASIS = re.compile(r"(?<![\w*])(?:\*\*|__)(?=\S)|(?<=\S)(?:\*\*|__)(?![\w*])")
_ESCAPE = re.compile(r"\\([.!()\[\]#*_+>`-])")  # "25\. May": the dot first, then a space, so that the date is one
_SHOWN = re.compile(r"[^\n]")
# Fewer marks than this are a writer's own: footnotes, a line of code.
_FEWEST = 8


def without_links(text: str) -> str:
    """``text`` with spaces in place of the marks of links, of the same length; ``text`` itself where it has none."""
    if "](" in text and text.count("](") >= _FEWEST:
        text = _IMAGE.sub(_blank, text)
        text = _LINK.sub(_name_only, text)
        return _ESCAPE.sub(r"\1 ", _EMPHASIS.sub(_blank, text))
    if "[1]" in text and len(_NUMBERED.findall(text)) >= _FEWEST:
        lists = [match.start() for match in _REFERENCES.finditer(text)]
        if lists:
            end = lists[-1]  # that of the page
            text = text[:end] + _SHOWN.sub(" ", text[end:])
        return _NUMBERED.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    return _SHOWN.sub(" ", match.group())


def _name_only(match: re.Match[str]) -> str:
    """The text of a link between spaces."""
    target = match.group()[len(match[1]) + 1 :]
    return f" {match[1]}" + _SHOWN.sub(" ", target)
