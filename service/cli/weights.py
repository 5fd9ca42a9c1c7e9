"""Commands about networks: import published checkpoints, list and verify what is installed, check golden files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.launch import call, settings

weights_app = typer.Typer(help="Weights: import published checkpoints, list and verify what is installed.")
models_app = typer.Typer(help="Models: compare this installation with golden inputs and outputs.")


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    parent.add_typer(weights_app, name="weights", no_args_is_help=True)
    parent.add_typer(models_app, name="models", no_args_is_help=True)


@weights_app.command("import")
def import_weights(
    unet: Annotated[Path, typer.Argument(help="Published U-Net (BS-LDM: ldm-final-…-myModel.pth).")],
    autoencoder: Annotated[
        Path, typer.Argument(help="The autoencoder published with it (BS-LDM: …-VQGAN.pth; BS-Diff: its second stage).")
    ],
    name: Annotated[str, typer.Option(help="Name the weights get here, e.g. bs-ldm-jsrt.")],
    licence: Annotated[
        str, typer.Option(help="Licence the weights came under, for the manifest.")
    ] = "as published by the authors of the checkpoint",
    image_size: Annotated[
        int, typer.Option(help="Side of the images it was trained on, pixels; 0: as published (1024 or 256).", min=0)
    ] = 0,
    condition: Annotated[
        str,
        typer.Option(help="How the radiograph is fed: clean as published, or as trained: scaled (BS-LDM), noised."),
    ] = "clean",
    attention_order: Annotated[
        str, typer.Option(help="qkv order, only for bare BS-LDM state dicts that do not tell: legacy or qkv-first.")
    ] = "",
) -> None:
    """Turn published BS-LDM or BS-Diff checkpoints into safetensors and a manifest. Nothing in them is executed.

    Which of the two methods it is, the files themselves tell.
    """
    call(
        "worker.weights_commands:run_import",
        settings(),
        unet=unet,
        autoencoder=autoencoder,
        name=name,
        licence=licence,
        image_size=image_size,
        condition=condition,
        attention_order=attention_order,
    )


@weights_app.command("list")
def list_weights() -> None:
    """List the installed weights: name, architecture, digest, and which one is the default."""
    call("worker.weights_commands:run_list", settings())


@weights_app.command("verify")
def verify_weights(
    name: Annotated[str, typer.Argument(help="Name of installed weights; empty: all of them.")] = "",
) -> None:
    """Check every file's digest and run the golden phantom. Exit code 1 if anything differs."""
    call("worker.weights_commands:run_verify", settings(), name=name)


@models_app.command("golden")
def golden(
    folder: Annotated[Path, typer.Argument(help="Folder with config.json, checkpoints and golden tensors.")],
) -> None:
    """Reproduce every golden file of a folder and print the largest deviation. Exit code 1 past a tolerance."""
    call("worker.weights_commands:run_golden", settings(), folder=folder)


@models_app.command("golden-write")
def golden_write(
    name: Annotated[str, typer.Argument(help="Name of shipped weights; empty: all of them.")] = "",
) -> None:
    """Write the golden phantom's result beside the weights (after a deliberate change of a model or the phantom)."""
    call("worker.weights_commands:run_golden_write", settings(), name=name)


@models_app.command("parity")
def parity(
    name: Annotated[str, typer.Argument(help="Name of installed weights; empty: the configured model.")] = "",
    seeds: Annotated[list[int] | None, typer.Option("--seeds", min=0, help="Seed of a run; may be repeated.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Prepared folder of pairs (softray data prepare) instead of the phantom.")
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="How many phantoms or pairs.")] = 2,
) -> None:
    """Compare the preset fast with reference: PSNR, high-frequency energy, vessels. Exit code 1 if it does not pass.

    The figures go into parity.json beside the weights. Imported weights run fast only where they passed. The reference
    takes 1000 evaluations an image: minutes on a GPU, hours on a CPU with networks of the published size.
    """
    call("worker.parity_command:run", settings(), name=name, seeds=seeds or [0], pairs=pairs, images=images)
