"""`softray weights …` and `softray models …`: what an operator asks about networks, answered in a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from models import golden, golden_folder, library, weights_admin
from models.bs_ldm.unet import AttentionOrder
from models.golden_file import GoldenFile
from models.phantom import render
from models.preprocess import to_model
from models.suppressor import Suppressor
from service.errors import PermanentError
from service.settings import Settings

console = Console(soft_wrap=True, highlight=False)


def run_import(
    settings: Settings,
    *,
    unet: Path,
    autoencoder: Path,
    name: str,
    licence: str,
    image_size: int,
    condition: str,
    attention_order: str,
) -> None:
    """Import the published checkpoints, executing nothing in them. Raises WeightsError or ConfigError."""
    if attention_order not in ("", *AttentionOrder):
        raise PermanentError(
            "IMPORT_OPTION_INVALID", f"attention order must be {' or '.join(AttentionOrder)}, found {attention_order!r}"
        )
    model = weights_admin.PublishedModel(
        name=name,
        unet=unet,
        autoencoder=autoencoder,
        image_size=image_size,
        condition=condition,
        attention_order=AttentionOrder(attention_order) if attention_order else None,
        licence=licence,
    )
    with console.status("reading the checkpoints …"):
        manifest = weights_admin.import_published(model, settings.effective_weights_dir)
    console.print(f"imported {manifest.name} into {manifest.folder}: these are {manifest.architecture}'s networks")
    console.print("nothing in the checkpoints was executed")
    console.print(f"digest {manifest.sha256}")
    console.print(f"next: softray models golden-write {manifest.name}, then SOFTRAY_MODEL={manifest.name}")
    console.print(
        f"      softray models parity {manifest.name}, or SOFTRAY_PRESET=reference: few steps must be shown good"
    )


def run_list(settings: Settings) -> None:
    """Print every installed model, broken ones with their fault."""
    table = Table("name", "architecture", "version", "size", "digest", "note")
    for model in weights_admin.list_models([settings.effective_weights_dir]):
        manifest = model.manifest
        note = "default" if model.is_default else ""
        table.add_row(
            model.name,
            manifest.architecture if manifest else "",
            manifest.version if manifest else "",
            f"{model.size_bytes / 2**20:.1f} MiB",
            manifest.sha256[:12] if manifest else "",
            model.fault or note,
        )
    console.print(table, soft_wrap=False)


def run_verify(settings: Settings, *, name: str) -> None:
    """Check digests and golden phantom of `name` (empty: all models). Raises PermanentError if anything differs."""
    folders = [settings.effective_weights_dir]
    names = [name] if name else [model.name for model in weights_admin.list_models(folders)]
    wrong = [each for each in names if not _verify(each, settings)]
    if wrong:
        raise PermanentError("WEIGHTS_NOT_VERIFIED", f"expected every model to be as shipped, found {', '.join(wrong)}")


def run_golden(settings: Settings, *, folder: Path) -> None:
    """Reproduce the golden files of `folder`. Raises PermanentError when one is past its tolerance."""
    del settings
    if not folder.is_dir():
        raise PermanentError("NO_FOLDER", f"expected a folder of golden files, found none at {folder}")

    def show(file: GoldenFile) -> None:
        verdict = {True: "ok", False: "FAILED", None: "-"}[file.ok]
        deviation = f"{file.deviation:.2e}" if file.deviation is not None else "-"
        tolerance = f"{file.tolerance:.0e}" if file.tolerance is not None else "-"
        console.print(
            f"{file.file:<42} {verdict:<7} deviation {deviation:<9} tolerance {tolerance:<6} {file.note}",
            highlight=False,
        )

    results = golden_folder.check(folder, show)
    failed = [file.file for file in results if file.ok is False]
    if failed:
        raise PermanentError("GOLDEN_FAILED", f"past their tolerance or not readable: {', '.join(failed)}")


def run_golden_write(settings: Settings, *, name: str) -> None:
    """Record the phantom's result with the weights of `name` (empty: every shipped model)."""
    folders = [settings.effective_weights_dir]
    names = [name] if name else [manifest.name for manifest in library.installed([])]
    for each in names:
        manifest = library.find(each, folders)
        with console.status(f"running the golden phantom through {each} …"):
            size = library.load_manifest(manifest, device="cpu", unproven=True).image_size
            pixels, _ = to_model(render(size).radiograph, size)
            recorded = golden.record_golden(manifest, pixels)
        console.print(f"{each}: golden phantom recorded in {recorded.folder}")


def _verify(name: str, settings: Settings) -> bool:
    folders = [settings.effective_weights_dir]
    checks = weights_admin.verify_model(name, folders)
    for check in checks:
        found = (
            "ok" if check.ok else f"FAILED: expected {check.expected_sha256}, found {check.found_sha256 or 'no file'}"
        )
        console.print(f"{name}/{check.file}: {found}")
    if not all(check.ok for check in checks):
        return False
    manifest = library.find(name, folders)
    suppressor: Suppressor = library.load_manifest(manifest, device=settings.device, unproven=True)
    result = golden.verify(suppressor, manifest)
    if result is None:
        console.print(f"{name}: no golden phantom recorded (softray models golden-write {name})")
        return True
    verdict = "ok" if result.ok else "FAILED"
    console.print(
        f"{name}: golden phantom on {suppressor.identity.device}: {verdict}, "
        f"deviation {result.deviation:.1e}, tolerance {result.tolerance:.0e}",
        highlight=False,
    )
    return result.ok
