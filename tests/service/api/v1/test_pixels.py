from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.registry.tables import Instance
from tests.end_to_end.derived_phantom import add_phantom
from tests.service.api.installation import Installation


@pytest.mark.parametrize("layer", ["source", "soft-tissue", "spread"])
def test_every_stored_value_arrives_at_full_depth(client: TestClient, installation: Installation, layer: str) -> None:
    job_id, images = add_phantom(installation, side=128)
    answer = client.get(f"/api/v1/jobs/{job_id}/pixels/{layer}")
    terms = json.loads(answer.headers["Softray-Image"])
    words = np.frombuffer(answer.content, "<u2").reshape(terms["rows"], terms["columns"])
    np.testing.assert_array_equal(words.astype(np.int64) + terms["lowest"], images[layer].pixel_array)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (terms["grey_scale"] is not None) == (layer == "source")


def test_the_digest_spares_a_second_transfer(client: TestClient, installation: Installation) -> None:
    job_id, _ = add_phantom(installation, side=128)
    address = f"/api/v1/jobs/{job_id}/pixels/source"
    etag = client.get(address).headers["ETag"]
    again = client.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_what_cannot_be_shown_says_why(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.3")  # its file is no DICOM
    expected = {
        "source": (409, "DATA_SET_UNREADABLE"),
        "soft-tissue": (404, "NO_SUCH_IMAGE"),
        "other": (422, "INVALID_REQUEST"),
    }
    for layer, wanted in expected.items():
        answer = client.get(f"/api/v1/jobs/{job_id}/pixels/{layer}")
        assert (answer.status_code, answer.json()["code"]) == wanted
    assert client.get("/api/v1/jobs/none/pixels/source").json()["code"] == "JOB_UNKNOWN"
    with installation.sessions.begin() as session:
        session.query(Instance).one().file_removed_at = datetime(2026, 2, 1, tzinfo=UTC)
    assert client.get(f"/api/v1/jobs/{job_id}/pixels/source").json()["code"] == "IMAGE_REMOVED"
