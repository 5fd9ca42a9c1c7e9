"""The sizes of BS-Diff's networks read off their tensors, for importing checkpoints that come without a configuration.

Shapes give widths, depth and where attention is. What they do not give (heads, groups) comes from the pickled module's
own attributes where there are any, else it is the published value.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from torch import Tensor

from models.bs_diff.autoencoder import AutoencoderConfig
from models.bs_diff.config import autoencoder_from_json, unet_from_json
from models.bs_diff.unet import UNetConfig
from models.errors import ConfigError, WeightsError, WeightsFault
from models.json_fields import JsonFields
from models.pickle_modules import ImportedModule

PUBLISHED_HEADS = 1
PUBLISHED_GROUPS = 32


def infer_pixel_unet(module: ImportedModule) -> UNetConfig:
    """The U-Net's size. Raises WeightsError when this is no diffusion U-Net in pixels."""
    state = module.state
    levels = _count(state, "down_blocks.{}.")
    widths = [module.tensor(f"down_blocks.{i}.resnets.0.conv1.conv.weight", 4).shape[0] for i in range(levels)]
    attended = [f"down_blocks.{i}.attentions.0.norm.weight" in state for i in range(levels)]
    heads = [module.number(f"down_blocks.{i}.attentions.0", "num_heads", PUBLISHED_HEADS) for i in range(levels)]
    if heads:
        heads[-1] = module.number("middle_block.attention", "num_heads", PUBLISHED_HEADS)
    found = {
        "in_channels": module.tensor("conv_in.conv.weight", 4).shape[1],
        "out_channels": module.tensor("out.2.conv.weight", 4).shape[0],
        "num_channels": widths,
        "num_res_blocks": _count(state, "down_blocks.0.resnets.{}."),
        "attention_levels": attended,
        # The middle always attends, with the last level's heads.
        "num_head_channels": [
            width // max(head, 1) if attends else 0
            for width, head, attends in zip(widths, heads, [*attended[:-1], True], strict=True)
        ],
        "norm_num_groups": module.number("down_blocks.0.resnets.0.norm1", "num_groups", PUBLISHED_GROUPS),
    }
    try:
        return unet_from_json(JsonFields(found, "unet"))
    except ConfigError as error:
        raise _foreign(module, error) from error


def infer_autoencoder(module: ImportedModule) -> AutoencoderConfig:
    """The autoencoder's size. Raises WeightsError when this is no variational autoencoder of this kind."""
    state = module.state
    widths: list[int] = []
    residual, attention = [0], [0]  # blocks of each kind, level by level
    for i in range(1, _count(state, "encoder.blocks.{}.")):
        if (convolution := state.get(f"encoder.blocks.{i}.conv1.conv.weight")) is not None:
            residual[-1] += 1
            widths[len(residual) - 1 :] = [convolution.shape[0]]
        elif f"encoder.blocks.{i}.to_q.weight" in state:
            attention[-1] += 1
        elif f"encoder.blocks.{i}.conv.conv.weight" in state:  # halves the side: the next level begins
            residual.append(0)
            attention.append(0)
    # After the last level's blocks stands the middle: residual, attention, residual.
    residual[-1] -= 2
    attention[-1] -= 1
    found = {
        "in_channels": module.tensor("encoder.blocks.0.conv.weight", 4).shape[1],
        "num_channels": widths,
        "latent_channels": module.tensor("quant_conv_mu.conv.weight", 4).shape[0],
        "num_res_blocks": residual[0],
        "attention_levels": [number > 0 for number in attention],
        "norm_num_groups": module.number("encoder.blocks.1.norm1", "num_groups", PUBLISHED_GROUPS),
    }
    try:
        return autoencoder_from_json(JsonFields(found, "autoencoder"))
    except ConfigError as error:
        raise _foreign(module, error) from error


def _foreign(module: ImportedModule, error: ConfigError) -> WeightsError:
    return WeightsError(WeightsFault.FOREIGN, f"{module.source}: not a network of BS-Diff: {error}")


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    return next(i for i in count() if not any(name.startswith(pattern.format(i)) for name in state))
