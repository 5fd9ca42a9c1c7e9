"""The peer that a command names."""

from __future__ import annotations

from dicom_node.peer import Peer
from dicom_node.tls import client_context, tls_files
from service.settings import Settings


def command_peer(settings: Settings, ae_title: str, host: str, port: int, *, tls: bool) -> Peer:
    """The application entity at `host`:`port`. Raises ConfigurationError when `tls` is wanted and our files are not."""
    context = client_context(tls_files(settings), check_host=settings.tls_check_host) if tls else None
    return Peer(ae_title, host, port, context)
