"""Akismet's protocol, so that software that speaks it can be pointed here.

Usage::

    routes = akismet_routes()        # /1.1/verify-key, /1.1/comment-check, …

Answers are plain text without a trailing newline and with status 200, also for a wrong key; debug headers are
sent only on failure.  Fields beyond Akismet's own: ``comment_post_content`` (the article's text) and
``comment_post_title``.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spamfilter.errors import SpamFilterError
from spamfilter.records import CommentKind
from spamfilter.service.config import Site
from spamfilter.service.desk import Desk
from spamfilter.service.forms import Form, NotAForm, read_form
from spamfilter.service.ids import new_id
from spamfilter.service.problems import Problem
from spamfilter.service.submission import Submission

__all__ = ["akismet_routes"]

THANKS: Final = "Thanks for making the web a better place."
_SPAM_AUTHORS: Final = ("akismet-guaranteed-spam", "viagra-test-123")
_SPAM_EMAIL: Final = "akismet-guaranteed-spam@example.com"
_TRUE: Final = ("1", "true")
_KINDS: Final[dict[str, CommentKind]] = {"pingback": "pingback", "trackback": "trackback"}


@dataclass(frozen=True, slots=True)
class _Call:
    """One request whose key is good."""

    desk: Desk
    site: Site
    form: Form

    @property
    def test(self) -> bool:
        return (self.form.get("is_test") or "").strip().lower() in _TRUE


class _Failed(Exception):
    """The protocol's way of saying no: "invalid" and why."""


Answer = Callable[[_Call], Awaitable[Response]]


def akismet_routes() -> list[Route]:
    """The routes of the protocol."""
    answers: dict[str, tuple[Answer, list[str]]] = {
        "/1.1/verify-key": (_verify_key, ["POST"]),
        "/1.1/comment-check": (_comment_check, ["POST"]),
        "/1.1/submit-spam": (_submit_spam, ["POST"]),
        "/1.1/submit-ham": (_submit_ham, ["POST"]),
        "/1.1/deactivate": (_deactivate, ["POST"]),
        "/1.1/get-subscription": (_get_subscription, ["POST"]),
        "/1.1/get-stats": (_get_stats, ["POST"]),
        "/1.2/usage-limit": (_usage_limit, ["GET", "POST"]),
        "/1.2/key-sites": (_key_sites, ["GET", "POST"]),
    }
    return [Route(path, _endpoint(answer), methods=methods) for path, (answer, methods) in answers.items()]


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        desk: Desk = request.app.state.desk
        try:
            limits = desk.settings
            form = await read_form(request, limits.max_body, limits.body_seconds)
            site = _site(desk, request, form)
            if site is None:
                raise _Failed("The key is not known here, or missing.")
            request.state.site = site.name
            return await answer(_Call(desk, site, form))
        except (_Failed, NotAForm) as failure:
            return _plain("invalid", {"X-akismet-debug-help": _header(str(failure))})
        except Problem as problem:
            return _plain(
                "invalid", {"X-akismet-debug-help": _header(problem.detail), **problem.headers}, problem.status
            )

    return endpoint


def _site(desk: Desk, request: Request, form: Form) -> Site | None:
    """The site whose key was given: in the form or query, as user name, or as the first label of the host."""
    host = request.headers.get("host", "").partition(".")[0]
    for key in (form.get("api_key"), form.get("key"), _user(request), host):
        if key:
            return desk.site_of(key.strip())
    return None


def _user(request: Request) -> str | None:
    """The user name of "http://KEY:x@host/1.1/…", for clients whose address alone can be set."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(value).decode().partition(":")[0] if kind.lower() == "basic" else None
    except ValueError:
        return None


def _plain(text: str, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    return PlainTextResponse(text, status, headers)


def _header(text: str) -> str:
    """``text`` as a header takes it: one line of ASCII."""
    return " ".join(text.encode("ascii", "replace").decode().split())[:300]


async def _verify_key(call: _Call) -> Response:
    if not call.form.get("blog"):
        raise _Failed('Empty "blog" value')
    return _plain("valid")


async def _comment_check(call: _Call) -> Response:
    form = call.form
    _need(form, "blog", "user_ip")
    if _guaranteed_spam(form):
        return _plain("true", {"X-akismet-guid": new_id()})
    if form.get("user_role") == "administrator":
        return _plain("false", {"X-akismet-guid": new_id()})
    try:
        given, kept = [_submission(form)], not call.test
        done = (await call.desk.judge.judge(call.site, given, "akismet", record=kept, explained=False))[0]
    except SpamFilterError as error:
        raise Problem("overloaded", str(error), {"Retry-After": "1"}) from error
    headers = {"X-akismet-guid": done.guid}
    judged = done.judgement
    spam = judged.answer == "spam" or (judged.answer == "unsure" and call.site.policy.unsure_answer == "spam")
    if spam and judged.discard:
        headers["X-akismet-pro-tip"] = "discard"
    return _plain("true" if spam else "false", headers)


def _need(form: Form, *names: str) -> None:
    for name in names:
        if not form.get(name):
            raise _Failed(f"Missing required field: {name}.")


def _guaranteed_spam(form: Form) -> bool:
    email = (form.get("comment_author_email") or "").strip().lower()
    if (form.get("comment_author") or "").strip() in _SPAM_AUTHORS or email == _SPAM_EMAIL:
        return True
    trap = form.get("honeypot_field_name")
    return bool(trap and form.get(trap))


def _submission(form: Form) -> Submission:
    kind = form.get("comment_type") or form.get("content_type") or "comment"
    context = "\n".join(form.values("comment_context"))
    article = form.get("comment_post_content")
    return Submission(
        text=form.get("comment_content") or "",
        author=form.get("comment_author"),
        author_url=form.get("comment_author_url"),
        email=form.get("comment_author_email"),
        ip=form.get("user_ip"),
        permalink=form.get("permalink"),
        # Akismet's context is a few tags: too little for an article, and just what a title is.
        title=form.get("comment_post_title") or context or None,
        article=article,
        kind=_KINDS.get(kind.strip().lower(), "comment"),
        date=form.get("comment_date_gmt"),
    )


async def _submit_spam(call: _Call) -> Response:
    return await _submit(call, "spam")


async def _submit_ham(call: _Call) -> Response:
    return await _submit(call, "ham")


async def _submit(call: _Call, label: Any) -> Response:
    _need(call.form, "blog")
    given = _submission(call.form)
    if not call.test and given.text.strip() and not _guaranteed_spam(call.form):
        who = call.form.get("reporter") or f"key of {call.site.name}"
        try:
            await call.desk.judge.feedback(call.site, given, label, who=who[:100], source="akismet")
        except SpamFilterError as error:
            raise Problem("overloaded", str(error), {"Retry-After": "5"}) from error
    return _plain(THANKS)


async def _usage_limit(call: _Call) -> Response:
    used = sum(counts.get("calls", 0) for counts in _months(call, _this_month()).values())
    return JSONResponse({"limit": "none", "usage": used, "percentage": "0", "throttled": False})


async def _deactivate(call: _Call) -> Response:
    """WordPress's plugin gives its key up: the key is the operator's and stays good, the plugin wants the word."""
    return _plain("deactivated")


async def _get_subscription(call: _Call) -> Response:
    """What WordPress's plugin asks before it shows itself as connected."""
    return JSONResponse(
        {
            "account_id": call.site.name,
            "account_name": call.site.name,
            "account_type": "",
            "status": "active",
            "limit_reached": False,
            "next_billing_date": None,
            "is_enterprise": False,
        }
    )


async def _get_stats(call: _Call) -> Response:
    since = (
        "0000" if call.form.get("from") == "all" else date.fromordinal(datetime.now(UTC).toordinal() - 183).isoformat()
    )
    counts = _counted(call, since)
    spam, ham = counts.get("spam", 0), counts.get("ham", 0) + counts.get("unsure", 0)
    missed, alarms = counts.get("missed", 0), counts.get("false_alarm", 0)
    right = 100.0 * (1 - (missed + alarms) / (spam + ham)) if spam + ham else 100.0
    return JSONResponse(
        {
            **{"spam": spam, "ham": ham, "missed_spam": missed, "false_positives": alarms, "accuracy": round(right, 2)},
            **{"time_saved": 0, "breakdown": {}},
        }
    )


async def _key_sites(call: _Call) -> Response:
    month = call.form.get("month") or _this_month()
    counts = _months(call, month).get(month, {})
    shown = (call.form.get("filter") or "").lower() in call.site.url.lower()
    limit, offset = _number(call.form.get("limit"), 500), _number(call.form.get("offset"), 0)
    sites = [_site_row(call.site, counts)] if shown else []
    page = sites[offset : offset + limit]
    if call.form.get("format") == "csv":
        return _csv(page, month, limit, offset, len(sites))
    return JSONResponse({month: page, "limit": limit, "offset": offset, "total": len(sites)})


def _site_row(site: Site, counts: dict[str, int]) -> dict[str, Any]:
    ham = counts.get("ham", 0) + counts.get("unsure", 0)
    numbers = {"api_calls": counts.get("calls", 0), "spam": counts.get("spam", 0), "ham": ham}
    wrong = {"missed_spam": counts.get("missed", 0), "false_positives": counts.get("false_alarm", 0)}
    named = {"site": site.url.partition("://")[2].rstrip("/")}
    return {**named, **{k: str(v) for k, v in {**numbers, **wrong}.items()}, "is_revoked": False}


def _csv(rows: list[dict[str, Any]], month: str, limit: int, offset: int, total: int) -> Response:
    out = io.StringIO()
    out.write(f"Active sites for this key during {month} (limit:{limit}, offset: {offset}, total: {total})\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked"])
    writer.writerows([*list(row.values())[:-1], str(row["is_revoked"]).lower()] for row in rows)
    return Response(out.getvalue(), media_type="text/csv")


def _months(call: _Call, month: str) -> dict[str, dict[str, int]]:
    """Counts by month since ``month``."""
    out: dict[str, dict[str, int]] = {}
    for day in call.desk.journal.days([call.site.name], f"{month}-01"):
        counts = out.setdefault(day.day[:7], {})
        counts[day.kind] = counts.get(day.kind, 0) + day.n
        if day.kind in ("spam", "unsure", "ham"):
            counts["calls"] = counts.get("calls", 0) + day.n
    return out


def _counted(call: _Call, since: str) -> dict[str, int]:
    out: dict[str, int] = {}
    for day in call.desk.journal.days([call.site.name], since):
        out[day.kind] = out.get(day.kind, 0) + day.n
    return out


def _this_month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")


def _number(text: str | None, default: int) -> int:
    return min(int(text), 10_000) if text and text.isdecimal() and text.isascii() and len(text) < 9 else default
