"""A private Orthanc: a real PACS that takes results by C-STORE and shows over REST what it holds."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.peers.process import free_port, running

DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc; `instances` and `find_…` give Orthanc's own identifiers."""

    ae_title: str
    dicom_port: int
    http_url: str

    @property
    def dicomweb_url(self) -> str:
        """The root of its DICOMweb service, where the plugin is loaded."""
        return f"{self.http_url}/dicom-web"

    def instances(self) -> list[str]:
        """Every stored instance."""
        return self._get("/instances").json()  # type: ignore[no-any-return]

    def find_instances(self, sop_instance_uid: str) -> list[str]:
        return self._find("Instance", {"SOPInstanceUID": sop_instance_uid})

    def find_series(self, study_instance_uid: str) -> list[str]:
        return self._find("Series", {"StudyInstanceUID": study_instance_uid})

    def tags(self, instance: str) -> dict[str, object]:
        """The instance's elements by keyword, as Orthanc read them."""
        return self._get(f"/instances/{instance}/simplified-tags").json()  # type: ignore[no-any-return]

    def download(self, instance: str) -> bytes:
        """The instance as a DICOM file."""
        return self._get(f"/instances/{instance}/file").content

    def know_modality(self, name: str, ae_title: str, port: int) -> None:
        """Let Orthanc send to an application entity on this machine under `name`."""
        modality = {"AET": ae_title, "Host": "127.0.0.1", "Port": port}
        httpx.put(f"{self.http_url}/modalities/{name}", json=modality, timeout=30).raise_for_status()

    def send(self, name: str, instances: list[str]) -> None:
        """C-STORE `instances` to the modality known as `name`; raises httpx.HTTPStatusError when Orthanc could not."""
        reply = httpx.post(f"{self.http_url}/modalities/{name}/store", json=instances, timeout=120)
        reply.raise_for_status()

    def know_stow_server(self, name: str, url: str) -> None:
        """Let Orthanc send to a DICOMweb service under `name`."""
        server = {"Url": url, "ChunkedTransfers": True}
        httpx.put(f"{self.dicomweb_url}/servers/{name}", json=server, timeout=30).raise_for_status()

    def stow(self, name: str, instances: list[str]) -> None:
        """STOW-RS `instances` to the service known as `name`; raises httpx.HTTPStatusError when Orthanc could not."""
        order = {"Resources": instances, "Synchronous": True}
        httpx.post(f"{self.dicomweb_url}/servers/{name}/stow", json=order, timeout=120).raise_for_status()

    def ask_commitment(self, name: str, instances: list[tuple[str, str]]) -> str:
        """Have Orthanc ask the modality known as `name` to commit to (SOP class, SOP instance); the Transaction UID."""
        body = {"DicomInstances": [list(pair) for pair in instances]}
        reply = httpx.post(f"{self.http_url}/modalities/{name}/storage-commitment", json=body, timeout=60)
        reply.raise_for_status()
        return str(reply.json()["ID"])

    def commitment(self, transaction_uid: str) -> dict[str, Any]:
        """What Orthanc was told about a request for commitment of its own."""
        return self._get(f"/storage-commitment/{transaction_uid}").json()  # type: ignore[no-any-return]

    def delete(self, instance: str) -> None:
        httpx.delete(f"{self.http_url}/instances/{instance}", timeout=30).raise_for_status()

    def _find(self, level: str, query: dict[str, str]) -> list[str]:
        reply = httpx.post(f"{self.http_url}/tools/find", json={"Level": level, "Query": query}, timeout=30)
        reply.raise_for_status()
        return reply.json()  # type: ignore[no-any-return]

    def _get(self, path: str) -> httpx.Response:
        reply = httpx.get(self.http_url + path, timeout=30)
        reply.raise_for_status()
        return reply


@contextlib.contextmanager
def running_orthanc(folder: Path, *, dicom_port: int | None = None, softray_port: int = 11112) -> Iterator[Orthanc]:
    """An Orthanc with its files in `folder` (what is there already is kept), taking instances from any AE title.

    It never replaces an instance that it has, as an archive should, and knows softray as the modality SOFTRAY.
    """
    peer = Orthanc("ORTHANC", dicom_port or free_port(), f"http://127.0.0.1:{free_port()}")
    file = write_configuration(folder, peer, softray_port=softray_port, dicomweb=DICOMWEB_PLUGIN.exists())
    with running(["Orthanc", file], folder / "orthanc.log", lambda: answers(peer)):
        yield peer


def write_configuration(folder: Path, peer: Orthanc, *, softray_port: int, dicomweb: bool) -> Path:
    """Orthanc's configuration file in `folder`, where its files are kept as well."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "Name": "softray test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(DICOMWEB_PLUGIN)] if dicomweb else [],
        "DicomWeb": {"Enable": dicomweb, "Root": "/dicom-web/"},
        "HttpPort": int(peer.http_url.rsplit(":", 1)[1]),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": peer.ae_title,
        "DicomPort": peer.dicom_port,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "UnknownSopClassAccepted": True,
        "OverwriteInstances": False,
        "StableAge": 1,
        "DicomModalities": {"SOFTRAY": ["SOFTRAY", "127.0.0.1", softray_port]},
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(configuration, indent=2))
    return file


def answers(peer: Orthanc) -> bool:
    """Whether it is up."""
    try:
        return httpx.get(f"{peer.http_url}/system", timeout=2).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """An empty PACS for one test."""
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc is not installed")
    with running_orthanc(tmp_path / "orthanc") as peer:
        yield peer


@pytest.fixture
def dicomweb_orthanc(orthanc: Orthanc) -> Orthanc:
    """The same, which takes STOW-RS and answers QIDO-RS as well."""
    if not DICOMWEB_PLUGIN.exists():
        pytest.skip("Orthanc's DICOMweb plugin (orthanc-dicomweb) is not installed")
    return orthanc
