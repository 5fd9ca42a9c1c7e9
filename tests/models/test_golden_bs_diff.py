from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.bs_diff.autoencoder import Autoencoder, AutoencoderConfig
from models.bs_diff.unet import UNet, UNetConfig
from models.errors import ConfigError
from models.golden_bs_diff import BsDiffGolden, unfused_attention
from models.golden_file import GoldenFile, compared
from models.schedules import cosine_schedule
from tests.models.bs_diff.factories import AUTOENCODER, UNET, small_autoencoder, small_unet
from tests.models.pickled import save_bs_diff_autoencoder, save_bs_diff_unet

UNET_IO, AUTOENCODER_IO = "bsdiff_unet_small_io.safetensors", "bsdiff_autoencoder_small_io.safetensors"
TRACE = "bsdiff_x0_iteration_trace.safetensors"
SIDE = 4
RECORDED = (999, 990, 0)


def result(folder: Path, file: str) -> GoldenFile:
    (case,) = [case for case in BsDiffGolden(folder).cases() if case.file == file]
    return compared(folder / file, case)


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like the shared one, at another size, its outputs written down step by step."""
    folder = tmp_path_factory.mktemp("golden")
    save_bs_diff_unet(folder / "upstream_bsdiff_unet_small.pth")
    save_bs_diff_autoencoder(folder / "upstream_bsdiff_autoencoder_small.pth")
    unet, autoencoder = small_unet(), small_autoencoder()
    with torch.inference_mode():
        x, t = torch.randn(2, 2, 8, 8), torch.tensor([3, 700])
        save({"x": x, "t": t, "y": unet(x, t)}, folder / UNET_IO)
        image = torch.rand(2, 1, 16, 16) * 2 - 1
        latents = autoencoder.encode(image)
        sigma, decoded = latents.log_variance.exp().sqrt(), autoencoder.decode(latents.mean)
        save({"image": image, "mu": latents.mean, "sigma": sigma, "decoded_mu": decoded}, folder / AUTOENCODER_IO)
    with torch.device("meta"):
        full = {"unet": UNet(UNetConfig()), "autoencoder": Autoencoder(AutoencoderConfig())}
    for name, network in full.items():
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
        (folder / f"bsdiff_{name}_full_keys.json").write_text(json.dumps(shapes))
    sizes = {"unet": asdict(UNET), "autoencoder": asdict(AUTOENCODER), "seed": 3}
    (folder / "bsdiff_config.json").write_text(json.dumps(sizes))
    return folder


def save(tensors: dict[str, Tensor], path: Path) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


@torch.inference_mode()
def trace(unet: UNet) -> dict[str, Tensor]:
    """One published inference, step by step."""
    alpha_bar = cosine_schedule().alpha_bar_tensor
    x = noise = torch.randn(1, 1, SIDE, SIDE)
    cxr = torch.rand(1, 1, SIDE, SIDE) * 2 - 1
    states = {}
    for t in reversed(range(1000)):
        epsilon = unet(torch.cat([x, cxr], dim=1), torch.tensor([t]))[:, :1]
        x = ((x - (1 - alpha_bar[t]).sqrt() * epsilon) / alpha_bar[t].sqrt()).clamp(-1, 1)
        if t in RECORDED:
            states[f"x0_after_{t}"] = x.clone()
    return {"noise": noise, "cxr": cxr, **states}


@pytest.fixture
def folder(made_folder: Path, tmp_path: Path) -> Path:
    """The made folder, to be spoiled."""
    return Path(shutil.copytree(made_folder, tmp_path / "golden"))


def test_a_folder_of_any_size_named_by_its_config_is_checked(made_folder: Path) -> None:
    results = {case.file: compared(made_folder / case.file, case) for case in BsDiffGolden(made_folder).cases()}
    assert results.pop(TRACE).note.count("cannot be read") == 1  # this folder has none
    assert all(found.ok for found in results.values()), results
    assert len(results) == 4


@pytest.mark.slow
def test_a_recorded_run_is_repeated_and_a_state_that_rounding_does_not_explain_is_a_failure(folder: Path) -> None:
    threads, tensors = torch.get_num_threads(), trace(small_unet())
    save(tensors, folder / TRACE)
    assert result(folder, TRACE).ok
    assert torch.get_num_threads() == threads
    save({**tensors, "x0_after_999": 0.9 * tensors["x0_after_999"]}, folder / TRACE)
    found = result(folder, TRACE)
    assert found.ok is False
    assert "x0_after_999" in found.note


@pytest.mark.parametrize(
    ("file", "tensor"),
    [(UNET_IO, "y"), (AUTOENCODER_IO, "mu"), (AUTOENCODER_IO, "sigma"), (AUTOENCODER_IO, "decoded_mu")],
)
@pytest.mark.parametrize("wrong", [1e-3, float("nan")])
def test_a_deviation_past_the_tolerance_is_reported_with_its_place(
    folder: Path, file: str, tensor: str, wrong: float
) -> None:
    tensors = load_file(folder / file)
    tensors[tensor].view(-1)[0] += wrong
    save_file(tensors, folder / file)
    found = result(folder, file)
    assert found.ok is False
    assert found.deviation is not None
    assert found.deviation > 1e-4
    assert tensor in found.note


@pytest.mark.parametrize("states", [(), ("x0_after_1000",), ("x0_after_5", "x0_after_all")])
def test_a_trace_without_states_of_its_timesteps_is_no_proof(folder: Path, states: tuple[str, ...]) -> None:
    pixels = torch.zeros(1, 1, SIDE, SIDE)
    save({name: pixels.clone() for name in ("noise", "cxr", *states)}, folder / TRACE)
    assert "expected states" in result(folder, TRACE).note


def test_a_missing_or_foreign_checkpoint_fails_the_files_that_need_it_and_no_others(folder: Path) -> None:
    (folder / "upstream_bsdiff_autoencoder_small.pth").write_bytes(b"other")
    assert result(folder, AUTOENCODER_IO).ok is False
    assert "not a checkpoint" in result(folder, AUTOENCODER_IO).note
    assert result(folder, UNET_IO).ok


@pytest.mark.parametrize("content", ["{", "{}", '{"unet": {}, "autoencoder": {}}'])
def test_an_unusable_configuration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "bsdiff_config.json").write_text(content)
    with pytest.raises(ConfigError):
        BsDiffGolden(tmp_path)


def test_unfused_attention_is_attention() -> None:
    q, k, v = (torch.randn(2, 3, 5, 4) for _ in range(3))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert torch.allclose(unfused_attention(q, k, v), expected, atol=1e-5)
