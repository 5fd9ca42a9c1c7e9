"""Train the image check and measure it: `python -m benchmarks.image_check ../shared/data [--write]`.

Measured by five folds: no network has seen the patient, or the kind of thing, that it is asked about. `--write` trains
on everything and replaces the shipped networks. Ten minutes on two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.image_check.drawn import empty_exposures
from benchmarks.image_check.examples import FOLDS, REAL, Examples, examples
from benchmarks.image_check.real import frontal_chests
from benchmarks.image_check.training import train
from dicom_node.coarse_image import coarse_image
from dicom_node.image_check import (
    CONFIRMED_FROM,
    EMPTY_BELOW,
    REFUTED_BELOW,
    ImageScores,
    kind_of,
)
from dicom_node.image_networks import FILE, ImageNetworks, as_json
from dicom_node.polarity import polarity_score


def main() -> None:
    """Measure, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with radiographs, pairs, dicom and ct")
    parser.add_argument("--write", action="store_true", help="replace the shipped networks")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    known = examples(chosen.data)
    if chosen.write:
        FILE.write_text(as_json(_trained(known, np.ones(len(known.label), np.bool_))))
        print(f"wrote {FILE.name}: {FILE.stat().st_size} bytes")
    folds = [_trained(known, known.fold != fold) for fold in range(FOLDS)]
    _report_probabilities(known, folds)
    _report_real(chosen.data, known, folds)
    _report_empty()


def _trained(known: Examples, chosen: np.ndarray) -> ImageNetworks:
    originals = chosen & np.isin(known.family, REAL) & (known.copy == 0)
    return train(known.ranks[chosen], known.label[chosen], known.ranks[originals])


def _report_probabilities(known: Examples, folds: list[ImageNetworks]) -> None:
    """How often things of each kind are taken for a frontal chest, by networks that know no such thing."""
    frontal, lateral = np.zeros(len(known.label)), np.zeros(len(known.label), np.bool_)
    for fold, networks in enumerate(folds):
        asked = known.fold == fold
        answers = networks.probabilities(known.ranks[asked])
        frontal[asked], lateral[asked] = answers[:, 0], answers[:, 1] > answers[:, 2]
    columns = f">={CONFIRMED_FROM}", f"<{REFUTED_BELOW}"
    print(f"{'family':22}{'n':>6}{'lowest':>8}{'median':>8}{'highest':>8}{columns[0]:>8}{columns[1]:>8}{'lateral':>9}")
    real = np.isin(known.family, REAL)
    groups = {"real, as they are": real & (known.copy == 0), "real, varied": real & (known.copy > 0)}
    groups |= {family: known.family == family for family in sorted(set(known.family[~real]))}
    for name, group in groups.items():
        p = frontal[group]
        shares = f"{np.mean(p >= CONFIRMED_FROM):8.1%}{np.mean(p < REFUTED_BELOW):8.1%}{np.mean(lateral[group]):9.1%}"
        print(f"{name:22}{len(p):6}{p.min():8.3f}{np.median(p):8.3f}{p.max():8.3f}{shares}")


def _report_empty() -> None:
    made = [(sample.origin.split()[0], coarse_image(sample.picture)) for sample in empty_exposures(30, 1)]
    highest = max(coarse.structure for _, coarse in made if coarse is not None)
    print(f"\nhighest structure of {len(made)} empty exposures: {highest:.3f} (empty below {EMPTY_BELOW})")


def _report_real(data: Path, known: Examples, folds: list[ImageNetworks]) -> None:
    """The verdict on every real frontal radiograph and its copies, by networks that do not know the patient."""
    fold_of = dict(zip(known.origin, known.fold, strict=True))
    copies = {
        "as it is": lambda picture: picture,
        "inverted": lambda picture: -picture,
        "mirrored": lambda picture: picture[:, ::-1],
        "turned 90": lambda picture: np.rot90(picture),
        "turned 180": lambda picture: np.rot90(picture, 2),
        "turned 270": lambda picture: np.rot90(picture, 3),
    }
    chests = frontal_chests(data)
    print(f"\nverdicts on {len(chests)} real frontal radiographs and their copies")
    for name, make in copies.items():
        counts: dict[str, int] = {}
        for chest in chests:
            kind = str(kind_of(scores_by(folds[fold_of[chest.origin]], np.ascontiguousarray(make(chest.picture)))))
            counts[kind] = counts.get(kind, 0) + 1
        print(f"{name:12}", ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())))


def scores_by(networks: ImageNetworks, picture: np.ndarray) -> ImageScores:
    """The scores that these networks, in place of the shipped ones, give a picture."""
    coarse = coarse_image(picture)
    if coarse is None:
        return ImageScores()
    return ImageScores.of(coarse, polarity_score(picture), networks)


if __name__ == "__main__":
    main()
