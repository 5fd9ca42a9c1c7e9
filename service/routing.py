"""Which derived objects a site makes, and which of them go to which remote node; pure.

Both are parts of the site file: `[results]` and any number of `[[route]]`. Without a route every object that is made
goes to every remote node that receives results. With routes an object goes to a node when at least one route that
matches the source image names both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.registry.result_kinds import ResultKind

Compression = Literal["none", "jpeg-ls", "jpeg-2000"]
# Their refusal by a node is no failure: the picture stands without them.
COMPANIONS = frozenset({ResultKind.SPREAD, ResultKind.PRESENTATION_STATE, ResultKind.REPORT, ResultKind.REFUSAL_NOTICE})


class ResultsSection(BaseModel):
    """`[results]`: what is made beside the soft-tissue image, which is always made, and how pixels are encoded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bone: bool = Field(default=False, description="The bone residual, as a series of its own.")
    spread: bool = Field(default=False, description="Where samples under several seeds differ, as an image.")
    presentation_state: bool = Field(default=False, description="A presentation state that labels the image as AI.")
    report: bool = Field(default=False, description="A structured report: algorithm, seed, steps, quality figures.")
    compression: Compression = Field(default="none", description="Lossless compression of the images.")
    secondary_capture: Literal["fallback", "never"] = Field(
        default="fallback", description="Whether a node that takes neither DX nor CR gets a Secondary Capture."
    )

    def wanted(self) -> frozenset[ResultKind]:
        """The kinds that are made of every accepted image."""
        optional = {
            ResultKind.BONE: self.bone,
            ResultKind.SPREAD: self.spread,
            ResultKind.PRESENTATION_STATE: self.presentation_state,
            ResultKind.REPORT: self.report,
        }
        return frozenset({ResultKind.SOFT_TISSUE, *(kind for kind, made in optional.items() if made)})


class RouteSection(BaseModel):
    """One `[[route]]`: the nodes of `to` get `results` of images that match; an empty list matches everything.

    `from`: calling AE titles, `*` and `?` allowed. `modality`: CR, DX. `body_part`: Body Part Examined.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    to: tuple[str, ...] = Field(min_length=1)
    results: tuple[ResultKind, ...] = ()
    calling: tuple[str, ...] = Field(default=(), alias="from")
    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFacts:
    """What routes ask of a source image; None: not stated."""

    calling_ae_title: str
    modality: str | None
    body_part: str | None


@dataclass(frozen=True)
class Routing:
    """The routes of a site, in the file's order; none: everything goes everywhere."""

    routes: Sequence[RouteSection] = ()

    def takes(self, node: str, kind: ResultKind, source: SourceFacts) -> bool:
        """Whether the remote node named `node` gets objects of `kind` made of `source`."""
        if not self.routes:
            return True
        return any(
            node in route.to and (not route.results or kind in route.results) and _matches(route, source)
            for route in self.routes
        )

    def unrouted(self, kinds: Collection[ResultKind]) -> list[ResultKind]:
        """Those of `kinds` that are made and that no route lets out, so that they would wait for ever."""
        if not self.routes:
            return []
        out = {kind for route in self.routes for kind in route.results or ResultKind}
        return sorted(set(kinds) - out)

    def unknown_nodes(self, known: Collection[str]) -> list[str]:
        """Names in routes that no remote node has: a misspelt one would lose results silently."""
        return sorted({name for route in self.routes for name in route.to} - set(known))


def _matches(route: RouteSection, source: SourceFacts) -> bool:
    return (
        _one_of(source.calling_ae_title, route.calling)
        and _one_of(source.modality, route.modality)
        and _one_of(source.body_part, route.body_part)
    )


def _one_of(value: str | None, patterns: Iterable[str]) -> bool:
    wanted = [pattern.strip().upper() for pattern in patterns]
    return not wanted or any(fnmatchcase((value or "").strip().upper(), pattern) for pattern in wanted)
