"""Checkpoints as their authors save them (whole modules whose classes are gone when read), and hostile ones."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from models.bs_ldm.unet import UNet
from models.bs_ldm.vqgan import Vqgan
from tests.models.bs_diff.factories import small_autoencoder, small_unet
from tests.models.bs_ldm.factories import UNET, VQGAN, randomised


@contextmanager
def foreign_class(name: str, module: str = "modules.unet") -> Iterator[type[nn.Module]]:
    """A module class that exists only inside the block."""
    home = types.ModuleType(module)
    made = type(name, (nn.Module,), {"__module__": module, "__qualname__": name})
    setattr(home, name, made)
    parent = types.ModuleType(module.partition(".")[0])
    sys.modules[parent.__name__], sys.modules[module] = parent, home
    try:
        yield made
    finally:
        del sys.modules[module], sys.modules[parent.__name__]


def save_unet(path: Path, attention_class: str = "QKVAttentionLegacy", network: UNet | None = None) -> UNet:
    """A whole pickled U-Net whose attention blocks hold an instance of a class that is not installed."""
    unet = network or randomised(UNet(UNET), 1)
    assert isinstance(unet, UNet)
    with foreign_class(attention_class) as attention:
        for name, module in unet.named_modules():
            if name.endswith(".1") and hasattr(module, "qkv"):
                module.num_heads = UNET.num_heads
                module.attention = attention()
        torch.save(unet, path)
    for module in unet.modules():
        if hasattr(module, "attention"):
            del module.attention
    return unet


def save_vqgan(path: Path) -> Vqgan:
    """A whole pickled autoencoder."""
    vqgan = randomised(Vqgan(VQGAN), 2)
    assert isinstance(vqgan, Vqgan)
    torch.save(vqgan, path)
    return vqgan


def save_bs_diff_unet(path: Path) -> dict[str, Tensor]:
    """The dict that BS-Diff's authors save for stage 1, its network a bare state dict."""
    state = small_unet().state_dict()
    ema = {"decay": 0.995, "shadow_params": list(state.values())}
    torch.save({"model": state, "optimizer": {"state": {}, "param_groups": []}, "ema": ema, "epoch": 12}, path)
    return state


def save_bs_diff_autoencoder(path: Path) -> dict[str, Tensor]:
    """The whole pickled module that they save for stage 2."""
    autoencoder = small_autoencoder()
    torch.save(autoencoder, path)
    return autoencoder.state_dict()


class Calls:
    """Pickles as a call of `function`, which a careless reader would make."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def with_pickle(source: Path, target: Path, pickled: bytes) -> Path:
    """The archive `source` with another pickle in it."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = pickled if entry.filename.endswith("/data.pkl") else old.read(entry)
            new.writestr(entry.filename, content)
    return target


def archive(path: Path, pickled: bytes, storages: dict[str, bytes] | None = None) -> Path:
    """A minimal archive of our own."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("made/data.pkl", pickled)
        for name, content in (storages or {}).items():
            made.writestr(f"made/data/{name}", content)
    return path


def tensor_pickle(
    elements: object, offset: object, size: object, stride: object, storage: str = "FloatStorage"
) -> bytes:
    """A state dict of one tensor `w`, in storage "0", described as given, true or not."""

    class _Pickler(pickle.Pickler):
        def persistent_id(self, obj: object) -> object:
            return obj.pid if isinstance(obj, _Storage) else None

    class _Storage:
        pid = ("storage", getattr(torch, storage), "0", "cpu", elements)

    class _Tensor:
        def __reduce__(self) -> object:
            rebuild = torch._utils._rebuild_tensor_v2
            return rebuild, (_Storage(), offset, size, stride, False, {})

    buffer = io.BytesIO()
    _Pickler(buffer, protocol=2).dump({"w": _Tensor()})
    return buffer.getvalue()
