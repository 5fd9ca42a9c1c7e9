from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from service.settings import Settings
from tests.deploy.dockerfile import DOCKERFILES, ROOT, Instruction, of, read_dockerfile


@pytest.fixture(params=DOCKERFILES)
def image(request: pytest.FixtureRequest) -> list[Instruction]:
    return read_dockerfile(DOCKERFILES[request.param])


def pip_installs(image: list[Instruction]) -> list[str]:
    return [run.arguments for run in of(image, "RUN") if run.arguments.startswith("pip install ")]


def test_only_the_worker_image_holds_torch() -> None:
    core, worker = (" ".join(pip_installs(read_dockerfile(DOCKERFILES[name]))) for name in ("core", "worker"))
    assert "torch" not in core
    assert "[models]" not in core
    assert "torch==" in worker
    assert "[models]" in worker


def test_the_workers_torch_is_the_pinned_one_and_comes_from_the_default_index() -> None:
    installs = " ".join(pip_installs(read_dockerfile(DOCKERFILES["worker"])))
    (version,) = re.findall(r"torch==(\S+)", installs)
    assert f"torch=={version}\n" in (ROOT / "constraints.txt").read_text()
    models = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["models"]
    assert f"torch=={version}" in models
    # A local version such as 2.13.0+cpu would keep CUDA out of the image.
    assert "+" not in version
    assert "index-url" not in installs


def test_every_install_is_pinned(image: list[Instruction]) -> None:
    installs = pip_installs(image)
    assert installs
    assert all("--constraint /opt/softray/constraints.txt" in install for install in installs)


def test_everything_that_is_copied_exists_and_reaches_the_build(image: list[Instruction]) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    for copy in of(image, "COPY"):
        for source in copy.words[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, source


def test_every_package_is_copied(image: list[Instruction]) -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in pyproject["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = {source for copy in of(image, "COPY") for source in copy.words[:-1]}
    assert packages <= copied
    assert {"pyproject.toml", "constraints.txt", pyproject["project"]["readme"]} <= copied
    assert set(pyproject["project"]["license-files"]) <= copied


def test_the_processes_run_as_an_ordinary_user_in_the_data_folder(image: list[Instruction]) -> None:
    keywords = [instruction.keyword for instruction in image]
    (user,) = of(image, "USER")
    assert user.arguments != "root"
    assert keywords.index("USER") > max(number for number, keyword in enumerate(keywords) if keyword == "RUN")
    (folder,) = of(image, "WORKDIR")
    environment = dict(pair.split("=", 1) for line in of(image, "ENV") for pair in line.words)
    assert environment["SOFTRAY_DATA_DIR"] == folder.arguments == "/var/lib/softray"
    assert of(image, "ENTRYPOINT")[0].words == ["softray"]


def test_both_images_give_the_shared_files_to_the_same_user_id() -> None:
    ids = {re.findall(r"--uid (\d+)", DOCKERFILES[name].read_text())[0] for name in DOCKERFILES}
    assert len(ids) == 1


def test_the_python_is_the_one_that_the_tests_ran_with(image: list[Instruction]) -> None:
    (base,) = of(image, "FROM")
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["python_version"]
    assert base.arguments.startswith(f"python:{required}-")


def test_the_demonstration_pacs_knows_softray_and_takes_its_results() -> None:
    orthanc = json.loads((ROOT / "deploy" / "orthanc.json").read_text())
    (modality,) = orthanc["DicomModalities"].values()
    defaults = Settings.model_fields
    assert modality["AET"] == defaults["ae_title"].default == "SOFTRAY"
    assert modality["Port"] == defaults["dicom_port"].default
    assert modality["AllowStore"] is True
    assert orthanc["AuthenticationEnabled"] is True
    assert orthanc["OverwriteInstances"] is False


def test_the_example_files_name_only_what_exists() -> None:
    known = {f"SOFTRAY_{name.upper()}" for name in Settings.model_fields}
    assert names(ROOT / "deploy" / "softray.env") <= known
    # What compose itself is told must not look like a setting of the service.
    assert not names(ROOT / "deploy" / "example.env") & known - {"SOFTRAY_DICOM_PORT"}


def names(file: Path) -> set[str]:
    lines = file.read_text().splitlines()
    return {line.split("=", 1)[0] for line in lines if line.strip() and not line.startswith("#")}
