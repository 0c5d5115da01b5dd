"""The OpenAPI document of the JSON API and of Akismet's endpoints.

Usage::

    document = openapi_document(version)         # a dict, OpenAPI 3.1
"""

from __future__ import annotations

from typing import Any, Final

from spamfilter.service import schemas
from spamfilter.service.problems import KINDS

__all__ = ["openapi_document"]

_KEYED: Final = ("unauthorized", "internal", "overloaded")
_BODY: Final = ("bad-request", "too-slow", "too-large", "unsupported-media-type", "invalid")
_DOCUMENT: Final = {
    "openapi": "3.1.0",
    "info": {
        "title": "spamfilter",
        "summary": "Finds spam and off-topic comments, with reasons.",
        "description": "A site's key sees that site alone. Errors are RFC 9457 problem details.",
    },
    "security": [{"key": []}],
}
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._:-]+$"},
    "description": "The same key is stored once, however often it is sent.",
}


def openapi_document(version: str) -> dict[str, Any]:
    """The document as JSON takes it."""
    return {
        **_DOCUMENT,
        "info": {**_DOCUMENT["info"], "version": version},  # type: ignore[dict-item]
        "paths": {**_api_paths(), **_akismet_paths(), **_health_paths()},
        "components": {
            "schemas": schemas.RESPONSES,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key of the site."}},
        },
    }


def _api_paths() -> dict[str, Any]:
    feedback = _posting("Say what a comment is", schemas.FEEDBACK, "Decision", ("not-found", "conflict"))
    feedback["parameters"] = [_IDEMPOTENCY]
    queue = {
        "summary": "Comments that wait for a decision",
        "operationId": "queue",
        "tags": ["JSON API"],
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in schemas.QUEUE_QUERY.items()
        ],
        "responses": {"200": _json("Queue"), **_problems((*_KEYED, "invalid"))},
    }
    return {
        "/v1/score": {"post": _posting("Judge one comment, or several under one article", schemas.SCORE, "Results")},
        "/v1/pages": {"post": _posting("Take a page apart and judge its comments", schemas.PAGE, "ScoredPage")},
        "/v1/feedback": {"post": feedback},
        "/v1/articles": {"put": _posting("Leave an article, for comments to name", schemas.ARTICLE, "StoredArticle")},
        "/v1/queue": {"get": queue},
    }


def _posting(summary: str, schema: schemas.Schema, answer: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "summary": summary,
        "description": schema.get("description", ""),
        "operationId": answer[0].lower() + answer[1:],
        "tags": ["JSON API"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": _json(answer), **_problems((*_KEYED, *_BODY, *more))},
    }


def _json(name: str) -> dict[str, Any]:
    return {
        "description": name,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


def _problems(slugs: tuple[str, ...]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        str(KINDS[slug][0]): {
            "description": KINDS[slug][1],
            "content": {"application/problem+json": {"schema": schema}},
        }
        for slug in sorted(slugs, key=lambda s: KINDS[s][0])
    }


_FIELDS: Final = {
    "api_key": "The key of the site; also taken from key, the query, or the first label of the host.",
    "blog": "Address of the site.",
    "user_ip": "IP address of the commenter.",
    "comment_content": "The comment.",
    "comment_author": "Name.",
    "comment_author_email": "E-mail address.",
    "comment_author_url": "Address behind the name.",
    "comment_type": "comment, forum-post, reply, blog-post, contact-form, signup, message, pingback, trackback.",
    "permalink": "Address of the article; the article is looked up by it.",
    "comment_post_title": "Beyond Akismet: title of the article.",
    "comment_post_content": "Beyond Akismet: text of the article.",
    "user_role": "administrator is always ham.",
    "is_test": "1 or true: judged, not recorded.",
    "honeypot_field_name": "Name of a hidden field; filled in, it tells spam.",
}
_AKISMET: Final = {
    "/1.1/verify-key": ("Is the key good?", ("valid", "invalid")),
    "/1.1/comment-check": ("Is the comment spam?", ("true", "false", "invalid")),
    "/1.1/submit-spam": ("It was spam.", ("Thanks for making the web a better place.", "invalid")),
    "/1.1/submit-ham": ("It was not spam.", ("Thanks for making the web a better place.", "invalid")),
}


_KEY_QUERY: Final = {"name": "api_key", "in": "query", "required": False, "schema": {"type": "string"}}
_NUMBER: Final = {"type": "integer", "minimum": 0}
_COUNTED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "/1.2/usage-limit": (
        "How much has been asked this month?",
        {
            "limit": {"const": "none"},
            "usage": _NUMBER,
            "percentage": {"type": "string"},
            "throttled": {"type": "boolean"},
        },
    ),
    "/1.2/key-sites": (
        "What the site of the key asked in a month, under the month's name",
        {"limit": _NUMBER, "offset": _NUMBER, "total": _NUMBER},
    ),
}


def _counted_paths() -> dict[str, Any]:
    invalid = {"text/plain": {"schema": {"const": "invalid"}}}
    failed = {"description": "Too slow, too large or too much at once", "content": invalid}
    out: dict[str, Any] = {}
    for path, (summary, fields) in _COUNTED.items():
        numbers = {"type": "object", "properties": fields, "required": list(fields)}
        answer = {
            "description": "the numbers, or invalid",
            "content": {"application/json": {"schema": numbers}, **invalid},
        }
        name = path.rpartition("/")[2].replace("-", "_")
        common = {"summary": summary, "tags": ["Akismet"], "security": [], "parameters": [_KEY_QUERY]}
        out[path] = {
            "get": {**common, "operationId": name, "responses": {"200": answer}},
            "post": {
                **common,
                "operationId": f"post_{name}",
                "responses": {"200": answer, **dict.fromkeys(("408", "413", "503"), failed)},
            },
        }
    return out


def _akismet_paths() -> dict[str, Any]:
    out: dict[str, Any] = _counted_paths()
    form = {"type": "object", "properties": {k: {"type": "string", "description": v} for k, v in _FIELDS.items()}}
    for path, (summary, answers) in _AKISMET.items():
        text = {"type": "string", "enum": list(answers)}
        failed = {"description": "Too slow, too large or too much at once", "content": {"text/plain": {"schema": text}}}
        out[path] = {
            "post": {
                "summary": summary,
                "operationId": path.rpartition("/")[2].replace("-", "_"),
                "tags": ["Akismet"],
                "security": [],
                "requestBody": {"required": False, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
                "responses": {
                    "200": {"description": " or ".join(answers), "content": {"text/plain": {"schema": text}}},
                    **dict.fromkeys(("408", "413", "503"), failed),
                },
            }
        }
    return out


def _health_paths() -> dict[str, Any]:
    plain = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        path: {
            "get": {
                "summary": summary,
                "operationId": path[1:],
                "tags": ["Operations"],
                "security": [],
                "responses": {"200": {"description": "yes", **plain}, **more},
            }
        }
        for path, summary, more in (
            ("/healthz", "Is the process alive?", {}),
            ("/readyz", "Can it answer?", {"503": {"description": "no, and why", **plain}}),
        )
    }
