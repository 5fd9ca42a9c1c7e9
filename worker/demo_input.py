"""The radiograph that the demo sends: the user's own file, or the digital chest phantom."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmwrite
from rich.console import Console

from dicom_node.radiograph import wrap_radiograph
from models.phantom import render
from worker.image_files import read_radiograph

console = Console(soft_wrap=True, highlight=False)

PHANTOM_SIDE = 2021


def demo_radiograph(source: Path | None, folder: Path) -> Path:
    """A DICOM file in `folder` ready to be sent: `source` (DICOM as it is, PNG wrapped), or the phantom.

    The phantom is 2021 x 2021, 14 bits, DX For Presentation; its UIDs are made from its content.
    """
    if source is None:
        with console.status("rendering the chest phantom …"):
            phantom = render(PHANTOM_SIDE)
            dataset = wrap_radiograph(phantom.radiograph, imager_pixel_spacing_mm=phantom.pixel_spacing_mm)
        target = folder / "phantom.dcm"
    else:
        dataset = read_radiograph(source)
        target = folder / "input.dcm"
    dcmwrite(target, dataset, enforce_file_format=True)
    console.print(f"  radiograph  {dataset.get('Rows')} x {dataset.get('Columns')}, {dataset.get('BitsStored')} bits")
    return target
