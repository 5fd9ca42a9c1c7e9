"""All figures of one image in one record, their mean, and how each is called in tables, JSON and requirements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from models.evaluation.pictures import Display
from models.metrics import Scores, score
from models.metrics.honest import Energies, energies
from models.metrics.lpips import Lpips
from models.metrics.published import Published, published


@dataclass(frozen=True)
class Figures:
    """One method on one image, or its mean over images."""

    scores: Scores
    energies: Energies
    published: Published


@dataclass(frozen=True)
class Column:
    """A figure's name in requirements and JSON, its heading, its decimals, and where it is found."""

    key: str
    heading: str
    decimals: int
    of: Callable[[Figures], float | None]
    meaning: str


HONEST = (
    Column("psnr", "PSNR fitted", 2, lambda f: f.scores.psnr_db, "dB, peak 1, after an affine tone fit"),
    Column("bone_left", "bone left", 3, lambda f: f.scores.bone_left, "1 nothing removed, 0 all, below 0 too much"),
    Column(
        "detail",
        "detail kept",
        3,
        lambda f: f.scores.detail_kept,
        "fine detail away from bone, slope on the truth's: 1 all",
    ),
    Column(
        "bone_energy",
        "bone energy",
        3,
        lambda f: f.energies.bone_energy_left,
        "what is too bright, squared, by the bone that was there: 1 nothing removed, 0 all",
    ),
    Column(
        "over_suppression",
        "over- suppr.",
        3,
        lambda f: f.energies.over_suppression,
        "what is too dark, squared, by the bone that was there: 0 none",
    ),
    Column(
        "rib_edges",
        "rib edges",
        3,
        lambda f: f.energies.rib_edges_left,
        "what is left of the gradient along rib edges: 1 all, 0 none",
    ),
    Column(
        "high_frequency",
        "high freq.",
        3,
        lambda f: f.energies.high_frequency_energy,
        "texture away from rib edges by the truth's own; compare with identity",
    ),
)
PUBLISHED = (
    Column("bsr", "BSR", 4, lambda f: f.published.bsr, "flaw: bone that is left costs nothing"),
    Column("mse", "MSE", 6, lambda f: f.published.mse, "flaw: tone counts"),
    Column("plain_psnr", "PSNR", 2, lambda f: f.published.psnr_db, "in floating point; flaw: tone counts"),
    Column(
        "wrapped_psnr",
        "PSNR wrapped",
        2,
        lambda f: f.published.psnr_wrapped_db,
        "as published; flaw: 8-bit errors wrap, never below 24 dB",
    ),
    Column("ssim", "SSIM", 4, lambda f: f.published.ssim, "window 7, data range 1; flaw: finer than a rib's edge"),
    Column(
        "lpips_as_published",
        "LPIPS [0,1]",
        4,
        lambda f: f.published.lpips_as_published,
        "as published; flaw: the network expects [-1, 1]",
    ),
    Column("lpips", "LPIPS", 4, lambda f: f.published.lpips, "on [-1, 1]; flaw: learnt from photographs"),
)


def figures(predicted: Display, cxr: Display, truth: Display, lpips: Lpips | None = None) -> Figures:
    """Everything about `predicted`, made from `cxr`, against `truth`; all of one size, at which figures are taken."""
    return Figures(
        score(predicted, cxr, truth), energies(predicted, cxr, truth), published(predicted, cxr, truth, lpips)
    )


def mean_figures(of_images: Sequence[Figures]) -> Figures:
    """The mean over images of each figure; of a figure that some image does not have, there is none."""
    return Figures(
        mean_record([image.scores for image in of_images]),
        mean_record([image.energies for image in of_images]),
        mean_record([image.published for image in of_images]),
    )


RecordT = TypeVar("RecordT", Scores, Energies, Published)


def mean_record(records: Sequence[RecordT]) -> RecordT:
    """The mean of each field of equal records of numbers."""
    means: dict[str, float | None] = {}
    for field in fields(records[0]):
        values = [getattr(record, field.name) for record in records]
        means[field.name] = None if None in values else sum(values) / len(values)
    return type(records[0])(**means)  # type: ignore[arg-type]  # fields of the same class, None only where it may be


def by_key(found: Figures) -> Mapping[str, float | None]:
    """Every figure under its key."""
    return {column.key: column.of(found) for column in (*HONEST, *PUBLISHED)}
