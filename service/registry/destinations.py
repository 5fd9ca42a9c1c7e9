"""A remote node's row as whoever sends to it holds it."""

from __future__ import annotations

from service.registry.claims import Destination
from service.registry.tables import RemoteNode


def destination_of(node: RemoteNode) -> Destination:
    """Where `node` is, at this moment: a claim keeps it, whatever becomes of the row."""
    return Destination(
        remote_node_id=node.id,
        name=node.name,
        ae_title=node.ae_title,
        host=node.host,
        port=node.port,
        tls=node.tls,
        url=node.url,
        token_file=node.token_file,
    )
