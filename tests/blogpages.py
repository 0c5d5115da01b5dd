"""Pages in WordPress's form for the tests of files, batch and command line; every text written for this project."""

import gzip
import html
import uuid
from collections.abc import Sequence

TITLE = "Repairing a leaking bicycle inner tube"
ARTICLE = (
    "Last Sunday the rear wheel of my touring bicycle went flat for the third time in a month. This time I took the "
    "tyre off completely, inflated the inner tube and held it under water in the kitchen sink.",
    "Small bubbles showed a hole next to the valve. I dried the rubber, roughened it with sandpaper, spread the "
    "vulcanising fluid thinly and waited five minutes before pressing the patch on with both thumbs.",
    "Before mounting the tyre again I ran my fingers along the inside and found the culprit: a thin piece of wire from "
    "a street sweeper's brush. Checking the rim tape took another minute, and the tube has held its pressure since.",
)
HAM = (
    ("Ingrid", "The wire from the street sweeper got me twice last winter. Now I always check the inside of the tyre."),
    ("Tomasz", "I never wait the five minutes for the vulcanising fluid, maybe that is why my patches come off."),
)
SPAM = (
    (
        "cheap pills online",
        "Buy viagra and cialis without prescription, best casino bonus, cheap replica watches! Visit "
        "http://cheap-pills.example/buy and http://casino-bonus.example/win now for 90% discount, click here.",
    ),
)


def blog(comments: Sequence[tuple[str, str]] = (*HAM, *SPAM), title: str = TITLE) -> str:
    items = "".join(
        f'<li class="comment" id="comment-{n}"><article class="comment-body"><footer class="comment-meta">'
        f'<div class="comment-author vcard"><b class="fn">{html.escape(author)}</b> '
        '<span class="says">says:</span></div>'
        f'<div class="comment-metadata"><time datetime="2026-05-{n:02d}T10:00:00+00:00">May {n}, 2026</time>'
        "</div></footer>"
        f'<div class="comment-content"><p>{html.escape(text)}</p></div>'
        f'<div class="reply"><a class="comment-reply-link" href="#">Reply</a></div></article></li>'
        for n, (author, text) in enumerate(comments, 1)
    )
    paragraphs = "".join(f"<p>{text}</p>" for text in ARTICLE)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="generator" content="WordPress 6.5"></head><body><main>'
        f'<article class="post"><h1 class="entry-title">{title}</h1>'
        f'<div class="entry-content">{paragraphs}</div></article>'
        f'<div id="comments" class="comments-area">'
        f'<h2 class="comments-title">{len(comments)} thoughts on “{title}”</h2>'
        f'<ol class="comment-list">{items}</ol></div></main></body></html>'
    )


def warc_record(
    url: str, body: bytes, kind: str = "response", content_type: str = "text/html; charset=utf-8", http: str = ""
) -> bytes:
    block = body
    declared = content_type
    if kind == "response":
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{http}Content-Length: {len(body)}\r\n\r\n"
        block = head.encode() + body
        declared = "application/http; msgtype=response"
    lines = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, url + kind)}>\r\n"
        f"WARC-Date: 2026-05-01T00:00:00Z\r\nWARC-Target-URI: {url}\r\n"
        f"WARC-Payload-Digest: sha1:PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP\r\n"
        f"Content-Type: {declared}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return lines.encode() + block + b"\r\n\r\n"


def warc_gz(records: Sequence[bytes]) -> bytes:
    return b"".join(gzip.compress(record, mtime=0) for record in records)
