"""The text of an element, as a reader sees its lines.

Usage::

    block_text(node)      # "First paragraph\\nSecond paragraph, folded"

Works on the serialised element in one pass: for the sizes of an article this is several times faster than visiting
every node from Python.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from spamfilter import compiled
from spamfilter.segment.hints import Sought
from spamfilter.segment.inside import drop

__all__ = ["block_text", "fold", "html_text", "may_hide"]

_BLOCKS = (
    "address article aside blockquote body br center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form frame frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol option optgroup "
    "p pre section select summary table tbody td tfoot th thead title tr ul"
)
# Sorted and with a space after each, as the compiled loop looks them up.
_SORTED_BLOCKS = "".join(f"{name} " for name in sorted(_BLOCKS.split()))
_LINE_OF = dict.fromkeys(_BLOCKS.split(), "\n")
# Lexbor writes attributes in double quotes always, so a ">" inside quotes is no end of a tag.  Possessive, and without
# "<" outside of quotes: text that looks like broken tags must not be searched to its end again and again.
_TAG = re.compile(r"</?+([a-zA-Z][^\s/<>]*+)[^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+>")
# What no reader sees, and elements whose text is written without escapes.
_UNSEEN = (
    "script, style, noscript, template, svg, canvas, iframe, textarea, object, select, head, noembed, noframes, xmp, "
    "plaintext"
)
_MAY_BE_UNSEEN = Sought(f"<{name}{end}".encode() for name in _UNSEEN.split(", ") for end in " >")
_REMARK = re.compile(r"<!--.*?-->", re.DOTALL)
_PRE = re.compile(r"<pre\b.*?</pre\s*>", re.DOTALL)
_LINE_IN_PRE = "\ue000"  # private use: stands for a line break inside <pre> until white space is folded


def block_text(node: LexborNode) -> str:
    """Text of ``node``: block elements on lines of their own, white space folded, empty lines left out.

    Takes what no reader sees (scripts, styles) out of ``node``.
    """
    source = node.html or ""
    if may_hide(source):
        drop(node, _UNSEEN)
        source = node.html or ""
    return html_text(source)


def may_hide(source: str) -> bool:
    """Whether serialised HTML may hold elements that no reader sees; html_text() must not be given these."""
    return any(_MAY_BE_UNSEEN.in_(source))


def html_text(source: str) -> str:
    """The same for serialised HTML without scripts and their like."""
    if "<!--" in source:
        source = _REMARK.sub("", source)
    if "<pre" in source:
        source = _PRE.sub(lambda match: match.group().replace("\n", _LINE_IN_PRE), source)
    if compiled.kernel is not None:
        try:
            shown: str = compiled.kernel.html_text(source, _SORTED_BLOCKS)
        except UnicodeEncodeError:  # half of a surrogate pair
            return _html_text(source)
        return shown
    return _html_text(source)


def _html_text(source: str) -> str:
    parts = _TAG.split(source.replace("\n", " "))
    parts[1::2] = [_LINE_OF.get(name, "") for name in parts[1::2]]
    text = "".join(parts).replace(_LINE_IN_PRE, "\n").replace("\u200b", "").replace("\xa0", " ").replace("\t", " ")
    if "&" in text:
        text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if "\n" not in text:
        return " ".join(text.split())
    lines = [line.strip() for line in text.split("\n")]
    # Most lines have nothing to fold, and finding that costs less than folding them.
    return "\n".join([" ".join(line.split()) if "  " in line else line for line in lines if line])


def fold(text: str) -> str:
    """``text`` on one line."""
    return " ".join(text.replace("\u200b", "").split())
