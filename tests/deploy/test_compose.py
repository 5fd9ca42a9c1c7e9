from __future__ import annotations

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.settings import Settings
from tests.deploy.compose_file import SECRETS, config, resolved
from tests.deploy.dockerfile import ROOT

OURS = {"migrate", "node", "api", "network-worker", "gpu-worker"}
PEERS = {"postgres", "redis", "orthanc"}


@pytest.fixture
def services() -> dict[str, Any]:
    return dict(resolved()["services"])


def test_compose_accepts_the_file() -> None:
    assert set(resolved()["services"]) == OURS | PEERS


@pytest.mark.parametrize("missing", SECRETS)
def test_there_is_no_default_password(missing: str) -> None:
    answer = config(**{name: "secret" for name in SECRETS if name != missing})
    assert answer.returncode != 0
    assert "set it in .env" in answer.stderr
    example = (ROOT / "deploy" / "example.env").read_text()
    assert re.search(rf"^{missing}=$", example, flags=re.MULTILINE)


def test_no_password_stands_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    values = re.findall(r"(?:PASSWORD|AUTH): +(\S+)", text)
    assert values
    assert all(value.startswith("${") for value in values)
    assert all(part.startswith("${") for part in re.findall(r"://\w*:([^@]+)@", text))


def test_every_variable_is_in_the_example_and_used() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    example = (ROOT / "deploy" / "example.env").read_text()
    assert used == set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE))


def test_every_command_is_one_of_softrays(services: dict[str, Any]) -> None:
    for name in OURS:
        command = services[name]["command"]
        words = command if isinstance(command, list) else command.split()
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0, name


def test_every_setting_that_is_passed_exists(services: dict[str, Any]) -> None:
    known = {f"SOFTRAY_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        assert {key for key in services[name]["environment"] if key.startswith("SOFTRAY_")} <= known, name


def test_all_of_softray_shares_one_registry_one_broker_and_one_store(services: dict[str, Any]) -> None:
    for setting in ("SOFTRAY_DATABASE_URL", "SOFTRAY_BROKER_URL", "SOFTRAY_DATA_DIR"):
        assert len({services[name]["environment"][setting] for name in OURS}) == 1
    mounts = {str(services[name]["volumes"]) for name in OURS}
    assert len(mounts) == 1
    assert "softray-data" in mounts.pop()


def test_only_the_gpu_worker_uses_the_worker_image_and_a_gpu(services: dict[str, Any]) -> None:
    files = {name: services[name]["build"]["dockerfile"] for name in OURS}
    assert {name for name, file in files.items() if file == "deploy/Dockerfile.worker"} == {"gpu-worker"}
    assert all((ROOT / file).is_file() for file in files.values())
    with_devices = {name for name, service in services.items() if "deploy" in service}
    assert with_devices == {"gpu-worker"}
    (device,) = services["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_everything_that_stays_up_is_started_again_and_the_migration_is_not(services: dict[str, Any]) -> None:
    restart = {name: service.get("restart") for name, service in services.items()}
    assert restart.pop("migrate") in {"no", None}
    assert set(restart.values()) == {"unless-stopped"}


def test_what_others_wait_for_has_a_health_check(services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if "healthcheck" in service} == PEERS | {"node", "api"}
    waited_for = {
        other
        for service in services.values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {"postgres", "redis"}


def test_every_process_waits_for_the_migration(services: dict[str, Any]) -> None:
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "postgres" in services["migrate"]["depends_on"]


def test_database_and_broker_are_not_published_and_pages_only_on_the_loopback_address(
    services: dict[str, Any],
) -> None:
    ports = {name: [published(port) for port in service.get("ports", [])] for name, service in services.items()}
    assert {name for name, opened in ports.items() if opened} == {"node", "api", "orthanc"}
    assert ports["api"] == [("127.0.0.1", "8080", "8080")]
    assert ("127.0.0.1", "8042", "8042") in ports["orthanc"]
    assert ports["node"] == [("", "11112", "11112")]


def published(port: str | dict[str, Any]) -> tuple[str, str, str]:
    """Host address, host port, container port; Compose 2 writes a mapping, Compose 1 a string."""
    if isinstance(port, dict):
        return (port.get("host_ip", ""), str(port["published"]), str(port["target"]))
    parts = port.removesuffix("/tcp").split(":")
    return (":".join(parts[:-2]), parts[-2], parts[-1])


def test_every_volume_is_named_and_used(services: dict[str, Any]) -> None:
    used = {mounted(volume) for service in services.values() for volume in service.get("volumes", [])}
    named = {source for source in used if "/" not in source}
    assert named == set(resolved()["volumes"]) == {"postgres-data", "redis-data", "orthanc-data", "softray-data"}
    assert used - named == {str(ROOT / "deploy" / name) for name in ("orthanc.json", "site.example.toml")}


def mounted(volume: str | dict[str, Any]) -> str:
    return str(volume["source"]) if isinstance(volume, dict) else volume.split(":")[0]


def test_the_pacs_shows_results_in_the_ohif_viewer(services: dict[str, Any]) -> None:
    environment = services["orthanc"]["environment"]
    assert environment["OHIF_PLUGIN_ENABLED"] == environment["DICOM_WEB_PLUGIN_ENABLED"] == "true"


def test_the_health_checks_ask_the_ports_that_are_served(services: dict[str, Any]) -> None:
    assert str(Settings.model_fields["dicom_port"].default) in str(services["node"]["healthcheck"]["test"])
    assert f":{Settings.model_fields['api_port'].default}/health/live" in str(services["api"]["healthcheck"]["test"])


def test_every_part_is_given_the_time_to_stop_that_it_is_told(services: dict[str, Any]) -> None:
    told = Settings.model_fields["stop_within_s"].default
    for name in OURS - {"migrate"}:
        minutes, seconds = re.fullmatch(r"(?:(\d+)m)?(\d+)s", services[name]["stop_grace_period"]).groups()  # type: ignore[union-attr]
        assert int(minutes or 0) * 60 + int(seconds) >= told + 10, name
        assert services[name]["init"] is True, name
