"""Writes a prepared folder: pictures as they come, then the split, the record and the contact sheet, and only then
takes its place under its name. Whatever fails before leaves the folder that was there."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from models.pairs import contact_sheet, record
from models.pairs.align import AlignedPair
from models.pairs.errors import PairDataError, PairFault
from models.pairs.folder import CXR, SOFT_TISSUE, PairFolder, file_digest, read_pair_folder
from models.pairs.grey_png import write_grey16
from models.pairs.record import PairRecord, PairsFile, pairs_digest
from models.pairs.source import Refusal, SourcePair
from models.pairs.split import Ratios, Split, check_ratios, draw_split

_OURS = frozenset({CXR, SOFT_TISSUE, record.FILE_NAME, contact_sheet.FILE_NAME})


class PreparedFolder:
    """A context in which pairs are added to a folder that appears when `finish` has returned.

    Raises PairDataError: TARGET_NOT_OURS on entering, when `folder` holds anything but an earlier preparation;
    TARGET_NOT_WRITTEN on leaving, when the disk is full or may not be written to.
    """

    def __init__(self, folder: Path, *, seed: int, ratios: Ratios, settings: Mapping[str, object]) -> None:
        self._folder = folder.absolute()
        self._seed = seed
        self._ratios = check_ratios(ratios)
        self._settings = settings
        self._records: dict[str, PairRecord] = {}
        self._staging = Path()

    def __enter__(self) -> PreparedFolder:
        check_target(self._folder)
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._staging = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}-", dir=self._folder.parent))
        except OSError as error:
            raise _not_written(self._folder, error) from error
        for side in (CXR, SOFT_TISSUE):
            (self._staging / side).mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)
        if isinstance(error, OSError):  # whoever reads says so by an error of his own
            raise _not_written(self._folder, error) from error

    def add(self, pair: SourcePair, aligned: AlignedPair, *, cxr_turned: bool, soft_turned: bool) -> None:
        """Write one pair's pictures."""
        cxr, soft = (self._staging / side / f"{pair.name}.png" for side in (CXR, SOFT_TISSUE))
        write_grey16(cxr, aligned.cxr)
        write_grey16(soft, aligned.soft)
        motion = aligned.registration.motion
        right, down = motion.shift
        self._records[pair.name] = PairRecord(
            patient=pair.patient,
            split=Split.TRAIN,  # until all patients are known
            cxr_source=file_digest(pair.cxr.path),
            soft_source=file_digest(pair.soft.path),
            cxr_png=file_digest(cxr),
            soft_png=file_digest(soft),
            cxr_turned=cxr_turned,
            soft_turned=soft_turned,
            shift_x=round(right, 3),
            shift_y=round(down, 3),
            rotation=round(motion.rotation, 4),
            scale=round(motion.scale, 6),
            match_before=round(aligned.registration.match_before, 4),
            match_after=round(aligned.registration.match_after, 4),
        )

    def finish(self, refused: Sequence[Refusal]) -> PairFolder:
        """Split, record and contact sheet; the folder takes its place. Raises PairDataError when no pair was added."""
        if not self._records:
            raise PairDataError(PairFault.EMPTY_FOLDER, _why_none(refused))
        splits = draw_split((each.patient for each in self._records.values()), seed=self._seed, ratios=self._ratios)
        pairs = {name: replace(each, split=splits[each.patient]) for name, each in self._records.items()}
        digest = pairs_digest(
            {name: (each.patient, each.split, each.cxr_png, each.soft_png) for name, each in pairs.items()}
        )
        counts = Counter(each.code for each in refused)
        record.write_pairs_file(
            self._staging, PairsFile(self._seed, self._ratios, self._settings, counts, pairs, digest)
        )
        contact_sheet.write_contact_sheet(
            self._staging / contact_sheet.FILE_NAME, read_pair_folder(self._staging).pairs
        )
        self._take_place()
        return read_pair_folder(self._folder)

    def _take_place(self) -> None:
        check_target(self._folder)  # it may have changed meanwhile
        self._staging.chmod(0o755)  # mkdtemp made it private
        before = self._staging.with_name(self._staging.name + "-before")
        if self._folder.exists():
            self._folder.rename(before)
        self._staging.rename(self._folder)
        shutil.rmtree(before, ignore_errors=True)


def check_target(folder: Path) -> None:
    """Raises PairDataError (TARGET_NOT_OURS) unless `folder` is absent, empty or an earlier preparation and no more."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise PairDataError(PairFault.TARGET_NOT_OURS, f"expected a folder to write to, found a file: {folder}")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in _OURS)
    foreign += [path.name for side in (CXR, SOFT_TISSUE) for path in folder.glob(f"{side}/*") if path.suffix != ".png"]
    holds_pairs = any(folder.iterdir())
    if not foreign and (not holds_pairs or (folder / record.FILE_NAME).is_file()):
        return
    what = f"other files ({', '.join(foreign[:3])})" if foreign else f"pictures without {record.FILE_NAME}"
    raise PairDataError(
        PairFault.TARGET_NOT_OURS,
        f"expected {folder} to be absent, empty or prepared by this command before, found {what}",
    )


def _not_written(folder: Path, error: OSError) -> PairDataError:
    return PairDataError(
        PairFault.TARGET_NOT_WRITTEN, f"expected to write {folder}, found: {error.strerror or type(error).__name__}"
    )


def _why_none(refused: Sequence[Refusal]) -> str:
    if not refused:
        return "expected at least one pair in the sources, found none"
    counts = ", ".join(f"{code} {count}" for code, count in sorted(Counter(each.code for each in refused).items()))
    return f"expected at least one usable pair, found {len(refused)} refused ({counts}); the first: {refused[0].detail}"
