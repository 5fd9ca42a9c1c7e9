"""The administrator's document explains what may stand beside a delivery that is not proven, or end a pull."""

from __future__ import annotations

import re

import pytest

from dicom_node.commitment_report import FAILURE_REASONS
from dicom_node.query_status import C_MOVE_STATUSES
from dicom_node.status import Outcome
from service.registry.commitment_reports import COMMITMENT_FAILED, NOT_REPORTED
from tests.deploy.dockerfile import ROOT

RUNBOOK = sorted((ROOT / "docs" / "runbook").glob("*.md"))
OPERATING = "".join(page.read_text() for page in (ROOT / "docs" / "operating.md", *RUNBOOK))
FOLLOW_UP = "".join((ROOT / "worker" / name).read_text() for name in ("commit.py", "remote_peer.py"))


@pytest.mark.parametrize("code", [*FAILURE_REASONS.values(), COMMITMENT_FAILED, NOT_REPORTED])
def test_every_reason_of_an_archive_is_explained(code: str) -> None:
    assert f"`{code}`" in OPERATING


def test_every_reason_of_the_follow_up_is_explained() -> None:
    codes = set(re.findall(r'(?:code=|claim, |Error\(\s*)"([A-Z]+_[A-Z_]+)"', FOLLOW_UP))
    assert {"NOT_FOUND", "TLS_NOT_CONFIGURED"} <= codes
    assert {code for code in codes if f"`{code}`" not in OPERATING} == set()


def test_every_refusal_of_a_move_is_explained() -> None:
    refused = {status.code for status in C_MOVE_STATUSES if status.outcome is Outcome.REFUSED}
    assert {code for code in refused if f"`{code}`" not in OPERATING} == set()
