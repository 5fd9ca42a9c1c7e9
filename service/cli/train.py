"""Commands that train networks on one's own pairs and install what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from service.cli.launch import call, settings

TRAIN = "worker.train_command:run_train"
EXPORT = "worker.train_command:run_export"
PROJECT = "worker.train_command:run_project"

KINDS = {
    "vqgan": "Train BS-LDM's autoencoder (ML-VQGAN); `ldm` is trained over it.",
    "ldm": "Train BS-LDM's conditional latent network over a trained autoencoder.",
    "bsdiff": "Train BS-Diff: the conditional pixel diffusion network, or its enhancement autoencoder.",
    "peer": "Train one of the published networks that ours are compared with.",
    "residual-unet": "Train the one-pass network that predicts the bone residual.",
}

train_app = typer.Typer(help="Training on a folder of pairs: networks of any kind, and what is made of them.")

Config = Annotated[
    Path | None,
    typer.Argument(metavar="[CONFIG]", help="TOML file, or the name of a shipped configuration; see docs/training.md."),
]
Run = Annotated[Path | None, typer.Option(help="Run folder; a training in it goes on. Default: runs/CONFIG.")]
Pairs = Annotated[Path | None, typer.Option(help="Folder of pairs: the same as --set data.pairs=DIR.")]
Resume = Annotated[bool, typer.Option("--resume", help="Refuse to begin anew when there is nothing to go on from.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE in place of the configuration's; repeatable.")]
Install = Annotated[str, typer.Option(help="Install the finished model under this name: export in the same command.")]
Until = Annotated[int, typer.Option(help="Stop after this step, to go on another time; 0: train to the end.", min=0)]


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    for kind, text in KINDS.items():
        train_app.command(kind, help=f"{text} The same command again goes on where it stopped.")(_command(kind))
    train_app.command("export")(export)
    train_app.command("project")(project)
    parent.add_typer(train_app, name="train", no_args_is_help=True)


def _command(kind: str) -> Callable[..., None]:
    def train(
        config: Config = None,
        run: Run = None,
        pairs: Pairs = None,
        resume: Resume = False,
        overrides: Set = None,
        install: Install = "",
        until: Until = 0,
    ) -> None:
        given = [*(overrides or []), *([f"data.pairs={pairs}"] if pairs else [])]
        call(
            TRAIN,
            settings(),
            kind=kind,
            config=config,
            run=run,
            resume=resume,
            overrides=given,
            install_as=install,
            until=until,
        )

    return train


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of a training.")],
    name: Annotated[str, typer.Option(help="Name the model gets, e.g. our-hospital-1.")],
    into: Annotated[Path | None, typer.Option(help="Weights folder; default: the one the service reads.")] = None,
    version: Annotated[str, typer.Option(help="Version of the model, for its manifest and provenance.")] = "1",
    licence: Annotated[str, typer.Option(help="Licence of the weights, for the manifest.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a model of that name.")] = False,
) -> None:
    """Install the averaged weights of a training as a model, with its golden phantom."""
    call(EXPORT, settings(), run=run, name=name, into=into, version=version, licence=licence, replace=replace)


def project(
    ct: Annotated[Path, typer.Argument(help="CT volume as .npz: hu_over_6 (Z, Y, X), spacing_mm.")],
    target: Annotated[Path, typer.Argument(help="File to write, .npz: for data.projections.")],
    count: Annotated[int, typer.Option(help="Number of poses.", min=9)] = 72,
    seed: Annotated[int, typer.Option(help="Of the poses.", min=0)] = 1,
) -> None:
    """Project radiographs with exactly known bone from a CT. The last 8 poses are kept from training."""
    call(PROJECT, settings(), ct=ct, target=target, count=count, seed=seed)
