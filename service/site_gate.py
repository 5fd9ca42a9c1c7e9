"""The section `[gate]` of the site file: what this site wants processed. `docs/gate.md` explains each key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\W_]+$")]
Years = Annotated[int, Field(ge=0, le=150)]


class Words(BaseModel):
    """Changes to a list of words; single words, matched whole and in lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    add: tuple[Word, ...] = Field(default=(), strict=False)
    remove: tuple[Word, ...] = Field(default=(), strict=False)


class GateSection(BaseModel):
    """What is processed. A key that is None leaves the setting of the same name in force."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sop_classes: frozenset[Literal["CR", "DX"]] = Field(default=frozenset({"CR", "DX"}), min_length=1, strict=False)
    for_processing: bool | None = None
    modalities: frozenset[Literal["CR", "DX"]] = Field(default=frozenset({"CR", "DX"}), min_length=1, strict=False)
    views: frozenset[Literal["PA", "AP", "PORTABLE"]] = Field(
        default=frozenset({"PA", "AP", "PORTABLE"}), min_length=1, strict=False
    )
    unknown: Literal["image", "refuse"] = "image"
    image_check: Literal["refuse", "note"] = "refuse"
    min_age_years: Years | None = None
    max_age_years: Years = 0
    min_side: Annotated[int, Field(ge=64)] | None = None
    chest_words: Words = Words()
    other_part_words: Words = Words()
    refusal_notice: Literal["none", "report"] = "none"
