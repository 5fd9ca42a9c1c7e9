from __future__ import annotations

from fastapi.testclient import TestClient

from tests.service.api.installation import Installation


def test_refused_objects_are_listed_with_reason_and_place(client: TestClient, installation: Installation) -> None:
    installation.reject()
    (item,) = client.get("/api/v1/rejections").json()["items"]
    assert (item["reason_code"], item["sop_instance_uid"]) == ("UNPARSABLE", None)
    assert item["path"].startswith("quarantine/")


def test_images_that_are_not_ours_are_listed_apart(client: TestClient, installation: Installation) -> None:
    installation.receive("1.2.1")
    installation.receive("1.2.2", reason_code="NOT_FRONTAL", reason_detail="View Position is LL")
    (item,) = client.get("/api/v1/not-processed").json()["items"]
    assert (item["study_instance_uid"], item["reason_code"], item["job"]) == ("1.2.2", "NOT_FRONTAL", None)
    assert client.get("/api/v1/rejections").json()["items"] == []
