"""The screen of ``spamfilter label queue``: one comment at a time, one key per decision.

Usage::

    Session(store.queue, who="ana").run(keyboard)

Every decision is stored before the next comment is shown: whatever ends the session, the next one goes on there.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spamfilter.labels.decision import TEAM_LABELS, Look, Pending, TeamLabel
from spamfilter.labels.queue import Order, Queue
from spamfilter.view import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["Session"]

_HELP: Final = "s spam   h ham   k skip   u undo   S/H the whole campaign   m more   q quit"
_KEYS: Final[dict[str, TeamLabel]] = {"s": "spam", "h": "ham"}
_STYLES: Final = {"spam": "bold red", "unsure": "yellow", "ham": "green"}
#: Lines of the article that are shown: enough to see what it is about.
_ARTICLE_LINES: Final = 3
#: Lines of the screen around the comment: title, article, author, verdict, reasons, campaign, keys.
_AROUND: Final = 14
_FEWEST_LINES: Final = 6
_REASONS: Final = 4


@dataclass(frozen=True, slots=True)
class _Step:
    """What one key did: the comments it decided (or put off), the first of which was on the screen."""

    ids: tuple[int, ...]
    label: TeamLabel | None


@dataclass(slots=True)
class Session:
    """One sitting of one person at the queue; ``blind`` hides the verdict, so that labels do not repeat it."""

    queue: Queue
    who: str
    order: Order = "useful"
    filters: Mapping[str, Any] = field(default_factory=dict)
    blind: bool = False
    console: Console | None = None
    decided: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*TEAM_LABELS, "skipped"), 0))
    _steps: list[_Step] = field(default_factory=list)
    _skipped: set[int] = field(default_factory=set)

    def run(self, keys: Iterable[str]) -> None:
        """Show comments and take keys until there are no more of either."""
        item, source = self._next(), iter(keys)
        note, full = "", False
        while item is not None:
            self._show(item, note, full)
            key = next(source, "q")
            if key in "qQ":
                break
            item, note, full = self._press(key, item)
        self._farewell(item)

    def _press(self, key: str, item: Pending) -> tuple[Pending | None, str, bool]:
        if key in ("s", "h", "S", "H"):
            return self._decide(item, _KEYS[key.lower()], campaign=key.isupper())
        if key == "k":
            self.queue.skip(item.id)
            self._skipped.add(item.id)
            self._steps.append(_Step((item.id,), None))
            self.decided["skipped"] += 1
            return self._next(), "skipped", False
        if key == "u":
            return self._undo(item)
        return item, "" if key == "m" else "this key does nothing", key == "m"

    def _decide(self, item: Pending, label: TeamLabel, *, campaign: bool) -> tuple[Pending | None, str, bool]:
        ids = [item.id]
        if campaign:
            # What waits, and belongs to it on the pages that were asked for.
            alike = self.queue.pending(
                "oldest", **{**self.filters, "campaign": item.campaign}, limit=item.campaign_size
            )
            ids += [other.id for other in alike if other.id != item.id]
        look: Look = "blind" if self.blind else "shown"
        self.queue.resolve_many(ids, label, self.who, look=look)
        self._steps.append(_Step(tuple(ids), label))
        self.decided[label] += len(ids)
        return self._next(), f"{label}" + (f", {len(ids)} comments" if len(ids) > 1 else ""), False

    def _undo(self, item: Pending) -> tuple[Pending | None, str, bool]:
        if not self._steps:
            return item, "nothing to undo in this session", False
        step = self._steps.pop()
        if step.label is None:
            self._skipped.discard(step.ids[0])
        else:
            self.queue.undo_many(step.ids, self.who)
        self.decided[step.label or "skipped"] -= len(step.ids)
        return self.queue.get(step.ids[0]), f"took back: {step.label or 'skipped'}", False

    def _next(self) -> Pending | None:
        found = self.queue.pending(self.order, **self.filters, limit=1)
        return found[0] if found and found[0].id not in self._skipped else None

    def _farewell(self, item: Pending | None) -> None:
        if item is None:
            self._print("No comment waits any more." if not self._skipped else "Only comments you skipped are left.")
        counts = ", ".join(f"{n} {name}" for name, n in self.decided.items())
        self._print(f"{counts}; {self.queue.count(**self.filters)} still wait.")

    # --- the screen

    def _screen(self) -> Console:
        if self.console is None:
            from rich.console import Console

            self.console = Console(highlight=False)
        return self.console

    def _print(self, text: Text | str, style: str = "") -> None:
        self._screen().print(text, style=style or None, markup=False)

    def _show(self, item: Pending, note: str, full: bool) -> None:
        self._screen().clear()
        done = ", ".join(f"{n} {name}" for name, n in self.decided.items() if n)
        waiting = f"{self.queue.count(**self.filters)} waiting"
        self._print(" · ".join(filter(None, (waiting, done, note))), "dim")
        self._show_context(item)
        self._print(f"{plain(item.comment.author) or '(no name)'}  {plain(item.comment.author_url)}", "bold")
        self._show_text(item.comment.text, full)
        self._show_verdict(item)
        if item.campaign_size > 1:
            self._print(f"{item.campaign_size} comments of this campaign wait", "magenta")
        self._print(_HELP, "dim")

    def _show_context(self, item: Pending) -> None:
        under = item.context
        self._print(plain(under.title) or plain(under.permalink) or "(no title)", "underline")
        if under.article:
            width = max(20, self._screen().width - 2)
            lines = textwrap.wrap(plain(under.article[: width * (_ARTICLE_LINES + 1)]), width, max_lines=_ARTICLE_LINES)
            self._print("\n".join(lines), "dim")
        self._print("")

    def _show_text(self, text: str, full: bool) -> None:
        width = max(20, self._screen().width - 4)
        lines = [piece for line in text.splitlines() for piece in textwrap.wrap(plain(line), width) or [""]]
        room = len(lines) if full else max(_FEWEST_LINES, self._screen().height - _AROUND)
        self._print("\n".join("  " + line for line in lines[:room]))
        if len(lines) > room:
            self._print(f"  … {len(lines) - room} more lines (m)", "dim")
        self._print("")

    def _show_verdict(self, item: Pending) -> None:
        if self.blind:
            self._print("(the verdict is hidden)", "dim")
        elif item.verdict is None:
            self._print("(not scored)", "dim")
        else:
            verdict = item.verdict
            self._print(f"{verdict.label} {verdict.probability:.2f}", _STYLES[verdict.label])
            strongest = sorted((r for r in verdict.reasons if r.name != "rest"), key=lambda r: -abs(r.weight))
            for reason in strongest[:_REASONS]:
                self._print(f"  {reason.weight:+.1f} {plain(reason.detail)}")
