"""What a site makes of the model's verdict: cut-offs, lists, trusted and first-time commenters, dry run.

Usage::

    policy = Policy(spam_cutoff=0.9, blocked_domains=("cheap.example",))
    judgement = policy.judge(submission, verdict, cutoffs, standing)
    judgement.label, judgement.answer, judgement.reasons
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal
from urllib.parse import urlsplit

from spamfilter.records import Label, Reason, Verdict
from spamfilter.service.submission import Submission
from spamfilter.text import fold

__all__ = ["Cutoffs", "Judgement", "Policy", "Standing", "link_hosts"]

RuleLabel = Literal["spam", "unsure"]
Decider = Literal["model", "rule", "test"]

_LINK: Final = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'\]\[(){}|\\,]+", re.I)
# Which of two labels is the stricter.
_RANK: Final[dict[Label, int]] = {"ham": 0, "unsure": 1, "spam": 2}


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Probabilities from which on a comment is unsure, or spam."""

    unsure: float
    spam: float

    def label(self, probability: float) -> Label:
        """The verdict for a probability."""
        return "spam" if probability >= self.spam else "unsure" if probability >= self.unsure else "ham"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a commenter on a site: comments approved, judged spam by people, and let pass."""

    approved: int = 0
    rejected: int = 0
    passed: int = 0

    @property
    def first_time(self) -> bool:
        """Whether nothing by this commenter stands on the site yet."""
        return not self.approved and not self.passed


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one comment.

    ``label`` is what holds after the site's rules; ``answer`` is what the caller is told, which in a dry
    run is always "ham".  ``reasons`` are those of the model, after those of rules (whose names begin with
    "rule_" and whose weight is 0, as they do not move the probability).
    """

    label: Label
    answer: Label
    probability: float
    reasons: tuple[Reason, ...]
    by: Decider
    model: str
    discard: bool = False
    dry_run: bool = False

    def verdict(self) -> Verdict:
        """As the record that the label store takes."""
        return Verdict(self.label, self.probability, self.reasons, self.model)


@dataclass(frozen=True)
class Policy:
    """Rules of one site; every field is a key of ``[site.policy]`` in the configuration file.

    ``spam_cutoff`` and ``unsure_cutoff`` replace the model's own.  From ``discard_cutoff`` on, spam counts as
    blatant: Akismet clients are told to discard it, and it does not wait for a moderator.  ``unsure_answer``
    is what clients that know only yes and no are told of an unsure comment.  Authors, e-mail addresses and
    phrases compare without regard to case, spacing and disguised letters; a domain covers its subdomains.
    """

    spam_cutoff: float | None = None
    unsure_cutoff: float | None = None
    discard_cutoff: float = 0.995
    unsure_answer: Literal["ham", "spam"] = "ham"
    dry_run: bool = False
    allowed_authors: tuple[str, ...] = ()
    allowed_emails: tuple[str, ...] = ()
    allowed_domains: tuple[str, ...] = ()
    blocked_authors: tuple[str, ...] = ()
    blocked_emails: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    blocked_phrases: tuple[str, ...] = ()
    blocked_ips: tuple[str, ...] = ()
    trusted_after: int | None = None
    first_time: Literal["normal", "unsure"] = "normal"
    max_links: int | None = None
    max_links_label: RuleLabel = "unsure"
    languages: tuple[str, ...] = ()
    languages_label: RuleLabel = "unsure"

    def cutoffs(self, model: Cutoffs) -> Cutoffs:
        """The cut-offs that hold, given the model's own."""
        spam = model.spam if self.spam_cutoff is None else self.spam_cutoff
        unsure = model.unsure if self.unsure_cutoff is None else self.unsure_cutoff
        return Cutoffs(min(unsure, spam), spam)

    def judge(self, submission: Submission, verdict: Verdict, model: Cutoffs, standing: Standing) -> Judgement:
        """What this site makes of ``verdict``.  An allow-list beats a block-list, a block-list beats trust."""
        label, rules, by_rule = self.cutoffs(model).label(verdict.probability), [], False
        if allowed := self._allowed(submission):
            label, rules, by_rule = "ham", [allowed], True
        elif blocked := self._blocked(submission):
            label, rules, by_rule = "spam", blocked, True
        else:
            if self._trusts(standing):
                by_rule = label != "ham"
                label = "ham"
                rules.append(_rule("trusted_commenter", f"{standing.approved} approved comments, none rejected"))
            for at_least, rule in self._limits(submission, standing):
                rules.append(rule)
                if _RANK[at_least] > _RANK[label]:
                    label, by_rule = at_least, True
        blatant = label == "spam" and (verdict.probability >= self.discard_cutoff)
        return Judgement(
            label=label,
            answer="ham" if self.dry_run else label,
            probability=verdict.probability,
            reasons=(*rules, *verdict.reasons),
            by="rule" if by_rule else "model",
            model=verdict.model,
            discard=blatant and not self.dry_run,
            dry_run=self.dry_run,
        )

    def _trusts(self, standing: Standing) -> bool:
        return self.trusted_after is not None and standing.approved >= self.trusted_after and not standing.rejected

    def _allowed(self, given: Submission) -> Reason | None:
        if given.author and self.allowed_authors and _plain(given.author) in self._lists.allowed_authors:
            return _rule("allowed_author", f"the author {given.author!r} is on the allow-list")
        if given.email and given.email.strip().lower() in self._lists.allowed_emails:
            return _rule("allowed_email", "the author's e-mail address is on the allow-list")
        # Only the author's own address: a link in the text can be written by anybody.
        hosts = [*link_hosts(given.author_url or "")] if self.allowed_domains else []
        found = _covered(hosts, self.allowed_domains)
        return _rule("allowed_domain", f"the author's domain {found} is on the allow-list") if found else None

    def _blocked(self, given: Submission) -> list[Reason]:
        out = []
        if given.author and self.blocked_authors and _plain(given.author) in self._lists.blocked_authors:
            out.append(_rule("blocked_author", f"the author {given.author!r} is on the block-list"))
        if given.email and given.email.strip().lower() in self._lists.blocked_emails:
            out.append(_rule("blocked_email", "the author's e-mail address is on the block-list"))
        if given.ip and given.ip.strip() in self.blocked_ips:
            out.append(_rule("blocked_ip", "the author's IP address is on the block-list"))
        if self.blocked_domains and (domain := _covered(_hosts(given), self.blocked_domains)):
            out.append(_rule("blocked_domain", f"the domain {domain} is on the block-list"))
        if self.blocked_phrases:
            text = _plain(f"{given.author or ''}\n{given.text}")
            phrase = next((p for p, plain in self._lists.blocked_phrases if plain in text), None)
            if phrase is not None:
                out.append(_rule("blocked_phrase", f"contains the blocked phrase {phrase!r}"))
        return out

    def _limits(self, given: Submission, standing: Standing) -> Iterator[tuple[RuleLabel, Reason]]:
        if self.max_links is not None and (n := len(_LINK.findall(given.text))) > self.max_links:
            yield self.max_links_label, _rule("too_many_links", f"{n} links, at most {self.max_links} are allowed")
        if self.languages and given.lang and given.lang not in self.languages:
            yield (
                self.languages_label,
                _rule("language", f"written in {given.lang}, not in {', '.join(self.languages)}"),
            )
        if self.first_time == "unsure" and standing.first_time:
            yield "unsure", _rule("first_comment", "the author's first comment on this site")

    @cached_property
    def _lists(self) -> _Lists:
        return _Lists(
            frozenset(map(_plain, self.allowed_authors)),
            frozenset(e.strip().lower() for e in self.allowed_emails),
            frozenset(map(_plain, self.blocked_authors)),
            frozenset(e.strip().lower() for e in self.blocked_emails),
            tuple((p, _plain(p)) for p in self.blocked_phrases),
        )


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of a policy in the form they are compared in."""

    allowed_authors: frozenset[str]
    allowed_emails: frozenset[str]
    blocked_authors: frozenset[str]
    blocked_emails: frozenset[str]
    blocked_phrases: tuple[tuple[str, str], ...]


def link_hosts(text: str) -> Iterator[str]:
    """Hosts of the links in ``text``, in lower case."""
    for link in _LINK.findall(text):
        address = link if "://" in link else f"http://{link}"
        try:
            host = urlsplit(address).hostname
        except ValueError:
            continue
        if host:
            yield host.rstrip(".")


def _hosts(given: Submission) -> list[str]:
    return [*link_hosts(given.author_url or ""), *link_hosts(given.text)]


def _covered(hosts: list[str], domains: tuple[str, ...]) -> str | None:
    """The first of ``domains`` that one of ``hosts`` is, or lies under."""
    for domain in domains:
        plain = domain.lower().strip().lstrip("*.")
        if any(host == plain or host.endswith("." + plain) for host in hosts):
            return domain
    return None


def _plain(text: str) -> str:
    return " ".join(fold(text).split())


def _rule(name: str, detail: str) -> Reason:
    return Reason(f"rule_{name}", detail, 0.0)
