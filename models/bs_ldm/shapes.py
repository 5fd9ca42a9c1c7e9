"""The sizes of BS-LDM's networks read off their tensors, for importing checkpoints that come without a configuration.

Shapes give widths, depth and where attention is. What they do not give (heads, the attention's order, strides) comes
from the pickled module's own attributes where there are any, else from the caller, else it is the published value.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from torch import Tensor

from models.bs_ldm.config import unet_from_json, vqgan_from_json
from models.bs_ldm.unet import AttentionOrder, UNetConfig
from models.bs_ldm.vqgan import VqganConfig
from models.errors import ConfigError, WeightsError, WeightsFault
from models.json_fields import JsonFields
from models.pickle_modules import ImportedModule

PUBLISHED_HEADS = 8


def infer_unet(module: ImportedModule, attention_order: AttentionOrder | None = None) -> UNetConfig:
    """The U-Net's size. Raises WeightsError when this is no ADM U-Net, or its attention order is unknown."""
    state = module.state
    stages = _blocks(state, "output_blocks")
    first = module.tensor("input_blocks.0.0.weight", 4)
    # A stage that ends in a second residual block is the last of its level: it doubles the resolution there.
    ends = [i for i in range(stages) if _second_block(state, i) is not None]
    per_level = ends[0] + 1 if ends else stages
    levels = len(ends) + 1
    if stages != levels * per_level or per_level < 2:
        raise foreign_network(module, f"expected equally deep levels, found {stages} output blocks in {levels}")

    model_channels = module.tensor("time_embed.0.weight", 2).shape[1]
    starts = [(levels - 1 - level) * per_level for level in range(levels)]  # output blocks go from deep to shallow
    widths = [module.tensor(f"output_blocks.{i}.0.out_layers.0.weight", 1).shape[0] for i in starts]
    attended = [level for level, i in enumerate(starts) if f"output_blocks.{i}.1.qkv.weight" in state]
    found = {
        "in_channels": first.shape[1],
        "out_channels": module.tensor("out.2.weight", 4).shape[0],
        "model_channels": model_channels,
        "num_res_blocks": per_level - 1,
        "channel_mult": [width // max(model_channels, 1) for width in widths],
        "attention_resolutions": [1 << level for level in reversed(attended)],
        "num_heads": module.number("middle_block.1", "num_heads", PUBLISHED_HEADS),
        "attention_order": attention_order or attention_order_of(module),
    }
    try:
        return unet_from_json(JsonFields(found, "unet"))
    except ConfigError as error:
        raise foreign_network(module, str(error)) from error


def attention_order_of(module: ImportedModule) -> AttentionOrder:
    """By the class names in the pickle. Raises WeightsError when they do not tell (a bare state dict)."""
    if "QKVAttentionLegacy" in module.class_names:
        return AttentionOrder.LEGACY
    if "QKVAttention" in module.class_names:
        return AttentionOrder.QKV_FIRST
    raise WeightsError(
        WeightsFault.FOREIGN,
        f"{module.source}: tensors alone do not tell the attention order; state it ({' or '.join(AttentionOrder)})",
    )


def infer_vqgan(module: ImportedModule) -> VqganConfig:
    """The autoencoder's size. Raises WeightsError when this is no VQVAE."""
    state = module.state
    blocks = _blocks(state, "encoder.blocks")
    strided = [i for i in range(blocks - 1) if f"encoder.blocks.{i}.conv.weight" in state]
    rising = [i for i in range(1, _blocks(state, "decoder.blocks")) if f"decoder.blocks.{i}.conv.weight" in state]
    if not strided or len(strided) != len(rising):
        raise foreign_network(module, f"expected as many levels down as up, found {len(strided)} and {len(rising)}")
    layers = (blocks - 1) // len(strided) - 1
    hidden = f"encoder.blocks.{strided[0] + 1}.conv1.conv.weight"
    down: list[list[int]] = []
    up: list[list[int]] = []
    for i in strided:
        down.append(_geometry(module, f"encoder.blocks.{i}.conv"))
    for i in rising:
        where = f"decoder.blocks.{i}.conv"
        up.append([*_geometry(module, where), module.number(where, "output_padding", 0)])
    codes = module.tensor("quantizer.quantizer.embedding.weight", 2)
    found = {
        "in_channels": module.tensor(f"encoder.blocks.{strided[0]}.conv.weight", 4).shape[1],
        "out_channels": module.tensor(f"decoder.blocks.{rising[-1]}.conv.weight", 4).shape[1],
        "num_channels": [module.tensor(f"encoder.blocks.{i}.conv.weight", 4).shape[0] for i in strided],
        "num_res_channels": module.tensor(hidden, 4).shape[0] if layers else 1,
        "num_res_layers": layers,
        "downsample_parameters": down,
        "upsample_parameters": up,
        "num_embeddings": codes.shape[0],
        "embedding_dim": codes.shape[1],
    }
    try:
        return vqgan_from_json(JsonFields(found, "vqgan"))
    except ConfigError as error:
        raise foreign_network(module, str(error)) from error


def foreign_network(module: ImportedModule, reason: str) -> WeightsError:
    """The error for a network of another kind."""
    return WeightsError(WeightsFault.FOREIGN, f"{module.source}: not a network of BS-LDM: {reason}")


def _geometry(module: ImportedModule, where: str) -> list[int]:
    """Stride, kernel, dilation, padding; the published ones where the file does not say."""
    return [
        module.number(where, "stride", 2),
        module.tensor(f"{where}.weight", 4).shape[2],
        module.number(where, "dilation", 1),
        module.number(where, "padding", 1),
    ]


def _blocks(state: Mapping[str, Tensor], prefix: str) -> int:
    return next(i for i in count() if not any(name.startswith(f"{prefix}.{i}.") for name in state))


def _second_block(state: Mapping[str, Tensor], stage: int) -> int | None:
    found = [i for i in (1, 2) if f"output_blocks.{stage}.{i}.in_layers.0.weight" in state]
    return found[0] if found else None
