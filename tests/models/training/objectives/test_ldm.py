from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.bs_ldm.config import BsLdmConfig, Target
from models.bs_ldm.unet import UNetConfig
from models.bs_ldm.vqgan import Vqgan
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.samplers.dpm_solver import START_TIMESTEP
from models.schedules import Prediction, cosine_schedule
from models.training.batches import Mixture
from models.training.objectives import ldm
from models.training.objectives.ldm import LdmObjective, LdmSettings, NoisedBatch, read_ldm_settings

from .factories import loss_of, phantom_task, train
from .test_vqgan import NETWORK

SETTINGS = LdmSettings(
    autoencoder=Path("runs/vqgan"),
    unet=UNetConfig(8, 4, 32, 1, (1, 1), (2,), 2),
    prediction=Prediction.X0,
    target=Target.BONE,
    offset_noise=0.1,
    latent=1.0,
    pairs_in_latents=1.0,
    squared=True,
    decoded=0.0,
    late_share=0.0,
    late_timestep=600,
    own_share=0.0,
)


@pytest.fixture(autouse=True)
def vqgan(monkeypatch: pytest.MonkeyPatch) -> Vqgan:
    """An untrained autoencoder in the run folder's place."""
    torch.manual_seed(4)
    network = Vqgan(NETWORK).eval().requires_grad_(False)
    monkeypatch.setattr(ldm, "read_trained_vqgan", lambda _run: (network, "d" * 64))
    return network


def objective(**changes: object) -> LdmObjective:
    torch.manual_seed(1)
    return LdmObjective(replace(SETTINGS, **changes), phantom_task())  # type: ignore[arg-type]


class Oracle:
    """Says what the network ought to say; keeps what it was shown."""

    def __init__(self, of: LdmObjective, batch: NoisedBatch, prediction: Prediction) -> None:
        self.shown: list[tuple[Tensor, Tensor]] = []
        self._prediction = prediction
        self._condition, self._x0 = of._latents(batch)

    def __call__(self, seen: Tensor, t: Tensor) -> Tensor:
        self.shown.append((seen, t))
        x_t = seen[:, :4]
        alpha_bar = cosine_schedule().alpha_bar_tensor[t].view(-1, 1, 1, 1)
        noise = (x_t - alpha_bar.sqrt() * self._x0) / (1 - alpha_bar).sqrt()
        said = cosine_schedule().target(self._prediction, self._x0, noise, t)
        return torch.cat([said, torch.full_like(said, 7.0)], 1)  # further outputs count for nothing


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize(
    ("prediction", "own"), [(Prediction.EPSILON, 0.0), (Prediction.V, 0.0), (Prediction.V, 1.0), (Prediction.X0, 0.5)]
)
def test_a_network_that_says_the_truth_has_no_loss(target: Target, prediction: Prediction, own: float) -> None:
    subject = objective(prediction=prediction, target=target, own_share=own)
    batch = subject.draw(2)
    oracle = Oracle(subject, batch, prediction)
    subject._unet = oracle  # type: ignore[assignment]
    loss = subject.losses("unet", batch, 2)["latent"]
    assert float(loss) < 1e-6
    assert len(oracle.shown) == (2 if own else 1)


def test_the_condition_is_shown_as_it_is_at_every_timestep(vqgan: Vqgan) -> None:
    subject = objective()
    batch = subject.draw(0)
    oracle = Oracle(subject, batch, Prediction.X0)
    subject._unet = oracle  # type: ignore[assignment]
    subject.losses("unet", batch, 0)
    scale = subject._config.latent_scale
    condition = oracle.shown[0][0][:, 4:]
    torch.testing.assert_close(condition, vqgan.quantise(vqgan.encode(batch.cxr)) * scale)


def test_the_bones_latent_is_a_difference_and_the_soft_tissues_is_quantised(vqgan: Vqgan) -> None:
    batch = objective().draw(0)
    bone, soft = (objective(target=target)._latents(batch)[1] for target in (Target.BONE, Target.SOFT_TISSUE))
    scale = objective()._config.latent_scale
    without = vqgan.encode(batch.cxr - batch.residual)
    torch.testing.assert_close(bone, (vqgan.encode(batch.cxr) - without) * scale)
    torch.testing.assert_close(soft, vqgan.quantise(without) * scale)


def test_a_decoded_truth_is_judged_by_what_the_autoencoder_makes_of_it(vqgan: Vqgan) -> None:
    subject = objective(decoded=1.0, latent=0.0)
    batch = subject.draw(0)
    subject._unet = Oracle(subject, batch, Prediction.X0)  # type: ignore[assignment]
    said = subject.losses("unet", batch, 0)
    assert set(said) == {"decoded"}
    subject._unet = lambda seen, _t: torch.zeros_like(seen)  # type: ignore[assignment,misc]
    nothing = subject.losses("unet", batch, 0)["decoded"]
    assert float(said["decoded"]) != float(nothing)


def test_late_timesteps_are_as_many_as_asked() -> None:
    drawn = torch.cat([objective(late_share=1.0).draw(step).t for step in range(12)])
    assert int(drawn.min()) >= 600
    anywhere = torch.cat([objective().draw(step).t for step in range(12)])
    assert 0 <= int(anywhere.min()) < 600
    assert int(anywhere.max()) < 1000


def test_offset_noise_shifts_whole_channels() -> None:
    plain, shifted = (
        torch.cat([objective(offset_noise=strength).draw(step).noise for step in range(8)]) for strength in (0.0, 1.0)
    )
    assert shifted.mean((2, 3)).std() > 5 * plain.mean((2, 3)).std()


def test_own_estimates_begin_where_sampling_does() -> None:
    subject = objective(own_share=1.0)
    batch = subject.draw(0)
    oracle = Oracle(subject, batch, Prediction.X0)
    subject._unet = oracle  # type: ignore[assignment]
    subject.losses("unet", batch, 0)
    assert oracle.shown[0][1].tolist() == [START_TIMESTEP] * len(batch.t)
    assert torch.equal(oracle.shown[0][0][:, :4], batch.first_noise)


def test_a_latent_network_learns(tmp_path: Path) -> None:
    subject = objective()
    batch = subject.draw(0)
    before = loss_of(subject, "unet", batch)["latent"]
    train(subject, tmp_path, 12)
    assert loss_of(subject, "unet", batch)["latent"] < 0.8 * before


def test_the_model_is_a_bs_ldm_that_its_manifest_can_state() -> None:
    subject = objective(prediction=Prediction.V)
    model = subject.model(subject.networks)
    assert BsLdmConfig.from_json(model.config).prediction is Prediction.V
    assert set(model.files) == {"unet.safetensors", "vqgan.safetensors"}
    assert subject.inputs() == {"autoencoder": "d" * 64}


def test_pairs_can_be_left_out_of_the_latent_loss() -> None:
    subject = objective(pairs_in_latents=0.0)
    assert loss_of(subject, "unet", subject.draw(0))["latent"] == 0


def test_what_cannot_be_trained_is_refused() -> None:
    fields: dict[str, object] = {
        "autoencoder": "runs/x",
        "prediction": "epsilon",
        "decoded": 1.0,
        "unet": {
            "in_channels": 8,
            "out_channels": 4,
            "model_channels": 32,
            "num_res_blocks": 1,
            "channel_mult": [1, 1],
            "attention_resolutions": [2],
            "num_heads": 2,
        },
    }
    with pytest.raises(ConfigError, match="found epsilon"):
        read_ldm_settings(JsonFields(fields, "ldm"))
    with pytest.raises(ConfigError, match="multiple of 8, found 36"):
        LdmObjective(SETTINGS, phantom_task(side=36))
    with pytest.raises(ConfigError, match="differences"):
        LdmObjective(SETTINGS, phantom_task(mixture=Mixture(1, 0, 0, 1)))
