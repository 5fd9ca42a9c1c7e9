"""Commands about data for training and evaluation: prepare folders of pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.launch import call, settings

PREPARE = "worker.prepare_pairs:run"
data_app = typer.Typer(help="Data: turn dual-energy studies, PNG folders or the JSRT database into pairs.")


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    parent.add_typer(data_app, name="data", no_args_is_help=True)


@data_app.callback()
def data() -> None:
    """Keep `prepare` a command of its own name."""


@data_app.command("prepare", no_args_is_help=True)
def prepare(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE",
            help="Folders: dual-energy DICOM studies; or two folders of PNG with the same names, radiographs first; "
            "or one with cxr/ and soft_tissue/; or JSRT raw files and their companions.",
        ),
    ],
    into: Annotated[Path, typer.Option(help="Folder to write; absent, empty, or prepared by this command before.")],
    kind: Annotated[str, typer.Option(help="What the sources are: auto, dicom, jsrt or png.")] = "auto",
    split: Annotated[str, typer.Option(help="Train, validation and test, by patient; e.g. 7:2:1.")] = "8:1:1",
    seed: Annotated[int, typer.Option(help="Seed of the split.", min=0)] = 0,
    size: Annotated[
        int | None, typer.Option(help="Longer side of the result, pixels; without it every pair keeps its size.")
    ] = None,
    register: Annotated[
        bool, typer.Option("--register/--no-register", help="Lay the soft-tissue image onto the radiograph.")
    ] = True,
    clahe: Annotated[
        bool, typer.Option("--clahe", help="Equalise local contrast of both pictures, as BS-Diff does.")
    ] = False,
    clahe_clip: Annotated[float, typer.Option(help="CLAHE: clip limit, in multiples of a flat histogram.")] = 2.0,
    clahe_tiles: Annotated[int, typer.Option(help="CLAHE: tiles along each side.")] = 8,
    polarity: Annotated[
        str, typer.Option(help="How bone looks in PNG files: auto (the picture tells), bright or dark.")
    ] = "auto",
    cxr_suffix: Annotated[
        str, typer.Option(help="One PNG folder: end of a radiograph's name, before .png; e.g. _cxr.")
    ] = "",
    soft_suffix: Annotated[
        str, typer.Option(help="One PNG folder: end of a soft-tissue image's name; e.g. _soft.")
    ] = "",
    patient_pattern: Annotated[
        str, typer.Option(help="PNG: regular expression whose first group in a name is the patient; e.g. '^(p\\d+)_'.")
    ] = "",
    exposure_window: Annotated[
        float, typer.Option(help="DICOM: seconds between the acquisition times of one exposure's images.", min=0)
    ] = 30.0,
    soft_word: Annotated[
        list[str] | None, typer.Option(help="DICOM: a further word that marks your soft-tissue series; repeatable.")
    ] = None,
) -> None:
    """Turn what you have into pairs of radiograph and soft-tissue image, for training and evaluation.

    Each pair is checked (size, depth, polarity, same exposure), turned to bone bright, registered, and written as
    16-bit PNG with a split by patient, digests (pairs.json) and a contact sheet. What is refused is listed with its
    reason. The same sources and options give the same bytes. Patients of DICOM studies get pseudonyms.

    Examples: softray data prepare ARCHIVE --into pairs; softray data prepare RADIOGRAPHS SOFT --into pairs --size 1024;
    softray data prepare JSRT BSE_JSRT --into pairs --split 7:2:1. See docs/data.md.
    """
    call(
        PREPARE,
        settings(),
        sources=sources,
        into=into,
        kind=kind,
        split=split,
        seed=seed,
        size=size,
        register=register,
        clahe=clahe,
        clahe_clip=clahe_clip,
        clahe_tiles=clahe_tiles,
        polarity=polarity,
        cxr_suffix=cxr_suffix,
        soft_suffix=soft_suffix,
        patient_pattern=patient_pattern,
        exposure_window=exposure_window,
        soft_words=soft_word or [],
    )
