"""`python -m models.training`: project the CT, train and export the shipped models on a CPU."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from models.training import commands

COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "project": (commands.project, "project radiographs with known bone from the CT"),
    "residual-unet": (commands.residual_unet, "train the one-pass network"),
    "autoencoder": (commands.autoencoder, "train the autoencoder of bs-ldm-lite"),
    "latent": (commands.latent, "train the latent network of bs-ldm-lite; needs the autoencoder"),
    "export": (commands.export, "write a trained model into a weights folder"),
}


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    command, _ = COMMANDS[chosen.command]
    return command(chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    commands_of = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        sub = commands_of.add_parser(name, help=text, description=text)
        sub.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with pairs, radiographs, ct")
        sub.add_argument("--work", type=Path, default=Path(".training"), help="folder for projections and checkpoints")
        sub.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = as many as there are cores")
        if name == "project":
            sub.add_argument("--count", type=int, default=72, help="number of poses")
        if name in ("residual-unet", "autoencoder", "latent"):
            sub.add_argument("--steps", type=int, default=0, help="length of the whole training; 0 = the recipe's")
            sub.add_argument("--bfloat16", action="store_true", help="twice as fast on CPUs with AVX-512 BF16 or AMX")
        if name != "project":
            sub.add_argument("--pair", default="0", help="name of the pair left out of training")
        if name == "export":
            sub.add_argument("model", choices=("residual-unet", "bs-ldm-lite"))
            sub.add_argument("--into", type=Path, default=Path("models/weights"), help="weights folder")
            sub.add_argument("--version", default="1.0.0")
            sub.add_argument("--note", required=True, help="one paragraph: data, recipe, figures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
