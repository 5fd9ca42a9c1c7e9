from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import library
from models.bs_ldm.config import BsLdmConfig, Condition
from models.bs_ldm.shapes import infer_unet, infer_vqgan
from models.bs_ldm.unet import AttentionOrder, UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.checkpoint import file_sha256
from models.errors import ConfigError, WeightsError, WeightsFault
from models.import_published import PublishedModel, import_published
from models.pickle_modules import ImportedModule
from tests.models.bs_ldm.factories import CONFIG, UNET, VQGAN, no_step, radiograph, randomised
from tests.models.pickled import Calls, save_unet, save_vqgan


@pytest.fixture
def published(tmp_path: Path) -> PublishedModel:
    """Two checkpoints as their authors save them."""
    save_unet(tmp_path / "unet.pth")
    save_vqgan(tmp_path / "vqgan.pth")
    return PublishedModel("imported", tmp_path / "unet.pth", tmp_path / "vqgan.pth", image_size=CONFIG.image_size)


def test_pickled_modules_become_an_installed_model_that_runs(published: PublishedModel, tmp_path: Path) -> None:
    manifest = import_published(published, tmp_path / "weights")
    assert BsLdmConfig.from_json(manifest.config) == CONFIG
    assert manifest.sources == {path.name: file_sha256(path) for path in (published.unet, published.autoencoder)}
    model = library.load_manifest(manifest, steps=2, device="cpu", unproven=True)
    assert model.bone_residual(radiograph(), seeds=[0], on_step=no_step).shape == (1, 1, 32, 32)


def test_imported_weights_are_the_pickled_ones_to_the_bit(published: PublishedModel, tmp_path: Path) -> None:
    manifest = import_published(published, tmp_path / "weights")
    from safetensors.torch import load_file

    written = load_file(manifest.folder / "unet.safetensors")
    assert all(torch.equal(written[name], tensor) for name, tensor in randomised(UNet(UNET), 1).state_dict().items())


@pytest.mark.parametrize(
    ("attention", "order"),
    [("QKVAttentionLegacy", AttentionOrder.LEGACY), ("QKVAttention", AttentionOrder.QKV_FIRST)],
)
def test_the_attention_order_is_told_by_the_class_name(
    published: PublishedModel, tmp_path: Path, attention: str, order: AttentionOrder
) -> None:
    save_unet(published.unet, attention)
    config = BsLdmConfig.from_json(import_published(published, tmp_path / "weights").config)
    assert config.unet.attention_order is order


def test_a_bare_state_dict_needs_the_order_from_the_operator(published: PublishedModel, tmp_path: Path) -> None:
    torch.save(randomised(UNet(UNetConfig(model_channels=32, num_res_blocks=1, channel_mult=(1, 2)))).state_dict(),
               published.unet)  # fmt: skip
    with pytest.raises(WeightsError, match="attention order"):
        import_published(published, tmp_path / "weights")
    told = replace(published, attention_order=AttentionOrder.QKV_FIRST, condition="scaled")
    config = BsLdmConfig.from_json(import_published(told, tmp_path / "weights").config)
    assert config.unet.attention_order is AttentionOrder.QKV_FIRST
    assert config.condition is Condition.SCALED


def test_a_payload_in_a_checkpoint_does_not_run(published: PublishedModel, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    vqgan = randomised(Vqgan(VQGAN), 2)
    vqgan.payload = Calls(os.system, f"touch {marker}")
    torch.save(vqgan, published.autoencoder)
    import_published(published, tmp_path / "weights")
    assert not marker.exists()


def refused(model: PublishedModel, weights_dir: Path) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        import_published(model, weights_dir)
    assert not weights_dir.exists() or not any(weights_dir.iterdir())
    return caught.value


def test_the_two_files_given_the_wrong_way_round_are_refused(published: PublishedModel, tmp_path: Path) -> None:
    swapped = replace(published, unet=published.autoencoder, autoencoder=published.unet)
    assert refused(swapped, tmp_path / "weights").code == WeightsFault.FOREIGN


def test_a_truncated_file_leaves_nothing_behind(published: PublishedModel, tmp_path: Path) -> None:
    published.unet.write_bytes(published.unet.read_bytes()[:50_000])
    assert refused(published, tmp_path / "weights").code == WeightsFault.TRUNCATED


def test_a_missing_tensor_is_named(published: PublishedModel, tmp_path: Path) -> None:
    state = randomised(UNet(UNET)).state_dict()
    del state["middle_block.0.in_layers.2.weight"]
    torch.save(state, published.unet)
    error = refused(replace(published, attention_order=AttentionOrder.LEGACY), tmp_path / "weights")
    assert error.code == WeightsFault.MISMATCH
    assert "middle_block.0.in_layers.2.weight" in str(error)


def test_a_tensor_of_another_shape_is_named(published: PublishedModel, tmp_path: Path) -> None:
    state = randomised(Vqgan(VQGAN)).state_dict()
    state["decoder.blocks.1.conv1.conv.bias"] = torch.zeros(3)
    torch.save(state, published.autoencoder)
    error = refused(published, tmp_path / "weights")
    assert error.code == WeightsFault.MISMATCH
    assert "decoder.blocks.1.conv1.conv.bias: expected (16,), found (3,)" in str(error)


def test_networks_without_a_common_latent_are_refused(published: PublishedModel, tmp_path: Path) -> None:
    torch.save(randomised(Vqgan(replace(VQGAN, embedding_dim=3))), published.autoencoder)
    with pytest.raises(ConfigError, match="latents of 3 channels"):
        import_published(published, tmp_path / "weights")


def test_an_installed_model_is_not_overwritten(published: PublishedModel, tmp_path: Path) -> None:
    import_published(published, tmp_path / "weights")
    with pytest.raises(WeightsError) as caught:
        import_published(published, tmp_path / "weights")
    assert caught.value.code == WeightsFault.EXISTS


@pytest.mark.parametrize("name", ["../escape", "Two Words", ""])
def test_a_name_that_is_no_folder_name_is_refused(published: PublishedModel, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        import_published(replace(published, name=name), tmp_path / "weights")


def bare(state: dict[str, torch.Tensor]) -> ImportedModule:
    return ImportedModule("net.pth", "", state, frozenset(), {})


def test_the_published_sizes_are_read_off_the_published_shapes() -> None:
    with torch.device("meta"):
        unet, vqgan = UNet(UNetConfig()), Vqgan(VqganConfig())
    inferred = infer_unet(bare(unet.state_dict()), AttentionOrder.LEGACY)
    # A factor of 64 does not occur in six levels; naming it or not makes the same network.
    assert inferred == replace(UNetConfig(), attention_resolutions=(32, 16, 8))
    assert infer_vqgan(bare(vqgan.state_dict())) == VqganConfig()


@pytest.mark.parametrize(
    "config",
    [
        replace(UNET, channel_mult=(1,), attention_resolutions=(1,)),
        replace(UNET, channel_mult=(2, 1, 3), num_res_blocks=2, attention_resolutions=(4, 1), num_heads=8),
        replace(UNET, attention_resolutions=(), out_channels=4, num_heads=8),
    ],
)
def test_any_size_is_read_off_its_shapes(config: UNetConfig) -> None:
    module = bare(UNet(replace(config, num_heads=8)).state_dict())
    assert infer_unet(module, AttentionOrder.LEGACY) == replace(config, num_heads=8)


def test_heads_and_strides_come_from_the_pickled_modules_own_attributes() -> None:
    config = replace(VQGAN, downsample_parameters=((4, 4, 1, 0),) * 2, upsample_parameters=((4, 4, 1, 0, 0),) * 2)
    attributes = {f"encoder.blocks.{i}.conv": {"stride": (4, 4), "padding": (0, 0)} for i in (0, 2)}
    attributes |= {f"decoder.blocks.{i}.conv": {"stride": (4, 4), "padding": (0, 0)} for i in (2, 4)}
    module = ImportedModule("net.pth", "", Vqgan(config).state_dict(), frozenset(), {**attributes})
    assert infer_vqgan(module) == config
