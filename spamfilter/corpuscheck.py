"""Whether a corpus of threads is fit for training and testing: form, variety, repetition, leakage.

Usage::

    report = check_corpus(Path("data/corpus"))
    report.problems            # what must be mended; empty if all is well
    report.lines()             # counts and problems for a person

A corpus is a folder of ``*.jsonl`` files with one thread a line: ``id, site, lang, topic, split, title,
article, comments``, each comment with ``text, label, kind`` and, where there is one, ``author`` and ``author_url``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spamfilter.campaigns import ALIKE, repeats
from spamfilter.errors import DataError, UnreadableFile
from spamfilter.rowfiles import RowFile

__all__ = ["HAM_KINDS", "SPAM_KINDS", "CorpusReport", "Limits", "check_corpus"]

#: Kinds of spam that a comment may have, and what each is.
SPAM_KINDS: Final[Mapping[str, str]] = {
    "praise": "general praise with a keyword as name, or a link",
    "product_offtopic": "text about a product, unrelated to the article, mostly without a link",
    "passage_offtopic": "fluent text on another subject",
    "service": "an offer (essays, visas, repairs, loans) behind an opening on the subject",
    "site_pitch": "“your site has a problem”, “your site ranks badly”",
    "crypto": "coins, trading, recovery of lost coins",
    "betting": "casinos and betting",
    "pharma": "medicines",
    "adult": "adult offers",
    "testimonial": "invented happy customers",
    "link_list": "lists of links, BBCode",
    "trackback": "trackback excerpts",
    "probe": "random letters or a bare word, to see whether a site lets comments through",
    "channel": "“check my channel”",
    "phishing": "log-in and prize traps",
    "disguised": "look-alike letters, spaced or invisible characters, leetspeak",
    "copied_ham": "a reader's comment copied, with a link of the spammer",
    "llm_praise": "praise that repeats the title, as language models write it",
}
#: Kinds of ham.
HAM_KINDS: Final[Mapping[str, str]] = {
    "thanks": "a few words of thanks",
    "joke": "jokes",
    "quarrel": "quarrels",
    "aside": "human, but beside the subject",
    "link": "a reader's relevant link",
    "code": "code and error messages",
    "question": "questions",
    "experience": "what the reader went through",
    "opinion": "opinions",
    "correction": "corrections of the article",
    "author_reply": "answers of the author",
    "non_native": "written in a language that the reader is learning",
    "caps": "all in capitals",
    "emoji": "emoji, alone or mostly",
    "keyword_name": "a reader whose name looks like a keyword",
    "foreign_language": "another language than the article's",
    "pingback": "real pingbacks of other blogs",
}
#: A kind that repeats other comments on purpose; it counts for leakage, not for the rate of near-duplicates.
_REPEATS_ON_PURPOSE: Final = "copied_ham"
#: Between these a data card holds the tables.
_MARKS: Final = ("<!-- counts -->", "<!-- /counts -->")
_SPLITS: Final = ("train", "test")
_THREAD: Final = {
    "id": str,
    "site": str,
    "lang": str,
    "topic": str,
    "split": str,
    "title": str,
    "article": str,
    "comments": list,
}
_OPTIONAL: Final = ("author", "author_url")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
#: Addresses that a corpus written for the purpose must not hold: they may belong to somebody.
_MAIL: Final = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+(?!example\b|test\b|invalid\b)[a-z]{2,}\b", re.I)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a corpus must reach; the defaults are those of the corpus that ships."""

    threads: int = 200
    comments: int = 4000
    languages: int = 12
    #: Share of the comments that are in the language most used.
    main_language: tuple[float, float] = (0.5, 0.7)
    #: Share of spam: near what a moderated site holds, far from teaching that one of them is rare.
    spam: tuple[float, float] = (0.3, 0.6)
    #: Comments of each kind; with fewer a figure for it says nothing.
    kind: int = 20
    near_duplicates: float = 0.02
    #: Share of the comments that are in the test split.
    test: tuple[float, float] = (0.1, 0.4)
    #: Characters of an article, in scripts that write words apart, below which relatedness cannot be judged.
    article: int = 150


@dataclass(slots=True)
class CorpusReport:
    """Counts of a corpus, and what is wrong with it."""

    threads: int = 0
    sites: int = 0
    comments: Counter[str] = field(default_factory=Counter)  # by label
    languages: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)  # threads
    kinds: dict[str, Counter[str]] = field(default_factory=dict)  # label → kind → comments
    splits: Counter[str] = field(default_factory=Counter)
    near_duplicates: list[tuple[str, str]] = field(default_factory=list)
    near_duplicate_rate: float = 0.0
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as lines for a person."""
        n = self.comments.total()
        out = [
            f"{self.threads:,} threads on {self.sites:,} sites, {n:,} comments: "
            f"{self.comments['spam']:,} spam, {self.comments['ham']:,} ham",
            "languages: " + _counts(self.languages),
            "threads by topic: " + _counts(self.topics),
            *(f"{label} by kind: {_counts(kinds)}" for label, kinds in self.kinds.items()),
            "split: " + _counts(self.splits),
            f"near-duplicates: {len(self.near_duplicates)} comments ({self.near_duplicate_rate:.2%}), "
            f"{_REPEATS_ON_PURPOSE} left aside",
        ]
        return out + [f"PROBLEM: {p}" for p in self.problems]

    def markdown(self) -> str:
        """The counts as tables for a data card."""
        rows = [
            ("language", "comments", self.languages),
            ("topic", "threads", self.topics),
            *((f"kind of {label}", "comments", kinds) for label, kinds in self.kinds.items()),
            ("split", "comments", self.splits),
        ]
        out = [f"{self.lines()[0]}.", ""]
        meaning = {**SPAM_KINDS, **HAM_KINDS}
        for what, unit, counts in rows:
            told = what.startswith("kind")
            out += [f"| {what} | {unit} |" + " what it is |" * told, "| --- | ---: |" + " --- |" * told]
            out += [f"| {name} | {k:,} |" + f" {meaning.get(name, '')} |" * told for name, k in counts.most_common()]
            out.append("")
        return "\n".join(out)

    def within(self, card: str) -> str:
        """``card`` with the tables between its marks; the tables alone where it has none."""
        head, mark, rest = card.partition(_MARKS[0])
        _, end, tail = rest.partition(_MARKS[1])
        return f"{head}{mark}\n{self.markdown()}{end}{tail}" if mark and end else self.markdown()


def check_corpus(folder: Path, limits: Limits | None = None) -> CorpusReport:
    """Read the threads of a folder (or one file) and check all rules.

    Raises ``UnreadableFile`` or ``DataError`` where a file cannot be read at all; everything else is in
    ``problems``.
    """
    limits = limits or Limits()
    report = CorpusReport()
    threads = [
        t
        for where, raw in _threads(folder, report.problems)
        for t in [_checked(raw, where, report.problems)]
        if t is not None
    ]
    if not threads:
        raise DataError(f"{folder}: no thread in it that can be read; " + "; ".join(report.problems[:3]))
    comments = [(t, c) for t in threads for c in t["comments"]]
    _count(report, threads, comments)
    _check_sizes(report, limits)
    _check_unique(report, threads)
    for t in threads:
        # Videos and chats have a title alone; an article that is there must be long enough to judge by.
        if t["article"] and len(t["article"]) * _density(t["lang"]) < limits.article:
            report.problems.append(f"thread {t['id']}: the article has only {len(t['article'])} characters")
    _check_repetition(report, comments, limits)
    _check_leakage(report, threads, comments)
    return report


def _threads(folder: Path, problems: list[str]) -> Iterator[tuple[str, Any]]:
    if not folder.exists():
        raise UnreadableFile(f"{folder}: no such file or folder; name a folder of .jsonl files with threads")
    paths = sorted(folder.glob("*.jsonl")) if folder.is_dir() else [folder]
    for path in paths:
        for n, raw in RowFile(path, problems).rows():
            yield f"{path.name} line {n}", raw


def _checked(raw: Any, where: str, problems: list[str]) -> dict[str, Any] | None:
    """The thread with those of its comments that are in form; None if it is none."""
    if not isinstance(raw, dict):
        problems.append(f"{where}: not an object")
        return None
    wrong = [k for k, kind in _THREAD.items() if not isinstance(raw.get(k), kind) or not (raw[k] or k == "article")]
    if wrong:
        problems.append(f"{where}: missing or of the wrong type: {', '.join(wrong)}")
        return None
    where = f"{where} ({raw['id']})"
    if raw["split"] not in _SPLITS:
        problems.append(f"{where}: split {raw['split']!r} is neither train nor test")
    if not _LANGUAGE.fullmatch(raw["lang"]):
        problems.append(f"{where}: lang {raw['lang']!r} is no language code")
    kept = []
    for n, c in enumerate(raw["comments"], 1):
        wrong_comment = _wrong_with(c)
        problems += [f"{where} comment {n}: {p}" for p in wrong_comment]
        if not wrong_comment:
            kept.append(c)
    return {**raw, "comments": kept}


def _wrong_with(comment: Any) -> list[str]:
    if not isinstance(comment, dict):
        return ["not an object"]
    out = []
    text, label = comment.get("text"), comment.get("label")
    if not isinstance(text, str) or not text.strip():
        out.append("no text")
    kinds = {"spam": SPAM_KINDS, "ham": HAM_KINDS}.get(str(label))
    if kinds is None:
        out.append(f"label {label!r} is neither spam nor ham")
    elif comment.get("kind") not in kinds:
        out.append(f"kind {comment.get('kind')!r} is no kind of {label}")
    out += [f"{k} is not text" for k in _OPTIONAL if comment.get(k) is not None and not isinstance(comment[k], str)]
    more = set(comment) - {"text", "label", "kind", *_OPTIONAL}
    if more:
        out.append(f"unknown key {', '.join(sorted(more))}")
    if isinstance(text, str) and (mail := _MAIL.search(text)):
        out.append(f"holds an e-mail address that may be somebody's: {mail[0]}")
    return out


def _count(report: CorpusReport, threads: Sequence[Any], comments: Sequence[tuple[Any, Any]]) -> None:
    report.threads = len(threads)
    report.sites = len({t["site"] for t in threads})
    report.topics = Counter(t["topic"] for t in threads)
    report.comments = Counter(c["label"] for _, c in comments)
    report.languages = Counter(t["lang"] for t, _ in comments)
    report.splits = Counter(t["split"] for t, _ in comments)
    for label in ("spam", "ham"):
        report.kinds[label] = Counter(c["kind"] for _, c in comments if c["label"] == label)


def _check_sizes(report: CorpusReport, limits: Limits) -> None:
    n = report.comments.total()
    for what, found, least in (
        ("threads", report.threads, limits.threads),
        ("comments", n, limits.comments),
        ("languages", len(report.languages), limits.languages),
    ):
        if found < least:
            report.problems.append(f"{found:,} {what}, at least {least:,} are wanted")
    main = report.languages.most_common(1)[0][1] if n else 0
    for what, part, (low, high) in (
        ("spam", report.comments["spam"], limits.spam),
        ("in the main language", main, limits.main_language),
        ("in the test split", report.splits["test"], limits.test),
    ):
        if n and not low <= part / n <= high:
            report.problems.append(f"{part / n:.0%} of the comments are {what}, {low:.0%} to {high:.0%} is wanted")
    for label, kinds in (("spam", SPAM_KINDS), ("ham", HAM_KINDS)):
        for kind in kinds:
            if report.kinds[label][kind] < limits.kind:
                report.problems.append(f"{report.kinds[label][kind]} comments of kind {kind}, {limits.kind} are wanted")


def _check_unique(report: CorpusReport, threads: Sequence[Any]) -> None:
    for name, n in Counter(t["id"] for t in threads).items():
        if n > 1:
            report.problems.append(f"{n} threads have the id {name}")
    labels: dict[str, set[str]] = defaultdict(set)
    for t in threads:
        labels[t["lang"]] |= {c["label"] for c in t["comments"]}
    for lang, found in labels.items():
        if len(found) < 2:
            report.problems.append(f"language {lang} has only {', '.join(found) or 'no comments'}")


def _check_repetition(report: CorpusReport, comments: Sequence[tuple[Any, Any]], limits: Limits) -> None:
    own = [(t, c) for t, c in comments if c["kind"] != _REPEATS_ON_PURPOSE]
    first_of: dict[int, int] = {}
    for i, j in repeats([c["text"] for _, c in own]):
        first_of.setdefault(j, i)
    names = [f"{t['id']} “{_snippet(c['text'])}”" for t, c in own]
    report.near_duplicates = [(names[j], names[i]) for j, i in sorted(first_of.items())]
    report.near_duplicate_rate = len(first_of) / max(len(own), 1)
    if report.near_duplicate_rate >= limits.near_duplicates:
        shown = "; ".join(f"{a} repeats {b}" for a, b in report.near_duplicates[:5])
        report.problems.append(
            f"{report.near_duplicate_rate:.2%} of the comments repeat an earlier one (the same, or {ALIKE:.0%} of "
            f"their pairs of words), less than {limits.near_duplicates:.0%} is wanted: {shown}"
        )


def _check_leakage(report: CorpusReport, threads: Sequence[Any], comments: Sequence[tuple[Any, Any]]) -> None:
    splits: dict[str, set[str]] = defaultdict(set)
    for t in threads:
        splits[t["site"]].add(t["split"])
    report.problems += [f"site {s} is in train and test" for s, found in splits.items() if len(found) > 1]
    for what, texts, of in (
        ("comment", [c["text"] for _, c in comments], [t for t, _ in comments]),
        ("article", [t["article"] for t in threads], list(threads)),
    ):
        for i, j in repeats(texts):
            if of[i]["split"] != of[j]["split"]:
                report.problems.append(
                    f"{what} “{_snippet(texts[j])}” of {of[j]['id']} ({of[j]['split']}) repeats one of "
                    f"{of[i]['id']} ({of[i]['split']})"
                )


def _density(lang: str) -> int:
    """Letters of the Latin script that say as much as one of this language's."""
    return 3 if lang in ("zh", "ja") else 2 if lang == "ko" else 1


def _snippet(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.most_common())
