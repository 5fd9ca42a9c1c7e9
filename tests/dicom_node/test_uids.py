from __future__ import annotations

import pytest
from pydicom.uid import UID

from dicom_node import uids

SHA = "ab" * 32


def test_the_same_inputs_give_the_same_uid() -> None:
    assert uids.derived_instance_uid("1.2.3", SHA, "p") == uids.derived_instance_uid("1.2.3", SHA, "p")
    assert uids.derived_instance_uid("1.2.3", SHA, "p") == "2.25.156762579724023169723257206112826781890"


@pytest.mark.parametrize("changed", [("1.2.4", SHA, "p", 0), ("1.2.3", "cd" * 32, "p", 0), ("1.2.3", SHA, "q", 0)])
def test_another_source_model_or_parameter_gives_another_uid(changed: tuple[str, str, str, int]) -> None:
    assert uids.derived_instance_uid(*changed) != uids.derived_instance_uid("1.2.3", SHA, "p")
    assert uids.derived_series_uid(*changed) != uids.derived_series_uid("1.2.3", SHA, "p")


def test_another_run_gives_another_uid() -> None:
    assert uids.derived_instance_uid("1.2.3", SHA, "p", 1) != uids.derived_instance_uid("1.2.3", SHA, "p")


def test_kinds_never_share_a_uid() -> None:
    same = ("1.2.3", SHA, "p")
    made = {uids.derived_instance_uid(*same), uids.derived_series_uid(*same), uids.device_uid(SHA)}
    made |= {uids.CREATOR_UID, uids.IMPLEMENTATION_CLASS_UID, uids.named_uid("study", "1.2.3")}
    assert len(made) == 6


def test_every_uid_is_valid_and_at_most_44_characters() -> None:
    for index in range(200):
        uid = uids.derived_instance_uid(f"1.2.{index}", SHA, "p")
        assert isinstance(uid, UID)
        assert uid.is_valid
        assert len(uid) <= 44


def test_the_implementation_version_name_fits_its_vr() -> None:
    assert len(uids.IMPLEMENTATION_VERSION_NAME) <= 16
