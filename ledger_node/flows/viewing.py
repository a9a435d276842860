"""Looking at a page in place: decrypted for one moment, drawn with a watermark, never kept.

Step 9. Only a document that came with a run, or a paper taken during it, is shown; the caller has
found the run by its account. The plain bytes stand in a private temporary directory while a page is
drawn and go with it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ledger_node.core.reuse import StepState
from ledger_node.core.types import CityId, Commitment
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import (
    ReleaseNotCompleteError,
    load_incoming,
    open_document,
    open_release,
)
from ledger_node.flows.window import Run
from ledger_node.ports.database_reuse import RunNotFoundError
from ledger_node.ports.rendering import RenderedPage, Renderer

_CAME = (StepState.ARRIVED, StepState.DECIDING, StepState.DECIDED)


def view_page(
    node: Node,
    renderer: Renderer,
    run: Run,
    city: CityId,
    commitment: Commitment,
    index: int,
    page: int,
    watermark: str,
) -> RenderedPage:
    """A page of a document that came with a run.

    Raises:
        RunNotFoundError: Nothing came from that city in this run.
        ReleaseNotCompleteError: No such document in it.
        PageNotRenderableError, RenderingTooCostlyError: It cannot be drawn.
        VerificationError: It does not hold.
    """
    step = next((each for each in run.steps if each.city == city), None)
    if step is None or step.state not in _CAME or step.request_digest is None:
        raise RunNotFoundError
    media_type = _media_type(node, step.request_digest, commitment, index)
    with tempfile.TemporaryDirectory(prefix="tongban-view-") as folder:
        target = Path(folder) / "document"
        open_document(node, step.request_digest, commitment, index, target)
        return renderer.render_page(target, media_type, page, watermark)


def _media_type(node: Node, request_digest: bytes, commitment: Commitment, index: int) -> str:
    received = open_release(node, load_incoming(node, request_digest))
    for material in received.materials:
        for document in material.documents:
            if (material.material.commitment, document.document.index) == (commitment, index):
                return document.part.media_type
    raise ReleaseNotCompleteError(
        "该次放行中没有这份文件。", "There is no such document in this release."
    )
