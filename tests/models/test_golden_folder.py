from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.errors import ConfigError
from models.golden_file import GoldenFile
from models.golden_folder import check
from models.samplers.ddpm import sample_ddpm
from models.schedules import Prediction, cosine_schedule
from models.thresholding import clamp_x0
from tests.models.bs_ldm.factories import UNET, VQGAN, radiograph
from tests.models.pickled import save_unet, save_vqgan


def by_name(folder: Path) -> dict[str, GoldenFile]:
    return {result.file: result for result in check(folder)}


@pytest.mark.slow
def test_everything_the_published_code_gave_is_reproduced_and_nothing_is_left_unchecked(shared: Path) -> None:
    results = by_name(shared / "parity")
    assert all(result.ok for result in results.values()), results
    assert {"ddpm1000_trace.safetensors", "bsdiff_x0_iteration_trace.safetensors"} <= set(results)
    assert len(results) == 10


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like the shared one, at another size, its outputs written down step by step."""
    folder = tmp_path_factory.mktemp("golden")
    with torch.inference_mode():
        unet, vqgan = save_unet(folder / "upstream_unet_small.pth"), save_vqgan(folder / "upstream_vqgan_small.pth")
        x, t = torch.randn(2, 8, 8, 8), torch.tensor([3, 700])
        save_file({"x": x, "t": t, "y": unet(x, t)}, folder / "unet_small_io.safetensors")
        image = radiograph(32)
        z = vqgan.eval().encode(image)
        z_q = vqgan.quantise(z)
        outputs = {"z": z, "z_q": z_q, "decoded": vqgan.decode(z_q), "reconstruction": vqgan.decode(z_q).clone()}
        save_file({"image": image, **outputs}, folder / "vqgan_small_io.safetensors")
        save_file(trace(unet, vqgan, z_q), folder / "ddpm1000_trace.safetensors")
    with torch.device("meta"):
        full = {"unet": UNet(UNetConfig()), "vqgan": Vqgan(VqganConfig())}
    for name, network in full.items():
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
        (folder / f"{name}_full_keys.json").write_text(json.dumps(shapes))
    sizes = {"unet": asdict(UNET), "vqgan": asdict(VQGAN)}
    (folder / "config.json").write_text(json.dumps({**sizes, "seed": 5, "trace_generator": "as published"}))
    return folder


def trace(unet: UNet, vqgan: Vqgan, cxr: Tensor) -> dict[str, Tensor]:
    schedule, generator = cosine_schedule(), torch.Generator().manual_seed(5 + 3)
    noise = torch.randn(1, 4, 8, 8, generator=generator)
    states: dict[str, Tensor] = {}

    def predict(x: Tensor, t: int) -> Tensor:
        epsilon = unet(torch.cat([x, cxr], 1), torch.tensor([t]))[:, :4]
        return clamp_x0(schedule.to_x0(Prediction.EPSILON, epsilon, x, t), t)

    def observe(t: int, x: Tensor) -> None:
        if t in (999, 500, 0):
            states[f"x_after_{t}"] = x.clone()

    def step_noise(_t: int) -> Tensor:
        return torch.randn(1, 8, 8, 8, generator=generator)[:, :4]

    x = sample_ddpm(predict, noise, step_noise, schedule, lambda _step, _total: None, observe)
    return {"noise": noise, "cxr_latent": cxr, "soft": vqgan.decode(x), **states}


@pytest.fixture
def folder(made_folder: Path, tmp_path: Path) -> Path:
    """The made folder without its slow trace, to be spoiled."""
    copied = tmp_path / "golden"
    shutil.copytree(made_folder, copied)
    (copied / "ddpm1000_trace.safetensors").unlink()
    return copied


def test_a_folder_of_any_size_named_by_its_config_is_checked_whole(made_folder: Path) -> None:
    seen: list[str] = []
    results = check(made_folder, lambda result: seen.append(result.file))
    assert [result.file for result in results] == seen
    assert all(result.ok for result in results), results
    assert len(results) == 5


@pytest.mark.parametrize(
    ("file", "tensor"),
    [("unet_small_io.safetensors", "y"), ("vqgan_small_io.safetensors", "decoded")],
)
@pytest.mark.parametrize("wrong", [1e-3, float("nan")])
def test_a_deviation_past_the_tolerance_is_reported_with_its_place(
    folder: Path, file: str, tensor: str, wrong: float
) -> None:
    tensors = load_file(folder / file)
    tensors[tensor].view(-1)[0] += wrong
    save_file(tensors, folder / file)
    result = by_name(folder)[file]
    assert result.ok is False
    assert result.deviation is not None
    assert result.deviation > 1e-4
    assert tensor in result.note


def test_a_missing_golden_file_is_not_passed_over(folder: Path) -> None:
    result = by_name(folder)["ddpm1000_trace.safetensors"]
    assert result.ok is False
    assert "cannot be read" in result.note


def test_a_missing_or_foreign_checkpoint_fails_the_files_that_need_it_and_no_others(folder: Path) -> None:
    (folder / "upstream_unet_small.pth").write_bytes(b"other")
    results = by_name(folder)
    assert results["unet_small_io.safetensors"].ok is False
    assert "not a checkpoint" in results["unet_small_io.safetensors"].note
    assert results["vqgan_small_io.safetensors"].ok


def test_one_changed_shape_among_the_full_names_is_counted(folder: Path) -> None:
    names = json.loads((folder / "unet_full_keys.json").read_text())
    names["out.2.bias"] = [4]
    names["surplus"] = [1]
    (folder / "unet_full_keys.json").write_text(json.dumps(names))
    result = by_name(folder)["unet_full_keys.json"]
    assert (result.ok, result.deviation, result.tolerance) == (False, 2.0, 0.0)


def test_a_configuration_that_does_not_fit_the_checkpoints_is_reported(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["unet"]["num_res_blocks"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    result = by_name(folder)["unet_small_io.safetensors"]
    assert result.ok is False
    assert "tensors missing" in result.note


def test_other_files_are_listed_as_not_checked(folder: Path) -> None:
    (folder / "other_method_io.safetensors").write_bytes(b"")
    result = by_name(folder)["other_method_io.safetensors"]
    assert (result.ok, result.note) == (None, "not checked by this version")


@pytest.mark.parametrize("content", [None, "{", "{}", '{"unet": {}, "vqgan": {}, "seed": 1}'])
def test_a_folder_without_a_usable_config_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError):
        check(tmp_path)
