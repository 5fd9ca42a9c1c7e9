"""Checks a folder of golden inputs and outputs, as the published code made them, against this implementation.

Such a folder holds, for BS-LDM and optionally for BS-Diff, a configuration that names the networks' sizes, the networks
as their authors pickle them (imported without executing anything), safetensors files of inputs and outputs, a trace of
one whole sampling run, and the names and shapes of the full networks. Networks must agree to 1e-4, traces to 1e-3,
names exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.golden_bs_diff import CONFIG_FILE, BsDiffGolden
from models.golden_bs_ldm import BsLdmGolden
from models.golden_file import GoldenFile, compared

NOT_CHECKED = "not checked by this version"


def check(folder: Path, on_file: Callable[[GoldenFile], None] = lambda _file: None) -> list[GoldenFile]:
    """Every golden file of the folder, in order; `on_file` sees each as soon as it is known.

    Raises ConfigError when there is no usable `config.json`, or a `bsdiff_config.json` that is not. A file that is
    missing, altered or foreign is a result that is not ok, with the reason in its note.
    """
    methods: list[BsLdmGolden | BsDiffGolden] = [BsLdmGolden(folder)]
    if (folder / CONFIG_FILE).is_file():
        methods.append(BsDiffGolden(folder))
    results: list[GoldenFile] = []
    used = {"README.md"}
    for method in methods:
        # Inputs of the checks; everything else in the folder is listed, so that nothing seems checked that is not.
        used.update(method.inputs)
        for case in method.cases():
            used.add(case.file)
            results.append(compared(folder / case.file, case))
            on_file(results[-1])
    for path in sorted(folder.iterdir()):
        if path.name not in used:
            results.append(GoldenFile(path.name, None, None, None, NOT_CHECKED))
            on_file(results[-1])
    return results
