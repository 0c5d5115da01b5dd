"""The command line: parse, one library call, print, exit code.

Usage::

    spamfilter score saved/ -o verdicts.jsonl

A command, or a group of them, is one module with a ``typer.Typer`` called ``app``, and one line in ``COMMANDS``;
it is imported when it is called.  Nothing heavy is imported here: ``spamfilter --help`` must come at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["COMMANDS", "main"]

#: Command → the module that holds it, and what it does, for the overview.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "score": ("spamfilter.cli.score", "Find the spam comments of pages: files, folders, archives, tables."),
    "split": ("spamfilter.cli.split", "Take pages apart into article and comments, without judging."),
    "clean": ("spamfilter.cli.clean", "Pages without their spam."),
    "explain": ("spamfilter.cli.explain", "One HTML page per input that shows every verdict and its reasons."),
    "classify": ("spamfilter.cli.classify", "Judge a table of comments: the same rows with probability and verdict."),
    "campaigns": ("spamfilter.cli.campaigns", "Comments that repeat on several sites or under several articles."),
    "train": ("spamfilter.cli.train", "Train a model on labelled comments."),
    "evaluate": ("spamfilter.cli.evaluate", "Measure a model, or its training, on labelled comments."),
    "retrain": ("spamfilter.cli.retrain", "Make a better model of a team's labels, or refuse with reasons."),
    "models": ("spamfilter.cli.models", "List, show, promote, roll back, verify, prune and export a team's models."),
    "datasets": ("spamfilter.cli.datasets", "List and fetch public labelled sets; check a corpus."),
    "label": ("spamfilter.cli.label", "Keep a team's decisions: add, import, export, decide one by one."),
    "serve": ("spamfilter.cli.serve", "Run the moderation service: Akismet's protocol, JSON API, moderation page."),
    "doctor": ("spamfilter.cli.doctor", "Check the installation and the model."),
}

_HEAD: Final = """\
Usage: spamfilter COMMAND [OPTIONS] ...

Takes a scraped page apart into its article and its reader comments, and finds the comments that are spam
or have nothing to do with the article.

Commands:
"""
_TAIL: Final = """
Options:
  --help     Show this, or with a command its options and examples.
  --version  Show the version.
  --install-completion, --show-completion
             Complete commands and options in bash, zsh, fish or PowerShell.

Examples:
  spamfilter score page.html                         a table of the spam on one page
  spamfilter score saved/ -o verdicts.jsonl          a folder, as JSON lines
  spamfilter score crawl-*.warc.gz -o out/ --resume  a crawl, on all cores
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with ``argv`` (default: that of the process); gives the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    completing = any(name.endswith("_COMPLETE") and name.startswith("_SPAMFILTER") for name in os.environ)
    if not completing and given[:1] in ([], ["--help"], ["-h"], ["help"]):
        sys.stdout.write(overview())
        return 0
    if given == ["--version"]:
        sys.stdout.write(f"spamfilter {version()}\n")
        return 0
    from spamfilter.cli.group import invoke

    return invoke(given)


def overview() -> str:
    """The text of ``spamfilter --help``."""
    width = max(map(len, COMMANDS))
    return _HEAD + "".join(f"  {name:<{width}}  {text}\n" for name, (_, text) in COMMANDS.items()) + _TAIL


def version() -> str:
    """The version of the package."""
    from spamfilter import __version__

    return __version__
