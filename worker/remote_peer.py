"""The peer behind a remote node of the registry."""

from __future__ import annotations

from dicom_node.peer import Peer
from service.errors import ConfigurationError
from service.registry.claims import Destination
from worker.context import WorkerContext


def peer_of(node: Destination, context: WorkerContext) -> Peer:
    """Whom to associate with. Raises ConfigurationError for an encrypted node when we have no certificate.

    Never unencrypted instead: that would send patients' data in the clear.
    """
    if node.tls and context.client_tls is None:
        raise ConfigurationError(
            "TLS_NOT_CONFIGURED", f"{node.name} wants TLS, which needs a certificate, a key and a CA"
        )
    return Peer(node.ae_title, node.host, node.port, context.client_tls if node.tls else None)
