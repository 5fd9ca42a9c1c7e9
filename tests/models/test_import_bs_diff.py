"""BS-Diff's checkpoints through the same import as BS-LDM's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models import library
from models.bs_diff.autoencoder import Autoencoder, AutoencoderConfig
from models.bs_diff.config import BsDiffConfig, Condition
from models.bs_diff.predict import BsDiffSuppressor
from models.bs_diff.shapes import infer_autoencoder, infer_pixel_unet
from models.bs_diff.unet import UNet, UNetConfig
from models.checkpoint import file_sha256
from models.errors import ConfigError, WeightsError, WeightsFault
from models.import_published import PublishedModel, import_published
from models.pickle_modules import ImportedModule, PlainValue
from tests.models.bs_diff.factories import AUTOENCODER, CONFIG, UNET, small_autoencoder, small_unet
from tests.models.bs_ldm.factories import no_step, radiograph
from tests.models.pickled import Calls, save_bs_diff_autoencoder, save_bs_diff_unet, save_unet


@pytest.fixture
def published(tmp_path: Path) -> PublishedModel:
    """Two checkpoints as their authors save them."""
    save_bs_diff_unet(tmp_path / "unet.pth")
    save_bs_diff_autoencoder(tmp_path / "autoencoder.pth")
    return PublishedModel("imported", tmp_path / "unet.pth", tmp_path / "autoencoder.pth", image_size=32)


def refused(model: PublishedModel, weights_dir: Path) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        import_published(model, weights_dir)
    assert not weights_dir.exists() or not any(weights_dir.iterdir())
    return caught.value


def test_the_files_tell_the_method_and_become_an_installed_model_that_runs(
    published: PublishedModel, tmp_path: Path
) -> None:
    manifest = import_published(published, tmp_path / "weights")
    assert manifest.architecture == "bs-diff"
    assert BsDiffConfig.from_json(manifest.config) == CONFIG
    assert set(manifest.presets) == {"fast", "reference", "compat"}
    assert manifest.sources == {path.name: file_sha256(path) for path in (published.unet, published.autoencoder)}
    loaded = library.load("imported", [tmp_path / "weights"], "compat", device="cpu").identity
    assert (loaded.name, loaded.sampler, loaded.steps) == ("imported", "x0-feedback", 1000)
    few = BsDiffSuppressor.from_manifest(manifest, torch.device("cpu"), "fast", 2)
    assert few.bone_residual(radiograph(), seeds=[0], on_step=no_step).shape == (1, 1, 32, 32)


def test_imported_weights_are_the_pickled_ones_to_the_bit(published: PublishedModel, tmp_path: Path) -> None:
    folder = import_published(published, tmp_path / "weights").folder
    for file, state in (
        ("unet.safetensors", small_unet().state_dict()),
        ("autoencoder.safetensors", small_autoencoder().state_dict()),
    ):
        written = load_file(folder / file)
        assert written.keys() == state.keys()
        assert all(torch.equal(written[name], tensor) for name, tensor in state.items())


def test_the_published_files_import_at_their_own_sizes(shared: Path, tmp_path: Path) -> None:
    parity = shared / "parity"
    model = PublishedModel(
        "small",
        parity / "upstream_bsdiff_unet_small.pth",
        parity / "upstream_bsdiff_autoencoder_small.pth",
    )
    config = BsDiffConfig.from_json(import_published(model, tmp_path).config)
    assert config.unet.num_channels == (32, 64, 64)
    assert config.unet.num_head_channels == (0, 64, 64)
    assert config.autoencoder.num_channels == (32, 64, 96)
    assert config.image_size == 256


@pytest.mark.parametrize("where", ["unet", "autoencoder"])
def test_a_payload_in_either_checkpoint_does_not_run(published: PublishedModel, tmp_path: Path, where: str) -> None:
    marker = tmp_path / "ran"
    payload = Calls(os.system, f"touch {marker}")
    if where == "unet":
        torch.save({"model": small_unet().state_dict(), "epoch": payload}, published.unet)
    else:
        autoencoder = small_autoencoder()
        autoencoder.payload = payload  # type: ignore[assignment]
        torch.save(autoencoder, published.autoencoder)
    import_published(published, tmp_path / "weights")
    assert not marker.exists()


def test_a_payload_in_the_place_of_the_network_is_refused_and_does_not_run(
    published: PublishedModel, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    torch.save({"model": Calls(os.system, f"touch {marker}")}, published.unet)
    assert refused(published, tmp_path / "weights").code == WeightsFault.FOREIGN
    assert not marker.exists()


@pytest.mark.parametrize("which", ["unet", "autoencoder"])
def test_a_truncated_file_leaves_nothing_behind(published: PublishedModel, tmp_path: Path, which: str) -> None:
    path: Path = getattr(published, which)
    path.write_bytes(path.read_bytes()[:-3000])
    assert refused(published, tmp_path / "weights").code == WeightsFault.TRUNCATED


def test_the_two_files_given_the_wrong_way_round_are_refused(published: PublishedModel, tmp_path: Path) -> None:
    swapped = replace(published, unet=published.autoencoder, autoencoder=published.unet)
    error = refused(swapped, tmp_path / "weights")
    assert error.code == WeightsFault.FOREIGN
    assert "expected the U-Net of BS-LDM or BS-Diff" in str(error)


def test_a_u_net_of_the_other_method_does_not_go_with_this_autoencoder(
    published: PublishedModel, tmp_path: Path
) -> None:
    save_unet(tmp_path / "latent.pth")
    error = refused(replace(published, unet=tmp_path / "latent.pth"), tmp_path / "weights")
    assert error.code == WeightsFault.FOREIGN


def test_an_autoencoder_without_its_second_half_is_refused(published: PublishedModel, tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in small_autoencoder().state_dict().items() if name.startswith("encoder")}
    torch.save(state, published.autoencoder)
    assert "quant_conv_mu.conv.weight" in str(refused(published, tmp_path / "weights"))


def test_a_missing_tensor_and_one_of_another_size_are_named(published: PublishedModel, tmp_path: Path) -> None:
    state = small_unet().state_dict()
    del state["middle_block.attention.to_q.bias"]
    state["up_blocks.0.resnets.1.conv2.conv.bias"] = torch.zeros(3)
    torch.save({"model": state}, published.unet)
    error = refused(published, tmp_path / "weights")
    assert error.code == WeightsFault.MISMATCH
    assert "middle_block.attention.to_q.bias" in str(error)
    assert "up_blocks.0.resnets.1.conv2.conv.bias: expected (64,), found (3,)" in str(error)


def test_the_condition_is_the_operators_choice_among_the_methods_own(published: PublishedModel, tmp_path: Path) -> None:
    manifest = import_published(replace(published, condition="noised"), tmp_path / "weights")
    assert BsDiffConfig.from_json(manifest.config).condition is Condition.NOISED
    with pytest.raises(ConfigError, match="clean, noised"):
        import_published(replace(published, name="other", condition="scaled"), tmp_path / "weights")


def bare(network: torch.nn.Module) -> ImportedModule:
    return ImportedModule("net.pth", "", network.state_dict(), frozenset(), {})


def test_the_published_sizes_are_read_off_the_published_shapes() -> None:
    with torch.device("meta"):
        assert infer_pixel_unet(bare(UNet(UNetConfig()))) == UNetConfig()
        assert infer_autoencoder(bare(Autoencoder(AutoencoderConfig()))) == AutoencoderConfig()


@pytest.mark.parametrize(
    "config",
    [
        replace(UNET, num_channels=(64,), attention_levels=(True,), num_head_channels=(64,)),
        replace(UNET, num_channels=(32, 96, 64), num_res_blocks=3, attention_levels=(True, False, False),
                num_head_channels=(32, 0, 64)),
        replace(UNET, out_channels=1),
    ],
)  # fmt: skip
def test_any_u_nets_size_is_read_off_its_shapes(config: UNetConfig) -> None:
    assert infer_pixel_unet(bare(UNet(config))) == config


@pytest.mark.parametrize(
    "config",
    [
        replace(AUTOENCODER, num_channels=(64,), attention_levels=(True,), num_res_blocks=2),
        replace(AUTOENCODER, num_channels=(64, 32, 96), attention_levels=(True, False, False), num_res_blocks=3),
        replace(AUTOENCODER, num_channels=(32, 32), attention_levels=(False, False)),
    ],
)
def test_any_autoencoders_size_is_read_off_its_shapes(config: AutoencoderConfig) -> None:
    assert infer_autoencoder(bare(Autoencoder(config))) == config


def test_heads_and_groups_come_from_the_pickled_modules_own_attributes() -> None:
    config = replace(UNET, norm_num_groups=16, num_head_channels=(0, 32))
    attributes: dict[str, dict[str, PlainValue]] = {
        "down_blocks.1.attentions.0": {"num_heads": 2},
        "middle_block.attention": {"num_heads": 2},
        "down_blocks.0.resnets.0.norm1": {"num_groups": 16},
    }
    module = ImportedModule("net.pth", "", UNet(config).state_dict(), frozenset(), attributes)
    assert infer_pixel_unet(module) == config
