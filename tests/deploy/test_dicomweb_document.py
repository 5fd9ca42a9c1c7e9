"""The documents explain every reason code of DICOMweb, and name settings and addresses that exist."""

from __future__ import annotations

import re

from service.settings import Settings
from tests.deploy.dockerfile import ROOT

RUNBOOK = sorted((ROOT / "docs" / "runbook").glob("*.md"))
OPERATING = "".join(page.read_text() for page in (ROOT / "docs" / "operating.md", *RUNBOOK))
DICOMWEB = (ROOT / "docs" / "dicomweb.md").read_text()
REFUSALS = ("part10", "stow_intake", "stow_request", "multipart_related", "stow_app", "stow_admission")


def literals(*modules: str, pattern: str) -> set[str]:
    found = [re.findall(pattern, (ROOT / "dicom_node" / f"{name}.py").read_text(), re.MULTILINE) for name in modules]
    return {code for codes in found for code in codes}


def test_every_refusal_of_a_web_request_is_explained() -> None:
    codes = literals(*REFUSALS, pattern=r'(?:Error|RefusedObject)\((?:\d+, )?\s*"([A-Z_]+)"')
    codes |= literals("stow_request", pattern=r'^([A-Z_]+) = "\1"')
    assert {"NOT_A_DICOM_FILE", "BODY_TRUNCATED", "SENDER_LEFT", "TOKEN_UNKNOWN", "STUDY_MISMATCH", "BUSY"} <= codes
    assert {code for code in codes if f"`{code}`" not in OPERATING + DICOMWEB} == set()


def test_every_answer_of_a_web_destination_is_explained() -> None:
    codes = literals("web_peer", pattern=r'(?:WebFailure\(|\d{3}, )"([A-Z_]+)"')
    assert {"HTTP_BUSY", "HTTP_SERVER_ERROR", "TLS_FAILED", "CONNECTION_FAILED"} <= codes
    assert {code for code in codes if f"`{code}`" not in OPERATING} == set()


def test_every_setting_of_the_door_is_in_its_document_and_none_else() -> None:
    named = set(re.findall(r"SOFTRAY_([A-Z_]+)", DICOMWEB))
    known = {name.upper() for name in Settings.model_fields}
    assert named <= known
    assert {name for name in known if name.startswith(("STOW_", "WEB_"))} <= named
