"""The JSON API: score comments and pages, give feedback, read the queue, leave articles.

Usage::

    routes = api_routes()

Every request carries a site's key as ``Authorization: Bearer KEY`` and sees that site alone.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spamfilter.errors import DataError, InputError, SpamFilterError
from spamfilter.labels import Pending
from spamfilter.records import Comment, Page, ScoredPage, Verdict
from spamfilter.service import schemas
from spamfilter.service.config import Site
from spamfilter.service.desk import Desk
from spamfilter.service.forms import read_body
from spamfilter.service.judging import Judged
from spamfilter.service.problems import KINDS, Problem
from spamfilter.service.submission import Submission

__all__ = ["api_routes"]

_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}")
Endpoint = Callable[["_Call"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Call:
    """One request whose key is good."""

    request: Request
    desk: Desk
    site: Site

    async def body(self, schema: schemas.Schema, limit: int) -> dict[str, Any]:
        """The JSON body, checked."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem("unsupported-media-type", "send the body as application/json")
        data = await read_body(self.request, limit, self.desk.settings.body_seconds)
        try:
            value = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Problem("bad-request", f"the body is not JSON in UTF-8: {error}") from error
        if errors := schemas.mismatches(value, schema):
            raise Problem("invalid", f"{errors[0]['pointer'] or 'the body'} {errors[0]['detail']}", errors=errors[:20])
        return dict(value)


def api_routes() -> list[Route]:
    """The routes of the API."""
    return [
        Route("/v1/score", _endpoint(_score), methods=["POST"]),
        Route("/v1/pages", _endpoint(_pages), methods=["POST"]),
        Route("/v1/feedback", _endpoint(_feedback), methods=["POST"]),
        Route("/v1/articles", _endpoint(_articles), methods=["PUT"]),
        Route("/v1/queue", _endpoint(_queue), methods=["GET"]),
        Route("/problems/{slug}", _problem, methods=["GET"]),
    ]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _endpoint(answer: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(_call(request))
        except InputError as error:
            raise Problem("invalid", str(error)) from error
        except SpamFilterError as error:
            raise Problem("overloaded", str(error), {"Retry-After": "1"}) from error

    return endpoint


def _call(request: Request) -> _Call:
    desk: Desk = request.app.state.desk
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    site = desk.site_of(key.strip()) if scheme.lower() == "bearer" else None
    if site is None:
        detail = "send your site's key in the header: Authorization: Bearer KEY"
        raise Problem("unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="spamfilter"'})
    request.state.site = site.name
    return _Call(request, desk, site)


def _submission(comment: Mapping[str, Any], context: Mapping[str, Any]) -> Submission:
    return Submission(
        text=comment["text"],
        author=comment.get("author"),
        author_url=comment.get("author_url"),
        email=comment.get("email"),
        ip=comment.get("ip"),
        permalink=context.get("permalink"),
        title=context.get("title"),
        article=context.get("article"),
        kind=comment.get("kind", "comment"),
        date=comment.get("date"),
        external_id=comment.get("id"),
    )


async def _score(call: _Call) -> Response:
    body = await call.body(schemas.SCORE, call.desk.settings.max_body)
    given = [_submission(c, body) for c in body.get("comments") or [body["comment"]]]
    done = await call.desk.judge.judge(call.site, given, "api", record=body.get("record", True))
    return JSONResponse({"results": [_result(d) for d in done], "model": done[0].judgement.model})


def _result(done: Judged) -> dict[str, Any]:
    judged = done.judgement
    return {
        "id": done.guid,
        **_verdict(judged.verdict()),
        "answer": judged.answer,
        "decided_by": judged.by,
        "discard": judged.discard,
        "dry_run": judged.dry_run,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    reasons = [{"name": r.name, "detail": r.detail, "weight": round(r.weight, 4)} for r in verdict.reasons]
    return {
        "verdict": verdict.label,
        "probability": round(verdict.probability, 6),
        "reasons": reasons,
        "model": verdict.model,
    }


async def _pages(call: _Call) -> Response:
    body = await call.body(schemas.PAGE, call.desk.settings.max_page)
    scored = await asyncio.to_thread(_scored_page, call, body["page"], body.get("url"))
    return JSONResponse(scored.to_dict())


def _scored_page(call: _Call, source: str, url: str | None) -> ScoredPage:
    from spamfilter.segment import split_page

    used = call.desk.models.now
    page: Page = split_page(source, url)
    cutoffs = call.site.policy.cutoffs(used.cutoffs)
    scored = used.scorer.score_split(page)
    return replace(scored, verdicts=tuple(replace(v, label=cutoffs.label(v.probability)) for v in scored.verdicts))


async def _feedback(call: _Call) -> Response:
    body = await call.body(schemas.FEEDBACK, call.desk.settings.max_body)
    key = call.request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem("bad-request", "an Idempotency-Key has 1 to 200 letters, digits and the signs . _ : -")
    # Every site has its own keys: one cannot guess, or block, another's.
    key = f"{call.site.name}:{key}" if key else None
    who = body.get("who") or f"key of {call.site.name}"
    try:
        seq = await _decided(call, body, who, key)
    except DataError as error:
        raise Problem("conflict" if "key" in str(error) else "invalid", str(error)) from error
    return JSONResponse({"decision": seq, "label": body["label"]})


async def _decided(call: _Call, body: Mapping[str, Any], who: str, key: str | None) -> int:
    desk, site, label = call.desk, call.site, body["label"]
    if body.get("queue_id") is not None:
        number = int(body["queue_id"])
        if desk.labels.queue.get(number, site=site.name) is None:
            raise Problem("not-found", f"there is no comment {number} in this site's queue")
        resolve = desk.writer.queue.resolve
        return await desk.ledger.call(lambda: resolve(number, label, who, source="api", site=site.name, key=key))
    given = _submission(body["comment"], body) if body.get("comment") else await _seen(call, body["id"])
    return await desk.judge.feedback(site, given, label, who=who, source="api", key=key)


async def _seen(call: _Call, guid: str) -> Submission:
    seen = call.desk.journal.seen(guid, call.site.name)
    if seen is None:
        await call.desk.ledger.flushed()
        seen = call.desk.journal.seen(guid, call.site.name)
    if seen is None:
        raise Problem("not-found", "no comment with this id was judged for this site lately; send the comment itself")
    return seen.given


async def _articles(call: _Call) -> Response:
    body = await call.body(schemas.ARTICLE, call.desk.settings.max_body)
    if not body["permalink"].strip():
        raise Problem("invalid", "the permalink is blank")
    await call.desk.articles.remember(call.site.name, body["permalink"], body.get("title"), body["article"])
    return JSONResponse({"permalink": body["permalink"], "characters": len(body["article"])})


async def _queue(call: _Call) -> Response:
    given = _query(call.request)
    filters: dict[str, Any] = {"site": call.site.name, "reason": given.get("reason"), "query": given.get("q")}
    queue, order = call.desk.labels.queue, given.get("order", "uncertain")
    limit, offset = given.get("limit", 50), given.get("offset", 0)
    items = await asyncio.to_thread(lambda: queue.pending(order, limit=limit, offset=offset, **filters))
    total = await asyncio.to_thread(lambda: queue.count(**filters))
    return JSONResponse({"items": [_waiting(item) for item in items], "total": total})


def _query(request: Request) -> dict[str, Any]:
    """The parameters of the queue, checked."""
    out: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        schema = schemas.QUEUE_QUERY.get(name)
        if schema is None:
            raise Problem("invalid", f"unknown parameter {name[:60]!r}; there are {', '.join(schemas.QUEUE_QUERY)}")
        value: Any = text
        if schema["type"] == "integer":
            value = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text
        if errors := schemas.mismatches(value, schema):
            raise Problem("invalid", f"{name} {errors[0]['detail']}")
        out[name] = value
    return out


def _waiting(item: Pending) -> dict[str, Any]:
    comment: Comment = item.comment
    return {
        "queue_id": item.id,
        "text": comment.text,
        "author": comment.author,
        "author_url": comment.author_url,
        "permalink": item.context.permalink,
        "title": item.context.title,
        "article": item.context.article,
        **(_verdict(item.verdict) if item.verdict else {}),
        "campaign": item.campaign,
        "campaign_size": item.campaign_size,
        "since": item.at.isoformat(),
    }


async def _problem(request: Request) -> Response:
    found = KINDS.get(request.path_params["slug"])
    if found is None:
        raise Problem("not-found", "there is no such kind of problem")
    return PlainTextResponse(f"{found[1]} (status {found[0]}). The detail of each answer says what was wrong.\n")
