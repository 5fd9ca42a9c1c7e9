"""Finds the pairs in dual-energy DICOM studies: the standard and the soft-tissue image of one exposure.

Inside a study, in this order: a reference from one to the other, a shared irradiation event, the nearest acquisition
time inside a window, and, where no time is given, a study with one image of each kind. Frontal views only. Patients
and pairs get pseudonyms, salted digests of their identifiers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from dicom_node.eligibility_terms import Answer
from models.pairs.errors import PairFault
from models.pairs.source import Findings, Polarity, Refusal, SourcePair, SourcePicture, files_in
from worker.prepare_pairs_exposures import Energy, Exposure, read_display, read_exposure

SAME_INSTANT = 1e-3


def pairs_of_dicom(
    folders: tuple[Path, ...],
    *,
    salt: bytes,
    window_s: float,
    soft_words: frozenset[str] = frozenset(),
    on_file: Callable[[], None] = lambda: None,
) -> Findings:
    """The pairs in all files below the folders. `window_s`: how far apart the acquisition times of one exposure lie.

    Refusals and skipped files are named by their file names; nothing else of a header leaves here in clear.
    """
    exposures: dict[str, Exposure] = {}
    skipped: list[Path] = []
    for path in files_in(folders):
        on_file()
        exposure = read_exposure(path, soft_words)
        if exposure is None or exposure.sop_uid in exposures:  # a copy of an instance says nothing new
            skipped.append(path)
        else:
            exposures[exposure.sop_uid] = exposure
    studies: dict[str, list[Exposure]] = {}
    for exposure in exposures.values():
        studies.setdefault(exposure.study_uid, []).append(exposure)
    pairs: list[SourcePair] = []
    refused: list[Refusal] = []
    for study in studies.values():
        if not any(each.energy in (Energy.SOFT, Energy.BONE, Energy.UNCLEAR) for each in study):
            skipped += [each.path for each in study]  # an ordinary study, not half of a pair
            continue
        matched, problems = _match_study(study, window_s)
        pairs += [_pair(standard, soft, salt) for standard, soft in matched]
        refused += problems
    pairs.sort(key=lambda pair: pair.name)
    return Findings(tuple(pairs), tuple(refused), tuple(skipped))


def _match_study(study: Sequence[Exposure], window_s: float) -> tuple[list[tuple[Exposure, Exposure]], list[Refusal]]:
    refused = [_refused(each, PairFault.PAIR_AMBIGUOUS, "expected words for soft tissue or for bone, found both")
               for each in study if each.energy is Energy.UNCLEAR]  # fmt: skip
    frontal: dict[Energy, list[Exposure]] = {Energy.STANDARD: [], Energy.SOFT: []}
    for exposure in study:
        if exposure.energy in frontal:
            # A soft-tissue image may leave its view to the standard image that it is matched with.
            silent = exposure.frontal.answer is Answer.UNKNOWN and exposure.energy is Energy.SOFT
            if exposure.frontal.answer is Answer.YES or silent:
                frontal[exposure.energy].append(exposure)
            else:
                refused.append(_refused(exposure, str(exposure.frontal.code), exposure.frontal.detail))
    standards, softs = frontal[Energy.STANDARD], frontal[Energy.SOFT]
    chosen: dict[str, list[Exposure]] = {}
    for soft in softs:
        candidates = _candidates(soft, standards, alone=len(softs) == 1, window_s=window_s)
        if len(candidates) == 1:
            chosen.setdefault(candidates[0].sop_uid, []).append(soft)
        elif candidates:
            refused.append(_refused(soft, PairFault.PAIR_AMBIGUOUS, _several("standard", len(candidates))))
        else:
            detail = f"expected the standard image of its exposure, within {window_s:g} s, found none"
            refused.append(_refused(soft, PairFault.PAIR_MISSING, detail))
    pairs, alone = [], []
    for standard in standards:
        mine = _for_presentation(chosen.get(standard.sop_uid, []))
        if len(mine) == 1:
            pairs.append((standard, mine[0]))
        elif mine:
            refused.append(_refused(standard, PairFault.PAIR_AMBIGUOUS, _several("soft-tissue", len(mine))))
        else:
            alone.append(standard)
    for standard in alone:
        if not any(_twins(standard, other) for other, _ in pairs):
            detail = "expected the soft-tissue image of its exposure, found none"
            refused.append(_refused(standard, PairFault.PAIR_MISSING, detail))
    return pairs, refused


def _candidates(soft: Exposure, standards: Sequence[Exposure], *, alone: bool, window_s: float) -> list[Exposure]:
    linked = [each for each in standards if _linked(soft, each)]
    if linked:
        return _for_presentation(linked)
    apart = {each.sop_uid: _apart(soft, each) for each in standards}
    timed = [(gap, each) for each in standards if (gap := apart[each.sop_uid]) is not None]
    if timed:
        nearest = min(gap for gap, _ in timed)
        if nearest > window_s:
            return []
        return _for_presentation([each for gap, each in timed if gap <= nearest + SAME_INSTANT])
    return _for_presentation(standards) if alone else []


def _linked(first: Exposure, second: Exposure) -> bool:
    """One refers to the other, or both name the same irradiation."""
    refers = second.sop_uid in first.references or first.sop_uid in second.references
    return refers or bool(first.events & second.events)


def _twins(first: Exposure, second: Exposure) -> bool:
    """The same exposure once for processing and once for presentation."""
    return first.for_processing != second.for_processing and (_linked(first, second) or _apart(first, second) == 0)


def _apart(first: Exposure, second: Exposure) -> float | None:
    """Seconds between two images by the best time that both have."""
    for keyword, at in first.times.items():
        if keyword in second.times:
            return abs(at - second.times[keyword])
    return None


def _for_presentation(exposures: Sequence[Exposure]) -> list[Exposure]:
    """Without the For Processing twin of an image that is there for presentation too."""
    return [each for each in exposures if not each.for_processing] or list(exposures)


def _pair(standard: Exposure, soft: Exposure, salt: bytes) -> SourcePair:
    patient = _pseudonym(salt, "patient", standard.patient_id)
    return SourcePair(
        name=f"{patient}-{_pseudonym(salt, 'image', standard.sop_uid)[:8]}",
        patient=patient,
        cxr=SourcePicture(standard.path, read_display, Polarity.BRIGHT),
        soft=SourcePicture(soft.path, read_display),
    )


def _pseudonym(salt: bytes, *identifiers: str) -> str:
    return hashlib.blake2b("\0".join(identifiers).encode(), key=salt, digest_size=6).hexdigest()


def _refused(exposure: Exposure, code: str, detail: str) -> Refusal:
    return Refusal(exposure.path.name, str(code), f"{exposure.energy}: {detail}")


def _several(kind: str, count: int) -> str:
    return f"expected one {kind} image of this exposure, found {count}"
