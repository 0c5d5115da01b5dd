"""The moderation page: queue, history, decisions, overview; rendered here, working without scripts.

Usage::

    routes = page_routes()
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from spamfilter import __version__
from spamfilter.errors import SpamFilterError
from spamfilter.reasons import GROUPS
from spamfilter.service.charts import bar, columns
from spamfilter.service.desk import Desk
from spamfilter.service.forms import Form, NotAForm, read_form
from spamfilter.service.marks import marked, plain, quoted
from spamfilter.service.moderating import Moderating
from spamfilter.service.openapi import openapi_document
from spamfilter.service.policies import Policy
from spamfilter.service.problems import Problem
from spamfilter.service.sessions import Session, Sessions

__all__ = ["page_routes", "static_files"]

_HERE: Final = Path(__file__).parent
#: Comments in the list at once: as many as one looks through without turning the page.
_PAGE: Final = 30
#: Bytes of a form on these pages.
_FORM: Final = 64_000
_DAYS: Final = 30
_ORDERS: Final = {
    "uncertain": "Unsure first",
    "useful": "Most useful first",
    "newest": "Newest first",
    "oldest": "Oldest first",
}
_SINCE: Final = {"1": "Last day", "7": "Last 7 days", "30": "Last 30 days"}
_RULES: Final = (
    "rule_blocked_domain",
    "rule_blocked_phrase",
    "rule_too_many_links",
    "rule_language",
    "rule_first_comment",
)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"plain": plain, "ago": _ago, "words": _words, "moment": _moment, "percent": _percent}
    made.filters |= {"signed": _signed, "rules": _rules, "groupby_run": _runs}
    made.globals |= {"bar": bar, "version": __version__, "pairs": lambda names: [(name, name) for name in names]}
    return made


def _words(text: str, n: int = 140) -> str:
    line = " ".join(plain(text).split())
    return line if len(line) <= n else line[: n - 1].rstrip() + "…"


def _ago(moment: datetime) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {name}"
    return "now"


def _moment(moment: datetime) -> Markup:
    """The moment in UTC, as people and machines read it."""
    return Markup('<time datetime="{}">{} UTC</time>').format(moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M"))


def _percent(probability: float) -> str:
    """A probability in per cent; never 0 or 100, as a model is never sure."""
    percent = round(probability * 100)
    return "<1 %" if percent < 1 else ">99 %" if percent > 99 else f"{percent} %"


def _signed(weight: float) -> str:
    return f"{weight:+.1f}".replace("-", "\u2212")


def _rules(policy: Policy) -> list[str]:
    """What a site's policy has that is not the default, in a few words each."""
    blocked = any((policy.blocked_authors, policy.blocked_emails, policy.blocked_domains))
    found = {
        "dry run": policy.dry_run,
        f"spam from {policy.spam_cutoff}": policy.spam_cutoff is not None,
        f"unsure from {policy.unsure_cutoff}": policy.unsure_cutoff is not None,
        "unsure counts as spam": policy.unsure_answer == "spam",
        "allow-lists": bool(policy.allowed_authors or policy.allowed_emails or policy.allowed_domains),
        "block-lists": bool(blocked or policy.blocked_phrases or policy.blocked_ips),
        f"trust after {policy.trusted_after}": policy.trusted_after is not None,
        "first comments wait": policy.first_time == "unsure",
        f"at most {policy.max_links} links": policy.max_links is not None,
        f"written in {', '.join(policy.languages)}": bool(policy.languages),
    }
    return [words for words, holds in found.items() if holds]


def _runs(items: Iterable[Any], attribute: str) -> list[list[Any]]:
    """Neighbours with the same value of ``attribute`` together."""
    return [list(run) for _, run in groupby(items, attrgetter(attribute))]


_TEMPLATES: Final = _environment()


def static_files() -> StaticFiles:
    """Style sheet, script and icon."""
    return StaticFiles(directory=_HERE / "static")


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request of someone signed in."""

    request: Request
    desk: Desk
    session: Session
    moderating: Moderating

    def page(self, template: str, **more: Any) -> Response:
        person, desk = self.session.person, self.desk
        last = next((a for a in desk.journal.actions(person.name, limit=1)), None)
        values: dict[str, Any] = {
            "person": person,
            "csrf": self.session.csrf,
            "sites": desk.sites_of(person),
            "model": desk.models.now,
            "last": last if last and not last.undone else None,
            "path": self.request.url.path,
            "here": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "told": self.request.query_params.get("told", ""),
        }
        return _html(template, **values, **more)


def _html(template: str, status: int = 200, **values: Any) -> Response:
    text = _TEMPLATES.get_template(template).render(**values)
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


def page_routes() -> list[Route]:
    """The routes of the pages."""
    return [
        Route("/", _home, methods=["GET"]),
        Route("/sign-in", _sign_in, methods=["GET", "POST"]),
        Route("/sign-out", _posting(_sign_out), methods=["POST"]),
        Route("/queue", _reading(_queue), methods=["GET"]),
        Route("/decide", _posting(_decide), methods=["POST"]),
        Route("/correct", _posting(_correct), methods=["POST"]),
        Route("/undo", _posting(_undo), methods=["POST"]),
        Route("/decisions", _reading(_decisions), methods=["GET"]),
        Route("/history", _reading(_history), methods=["GET"]),
        Route("/overview", _reading(_overview), methods=["GET"]),
        Route("/docs", _docs, methods=["GET"]),
    ]


async def _home(request: Request) -> Response:
    return RedirectResponse("/queue", 303)


def _sessions(request: Request) -> Sessions:
    state = request.app.state
    if not hasattr(state, "sessions"):
        state.sessions = Sessions(state.desk)
    sessions: Sessions = state.sessions
    return sessions


def _visit(request: Request) -> _Visit | None:
    session = _sessions(request).of(request)
    desk: Desk = request.app.state.desk
    return _Visit(request, desk, session, Moderating(desk, session.person)) if session else None


def _reading(answer: Callable[[_Visit], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = _visit(request)
        if visit is None:
            return RedirectResponse("/sign-in", 303)
        return await asyncio.to_thread(answer, visit)

    return endpoint


def _posting(answer: Callable[[_Visit, Form], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = _visit(request)
        if visit is None:
            return RedirectResponse("/sign-in", 303)
        form = await _form(request)
        _sessions(request).check(visit.session, form)
        try:
            return await answer(visit, form)
        except SpamFilterError as error:
            return _back(form, str(error))

    return endpoint


async def _form(request: Request) -> Form:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem("forbidden", "forms are taken from this site's own pages alone")
    try:
        return await read_form(request, _FORM, request.app.state.desk.settings.body_seconds)
    except NotAForm as error:
        raise Problem("bad-request", str(error)) from error


def _back(form: Form, told: str) -> Response:
    """Back to where the form was, with a word on what was done."""
    path, _, query = (form.get("back") or "/queue").partition("?")
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        path = "/queue"
    kept = [part for part in query.split("&") if part and not part.startswith(("told=", "item="))]
    if form.get("next"):
        kept.append(urlencode({"item": form.get("next")}))
    return RedirectResponse(f"{path}?{'&'.join([*kept, urlencode({'told': told})])}", 303)


async def _sign_in(request: Request) -> Response:
    if request.method == "GET":
        return RedirectResponse("/queue", 303) if _visit(request) else _html("sign_in.html", wrong=None, name="")
    form = await _form(request)
    name = form.get("name") or ""
    try:
        token = await _sessions(request).sign_in(request, name, form.get("password") or "")
    except Problem as problem:
        return _html("sign_in.html", 429, wrong=problem.detail, name=name)
    if token is None:
        return _html("sign_in.html", 403, wrong="Name or password is wrong.", name=name)
    response = RedirectResponse("/queue", 303)
    _sessions(request).set_cookie(request, response, token)
    return response


async def _sign_out(visit: _Visit, form: Form) -> Response:
    await _sessions(visit.request).sign_out(visit.request)
    response = RedirectResponse("/sign-in", 303)
    _sessions(visit.request).set_cookie(visit.request, response, None)
    return response


def _chosen(visit: _Visit) -> dict[str, Any]:
    """The filters in the address, those that make sense."""
    given = visit.request.query_params
    sites, limited = visit.desk.sites_of(visit.session.person), bool(visit.session.person.sites)
    site = given.get("site") if given.get("site") in sites else (sites[0] if limited and sites else None)
    return {
        "site": site,
        "reason": given.get("reason") if given.get("reason") in _reason_names() else None,
        "q": (given.get("q") or "").strip()[:200] or None,
        "since": given.get("since") if given.get("since") in _SINCE else None,
        "order": given.get("order") if given.get("order") in _ORDERS else "uncertain",
        "campaign": _number(given.get("campaign")),
        "offset": _number(given.get("offset")) or 0,
        "label": given.get("label") if given.get("label") in ("spam", "unsure", "ham") else None,
    }


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def _reason_names() -> dict[str, str]:
    """Reasons to filter by: name → what it says."""
    names = {spam: words for spam, words, _, _ in GROUPS.values()}
    return names | {rule: rule.removeprefix("rule_").replace("_", " ").capitalize() + " (rule)" for rule in _RULES}


def _address(path: str, chosen: dict[str, Any], **more: Any) -> str:
    kept = {k: v for k, v in {**chosen, **more}.items() if v and not (k == "order" and v == "uncertain")}
    return f"{path}?{urlencode(kept)}" if kept else path


def _queue(visit: _Visit) -> Response:
    chosen, queue = _chosen(visit), visit.desk.labels.queue
    since = datetime.now(UTC) - timedelta(days=int(chosen["since"])) if chosen["since"] else None
    filters = {
        **{"site": chosen["site"], "reason": chosen["reason"], "query": chosen["q"]},
        **{"since": since, "campaign": chosen["campaign"]},
    }
    total = queue.count(**filters)
    items = [
        i
        for i in queue.pending(chosen["order"], limit=_PAGE, offset=chosen["offset"], **filters)
        if visit.moderating.may_see(i)
    ]
    wanted = _number(visit.request.query_params.get("item"))
    place = next((n for n, item in enumerate(items) if item.id == wanted), 0)
    item = visit.moderating.explained(items[place]) if items else None
    after = items[place + 1] if place + 1 < len(items) else items[place - 1] if place else None
    terms = quoted(item.verdict.reasons) if item and item.verdict else {}
    shared = {t: k for t, k in terms.items() if k == "ham"}
    return visit.page(
        "queue.html",
        **{"items": items, "item": item, "place": place, "total": total, "chosen": chosen, "size": _PAGE},
        **{"orders": _ORDERS, "sinces": _SINCE, "reasons": _reason_names()},
        next_id=after.id if after and item and after.id != item.id else None,
        text=marked(item.comment.text, terms) if item else "",
        article=marked(item.context.article, shared, links=False) if item else "",
        link=lambda **more: _address("/queue", chosen, **more),
    )


async def _decide(visit: _Visit, form: Form) -> Response:
    label = form.get("label")
    if label not in ("spam", "ham"):
        raise Problem("bad-request", "label must be spam or ham")
    campaign = _number(form.get("campaign"))
    if campaign is not None:
        numbers = [item.id for item in await asyncio.to_thread(visit.moderating.campaign, campaign)]
    else:
        numbers = [n for n in map(_number, form.values("item")) if n is not None]
    await visit.moderating.decide(numbers, "spam" if label == "spam" else "ham")
    what = "1 comment" if len(numbers) == 1 else f"{len(numbers)} comments"
    return _back(form, f"{what} {'marked as spam' if label == 'spam' else 'approved'}.")


async def _correct(visit: _Visit, form: Form) -> Response:
    label = form.get("label")
    if label not in ("spam", "ham"):
        raise Problem("bad-request", "label must be spam or ham")
    await visit.moderating.correct(form.get("site") or "", form.get("guid") or "", "spam" if label == "spam" else "ham")
    return _back(form, f"1 comment {'marked as spam' if label == 'spam' else 'approved'}.")


async def _undo(visit: _Visit, form: Form) -> Response:
    n = await visit.moderating.undo(form.get("batch") or "")
    return _back(form, f"Undone: {n} waiting again." if n else "There was nothing left to undo.")


def _decisions(visit: _Visit) -> Response:
    return visit.page("decisions.html", actions=visit.desk.journal.actions(visit.session.person.name))


def _history(visit: _Visit) -> Response:
    chosen = _chosen(visit)
    sites = [chosen["site"]] if chosen["site"] else visit.desk.sites_of(visit.session.person)
    since = datetime.now(UTC).timestamp() - int(chosen["since"]) * 86400 if chosen["since"] else 0.0
    found = visit.desk.journal.history(
        sites or [""],
        label=chosen["label"],
        reason=chosen["reason"],
        query=chosen["q"],
        since=since,
        limit=_PAGE + 1,
        offset=chosen["offset"],
    )
    shown = [(visit.desk.judge.explain(e), visit.moderating.decided(e)) for e in found[:_PAGE]]
    return visit.page(
        "history.html",
        **{"entries": shown, "more": len(found) > _PAGE, "chosen": chosen, "size": _PAGE},
        **{"sinces": _SINCE, "reasons": _reason_names(), "marked": marked},
        link=lambda **more: _address("/history", chosen, **more),
    )


def _overview(visit: _Visit) -> Response:
    chosen = _chosen(visit)
    sites = [chosen["site"]] if chosen["site"] else visit.desk.sites_of(visit.session.person)
    today = datetime.now(UTC).date()
    days = [(today - timedelta(days=n)).isoformat() for n in reversed(range(_DAYS))]
    by_day: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    by_site: dict[str, dict[str, int]] = {}
    for day in visit.desk.journal.days(sites or [""], days[0]):
        for counts in (by_day.setdefault(day.day, {}), totals, by_site.setdefault(day.site, {})):
            counts[day.kind] = counts.get(day.kind, 0) + day.n
    return visit.page(
        "overview.html",
        **{"chart": columns(by_day, days), "by_day": by_day, "days": days, "totals": totals, "by_site": by_site},
        **{"chosen": chosen, "waiting": visit.desk.labels.queue.count(site=chosen["site"])},
        policies={name: visit.desk.settings.sites[name].policy for name in sites if name in visit.desk.settings.sites},
    )


async def _docs(request: Request) -> Response:
    return _html("docs.html", document=openapi_document(__version__))
