"""The administrator's document explains every reason code that a record may show."""

from __future__ import annotations

import re

import pytest

from dicom_node.eligibility import ReasonCode
from dicom_node.errors import ImageRefusal, PixelErrorCode
from dicom_node.status import C_STORE_STATUSES, Outcome
from service.cli import app
from service.registry.deliveries import DESTINATION_REMOVED
from service.registry.delivery_plan import WAITING_FOR_DESTINATION
from service.registry.exposures import FOR_PRESENTATION_PREFERRED
from service.registry.job_states import DeliveryState, JobState
from service.registry.settlement import DELIVERY_FAILED, NOTHING_ACCEPTED
from service.settings import Settings
from tests.deploy.dockerfile import ROOT

RUNBOOK = sorted((ROOT / "docs" / "runbook").glob("*.md"))
OPERATING = "".join(page.read_text() for page in (ROOT / "docs" / "operating.md", *RUNBOOK))
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text()


def literals(*files: str, pattern: str) -> set[str]:
    """Reason codes that stand as literals in a module, behind what `pattern` says."""
    return {code for file in files for code in re.findall(pattern, (ROOT / file).read_text())}


@pytest.mark.parametrize(
    "code",
    [
        *ReasonCode,
        *PixelErrorCode,
        *ImageRefusal,
        DELIVERY_FAILED,
        NOTHING_ACCEPTED,
        WAITING_FOR_DESTINATION,
        DESTINATION_REMOVED,
        FOR_PRESENTATION_PREFERRED,
        *JobState,
        *DeliveryState,
    ],
)
def test_every_code_of_gate_pixels_and_states_is_explained(code: str) -> None:
    assert f"`{code}`" in OPERATING


def test_every_refusal_of_the_node_is_explained() -> None:
    files = (f"dicom_node/{name}.py" for name in ("intake", "received_instance", "data_set_header"))
    codes = literals(*files, pattern=r'(?:RefusedObject|_refused)\(\s*"([A-Z_]+)"')
    assert len(codes) >= 5
    assert {code for code in codes if f"`{code}`" not in OPERATING} == set()


def test_every_failure_of_the_worker_is_explained() -> None:
    # A lost lease is no failure of the job: another worker has it.
    codes = literals("worker/errors.py", pattern=r'"([A-Z]+_[A-Z_]+)"') - {"WORKER_ERROR", "LEASE_LOST"}
    assert "DEADLINE_EXCEEDED" in codes
    assert {code for code in codes if f"`{code}`" not in OPERATING} - {"REGISTRY_UNAVAILABLE"} == set()


def test_every_answer_of_a_destination_is_explained() -> None:
    codes = {status.code for status in C_STORE_STATUSES if status.outcome is not Outcome.SENT}
    codes |= literals("dicom_node/store_scu.py", pattern=r'Outcome\.\w+, (?:None|status), "([A-Z_]+)"')
    assert {code for code in codes if f"`{code}`" not in OPERATING} == set()


@pytest.mark.parametrize("document", [OPERATING, DEPLOYMENT])
def test_every_setting_and_command_named_exists(document: str) -> None:
    known = {f"SOFTRAY_{name.upper()}" for name in Settings.model_fields} | {
        "SOFTRAY_SETTINGS_FILE",
        "SOFTRAY_SITE_FILE_HERE",
        "SOFTRAY_ENV_FILE",
    }
    assert set(re.findall(r"SOFTRAY_[A-Z_]+", document)) <= known
    commands = {command.name for command in app.registered_commands} | {
        group.name or group.typer_instance.info.name for group in app.registered_groups
    }
    named = set(re.findall(r"softray (migrate|jobs|remote|weights|echo|up|node|api|worker)\b", document))
    assert named <= commands
