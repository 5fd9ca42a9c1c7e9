"""Each image's install steps in a clean virtual environment, then each container's command, as the Dockerfile has them.

No container engine is needed. The build context is laid out as the COPY lines say, the RUN lines that install are run
with their paths moved into a temporary folder, and the commands start in an empty folder, far from the sources.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.deploy.dockerfile import DOCKERFILES, ROOT, read_dockerfile
from tests.service_process import free_port, wait_for

pytestmark = [pytest.mark.images, pytest.mark.slow, pytest.mark.timeout(3600)]

INSTALL_WITHIN_S = 1800
START_WITHIN_S = 240
SOURCES = "/opt/softray"


@dataclass(frozen=True)
class Image:
    """A virtual environment with what one Dockerfile installs, and an empty data folder."""

    programs: Path
    data: Path

    def environment(self, **settings: str) -> dict[str, str]:
        # Nothing of this checkout or of the developer: only what a container has.
        return {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.data),
            "SOFTRAY_DATA_DIR": str(self.data),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            **settings,
        }

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.programs / command[0], *command[1:]],
            cwd=self.data,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            timeout=START_WITHIN_S,
            check=False,
        )

    @contextmanager
    def started(self, arguments: list[str], log_line: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """The process of one container, once it has logged `log_line`; stopped as an engine stops it."""
        log = self.data / f"{'-'.join(arguments)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self.programs / "softray", *arguments],
                cwd=self.data,
                env=self.environment(SOFTRAY_LOG_FORMAT="json", **settings),
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(
                f"{log_line!r} from softray {' '.join(arguments)}",
                lambda: log_line in log.read_text() or process.poll() is not None,
                within_s=START_WITHIN_S,
            )
            assert process.poll() is None, log.read_text()[-3000:]
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) in {0, -signal.SIGTERM}, log.read_text()[-3000:]
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def build(name: str, folder: Path) -> Image:
    """Follow deploy/Dockerfile.`name` in `folder`."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    image = Image(folder / "venv" / "bin", folder / "data")
    image.data.mkdir()
    for step in read_dockerfile(DOCKERFILES[name]):
        if step.keyword == "COPY":
            copy(step.words[:-1], Path(moved(step.words[-1], folder)), into=step.words[-1].endswith("/"))
        if step.keyword == "RUN" and step.arguments.startswith("pip "):
            words = [moved(word, folder) for word in step.words]
            installed = subprocess.run(
                [image.programs / words[0], *words[1:]],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=INSTALL_WITHIN_S,
                check=False,
            )
            assert installed.returncode == 0, installed.stderr[-3000:]
    shutil.rmtree(folder / "opt")  # what runs is what was installed
    migrated = image.run("softray", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return image


def moved(word: str, folder: Path) -> str:
    return word.replace(SOURCES, str(folder / "opt" / "softray"))


def copy(sources: list[str], target: Path, *, into: bool) -> None:
    for source in (ROOT / name for name in sources):
        place = target / source.name if into or len(sources) > 1 else target
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build("core", tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build("worker", tmp_path_factory.mktemp("worker"))


def test_the_core_image_has_no_torch_and_says_what_is_missing(core: Image) -> None:
    assert "No module named 'torch'" in core.run("python", "-c", "import torch").stderr
    gpu = core.run("softray", "worker", "gpu")
    assert gpu.returncode != 0
    assert "models" in gpu.stderr


def test_the_core_image_runs_what_was_installed_and_not_the_checkout(core: Image) -> None:
    where = core.run("python", "-c", "import service, dicom_node, worker, models; print(service.__file__)").stdout
    assert where.startswith(str(core.programs.parent))


def test_the_node_starts_and_answers_a_verification(core: Image) -> None:
    port = free_port()
    with core.started(["node"], "", SOFTRAY_DICOM_PORT=str(port), SOFTRAY_ACCEPT_UNKNOWN_CALLERS="true"):
        echo = ["python", "-m", "pynetdicom", "echoscu", "127.0.0.1", str(port), "-aec", "SOFTRAY"]
        wait_for("an answer to C-ECHO", lambda: core.run(*echo).returncode == 0, within_s=START_WITHIN_S, pause_s=1)


def test_the_api_starts_with_its_pages(core: Image) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with core.started(["api"], "api_listening", SOFTRAY_API_PORT=str(port), SOFTRAY_MIN_FREE_BYTES="0"):
        wait_for("the API", lambda: answers(f"{address}/health/ready"), within_s=START_WITHIN_S)
        assert "No images yet" in httpx.get(address).text
        for file in ("softray.css", "softray.js"):
            assert httpx.get(f"{address}/static/{file}").status_code == 200


def test_the_network_worker_starts_without_torch(core: Image) -> None:
    with core.started(["worker", "network"], "worker_ready"):
        pass


def test_the_gpu_worker_loads_its_model_and_passes_its_own_check(worker: Image) -> None:
    assert worker.run("python", "-c", "import torch").returncode == 0
    with worker.started(["worker", "gpu"], "model_ready"):
        pass


def answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.HTTPError:
        return False
