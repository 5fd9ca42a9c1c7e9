"""`softray data prepare`: what researchers have becomes a folder of pairs, with a word on everything that did not."""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from dicom_node.errors import DicomNodeError
from models.errors import ModelsError
from models.pairs.align import AlignOptions, align_pair
from models.pairs.clahe import Clahe
from models.pairs.errors import PairDataError, PairFault
from models.pairs.folder import PairFolder
from models.pairs.prepared import PreparedFolder
from models.pairs.source import Findings, Polarity, Refusal, SourcePair
from models.pairs.split import Ratios, Split, check_ratios
from service.settings import Settings
from worker.prepare_pairs_polarity import BoneBright, bone_bright
from worker.prepare_pairs_sources import SearchOptions, find_pairs

SALT_FILE = "pairs-pseudonyms.salt"
SHOWN = 40
"""Refusals that are shown one by one."""
console = Console(soft_wrap=True, highlight=False)


def run(
    settings: Settings,
    *,
    sources: list[Path],
    into: Path,
    kind: str,
    split: str,
    seed: int,
    size: int | None,
    register: bool,
    clahe: bool,
    clahe_clip: float,
    clahe_tiles: int,
    polarity: str,
    cxr_suffix: str,
    soft_suffix: str,
    patient_pattern: str,
    exposure_window: float,
    soft_words: list[str],
) -> None:
    """Prepare `into` from `sources` and print what was refused and why. Raises PairDataError when no pair is left."""
    ratios = parse_ratios(split)
    options = AlignOptions(size=size, register=register, clahe=Clahe(clahe_clip, clahe_tiles) if clahe else None)
    search = SearchOptions(
        kind=kind,
        polarity=_polarity(polarity),
        cxr_suffix=cxr_suffix,
        soft_suffix=soft_suffix,
        patient_pattern=patient_pattern,
        exposure_window_s=exposure_window,
        soft_words=frozenset(word.lower() for word in soft_words),
        salt=lambda: _salt(settings.data_dir),
    )
    _check_apart(sources, into)
    recorded: dict[str, object] = {
        "size": size,
        "register": register,
        "clahe": {"clip": clahe_clip, "tiles": clahe_tiles} if clahe else None,
    }
    with PreparedFolder(into, seed=seed, ratios=ratios, settings=recorded) as prepared, _progress() as progress:
        task = progress.add_task("looking for pairs", total=None)
        findings = find_pairs(sources, search, on_file=lambda: progress.advance(task))
        progress.update(task, description="preparing pairs", completed=0, total=len(findings.pairs))
        refused = list(findings.refused)
        for pair in findings.pairs:
            try:
                both = read_bone_bright(pair)
                aligned = align_pair(both.cxr, both.soft, options)
                prepared.add(pair, aligned, cxr_turned=both.cxr_turned, soft_turned=both.soft_turned)
            except (ModelsError, DicomNodeError) as error:
                refused.append(Refusal(f"{pair.name} ({pair.cxr.path.name})", error.code, str(error)))
            progress.advance(task)
        _print_refused(refused, findings)  # before the folder is finished: it says why when no pair is left
        folder = prepared.finish(refused)
    _print_prepared(folder)


def read_bone_bright(pair: SourcePair) -> BoneBright:
    """Both pictures of a pair in the clinical polarity. Raises PairDataError or PixelError."""
    return bone_bright(
        pair.cxr.read(pair.cxr.path),
        pair.soft.read(pair.soft.path),
        cxr_polarity=pair.cxr.polarity,
        soft_polarity=pair.soft.polarity,
    )


def parse_ratios(text: str) -> Ratios:
    """`8:1:1` as train, validation, test. Raises PairDataError (OPTION_INVALID)."""
    try:
        train, validation, test = (float(part) for part in text.split(":"))
    except ValueError:
        raise PairDataError(
            PairFault.OPTION_INVALID, f"expected a split train:validation:test such as 8:1:1, found {text!r}"
        ) from None
    return check_ratios((train, validation, test))


def _polarity(text: str) -> Polarity:
    choices = {"auto": Polarity.UNKNOWN, "bright": Polarity.BRIGHT, "dark": Polarity.DARK}
    if text not in choices:
        raise PairDataError(
            PairFault.OPTION_INVALID, f"expected a polarity of {', '.join(choices)} (how bone looks), found {text!r}"
        )
    return choices[text]


def _salt(data_dir: Path) -> bytes:
    """This installation's secret, which makes pseudonyms the same tomorrow and useless to anyone else."""
    path = data_dir / SALT_FILE
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        salt = path.read_bytes()
    except OSError as error:
        raise PairDataError(
            PairFault.NOT_READABLE, f"{path}: expected the secret behind pseudonyms, found: {error.strerror}"
        ) from error
    if len(salt) != 32:
        raise PairDataError(PairFault.NOT_READABLE, f"{path}: expected a secret of 32 bytes, found {len(salt)}")
    return salt


def _check_apart(sources: list[Path], into: Path) -> None:
    """What is written must not be among what is read, nor take its place."""
    target = into.resolve()
    for source in sources:
        place = source.resolve()
        if target.is_relative_to(place) or place.is_relative_to(target):
            raise PairDataError(
                PairFault.OPTION_INVALID,
                f"expected a folder to write to that neither lies in a source nor holds one, found {into} and {source}",
            )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(), console=Console(stderr=True),
    )  # fmt: skip


def _print_refused(refused: list[Refusal], findings: Findings) -> None:
    if refused:
        table = Table("refused", "code", "reason", title=f"{len(refused)} refused")
        for each in refused[:SHOWN]:
            table.add_row(escape(each.name), each.code, escape(each.detail))
        console.print(table, soft_wrap=False)
        if len(refused) > SHOWN:
            counts = Counter(each.code for each in refused)
            console.print(f"… {len(refused) - SHOWN} more; in all: " + ", ".join(f"{c} {n}" for c, n in counts.items()))
    if findings.skipped:
        names = ", ".join(escape(path.name) for path in findings.skipped[:5])
        more = f" and {len(findings.skipped) - 5} more" if len(findings.skipped) > 5 else ""
        console.print(f"{len(findings.skipped)} files skipped, not of this kind: {names}{more}")


def _print_prepared(folder: PairFolder) -> None:
    table = Table("split", "patients", "pairs", title=f"{len(folder.pairs)} pairs prepared")
    for split in Split:
        pairs = folder.of(split)
        table.add_row(split, str(len({pair.patient for pair in pairs})), str(len(pairs)))
    console.print(table, soft_wrap=False)
    console.print(f"{folder.folder}: digest {folder.digest}")
    console.print(f"look at {folder.folder / 'contact-sheet.png'} before training: only bones in the third row")
