"""What each subcommand of `python -m models.training` does, with its progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.bs_ldm.presets import FAST, REFERENCE
from models.bs_ldm.unet import UNet
from models.bs_ldm.vqgan import Vqgan
from models.residual_unet.config import ResidualUNetSetup
from models.residual_unet.network import ResidualUNet
from models.training import autoencoder as autoencoder_training
from models.training import latent as latent_training
from models.training import recipes
from models.training import residual_unet as residual_unet_training
from models.training.data import CT_FILE, TrainingData, read_training_data
from models.training.export import export_bs_ldm, export_residual_unet
from models.training.loop import LoopSettings, averaged_weights
from models.training.projections import project_ct

PROJECTIONS = "projections.npz"
SMOOTHING = 0.98


def project(arguments: argparse.Namespace) -> int:
    """Projections into the work folder."""
    with _progress("projecting") as show:
        project_ct(
            arguments.data / CT_FILE,
            arguments.work / PROJECTIONS,
            count=arguments.count,
            seed=recipes.PROJECTION_SEED,
            on_progress=lambda done, total: show(done, total, ""),
        )
    return 0


def residual_unet(arguments: argparse.Namespace) -> int:
    """Trains to `residual-unet.ckpt` in the work folder."""
    recipe = recipes.RESIDUAL_UNET
    loop = _loop(recipe.loop, arguments)
    with _training_progress("residual-unet", loop.steps) as on_step:
        residual_unet_training.train(
            _data(arguments), replace(recipe, loop=loop), arguments.work / "residual-unet.ckpt", on_step
        )
    return 0


def autoencoder(arguments: argparse.Namespace) -> int:
    """Trains to `autoencoder.ckpt` in the work folder."""
    recipe = recipes.AUTOENCODER
    loop = _loop(recipe.loop, arguments)
    with _training_progress("autoencoder", loop.steps) as on_step:
        autoencoder_training.train(
            _data(arguments), replace(recipe, loop=loop), arguments.work / "autoencoder.ckpt", on_step
        )
    return 0


def latent(arguments: argparse.Namespace) -> int:
    """Trains to `latent.ckpt` in the work folder, over the averaged autoencoder there."""
    recipe = recipes.LATENT
    loop = _loop(recipe.loop, arguments)
    with _training_progress("latent network", loop.steps) as on_step:
        latent_training.train(
            _data(arguments),
            _trained_vqgan(arguments.work),
            replace(recipe, loop=loop),
            arguments.work / "latent.ckpt",
            on_step,
        )
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Averaged weights into a weights folder."""
    folder = arguments.into / arguments.model
    if arguments.model == "residual-unet":
        network = ResidualUNet(recipes.RESIDUAL_UNET.network)
        network.load_state_dict(averaged_weights(arguments.work / "residual-unet.ckpt"))
        setup = ResidualUNetSetup(recipes.RESIDUAL_UNET.network, recipes.GAIN, recipes.SLOW_SHARE)
        written = export_residual_unet(network, setup, folder, arguments.version, arguments.note)
    else:
        vqgan = _trained_vqgan(arguments.work)
        unet = UNet(recipes.LATENT.network)
        unet.load_state_dict(averaged_weights(arguments.work / "latent.ckpt"))
        config = latent_training.lite_config(latent_training.latent_scale(_data(arguments), vqgan, recipes.LATENT))
        presets = {"fast": FAST, "reference": REFERENCE}
        written = export_bs_ldm(vqgan, unet, config, presets, folder, arguments.version, arguments.note)
    Console().print(str(written))
    return 0


def _data(arguments: argparse.Namespace) -> TrainingData:
    return read_training_data(arguments.data, arguments.work / PROJECTIONS, held_out=frozenset({arguments.pair}))


def _loop(loop: LoopSettings, arguments: argparse.Namespace) -> LoopSettings:
    return replace(loop, steps=arguments.steps or loop.steps, bfloat16=arguments.bfloat16)


def _trained_vqgan(work: Path) -> Vqgan:
    vqgan = Vqgan(recipes.AUTOENCODER.network)
    vqgan.load_state_dict(averaged_weights(work / "autoencoder.ckpt"))
    return vqgan.eval().requires_grad_(False)


@contextmanager
def _training_progress(name: str, steps: int) -> Iterator[Callable[[int, float], None]]:
    with _progress(name) as show:
        smooth: list[float] = []

        def on_step(step: int, loss: float) -> None:
            smooth[:] = [SMOOTHING * smooth[0] + (1 - SMOOTHING) * loss] if smooth else [loss]
            show(step, steps, f"loss {smooth[0]:.4f}")

        yield on_step


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int, str], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}")) as progress:
        task = progress.add_task(name, total=None, note="")
        yield lambda done, total, note: progress.update(task, completed=done, total=total, note=note)
