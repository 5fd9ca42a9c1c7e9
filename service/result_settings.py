"""The settings of what is computed and how its objects are marked: the part of `Settings` that shapes a result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from service.setting_types import Unit


class ResultSettings(BaseSettings):
    """One value per setting; read as a part of `service.settings.Settings`."""

    # Model
    weights_dir: Path | None = Field(
        default=None,
        description="Folder of imported weights; empty: `weights` in the data folder.",
    )
    model: str = Field(default="", description="Name of the model; empty: the shipped default.")
    preset: Literal["fast", "reference", "compat"] = Field(
        default="fast",
        description="Sampling preset of the model: fast, reference (all timesteps) or compat (BS-Diff as published).",
    )
    steps: int = Field(default=0, ge=0, description="Sampling steps; 0: the preset's own number.")
    seed: int = Field(default=0, ge=0, description="Seed of the sampler; the same seed gives the same pixels.")
    spread_seeds: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Seeds of one image, whose mean is the result and whose spread is kept; 0: 4 on CUDA, 1 on CPU.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where the network runs: auto, cpu or cuda."
    )
    torch_threads: int = Field(default=0, ge=0, description="CPU threads of one inference; 0: PyTorch decides.")
    max_batch: int = Field(
        default=0, ge=0, le=64, description="Most images in one run of the networks; 0: one on the CPU, 8 on CUDA."
    )
    batch_window_ms: Annotated[float, Unit("ms"), Field(ge=0, le=1000)] = Field(
        default=15, description="How long an image waits for others to run with, where more than one may."
    )
    infer_threads: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Images that one worker has in hand at a time; 0: as many as run at once, twice that when several.",
    )

    # Derived objects
    series_number_offset: int = Field(default=9000, ge=0, description="Added to the source's Series Number.")
    content_qualification: Literal["RESEARCH", "PRODUCT"] = Field(
        default="RESEARCH", description="Content Qualification (0018,9004) of derived objects: RESEARCH or PRODUCT."
    )
    synthetic_data: Literal["YES", ""] = Field(
        default="YES", description="Synthetic Data (0008,001C) of derived objects: YES; empty: attribute left out."
    )
    manufacturer: str = Field(
        default="softray", max_length=64, description="Manufacturer (0008,0070) of derived objects."
    )
    device_serial_number: str = Field(
        default="1",
        max_length=64,
        description="Device Serial Number (0018,1000) of derived objects: one per installation.",
    )
