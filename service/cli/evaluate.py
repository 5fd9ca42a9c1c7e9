"""The command that measures: models, predictions and baselines against dual-energy truths, CT projections, air."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service.cli.launch import call, settings


class Split(StrEnum):
    """What a prepared pair is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


EVALUATE = "worker.evaluate_command:run"


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("evaluate")(evaluate)


def evaluate(
    cxr: Annotated[Path | None, typer.Option(help="Folder of radiographs: grey PNG or DICOM.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder of their dual-energy soft-tissue images.")] = None,
    prediction: Annotated[
        list[Path] | None, typer.Option(help="Folder of results made elsewhere, by the same names; repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Installed model to run, NAME[:preset[:steps]], e.g. bs-ldm-lite:fast:4; repeatable."),
    ] = None,
    pair: Annotated[list[str] | None, typer.Option(help="Take this pair only, by name; repeatable.")] = None,
    split: Annotated[
        Split | None, typer.Option(help="Take only this split of a folder that `softray data prepare` made.")
    ] = None,
    projections: Annotated[
        Path | None, typer.Option(help="CT projections (`softray train project`): bone known exactly, nodules planted.")
    ] = None,
    unpaired: Annotated[
        Path | None, typer.Option(help="Folder of radiographs without a truth: what changes outside the patient.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Also average each sampling model over this many seeds.", min=1, max=64)
    ] = 1,
    lpips: Annotated[
        Path | None,
        typer.Option(help="AlexNet-LPIPS weights (safetensors); see docs/evaluation.md. None: no LPIPS."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every figure of every image here.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for picture sheets.")] = None,
    require: Annotated[
        str, typer.Option(help='Exit with 1 unless all hold, e.g. "psnr>=33,bone_left<=0.2,detail>=0.9".')
    ] = "",
) -> None:
    """Measure bone suppression: honest and published figures beside each other, with the baselines, image by image.

    The files of one exposure have one name in every folder. What the figures mean stands under each table.
    """
    call(
        EVALUATE,
        settings(),
        cxr=cxr,
        truth=truth,
        predictions=tuple(prediction or ()),
        pairs=tuple(pair or ()),
        split=split.value if split else None,
        projections=projections,
        unpaired=unpaired,
        models=tuple(model or ()),
        seeds=seeds,
        json=json,
        pictures=pictures,
        lpips=lpips,
        require=require,
    )
