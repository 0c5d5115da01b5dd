"""How far segmentation falls when real pages are bent: what it leans on that another site may not have.

usage: python benchmarks/perturbation.py PAGES_DIR SCORE_PAGES_PY [--plain] [--only NAME,NAME] [--worst N]

Every page is changed in memory in one way at a time (all class names made meaningless, no headings, one comment
only, another converter to plain text, …) and segmented again; the gold stays, less the comments that were taken out.
Prints a Markdown table: a row for each change, first the pages as they are.  ``--worst N`` also names the N pages that
fell most.  Converters that are not installed are left out with a note.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter.segment import split_page

Gold = dict[str, Any]
#: Page and gold in, changed page and gold out; None where the change does not apply to the page.
Change = Callable[[str, Gold], tuple[str, Gold] | None]

_CLASS = re.compile(r' (class|id)="([^"]*)"')
_LETTERS = re.compile(r"\w+")
_FORMS = "form, #respond, .comment-respond, textarea"
_BLOCK = re.compile(r"(</?)(li|ul|ol|article|section|aside|header|footer|main|nav|figure|dl|dt|dd)\b")


def _tree(html: str) -> LexborHTMLParser:
    return LexborHTMLParser(html)


def _written(tree: LexborHTMLParser) -> str:
    return tree.html or ""


def _opaque(name: str) -> str:
    return "x" + hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:6]


def _rename(html: str, rename: Callable[[str], str]) -> str:
    def attribute(match: re.Match[str]) -> str:
        names = " ".join(rename(re.sub(r"\d+", "", name)) for name in match[2].split())
        return f' {match[1]}="{names}"'

    return _CLASS.sub(attribute, _written(_tree(html)))


def opaque_names(html: str, gold: Gold) -> tuple[str, Gold]:
    """Class names and ids without a meaning, as a style-sheet compiler leaves them."""
    return _rename(html, _opaque), gold


def hashed_modules(html: str, gold: Gold) -> tuple[str, Gold]:
    """Class names as CSS modules print them: ``comment-author`` becomes ``CommentAuthor_root__x1a2b3c``."""

    def module(name: str) -> str:
        return "".join(part.capitalize() for part in re.split(r"[-_]+", name)) + "_root__" + _opaque(name)

    return _rename(html, module), gold


def prefixed(html: str, gold: Gold) -> tuple[str, Gold]:
    """Every name under a theme's prefix, with underscores."""
    return _rename(html, lambda name: "thm_" + name.replace("-", "_")), gold


def no_names(html: str, gold: Gold) -> tuple[str, Gold]:
    """Neither classes nor ids."""
    return _CLASS.sub("", _written(_tree(html))), gold


def no_ids(html: str, gold: Gold) -> tuple[str, Gold]:
    """No ids."""
    return re.sub(r' id="[^"]*"', "", _written(_tree(html))), gold


def no_semantics(html: str, gold: Gold) -> tuple[str, Gold]:
    """No schema.org, RDFa, ARIA, ``rel`` or data attributes, and no <time>."""
    plain = re.sub(
        r' (?:item\w+|typeof|property|role|rel|aria-\w+|datetime|data-[\w-]+)="[^"]*"', "", _written(_tree(html))
    )
    return re.sub(r"(</?)time\b", r"\1span", plain), gold


def only_div(html: str, gold: Gold) -> tuple[str, Gold]:
    """Lists, articles and sections as <div>."""
    return _BLOCK.sub(r"\1div", _written(_tree(html))), gold


def wrapped(html: str, gold: Gold) -> tuple[str, Gold]:
    """A <div> within every <div>, <li> and <article>."""
    inner = re.sub(r"(<(?:div|li|article)\b(?:[^>\"]|\"[^\"]*\")*>)", r"\1<div>", _written(_tree(html)))
    return re.sub(r"(</(?:div|li|article)>)", r"</div>\1", inner), gold


def no_headings(html: str, gold: Gold) -> tuple[str, Gold]:
    """Headings taken out, with the line that counts the comments."""
    tree = _tree(html)
    for node in reversed(tree.css("body h2, body h3, body h4, body h5, body h6")):
        node.decompose()
    return _written(tree), gold


def no_form(html: str, gold: Gold) -> tuple[str, Gold] | None:
    """No form to reply."""
    tree = _tree(html)
    for node in reversed(list({n.mem_id: n for n in tree.css(_FORMS)}.values())):
        if len(node.text()) < 3_000 and not _holds(node, gold):
            node.decompose()
    return _written(tree), gold


def first_comment(html: str, gold: Gold) -> tuple[str, Gold] | None:
    """All comments but the first taken out (threads keep the first two posts' worth: article and one answer)."""
    return _keep(html, gold, 1)


def three_comments(html: str, gold: Gold) -> tuple[str, Gold] | None:
    """All comments but the first three taken out."""
    return _keep(html, gold, 3)


def no_comments(html: str, gold: Gold) -> tuple[str, Gold] | None:
    """All comments taken out; header and form stay."""
    return _keep(html, gold, 0)


def cut_off(html: str, gold: Gold) -> tuple[str, Gold]:
    """The end of the page is missing, in the midst of the comments."""
    last = gold["comments"][len(gold["comments"]) // 2]["text"] if gold["comments"] else gold["article"]
    words = [word for word in re.findall(r"[\w]+", last) if len(word) > 5 and html.count(word) == 1]
    if not words:
        return html, gold
    half = len(gold["comments"]) // 2
    return html[: html.index(words[-1]) + len(words[-1])], {**gold, "comments": gold["comments"][: half + 1]}


def _folded(text: str) -> str:
    return "".join(_LETTERS.findall(text.lower()))


def _holds(node: LexborNode, gold: Gold) -> bool:
    text = _folded(node.text())
    return any(_folded(comment["text"])[:60] in text for comment in gold["comments"] if len(comment["text"]) > 20)


def _keep(html: str, gold: Gold, n: int) -> tuple[str, Gold] | None:
    """Only the first ``n`` comments; the elements of the others are told by their text alone."""
    if len(gold["comments"]) <= n:
        return None
    tree = _tree(html)
    body = tree.body
    texts = [_folded(comment["text"]) for comment in gold["comments"]]
    if body is None or len(set(texts)) < len(texts) or min(map(len, texts)) < 8 or gold["kind"] == "plain-text":
        return None
    for position in range(len(texts) - 1, n - 1, -1):
        node = _smallest(body, texts[position])
        if node is None:
            return None
        others = [*texts[:position], _folded(gold["article"])[:200]]
        while node.parent is not None and node.parent.tag != "body":
            around = _folded(node.parent.text())
            if any(text and text in around for text in others):
                break
            if "textarea" in (node.parent.html or "") or "<h1" in (node.parent.html or ""):
                break
            node = node.parent
        node.decompose()
    return _written(tree), {**gold, "comments": gold["comments"][:n], "pingbacks": gold.get("pingbacks")}


def _smallest(node: LexborNode, text: str) -> LexborNode | None:
    """The innermost element whose text holds ``text``."""
    if text not in _folded(node.text()):
        return None
    while True:
        for child in node.iter():
            if text in _folded(child.text()):
                node = child
                break
        else:
            return node


HTML: dict[str, Change] = {
    "as they are": lambda html, gold: (html, gold),
    "opaque names": opaque_names,
    "hashed modules": hashed_modules,
    "prefixed names": prefixed,
    "no ids": no_ids,
    "no names": no_names,
    "no semantics": no_semantics,
    "only div": only_div,
    "wrapped": wrapped,
    "no headings": no_headings,
    "no form": no_form,
    "first comment": first_comment,
    "three comments": three_comments,
    "no comments": no_comments,
    "cut off": cut_off,
}

# Header, attribution and reply in other languages, for pages in English and German.
_TRANSLATED = {
    "fr": ("{n} commentaires", "a dit :", "Répondre", "Laisser un commentaire", "Commentaires récents"),
    "es": ("{n} comentarios", "dice:", "Responder", "Deja una respuesta", "Comentarios recientes"),
    "pl": ("Komentarze: {n}", "pisze:", "Odpowiedz", "Dodaj komentarz", "Najnowsze komentarze"),
    "ru": ("Комментарии: {n}", "говорит:", "Ответить", "Добавить комментарий", "Свежие комментарии"),
    "tr": ("{n} yorum", "diyor ki:", "Yanıtla", "Bir cevap yazın", "Son yorumlar"),
    "id": ("{n} komentar", "berkata:", "Balas", "Tinggalkan Balasan", "Komentar Terbaru"),
    "ja": ("{n}件のコメント", "より:", "返信", "コメントを残す", "最近のコメント"),
    "zh": ("{n} 条评论", "说道:", "回复", "发表评论", "近期评论"),
    "nl": ("{n} reacties", "schreef:", "Beantwoorden", "Geef een reactie", "Recente reacties"),
    "it": ("{n} commenti", "ha detto:", "Rispondi", "Lascia un commento", "Commenti recenti"),
    "pt": ("{n} comentários", "disse:", "Responder", "Deixe um comentário", "Comentários recentes"),
}
_HEADER = re.compile(
    r"(?im)^[ \t]*(?:(\d+) (?:comments?|kommentare?|responses?|replies|antworten|thoughts?|gedanken)\b.{0,120}"
    r"|(?:comments|kommentare) ?\(?(\d*)\)?:?)[ \t]*$"
)
_SAYS = re.compile(r"(?im)(?<=\w )(?:says|said|sagt|sagte|schreibt|meint|schrieb):?(?=[ \t]*$)")
_REPLY = re.compile(r"(?im)^[ \t]*(?:↓ ?)?(?:reply|antworten|antwort)(?: ↓)?[ \t]*$")
_FORM = re.compile(
    r"(?im)^[ \t]*(?:leave a (?:reply|comment)|schreibe einen kommentar|kommentar verfassen|post a comment|"
    r"add a comment|"
    r"hinterlasse eine antwort|hinterlasse einen kommentar)\b.*$"
)


def _translation(lang: str) -> Change:
    header, says, reply, form, recent = _TRANSLATED[lang]

    def change(text: str, gold: Gold) -> tuple[str, Gold]:
        text = _HEADER.sub(lambda m: header.format(n=m[1] or m[2] or ""), text)
        text = _FORM.sub(form, _REPLY.sub(reply, _SAYS.sub(says, text)))
        return re.sub(r"(?im)^(?:recent comments|neueste kommentare)$", recent, text), gold

    return change


def no_header(text: str, gold: Gold) -> tuple[str, Gold]:
    """Without the line that counts the comments."""
    return _HEADER.sub("", text), gold


def no_replies(text: str, gold: Gold) -> tuple[str, Gold]:
    """Without the links to answer."""
    return _REPLY.sub("", text), gold


def no_form_text(text: str, gold: Gold) -> tuple[str, Gold]:
    """Without the line that opens the form."""
    return _FORM.sub("", text), gold


def spaced(text: str, gold: Gold) -> tuple[str, Gold]:
    """A blank line after every line."""
    return re.sub(r"\n+", "\n\n", text), gold


def unspaced(text: str, gold: Gold) -> tuple[str, Gold]:
    """No blank lines and no indents."""
    return re.sub(r"\s*\n\s*", "\n", text), gold


def hard_wrapped(text: str, gold: Gold) -> tuple[str, Gold]:
    """Lines broken at 76 characters and indented, as ``lynx -dump`` prints them."""
    import textwrap

    lines = []
    for line in text.split("\n"):
        lines += textwrap.wrap(line, 76, initial_indent="   ", subsequent_indent="   ") or [""]
    return "\n".join(lines), gold


def no_title(text: str, gold: Gold) -> tuple[str, Gold]:
    """Without the first line, the title of the document."""
    return text.lstrip().partition("\n")[2], gold


PLAIN: dict[str, Change] = {
    "as they are": lambda text, gold: (text, gold),
    "no header": no_header,
    "no replies": no_replies,
    "no form": no_form_text,
    "no title": no_title,
    "spaced": spaced,
    "unspaced": unspaced,
    "hard-wrapped": hard_wrapped,
    **{f"in {lang}": _translation(lang) for lang in _TRANSLATED},
}


def lynx_like(html: str) -> str:
    """Indented text wrapped at 76 characters with numbered links, lists with stars, in the manner of lynx."""
    import textwrap

    tree = _tree(html)
    for node in reversed(tree.css("script, style, noscript, template, svg, iframe, head")):
        node.decompose()
    marked = _written(tree)
    count = 0

    def link(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{match[0]}[{count}]"

    marked = re.sub(r"<a\b(?:[^>\"]|\"[^\"]*\")*href=(?:[^>\"]|\"[^\"]*\")*>", link, marked)
    marked = re.sub(r"(<li\b(?:[^>\"]|\"[^\"]*\")*>)", r"\1* ", marked)
    marked = re.sub(r"(<(?:p|h[1-6]|ul|ol|blockquote|table|form)\b)", "<br><br>\\1", marked)
    marked = re.sub(r"\s+", " ", marked)
    marked = re.sub(
        r"(?i)<(?:br|/?p|/?div|/?li|/?ul|/?ol|/?h\d|/?tr|/?table|/?article|/?section|/?header|/?footer)\b",
        "\n\\g<0>",
        marked,
    )
    text = LexborHTMLParser(marked.replace("\n", "\ue000")).body
    lines: list[str] = []
    for line in (text.text() if text else "").split("\ue000"):
        line = " ".join(line.split())
        if line:
            lines += textwrap.wrap(line, 76, initial_indent="   ", subsequent_indent="   ")
        elif lines and lines[-1]:
            lines.append("")
    return "\n".join([*lines, "", "References", "", *(f"   {n}. https://example.org/{n}" for n in range(1, count + 1))])


def markdown(html: str) -> str:
    """Markdown by html2text."""
    import html2text

    return html2text.html2text(html)


def inscribed(html: str) -> str:
    """Text laid out as a browser would, by inscriptis."""
    from inscriptis import get_text

    return get_text(html)


def resilient(html: str) -> str:
    """Plain text by resiliparse."""
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(html)


CONVERTERS: dict[str, Callable[[str], str]] = {
    "lynx-like": lynx_like,
    "html2text": markdown,
    "inscriptis": inscribed,
    "resiliparse": resilient,
}


def _converted(convert: Callable[[str], str]) -> Change:
    return lambda html, gold: (convert(html), gold)


def load(folder: Path, suffix: str) -> list[tuple[str, Gold]]:
    """Pages of ``folder`` with their gold."""
    pages = []
    for path in sorted(folder.glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        page = path.with_suffix(suffix)
        if isinstance(gold, dict) and "comments" in gold and page.exists():
            pages.append((page.read_text(encoding="utf-8"), gold))
    return pages


def measure(scorer: ModuleType, pages: list[tuple[str, Gold]], change: Change) -> list[dict[str, Any]]:
    """Scores of the pages after ``change``."""
    rows = []
    for source, gold in pages:
        changed = change(source, gold)
        if changed is None:
            continue
        if not changed[0].strip():
            continue
        page = split_page(changed[0])
        comments = [{"text": c.text, "author": c.author} for c in page.comments if c.kind == "comment"]
        rows.append(scorer.page(changed[1], {"article": page.article, "comments": comments}))
    return rows


def line(scorer: ModuleType, name: str, rows: list[dict[str, Any]]) -> str:
    """One row of the table."""
    cells = [name]
    for thread in (False, True):
        part = [row for row in rows if (row["kind"] == "thread") == thread]
        if not part:
            cells += ["–"] * 5
            continue
        scores = scorer.summarise(part)
        some = any(row["gold"] for row in part)
        cells += [str(len(part)), f"{scores['article'][2]:.3f}"]
        cells += [f"{scores['comments'][2]:.3f}", f"{scores['segment'][2]:.3f}"] if some else ["–", "–"]
        cells.append("{} of {}".format(*scores["false_pages"]) if scores["false_pages"][1] else "–")
    return "| " + " | ".join(cells[:-1]) + " |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("scorer", type=Path)
    parser.add_argument("--plain", action="store_true", help="the plain text of the pages, and other converters")
    parser.add_argument("--only", default="", help="names of changes, separated by commas")
    parser.add_argument("--worst", type=int, default=0, help="name so many pages that fell most")
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("score_pages", options.scorer)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{options.scorer} is no Python file; give the path of score_pages.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    html = load(options.pages, ".html")
    runs: list[tuple[str, list[tuple[str, Gold]], Change]] = []
    if options.plain:
        text = load(options.pages, ".wet.txt")
        runs = [(name, text, change) for name, change in PLAIN.items()]
        runs += [(name, html, _converted(convert)) for name, convert in CONVERTERS.items()]
    else:
        runs = [(name, html, change) for name, change in HTML.items()]
    wanted = set(filter(None, options.only.split(",")))
    print("| change | articles | article F1 | comment text F1 | per-comment F1 | false pages ", end="")
    print("| threads | article F1 | comment text F1 | per-comment F1 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, pages, change in runs:
        if wanted and name not in wanted:
            continue
        try:
            rows = measure(scorer, pages, change)
        except ImportError as error:
            print(f"{name} is left out: {error}")
            continue
        print(line(scorer, name, rows), flush=True)
        for row in sorted(rows, key=_quality)[: options.worst]:
            print(f"    {row['id']} {row['engine']}: article {row['article'][2]:.2f}, {row['hit']} of {row['gold']}, "
                  f"{row['pred']} found")  # fmt: skip


def _quality(row: dict[str, Any]) -> float:
    found = 2 * row["hit"] / (row["pred"] + row["gold"]) if row["pred"] + row["gold"] else 1.0
    return float(found + row["article"][2])


if __name__ == "__main__":
    main()
