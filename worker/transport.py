"""How a stored file travels to a remote node: by STOW-RS where it has an address in the web, else by C-STORE."""

from __future__ import annotations

from pathlib import Path

from dicom_node import stow_scu
from dicom_node.store_scu import StoreResult
from dicom_node.web_peer import WebPeer, read_web_peer
from service.registry.claims import Destination
from worker.context import WorkerContext
from worker.remote_peer import peer_of


def send_file(path: Path, node: Destination, context: WorkerContext) -> StoreResult:
    """Send the DICOM file at `path` to `node`, its bytes unchanged; the node's own answer for it.

    Raises ConfigurationError when the node cannot be reached as configured: a token or certificate is missing.
    """
    if node.url is not None:
        [result] = stow_scu.store([path], web_peer_of(node, node.url, context), timeout_s=context.network_timeout_s)
        return result
    return context.associations.send(
        path, peer_of(node, context), calling_ae_title=context.ae_title, timeout_s=context.network_timeout_s
    )


def web_peer_of(node: Destination, url: str, context: WorkerContext) -> WebPeer:
    """The DICOMweb service at `url` with the credential of `node`. Raises ConfigurationError."""
    token_file = Path(node.token_file) if node.token_file else None
    return read_web_peer(url, token_file=token_file, ca_file=context.web_ca_file)
