"""How a derived object was made, and how a site wants its derived objects labelled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydicom.uid import UID

from dicom_node.uids import derived_instance_uid, derived_series_uid, device_uid

MAX_DESCRIPTION = 1024  # characters of an ST

_METHODS = {
    "bs-ldm": "a conditional latent diffusion model",
    "bs-diff": "a conditional diffusion model in pixels",
    "residual-unet": "a one-pass convolutional network",
    "peer-gusarev": "a one-pass convolutional autoencoder (Gusarev 2017)",
    "peer-resnet-bs": "a one-pass residual network (ResNet-BS)",
    "peer-mca-net": "a one-pass adversarially trained network (MCA-Net)",
}


@dataclass(frozen=True)
class Provenance:
    """Everything that can change a derived pixel; the derived UIDs depend on all of it.

    `model_sha256` is the digest of the weights, in hex. `parameters` holds whatever else matters, as "name=value".
    `run` is bumped to make another object of the same source, model and parameters.
    """

    model_name: str
    model_version: str
    model_sha256: str
    architecture: str
    sampler: str
    steps: int
    seed: int
    precision: str
    device: str
    service_version: str
    parameters: str = ""
    run: int = 0

    def description(self, done: str = "Ribs and clavicles suppressed by {method}") -> str:
        """Derivation Description (0008,2111): ASCII, at most 1024 characters, what was done and with what.

        `done` says what the object is; "{method}" in it stands for the kind of model.
        """
        method = _METHODS.get(self.architecture, f"a neural network ({self.architecture})")
        facts = (
            f"{done.replace('{method}', method)}; companion to the original, not a replacement. "
            f"model={self.model_name} version={self.model_version} sha256={self.model_sha256} {self._settings()} "
            f"softray={self.service_version}"
        )
        return ascii_only(facts.strip(), MAX_DESCRIPTION)

    def instance_uid(self, source_instance_uid: str, kind: str = "") -> UID:
        """SOP Instance UID of what is derived from this source instance; `kind` as in `derived_instance_uid`."""
        return derived_instance_uid(
            source_instance_uid, self.model_sha256, self._parameters_sha256(), self.run, kind=kind
        )

    def series_uid(self, source_series_uid: str, kind: str = "") -> UID:
        """Series Instance UID of what is derived from this source series; `kind` as in `derived_series_uid`."""
        return derived_series_uid(source_series_uid, self.model_sha256, self._parameters_sha256(), self.run, kind=kind)

    def device_uid(self) -> UID:
        """Device UID of the model."""
        return device_uid(self.model_sha256)

    def _settings(self) -> str:
        settings = f"sampler={self.sampler} steps={self.steps} seed={self.seed}"
        settings += f" precision={self.precision} device={self.device}"
        return f"{settings} {self.parameters}".strip()

    def _parameters_sha256(self) -> str:
        named = (self.model_name, self.model_version, self.architecture, self.service_version, self._settings())
        return hashlib.sha256("|".join(named).encode()).hexdigest()


@dataclass(frozen=True)
class DerivedPolicy:
    """How a site labels its derived objects.

    `series_number_offset` is added to the source's Series Number. `content_qualification` is RESEARCH, SERVICE or
    PRODUCT (a source that is not PRODUCT hands its own on). `synthetic_data` is "YES" or "" (left out; never "NO").
    """

    series_number_offset: int = 9000
    content_qualification: str = "RESEARCH"
    synthetic_data: str = "YES"
    manufacturer: str = "softray"
    device_serial_number: str = "1"


def ascii_only(free_text: str, limit: int) -> str:
    """The text in the characters that every Specific Character Set shares, at most `limit` of them."""
    return free_text.encode("ascii", "replace").decode().replace("\\", "/")[:limit]
