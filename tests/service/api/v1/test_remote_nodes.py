from __future__ import annotations

from fastapi.testclient import TestClient

from tests.service.api.installation import Installation


def test_remote_nodes_are_listed(client: TestClient, installation: Installation) -> None:
    installation.add_destination("ARCHIVE")
    (node,) = client.get("/api/v1/remote-nodes").json()["items"]
    assert (node["name"], node["host"], node["port"]) == ("ARCHIVE", "pacs.example", 104)
    assert node["receives_results"] is True
