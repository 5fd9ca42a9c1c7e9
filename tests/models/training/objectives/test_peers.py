from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.peers.config import ARCHITECTURES
from models.training.batches import Batch
from models.training.engine.objective import Objective
from models.training.objectives.ms_ssim import ms_ssim_loss
from models.training.objectives.peers import make_objective, soft_tissue
from tests.models.training.objectives.factories import gradients, loss_of, phantom_batch, phantom_task, train

TINY: dict[str, dict[str, object]] = {
    "peer-gusarev": {"channels": [8, 12], "kernel": 3},
    "peer-resnet-bs": {"channels": 8, "blocks": 2},
    "peer-mca-net": {"channels": [6, 8, 8], "discriminator": {"channels": [4, 6], "scales": 2}},
}
GENERATOR = {"peer-gusarev": "network", "peer-resnet-bs": "network", "peer-mca-net": "generator"}


def tiny(architecture: str, **changes: object) -> Objective[Batch]:
    torch.manual_seed(7)
    fields = {"architecture": architecture, **TINY[architecture], **changes}
    return make_objective(JsonFields(fields, "peer"), phantom_task())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_few_steps_make_the_loss_smaller(architecture: str, tmp_path: Path) -> None:
    objective = tiny(architecture)
    batch, name = phantom_batch(), GENERATOR[architecture]
    before = sum(loss_of(objective, name, batch).values())
    train(objective, tmp_path, 20)
    assert sum(loss_of(objective, name, batch).values()) < 0.9 * before


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_training_done_twice_gives_the_same_weights(architecture: str, tmp_path: Path) -> None:
    states = []
    for again in range(2):
        objective = tiny(architecture)
        train(objective, tmp_path / str(again), 3)
        states.append(objective.networks[GENERATOR[architecture]].state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@pytest.mark.parametrize("architecture", ["peer-gusarev", "peer-resnet-bs"])
def test_the_loss_is_the_published_mixture(architecture: str) -> None:
    objective, batch = tiny(architecture), phantom_batch()
    with torch.no_grad():
        error = (objective.networks["network"](batch.cxr) - soft_tissue(batch)) / 2  # images in [0, 1]
        structure = ms_ssim_loss(objective.networks["network"](batch.cxr), soft_tissue(batch))
    pixels = error.square().mean() if architecture == "peer-gusarev" else error.abs().mean()
    found = loss_of(objective, "network", batch)
    assert sum(found.values()) == pytest.approx(float(0.16 * pixels + 0.84 * structure), rel=1e-5)
    assert set(found) == {"mse" if architecture == "peer-gusarev" else "mae", "ms-ssim"}


def test_what_is_learnt_is_the_soft_tissue_in_the_radiographs_tone() -> None:
    batch = phantom_batch()
    torch.testing.assert_close(soft_tissue(batch), batch.cxr - batch.residual)  # the phantom needs no clamping


def test_the_discriminator_teaches_the_generator_nothing_while_it_learns() -> None:
    assert gradients(tiny("peer-mca-net"), "discriminator", phantom_batch()) == {
        "generator": False,
        "discriminator": True,
    }


def test_the_generator_moves_only_itself_and_the_discriminator_only_itself(tmp_path: Path) -> None:
    objective = tiny("peer-mca-net")
    trainer = train(objective, tmp_path, 1)
    batch = phantom_batch()
    for name, learner in trainer.learners.items():
        for other in trainer.learners.values():
            other.freeze(other is not learner)
            other.clear()
        torch.stack(list(objective.losses(name, batch, 1).values())).sum().backward()  # type: ignore[no-untyped-call]
        moved = [
            other.name
            for other in trainer.learners.values()
            if any(weight.grad is not None for weight in other.network.parameters())
        ]
        assert moved == [name]


def test_the_generator_hears_of_the_discriminator() -> None:
    objective, batch = tiny("peer-mca-net"), phantom_batch()
    generator = objective.networks["generator"]
    objective.losses("generator", batch, 0)["adversarial"].backward()  # type: ignore[no-untyped-call]
    assert any(weight.grad is not None and bool(weight.grad.any()) for weight in generator.parameters())


def test_both_networks_of_mca_net_learn_in_turn(tmp_path: Path) -> None:
    objective = tiny("peer-mca-net")
    assert list(objective.networks) == ["generator", "discriminator"]
    before = {name: [w.clone() for w in net.parameters()] for name, net in objective.networks.items()}
    train(objective, tmp_path, 1)
    for name, network in objective.networks.items():
        assert any(not torch.equal(old, new) for old, new in zip(before[name], network.parameters(), strict=True))


@pytest.mark.parametrize(
    ("architecture", "changes", "message"),
    [
        ("peer-gusarev", {"chanels": [8]}, "unknown fields chanels"),
        ("peer-gusarev", {"discriminator": {"scales": 2}}, "unknown fields discriminator"),
        ("peer-mca-net", {"discriminator": {"norm": "batch"}}, "unknown fields norm"),
        ("peer-mca-net", {"discriminator": {"channels": [4] * 8}}, "512 or more"),
        ("peer-gusarev", {"channels": [4] * 5}, "multiple of 32"),
    ],
)
def test_a_configuration_that_cannot_be_trained_is_refused(
    architecture: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        tiny(architecture, **changes)


def test_an_unknown_peer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="peer-gusarev, peer-resnet-bs, peer-mca-net"):
        make_objective(JsonFields({"architecture": "peer-u-net"}, "peer"), phantom_task())
