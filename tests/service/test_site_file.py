from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dicom_node.eligibility import EligibilityPolicy, FrontalView, Unknown
from dicom_node.site_policy import eligibility_policy
from service.errors import ConfigurationError
from service.priorities import Priority
from service.registry.result_kinds import ResultKind
from service.routing import ResultsSection, SourceFacts
from service.settings import Settings
from service.site_file import SiteFile, load_site_file, read_site_file
from service.site_gate import GateSection, Words
from service.site_senders import priorities_of

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "site.example.toml"


def policy_of(text: str, folder: Path, **settings: object) -> EligibilityPolicy:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return eligibility_policy(Settings.model_validate({"site_file": path, **settings}))


def test_the_example_parses_and_says_what_holds_without_a_file() -> None:
    example = read_site_file(EXAMPLE)
    settings = Settings()
    assert eligibility_policy(settings, example) == eligibility_policy(settings, SiteFile())
    assert eligibility_policy(settings, SiteFile()) == EligibilityPolicy()
    assert example.gate.refusal_notice == GateSection().refusal_notice


def test_the_example_names_every_key_of_the_gate() -> None:
    gate = tomllib.loads(EXAMPLE.read_text())["gate"]
    assert set(gate) == set(GateSection.model_fields)
    assert set(gate["chest_words"]) == set(Words.model_fields)


def test_no_site_file_means_the_defaults() -> None:
    assert load_site_file(Settings()) == SiteFile()


def test_what_the_file_says_overrides_the_setting_of_the_same_name(tmp_path: Path) -> None:
    text = "[gate]\nmin_age_years = 16\nmin_side = 800\nfor_processing = false"
    decided = policy_of(text, tmp_path, min_age_years=21, min_side=2000)
    assert (decided.min_age_years, decided.min_side, decided.accept_for_processing) == (16, 800, False)
    left = policy_of("[gate]", tmp_path, min_age_years=21, min_side=2000, accept_for_processing=False)
    assert (left.min_age_years, left.min_side, left.accept_for_processing) == (21, 2000, False)


def test_a_site_decides_on_views_classes_words_and_the_unknown(tmp_path: Path) -> None:
    text = """
    [gate]
    sop_classes = ["DX"]
    views = ["PA"]
    unknown = "refuse"
    max_age_years = 90
    [gate.chest_words]
    add = ["Bryst"]
    remove = ["lung"]
    """
    policy = policy_of(text, tmp_path)
    assert policy.sop_classes == {"DX"}
    assert policy.views == {FrontalView.PA}
    assert policy.unknown is Unknown.REFUSE
    assert policy.max_age_years == 90
    assert "bryst" in policy.chest_words
    assert "lung" not in policy.chest_words


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[gate]\nmin_agee = 3", "gate.min_agee"),
        ("[gates]\nunknown = 'image'", "gates"),
        ("[gate]\nunknown = 'guess'", "gate.unknown"),
        ("[gate]\nviews = []", "gate.views"),
        ("[gate]\nviews = ['LATERAL']", "gate.views"),
        ("[gate]\nmin_age_years = '18'", "gate.min_age_years"),
        ("[gate]\nmin_age_years = -1", "gate.min_age_years"),
        ("[gate.chest_words]\nadd = ['two words']", "gate.chest_words.add[0]"),
        ("[gate", "TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(text: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_site_file(path)
    assert key in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_site_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SITE_FILE_MISSING"):
        read_site_file(tmp_path / "absent.toml")


def test_the_example_names_every_kind_of_object_that_is_made() -> None:
    example = tomllib.loads(EXAMPLE.read_text())
    assert set(example["results"]) == set(ResultsSection.model_fields)
    assert read_site_file(EXAMPLE).results == ResultsSection()
    assert read_site_file(EXAMPLE).route == ()


def test_the_routes_of_the_example_are_routes(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    commented = text[text.index("# [[route]]") :].replace("\n# ", "\n").replace("\n#\n", "\n\n")[2:]
    path = tmp_path / "site.toml"
    path.write_text(commented)
    routing = read_site_file(path).routing()
    assert routing.unknown_nodes([]) == ["PACS", "RESEARCH"]
    xray = SourceFacts("XRAY7", "DX", "CHEST")
    assert routing.takes("RESEARCH", ResultKind.BONE, xray)
    assert not routing.takes("PACS", ResultKind.BONE, xray)


def test_a_kind_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text('[[route]]\nto = ["PACS"]\nresults = ["BONES"]\n')
    with pytest.raises(ConfigurationError, match=r"route\[0\]\.results\[0\]"):
        read_site_file(path)


def test_a_sender_has_one_priority_or_none(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('[[sender]]\nae_title = "ER "\npriority = "stat"\n[[sender]]\nae_title = "XRAY1"\n')
    assert priorities_of(read_site_file(file).sender) == {"ER": Priority.STAT}
    file.write_text('[[sender]]\nae_title = "ER"\n[[sender]]\nae_title = "ER"\npriority = "prior"\n')
    with pytest.raises(ConfigurationError, match="one section a sender, found more of ER"):
        read_site_file(file)
    file.write_text('[[sender]]\nae_title = "ER"\npriority = "urgent"\n')
    with pytest.raises(ConfigurationError, match=r"sender\[0\]\.priority"):
        read_site_file(file)
