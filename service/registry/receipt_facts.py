"""What a replay receipt says; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReceiptFacts:
    """All that decides the pixels of a job's results, and how long it took.

    `source_sha256`, `model_sha256`: hex digests of the stored source file and of the weights with their configuration.
    `preset`: its name, the steps in it possibly overruled (`steps`). `seeds`: how many, from `seed` on, the result is
    the mean of. `libraries`: "name version" of what computes and writes pixels, with commas.
    """

    source_sha256: str
    model_name: str
    model_version: str
    model_sha256: str
    architecture: str
    preset: str
    sampler: str
    steps: int
    seed: int
    seeds: int
    parameters: str
    precision: str
    device: str
    service_version: str
    libraries: str
    inference_s: float
    storing_s: float

    def library_versions(self) -> dict[str, str]:
        """The versions in `libraries` by name."""
        versions = {}
        for one in filter(None, self.libraries.split(", ")):
            name, _, number = one.rpartition(" ")
            versions[name] = number
        return versions
