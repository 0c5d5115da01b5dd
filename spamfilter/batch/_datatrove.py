"""A step for datatrove pipelines that annotates documents with their spam, or takes it out.

Usage::

    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import WarcReader
    from datatrove.pipeline.writers import JsonlWriter
    from spamfilter.batch import spam_step

    LocalPipelineExecutor([WarcReader("crawl/"), spam_step(clean=True), JsonlWriter("out/")], tasks=8).run()

``Document.text`` must be the page itself (HTML, or the text of a WET record), so the step stands before any
extractor, which would throw the comments together or away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from spamfilter.batch.scorer import PageScorer
from spamfilter.errors import MissingExtra

if TYPE_CHECKING:
    from datatrove.pipeline.base import PipelineStep

__all__ = ["annotate", "spam_step"]


def spam_step(scorer: PageScorer | None = None, *, clean: bool = False) -> PipelineStep:
    """A pipeline step; with ``clean`` the text becomes the article and the comments that are not spam.

    Either way ``metadata`` gets ``title``, ``lang``, ``comments`` (with verdicts), ``spam`` (how many), ``model``, and
    ``error`` where the page could not be scored: such a document passes unchanged.  Raises MissingExtra without
    datatrove.
    """
    return _step_class()(scorer or PageScorer(), clean)


def annotate(document: Any, scorer: PageScorer, *, clean: bool) -> dict[str, Any]:
    """Do the step's work on one document; gives the page's result."""
    result = scorer(document.text, document.metadata.get("url"), document.id)
    for name in ("title", "lang", "comments", "spam", "model", "error"):
        document.metadata[name] = result[name]
    if clean and result["error"] is None:
        kept = [comment["text"] for comment in result["comments"] if comment["verdict"] != "spam"]
        document.text = "\n\n".join(text for text in (result["article"], *kept) if text)
    return result


def _step_class() -> Any:
    """Made when it is asked for: the base class is datatrove's."""
    try:
        from datatrove.pipeline import base
    except ImportError:
        raise MissingExtra("datatrove", "datatrove") from None
    parent: Any = base.PipelineStep

    class SpamStep(parent):  # type: ignore[misc]
        name = "spamfilter"
        type = "spam"

        def __init__(self, scorer: PageScorer, clean: bool) -> None:
            super().__init__()
            self.scorer, self.clean = scorer, clean

        def __reduce__(self) -> tuple[Any, ...]:  # a class made in a function is pickled by how it is made
            return _rebuilt, (self.scorer, self.clean)

        def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
            for document in data or ():
                with self.track_time():
                    result = annotate(document, self.scorer, clean=self.clean)
                self.stat_update("comments", value=len(result["comments"]))
                self.stat_update("spam", value=result["spam"])
                if result["error"] is not None:
                    self.stat_update("errors")
                yield document

    return SpamStep


def _rebuilt(scorer: PageScorer, clean: bool) -> PipelineStep:
    return spam_step(scorer, clean=clean)
