from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.registry.result_kinds import ResultKind
from service.routing import ResultsSection, RouteSection, Routing, SourceFacts

CHEST = SourceFacts("XRAY1", "DX", "CHEST")


def routing(*routes: dict[str, object]) -> Routing:
    return Routing([RouteSection.model_validate(route) for route in routes])


@given(st.sampled_from(ResultKind), st.text(min_size=1))
def test_without_routes_everything_goes_everywhere(kind: ResultKind, node: str) -> None:
    assert Routing().takes(node, kind, CHEST)


def test_with_routes_a_node_gets_only_what_a_route_names_for_it() -> None:
    routes = routing({"to": ["PACS"], "results": ["SOFT_TISSUE"]}, {"to": ["RESEARCH"]})
    assert routes.takes("PACS", ResultKind.SOFT_TISSUE, CHEST)
    assert not routes.takes("PACS", ResultKind.REPORT, CHEST)
    assert routes.takes("RESEARCH", ResultKind.REPORT, CHEST)
    assert not routes.takes("ELSEWHERE", ResultKind.SOFT_TISSUE, CHEST)


@pytest.mark.parametrize(
    ("key", "pattern", "taken"),
    [
        ("from", "XRAY*", True),
        ("from", "xray1", True),
        ("from", "XRAY2", False),
        ("modality", "DX", True),
        ("modality", "CR", False),
        ("body_part", "CHEST", True),
        ("body_part", "THORAX", False),
    ],
)
def test_a_route_is_for_the_images_that_match_it(key: str, pattern: str, taken: bool) -> None:
    assert routing({"to": ["PACS"], key: [pattern]}).takes("PACS", ResultKind.SOFT_TISSUE, CHEST) is taken


def test_what_the_header_does_not_state_matches_no_pattern_but_any() -> None:
    silent = SourceFacts("XRAY1", None, None)
    assert not routing({"to": ["PACS"], "body_part": ["CHEST"]}).takes("PACS", ResultKind.SOFT_TISSUE, silent)
    assert routing({"to": ["PACS"], "body_part": ["*"]}).takes("PACS", ResultKind.SOFT_TISSUE, silent)


def test_a_misspelt_node_is_named() -> None:
    assert routing({"to": ["PACS", "PASC"]}).unknown_nodes({"PACS"}) == ["PASC"]


def test_a_key_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValidationError, match="bodypart"):
        RouteSection.model_validate({"to": ["PACS"], "bodypart": ["CHEST"]})


def test_the_soft_tissue_is_always_made_and_the_rest_on_request() -> None:
    assert ResultsSection().wanted() == {ResultKind.SOFT_TISSUE}
    everything = ResultsSection(bone=True, spread=True, presentation_state=True, report=True)
    assert everything.wanted() == set(ResultKind) - {ResultKind.REFUSAL_NOTICE, ResultKind.RETRACTION}


def test_what_is_made_and_goes_nowhere_is_named() -> None:
    made = {ResultKind.SOFT_TISSUE, ResultKind.BONE, ResultKind.REFUSAL_NOTICE}
    assert Routing().unrouted(made) == []
    assert routing({"to": ["PACS"], "results": ["SOFT_TISSUE"]}).unrouted(made) == ["BONE", "REFUSAL_NOTICE"]
    assert routing({"to": ["PACS"], "results": ["SOFT_TISSUE"]}, {"to": ["ALL"]}).unrouted(made) == []
