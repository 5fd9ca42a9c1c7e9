"""Remote nodes: who may send, who gets the results. Changed on the command line (`softray remote`)."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.dependencies import ReadSession
from service.api.problems import problems
from service.api.schemas import RemoteNode, RemoteNodes
from service.registry import remote_nodes

router = APIRouter(prefix="/remote-nodes", tags=["remote nodes"])


@router.get("", summary="List remote nodes", responses=problems(500, 503))
def list_remote_nodes(session: ReadSession) -> RemoteNodes:
    """The application entities that may send to softray, and those that every result is delivered to."""
    return RemoteNodes(items=[RemoteNode.model_validate(node) for node in remote_nodes.list_remote_nodes(session)])
