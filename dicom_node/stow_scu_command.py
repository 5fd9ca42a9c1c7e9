"""`softray send --to https://…`: sending files by hand to a DICOMweb service."""

from __future__ import annotations

from pathlib import Path

from dicom_node.store_scu_command import files_to_send, report
from dicom_node.stow_scu import store
from dicom_node.web_peer import read_web_peer
from service.settings import Settings


def run_send(settings: Settings, *, files: list[Path], url: str, token_file: Path | None, ca_file: Path | None) -> None:
    """Send `files` (folders are searched) and print each answer. Raises PermanentError if any was not stored."""
    paths = files_to_send(files)
    peer = read_web_peer(url, token_file=token_file, ca_file=ca_file or settings.web_ca_file)
    report(paths, store(paths, peer, timeout_s=settings.network_timeout_s))
