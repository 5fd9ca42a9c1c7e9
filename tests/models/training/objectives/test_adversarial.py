from __future__ import annotations

import pytest
import torch

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.objectives.adversarial import (
    DiscriminatorConfig,
    PatchDiscriminator,
    made_as_real,
    read_discriminator,
    told_apart,
)

TINY = DiscriminatorConfig(channels=(4, 6))


def images(n: int = 2, side: int = 32) -> torch.Tensor:
    return torch.rand((n, 1, side, side), generator=torch.Generator().manual_seed(6)) * 2 - 1


def test_each_scale_scores_patches_of_twice_the_size() -> None:
    scores = PatchDiscriminator(DiscriminatorConfig((4, 6), scales=2))(images())
    assert [tuple(score.shape) for score in scores] == [(2, 1, 8, 8), (2, 1, 4, 4)]


def test_a_conditional_discriminator_looks_at_the_condition() -> None:
    torch.manual_seed(1)
    network = PatchDiscriminator(DiscriminatorConfig((4, 6), conditional=True))
    (one,), (other,) = network(images(), images()), network(images(), -images())
    assert float((one - other).detach().abs().max()) > 1e-3


@pytest.mark.parametrize("conditional", [True, False])
def test_a_condition_is_given_exactly_where_it_is_expected(conditional: bool) -> None:
    network = PatchDiscriminator(DiscriminatorConfig((4, 6), conditional=conditional))
    with pytest.raises(ValueError, match="condition"):
        network(images(), None if conditional else images())


def test_an_image_is_scored_without_regard_to_its_batch() -> None:
    torch.manual_seed(1)
    network = PatchDiscriminator(TINY)
    (together,) = network(images(3))
    alone = torch.cat([network(images(3)[i : i + 1])[0] for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("score", "as_real", "apart"), [(0.0, 1.0, 0.5), (1.0, 0.0, 0.5), (0.5, 0.25, 0.25)])
def test_least_squares_of_an_undecided_score(score: float, as_real: float, apart: float) -> None:
    scores = [torch.full((2, 1, 4, 4), score), torch.full((2, 1, 2, 2), score)]
    assert float(made_as_real(scores)) == pytest.approx(as_real)
    assert float(told_apart(scores, scores)) == pytest.approx(apart)


def test_a_discriminator_that_is_right_has_no_loss() -> None:
    assert float(told_apart([torch.ones(1, 1, 4, 4)], [torch.zeros(1, 1, 4, 4)])) == 0


def test_a_discriminator_learns_to_tell_noise_from_smoothness() -> None:
    torch.manual_seed(2)
    network = PatchDiscriminator(TINY)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    noisy = images()
    smooth = torch.nn.functional.avg_pool2d(noisy, 5, stride=1, padding=2)
    losses = []
    for _ in range(30):
        loss = told_apart(network(smooth), network(noisy))
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert losses[-1] < 0.5 * losses[0]


def test_the_smallest_side_leaves_a_patch_at_the_last_scale() -> None:
    config = DiscriminatorConfig((4, 6), scales=2)
    assert config.smallest_side == 8
    scores = PatchDiscriminator(config)(images(1, config.smallest_side))
    assert scores[-1].shape == (1, 1, 1, 1)


def test_a_table_changes_size_but_not_whether_the_condition_is_seen() -> None:
    default = DiscriminatorConfig(conditional=True)
    found = read_discriminator(JsonFields({"channels": [8, 8], "scales": 3}, "discriminator"), default)
    assert found == DiscriminatorConfig((8, 8), 3, conditional=True)
    assert read_discriminator(JsonFields({}, "discriminator"), default) == default
    with pytest.raises(ConfigError, match="unknown fields"):
        read_discriminator(JsonFields({"conditional": False}, "discriminator"), default)


def test_a_discriminator_without_layers_is_refused() -> None:
    with pytest.raises(ConfigError, match="one or more layers"):
        DiscriminatorConfig(channels=())
