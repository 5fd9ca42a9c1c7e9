"""`softray send` and `softray echo`: what an administrator asks a remote node by hand."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from dicom_node.command_peer import command_peer
from dicom_node.store_scu import Outcome, StoreResult, echo, send
from service.errors import PermanentError
from service.settings import Settings

console = Console(soft_wrap=True, highlight=False)


def run_send(settings: Settings, *, files: list[Path], ae_title: str, host: str, port: int, tls: bool = False) -> None:
    """Send `files` (folders are searched) and print each answer. Raises PermanentError if any was not stored."""
    paths = files_to_send(files)
    peer = command_peer(settings, ae_title, host, port, tls=tls)
    report(paths, send(paths, peer, calling_ae_title=settings.ae_title, timeout_s=settings.network_timeout_s))


def files_to_send(files: list[Path]) -> list[Path]:
    """`files` with every file of the folders among them. Raises PermanentError when there is none."""
    paths = [path for named in files for path in (sorted(named.rglob("*")) if named.is_dir() else [named])]
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise PermanentError("NO_FILES", "expected at least one file to send, found none")
    return paths


def report(paths: list[Path], results: list[StoreResult]) -> None:
    """Print each answer. Raises PermanentError if any was not stored."""
    for path, result in zip(paths, results, strict=True):
        status = f"0x{result.status:04X}" if result.status is not None else "no answer"
        console.print(
            f"{path.name}: {result.outcome} ({status}) {result.code} {result.detail}".rstrip(), highlight=False
        )
    failed = sum(result.outcome is not Outcome.SENT for result in results)
    if failed:
        raise PermanentError("NOT_STORED", f"expected {len(results)} instances stored, found {failed} that were not")


def run_echo(settings: Settings, *, ae_title: str, host: str, port: int, tls: bool = False) -> None:
    """C-ECHO; prints the answer. Raises PermanentError when there is none."""
    peer = command_peer(settings, ae_title, host, port, tls=tls)
    answer = echo(peer, calling_ae_title=settings.ae_title)
    if not answer.ok:
        raise PermanentError("NO_ECHO", f"{peer.ae_title}@{peer.host}:{peer.port} did not answer: {answer.detail}")
    console.print(f"{peer.ae_title}@{peer.host}:{peer.port} answers")
