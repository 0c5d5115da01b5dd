"""Schemas of the JSON API: what the OpenAPI document shows is what requests are checked against.

Usage::

    errors = mismatches(body, SCORE)         # [] or [{"pointer": "/comment/text", "detail": "is required"}]

The part of JSON Schema that is used here: type, required, properties, additionalProperties, items, enum, minLength,
maxLength, minItems, maxItems, minimum, maximum,
oneOf; a ``pattern`` is stated for clients, and what it asks for is checked where the value is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from spamfilter.labels.queue import ORDERS
from spamfilter.service.submission import LONGEST_ARTICLE, LONGEST_TEXT

__all__ = ["ARTICLE", "FEEDBACK", "PAGE", "QUEUE_QUERY", "RESPONSES", "SCORE", "Schema", "mismatches"]

Schema = dict[str, Any]
#: Comments of one request: more belong into batch scoring.
MOST_COMMENTS: Final = 200


def _text(longest: int, about: str, shortest: int = 0) -> Schema:
    return {
        "type": ["string", "null"] if not shortest else "string",
        "minLength": shortest,
        "maxLength": longest,
        "description": about,
    }


def _object(properties: Schema, required: tuple[str, ...] = (), about: str = "") -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "description": about,
    }


def _one_of(*names: str) -> Schema:
    return {"oneOf": [{"required": [name]} for name in names]}


_COMMENT_FIELDS: Final[Schema] = {
    "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "description": "What the commenter wrote."},
    "author": _text(2_000, "The name."),
    "author_url": _text(2_000, "The address behind the name."),
    "email": _text(500, "For the site's rules and trust; only a keyed digest is stored."),
    "ip": _text(100, "For the site's rules; not stored."),
    "date": _text(100, "When it was written, ISO 8601."),
    "id": _text(200, "The site's own id of the comment."),
    "kind": {"enum": ["comment", "pingback", "trackback"], "description": "Default: comment."},
}
_CONTEXT_FIELDS: Final[Schema] = {
    "permalink": _text(2_000, "Address of the article; one that is known need not be sent again."),
    "title": _text(2_000, "Title of the article."),
    "article": _text(LONGEST_ARTICLE, "Text of the article."),
}
COMMENT: Final = _object(_COMMENT_FIELDS, ("text",), "A comment.")
SCORE: Final = _object(
    {
        "comment": COMMENT,
        "comments": {"type": "array", "items": COMMENT, "minItems": 1, "maxItems": MOST_COMMENTS},
        **_CONTEXT_FIELDS,
        "record": {"type": "boolean", "description": "Keep it in the history and the queue. Default: true."},
    },
    about="One comment or several under the same article: give either comment or comments.",
) | _one_of("comment", "comments")
FEEDBACK: Final = _object(
    {
        "label": {"enum": ["spam", "ham"], "description": "What it is."},
        "id": _text(64, "The id that /v1/score gave, or X-akismet-guid.", 1),
        "queue_id": {"type": "integer", "minimum": 1, "maximum": 2**53, "description": "The id that /v1/queue gave."},
        "comment": COMMENT,
        **_CONTEXT_FIELDS,
        "who": _text(100, "Who decided."),
    },
    ("label",),
    "A decision about one comment: give id, queue_id or comment.",
) | _one_of("id", "queue_id", "comment")
ARTICLE: Final = _object(
    {
        "permalink": {"type": "string", "minLength": 1, "maxLength": 2_000, "description": "Its address."},
        "title": _CONTEXT_FIELDS["title"],
        "article": {"type": "string", "minLength": 1, "maxLength": LONGEST_ARTICLE, "description": "Its text."},
    },
    ("permalink", "article"),
    "An article, so that comments need only name its permalink.",
)
PAGE: Final = _object(
    {
        # Something that Python, too, does not count as a blank: an empty page is refused.
        "page": {"type": "string", "pattern": r"[^\s\x1c-\x1f\x85]", "description": "HTML or plain text."},
        "url": _text(2_000, "Address of the page."),
    },
    ("page",),
    "A whole page, taken apart and judged.",
)
QUEUE_QUERY: Final[dict[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 200},
    "offset": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    "order": {"type": "string", "enum": list(ORDERS)},
    "reason": {"type": "string", "minLength": 1, "maxLength": 60},
    "q": {"type": "string", "minLength": 1, "maxLength": 200},
}

_REASON: Final = _object(
    {"name": {"type": "string"}, "detail": {"type": "string"}, "weight": {"type": "number"}},
    ("name", "detail", "weight"),
)
_VERDICT_FIELDS: Final[Schema] = {
    "verdict": {"enum": ["spam", "unsure", "ham"]},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "reasons": {"type": "array", "items": _REASON},
    "model": {"type": "string"},
}
_RESULT: Final = _object(
    {
        "id": {"type": "string"},
        **_VERDICT_FIELDS,
        "answer": {"enum": ["spam", "unsure", "ham"], "description": "What to act on: ham in a dry run."},
        "decided_by": {"enum": ["model", "rule", "test"]},
        "discard": {"type": "boolean"},
        "dry_run": {"type": "boolean"},
    },
    ("id", "verdict", "probability", "reasons", "model", "answer", "decided_by", "discard", "dry_run"),
)
_WAITING: Final = _object(
    {
        "queue_id": {"type": "integer"},
        "text": {"type": "string"},
        **{name: {"type": ["string", "null"]} for name in ("author", "author_url", "permalink", "title", "article")},
        **{name: {**schema} for name, schema in _VERDICT_FIELDS.items()},
        "campaign": {"type": "integer"},
        "campaign_size": {"type": "integer"},
        "since": {"type": "string"},
    },
    ("queue_id", "text", "campaign", "campaign_size", "since"),
)
#: Schemas of answers, by name.
RESPONSES: Final[dict[str, Schema]] = {
    "Results": _object(
        {"results": {"type": "array", "items": _RESULT}, "model": {"type": "string"}}, ("results", "model")
    ),
    "Queue": _object({"items": {"type": "array", "items": _WAITING}, "total": {"type": "integer"}}, ("items", "total")),
    "Decision": _object(
        {"decision": {"type": "integer"}, "label": {"enum": ["spam", "ham"]}},
        ("decision", "label"),
        "Stored, on the disk.",
    ),
    "StoredArticle": _object(
        {"permalink": {"type": "string"}, "characters": {"type": "integer"}}, ("permalink", "characters")
    ),
    "ScoredPage": {"type": "object", "description": "As `spamfilter score` writes it."},
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {
                "type": "array",
                "items": _object({"pointer": {"type": "string"}, "detail": {"type": "string"}}, ("pointer", "detail")),
            },
        },
        "description": "RFC 9457 problem details.",
    },
}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def mismatches(value: Any, schema: Mapping[str, Any], pointer: str = "") -> list[dict[str, str]]:
    """Where ``value`` does not fit ``schema``: JSON pointer and what is wrong."""
    return [{"pointer": at, "detail": detail} for at, detail in _found(value, schema, pointer)]


def _found(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds or []
    if names and not any(_is(value, name) for name in names):
        yield at, f"must be {' or '.join(names)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield at, f"must be one of {', '.join(schema['enum'])}"
    elif isinstance(value, str):
        yield from _text_found(value, schema, at)
    elif isinstance(value, dict):
        yield from _object_found(value, schema, at)
    elif isinstance(value, list):
        yield from _list_found(value, schema, at)
    elif _is(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield at, f"must be {schema.get('minimum', '…')} to {schema.get('maximum', '…')}"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):  # JSON Schema: 1.0 is an integer
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _text_found(value: str, schema: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if len(value) < schema.get("minLength", 0):
        yield at, "must not be empty"
    if len(value) > schema.get("maxLength", len(value)):
        yield at, f"must have at most {schema['maxLength']:,} characters"


def _object_found(value: dict[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}/{name}", "is required"
    for name, inner in value.items():
        place = f"{at}/{name.replace('~', '~0').replace('/', '~1')[:100]}"
        if name in properties:
            yield from _found(inner, properties[name], place)
        elif schema.get("additionalProperties") is False:
            yield place, "is not known"
    if "oneOf" in schema and sum(not mismatches(value, one) for one in schema["oneOf"]) != 1:
        yield at, f"needs exactly one of {', '.join(one['required'][0] for one in schema['oneOf'])}"


def _list_found(value: list[Any], schema: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield at, f"must have {schema.get('minItems', 0)} to {schema.get('maxItems', '…')} entries"
        return
    for i, inner in enumerate(value):
        yield from _found(inner, schema.get("items", {}), f"{at}/{i}")
