"""Pixels for the viewer: an image's values at full depth, decoded, with its grey scale in headers.

Whoever asks needs the right IMAGES, and each look is audited (`service.api.route_rules`). Nothing of it may stay in a
browser's cache on a shared workstation (`no-store` of every answer); the ETag spares programs a second transfer.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.orm import Session

from service.api.dependencies import PartsOfApp, ReadSession
from service.api.problems import ProblemError, problems
from service.api.v1.job_orders import JobId
from service.registry.image_files import ImageFile, result_file, source_file
from service.registry.result_kinds import ResultKind
from service.viewer_pixels import PixelsNotShownError, ViewerPixels, read_pixels

Layer = Literal["source", "soft-tissue", "spread"]
FORM = 1
"""Of the answer: part of the ETag, so that another form is another content."""
KINDS = {"soft-tissue": ResultKind.SOFT_TISSUE, "spread": ResultKind.SPREAD}
MEDIA_TYPE = "application/octet-stream"

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get(
    "/{job_id}/pixels/{layer}",
    summary="The values of an image at full depth",
    response_class=Response,
    responses={
        200: {
            "description": "Rows · columns little-endian uint16, row 0 at the top. `Softray-Image` is JSON: rows, "
            "columns, bits_stored, lowest (stored value = word + lowest), slope and intercept to the unit, unit, "
            "spacing_mm, calibrated, grey_scale.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The content is the one that `If-None-Match` names."},
        **problems(404, 409, 410, 422, 500, 503),
    },
)
def read_layer(
    request: Request,
    parts: PartsOfApp,
    session: ReadSession,
    job_id: JobId,
    layer: Annotated[Layer, Path(description="source, soft-tissue, or spread (over the sampler's seeds).")],
) -> Response:
    """An image that a job began with or made, as the viewer shows it. The DICOM object is what was delivered."""
    found = _found(session, job_id, layer)
    etag = f'"{found.sha256}-{FORM}"'
    headers = {"ETag": etag, "Vary": "Accept-Encoding"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = parts.store.read(found.path, found.sha256)
    try:
        pixels = read_pixels(content, with_grey_scale=layer == "source")
    except PixelsNotShownError as error:
        raise ProblemError(409, error.code, error.message) from error
    headers["Softray-Image"] = json.dumps(_terms(pixels), separators=(",", ":"))
    body = pixels.words
    if "gzip" in request.headers.get("accept-encoding", ""):
        packer = zlib.compressobj(1, wbits=31)
        body = packer.compress(body) + packer.flush()
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=MEDIA_TYPE, headers=headers)


def _found(session: Session, job_id: str, layer: Layer) -> ImageFile:
    source = source_file(session, job_id)
    if source is None:
        raise ProblemError(404, "JOB_UNKNOWN", "no job has this id; GET /api/v1/jobs lists them")
    found = source if layer == "source" else result_file(session, job_id, KINDS[layer])
    if found is None:
        raise ProblemError(404, "NO_SUCH_IMAGE", f"expected an image {layer} of this job, found none made")
    if found.removed_at is not None:
        when = f"{found.removed_at:%Y-%m-%d %H:%M} UTC"
        raise ProblemError(410, "IMAGE_REMOVED", f"removed under retention on {when}; its records are kept")
    return found


def _terms(pixels: ViewerPixels) -> dict[str, object]:
    return {name: value for name, value in asdict(pixels).items() if name != "words"}
