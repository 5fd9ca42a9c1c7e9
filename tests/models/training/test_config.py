from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.training.batches import Mixture
from models.training.config import SHIPPED, load_config, parse_config
from models.training.kinds import OBJECTIVES
from models.training.toml_text import Table, read_toml, with_overrides

from .folders import residual_unet_table

KIND = "residual-unet"


def table(*overrides: str) -> Table:
    return with_overrides(residual_unet_table(Path("/pairs")), overrides)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_configuration_is_read_by_its_name_and_says_how_to_run_it(path: Path) -> None:
    kinds = [kind for kind in OBJECTIVES if kind in read_toml(path)]
    assert len(kinds) == 1
    config = load_config(kinds[0], Path(path.stem), ["data.pairs=/pairs"])
    assert config.engine.steps > 100
    assert config.data.pairs == Path("/pairs")
    assert f"softray train {kinds[0]} {path.stem} --pairs DIR" in path.read_text(encoding="utf-8")


def test_a_file_goes_before_a_shipped_configuration_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vqgan").write_text('seed = 5\n[data]\npairs = "x"\n[training]\nsteps = 3\n', encoding="utf-8")
    config = load_config("vqgan", Path("vqgan"))
    assert (config.seed, config.engine.steps) == (5, 3)
    assert config.data.pairs == tmp_path / "x"


def test_an_unknown_configuration_is_refused_with_the_shipped_names() -> None:
    with pytest.raises(ConfigError, match="vqgan-lite"):
        load_config("vqgan", Path("vqgan-light"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.side=1024", "'side'"),
        ("data.sid=32", "unknown fields sid"),
        ("trainin.steps=3", "unknown fields trainin"),
        ("training.device=tpu", "auto, cpu, cuda"),
        ("data.mixture={pairs=0}", "one image or more"),
        ("data.ratios=[1, 1]", "found 2"),
        ("vqgan.radiographs=3", "unknown fields vqgan"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_by_name(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(KIND, table(override))


def test_without_pairs_the_message_says_how_to_name_them() -> None:
    without = table()
    del without["data"]["pairs"]  # type: ignore[index]
    with pytest.raises(ConfigError, match="--pairs DIR"):
        parse_config(KIND, without)


def test_without_exactly_known_bone_a_batch_keeps_its_size_and_is_all_pairs() -> None:
    mixed = table("data.mixture={pairs=1, projections=2, overlays=3, differences=4}")
    assert parse_config(KIND, mixed).data.mixture == Mixture(10, 0, 0, 0)
    for source in ("data.projections=/p.npz", "data.phantoms=2"):
        assert parse_config(KIND, with_overrides(mixed, [source])).data.mixture == Mixture(1, 2, 3, 4)


def test_without_augmentation_projections_are_refused() -> None:
    with pytest.raises(ConfigError, match="only pairs"):
        parse_config(KIND, table("data.augment=false", "data.phantoms=2", "data.mixture={pairs=1, overlays=1}"))
