"""Our own UIDs and the deterministic UIDs of what we derive (PS3.5 B.2: 2.25 followed by a UUID as an integer).

The same source, model and parameters always give the same UIDs, so a retry lands on the same object. The condition is
that the same UID means the same pixels: whatever may change them belongs into the parameters digest.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from pydicom.uid import UID

SOFTWARE_NAME = "softray"
NAMESPACE = UUID("5e0f7c0a-6a2e-4f0e-9d4b-51b7c2f3a811")


def derived_instance_uid(
    source_instance_uid: str, model_sha256: str, parameters_sha256: str, run: int = 0, kind: str = ""
) -> UID:
    """SOP Instance UID of the derived object; `run` is bumped when the same inputs must give a new object.

    `kind` is "" for the soft tissue image and a word for each other object of the same source, e.g. "bone".
    """
    return _uid(f"{kind} instance".strip(), source_instance_uid, model_sha256, parameters_sha256, str(run))


def derived_series_uid(
    source_series_uid: str, model_sha256: str, parameters_sha256: str, run: int = 0, kind: str = ""
) -> UID:
    """Series Instance UID that all objects of one `kind` derived alike from one source series share."""
    return _uid(f"{kind} series".strip(), source_series_uid, model_sha256, parameters_sha256, str(run))


def device_uid(model_sha256: str) -> UID:
    """Device UID of the processing algorithm: changes whenever the model changes (IHE AIR Rev 1.1 §6.5.3.1)."""
    return _uid("device", model_sha256)


def named_uid(kind: str, *names: str) -> UID:
    """A UID for anything else that is named by text, e.g. the parts of a radiograph made from plain pixels."""
    return _uid(kind, *names)


def _uid(*parts: str) -> UID:
    return UID(f"2.25.{uuid5(NAMESPACE, '|'.join(parts)).int}")


IMPLEMENTATION_CLASS_UID = _uid("implementation class")
IMPLEMENTATION_VERSION_NAME = "SOFTRAY_0.1"  # SH, at most 16 characters
CREATOR_UID = _uid("instance creator")  # Instance Creator UID (0008,0014) of everything we make: the loop guard's mark
