"""What the segmenter found on a page, as a page to look at.

Usage::

    html = view_html(page, source="saved/page.html")      # what `spamfilter split --show` writes

One self-contained document: article and comments outlined, answers set in.  Everything that comes from the page is
escaped, and links are shown as text, so that looking at a page of spam leads nowhere.
"""

from __future__ import annotations

from html import escape

from spamfilter.records import Comment, Page

__all__ = ["view_html"]

_STYLE = """
:root { color-scheme: light dark; --line: #8a8f98; --article: #2e7d5b; --comment: #2f6db5; --ping: #8a5a00; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
.facts, .head { font-size: .85rem; opacity: .85; overflow-wrap: anywhere; }
section { border: 2px solid var(--article); border-radius: 6px; margin: 1.2rem 0; padding: .6rem 1rem; }
.comment { border-color: var(--comment); }
.ping { border-color: var(--ping); border-style: dashed; }
.text { overflow-wrap: anywhere; white-space: pre-wrap; }
.label { font-weight: 600; }
"""
# Answers further in are drawn at this depth, so that long disputes stay readable.
_DEEPEST = 12


def view_html(page: Page, source: str | None = None) -> str:
    """One HTML document that shows the article and the comments of ``page``; ``source`` says where it came from."""
    title = page.title or source or "page"
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)} – as split</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f"<h1>{escape(title)}</h1>\n<p class='facts'>{escape(_facts(page, source))}</p>",
        "<section><p class='head'><span class='label'>Article</span> "
        f"{len(page.article.split()):,} words</p><div class='text' dir='auto'>{escape(page.article)}</div></section>",
    ]
    parts += [_comment_html(number, comment) for number, comment in enumerate(page.comments, 1)]
    parts.append("</body>\n</html>\n")
    return "\n".join(parts)


def _facts(page: Page, source: str | None) -> str:
    facts = [
        source,
        page.url,
        f"read as {page.kind}",
        page.engine and f"engine: {page.engine}",
        page.lang and f"language: {page.lang}",
        f"{len(page.comments)} comments",
    ]
    return " · ".join(fact for fact in facts if fact)


def _comment_html(number: int, comment: Comment) -> str:
    kind = "comment" if comment.kind == "comment" else "comment ping"
    head = [
        f"<span class='label'>{number}. {escape(comment.author or 'no name')}</span>",
        *(escape(fact) for fact in (comment.date, comment.author_url, comment.permalink or comment.id) if fact),
    ]
    if comment.kind != "comment":
        head.append(comment.kind)
    if comment.parent is not None:
        head.append(f"answers {comment.parent + 1}")
    indent = 1.5 * min(comment.depth, _DEEPEST)
    return (
        f"<section class='{kind}' style='margin-left:{indent}rem'><p class='head'>{' · '.join(head)}</p>"
        f"<div class='text' dir='auto'>{escape(comment.text)}</div></section>"
    )
