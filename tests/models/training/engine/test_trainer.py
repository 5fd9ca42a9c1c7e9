from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.training.engine.checkpoints import averaged_state, read_checkpoint
from models.training.engine.objective import Objective
from models.training.engine.settings import EngineSettings, OptimiserSettings, Precision
from models.training.engine.trainer import Trainer
from models.training.errors import TrainingError, TrainingFault

from .toys import QUICK, Duel, Points, Regression, same, short, trainer_of


def ignore(_step: int, _terms: Mapping[str, float]) -> None:
    """Nobody looks."""


@pytest.mark.parametrize("build", [lambda: Regression(dropout=0.5), Duel])
def test_a_training_resumed_from_its_checkpoint_is_the_uninterrupted_one_bit_for_bit(
    build: Callable[[], Objective[Points]], tmp_path: Path
) -> None:
    losses: dict[int, Mapping[str, float]] = {}
    resumed_losses: dict[int, Mapping[str, float]] = {}
    whole_objective = build()
    whole = trainer_of(whole_objective, tmp_path / "whole.pt", short())
    whole.run(whole_objective, losses.__setitem__)
    objective = build()
    trainer_of(objective, tmp_path / "parts.pt", short()).run(objective, resumed_losses.__setitem__, until=5)
    again = build()
    resumed = trainer_of(again, tmp_path / "parts.pt", short())
    assert resumed.resume()
    assert resumed.step == 5
    resumed.run(again, resumed_losses.__setitem__)
    assert resumed.step == 8
    assert resumed_losses == losses
    for name, learner in whole.learners.items():
        assert same(learner.network, resumed.learners[name].network)
        assert same(learner.averaged, resumed.learners[name].averaged)


def test_a_training_learns(tmp_path: Path) -> None:
    losses: list[float] = []
    objective = Regression()
    trainer = trainer_of(objective, tmp_path / "c.pt", EngineSettings(150, OptimiserSettings(0.05, warm_up=5)))
    trainer.run(objective, lambda _step, terms: losses.append(terms["line/squared"]))
    assert losses[-1] < 0.02 * losses[0]


def test_networks_are_updated_in_turn_and_the_others_stand_still(tmp_path: Path) -> None:
    objective = Duel()
    trainer = trainer_of(objective, tmp_path / "c.pt", short())
    before = copy.deepcopy(objective.critic)
    moved: list[bool] = []
    update = trainer.learners["generator"].update

    def watched(step: int) -> None:
        update(step)
        moved.append(not same(before, objective.critic))

    trainer.learners["generator"].update = watched  # type: ignore[method-assign]
    trainer.run(objective, ignore, until=1)
    assert moved == [False]
    assert not same(before, objective.critic)
    assert objective.seen == [(0, "generator", True), (0, "critic", False)]


def test_the_checkpoint_holds_the_averaged_weights_which_lag_behind(tmp_path: Path) -> None:
    objective = Regression()
    trainer = trainer_of(objective, tmp_path / "c.pt", short())
    trainer.run(objective, ignore)
    kept = averaged_state(tmp_path / "c.pt", "line")
    averaged = trainer.averaged["line"].state_dict()
    assert all(torch.equal(kept[name], averaged[name]) for name in averaged)
    assert not same(trainer.averaged["line"], objective.network)


def test_the_average_is_the_exponential_one_that_is_documented(tmp_path: Path) -> None:
    objective = Regression()
    trainer = trainer_of(objective, tmp_path / "c.pt", short())
    mean = objective.network[0].weight.detach().clone()

    def follow(step: int, _terms: Mapping[str, float]) -> None:
        decay = min(QUICK.averaging, (1 + step) / (10 + step))
        mean.mul_(decay).add_(objective.network[0].weight.detach(), alpha=1 - decay)

    trainer.run(objective, follow)
    torch.testing.assert_close(trainer.averaged["line"].state_dict()["0.weight"], mean)


@pytest.mark.parametrize("micro_batch", [1, 4, 5])
def test_a_batch_in_parts_gives_the_gradients_of_the_whole(micro_batch: int, tmp_path: Path) -> None:
    weights: list[Tensor] = []
    terms: list[Mapping[str, float]] = []
    for size in (0, micro_batch):
        objective = Regression()
        trainer = trainer_of(objective, tmp_path / f"{size}.pt", short(micro_batch=size))
        trainer.run(objective, lambda _step, found: terms.append(found), until=1)
        weights.append(objective.network[0].weight.detach())
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-5, atol=1e-7)
    assert terms[1] == pytest.approx(terms[0], rel=1e-5)


class Faulty(Regression):
    """One of its terms becomes `value` at step 6."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._value = value

    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        terms = dict(super().losses(name, batch, step))
        if step == 6:
            terms["absolute"] = terms["absolute"] * self._value
        return terms


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_stops_with_step_and_term_and_keeps_the_last_checkpoint(
    value: float, tmp_path: Path
) -> None:
    objective = Faulty(value)
    trainer = trainer_of(objective, tmp_path / "c.pt", short())
    with pytest.raises(TrainingError, match=r"step 6.*line/absolute") as caught:
        trainer.run(objective, ignore)
    assert caught.value.code == TrainingFault.LOSS_NOT_FINITE
    assert read_checkpoint(tmp_path / "c.pt").step == 4
    assert torch.isfinite(objective.network[0].weight).all()


class Overflowing(Regression):
    """Its loss is finite, its gradient is not."""

    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        return {"root": (self.network(batch.given) * 0).abs().sum().sqrt()}


def test_a_gradient_that_is_not_finite_stops_before_it_reaches_the_weights(tmp_path: Path) -> None:
    objective = Overflowing()
    before = copy.deepcopy(objective.network)
    with pytest.raises(TrainingError, match="gradient of network 'line'") as caught:
        trainer_of(objective, tmp_path / "c.pt", short()).run(objective, ignore)
    assert caught.value.code == TrainingFault.LOSS_NOT_FINITE
    assert same(before, objective.network)


class Crowded(Duel):
    """Runs out of memory in the backward pass's place when it sees more than `room` images."""

    def __init__(self, room: int, error: type[Exception] = torch.OutOfMemoryError) -> None:
        super().__init__()
        self._room, self._error = room, error
        self.sizes: list[int] = []

    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        terms = super().losses(name, batch, step)
        self.sizes.append(len(batch.given))
        if len(batch.given) > self._room:
            raise self._error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return terms


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_out_of_memory_halves_the_micro_batch_and_the_step_is_the_one_it_would_have_been(
    error: type[Exception], tmp_path: Path
) -> None:
    roomy, crowded = Crowded(room=4), Crowded(room=2, error=error)
    for objective, path in ((roomy, "roomy.pt"), (crowded, "crowded.pt")):
        trainer = trainer_of(objective, tmp_path / path, short())
        trainer.run(objective, ignore, until=1)
    assert crowded.sizes == [4, 2, 2, 2, 2]
    assert trainer.micro_batch == 2
    torch.testing.assert_close(crowded.generator.weight, roomy.generator.weight)
    # The failed pass counts for nothing: what it did to buffers is taken back.
    assert crowded.generator.get_buffer("forward_passes") == 2
    assert read_checkpoint(tmp_path / "crowded.pt").micro_batch == 2


def test_out_of_memory_a_second_time_ends_with_what_to_change(tmp_path: Path) -> None:
    objective = Crowded(room=1)
    with pytest.raises(
        TrainingError, match=r"2 image\(s\) at a time, after halving once; set training.micro_batch"
    ) as e:
        trainer_of(objective, tmp_path / "c.pt", short()).run(objective, ignore)
    assert e.value.code == TrainingFault.OUT_OF_MEMORY
    assert objective.sizes == [4, 2]


def test_one_image_that_does_not_fit_is_not_halved(tmp_path: Path) -> None:
    objective = Crowded(room=0)
    with pytest.raises(TrainingError, match=r"1 image\(s\) at a time;"):
        trainer_of(objective, tmp_path / "c.pt", short(micro_batch=1)).run(objective, ignore)


class Broken(Regression):
    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        raise RuntimeError("shapes do not match")


def test_a_defect_is_not_taken_for_a_lack_of_memory(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes do not match"):
        trainer_of(Broken(), tmp_path / "c.pt", short()).run(Broken(), ignore)


class Probe(Regression):
    """Keeps what its network computes in."""

    def __init__(self) -> None:
        super().__init__()
        self.dtypes: set[torch.dtype] = set()

    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        self.dtypes.add(self.network(batch.given).dtype)
        return super().losses(name, batch, step)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        (Precision.AUTO, torch.float32),
        (Precision.FLOAT32, torch.float32),
        (Precision.BFLOAT16, torch.bfloat16),
    ],
)
def test_mixed_precision_is_for_the_networks_and_on_the_cpu_only_when_asked(
    precision: Precision, dtype: torch.dtype, tmp_path: Path
) -> None:
    objective = Probe()
    trainer_of(objective, tmp_path / "c.pt", EngineSettings(1, QUICK, precision=precision)).run(objective, ignore)
    assert objective.dtypes == {dtype}
    assert objective.network[0].weight.dtype == torch.float32


def test_every_network_has_its_own_optimiser(tmp_path: Path) -> None:
    critic = OptimiserSettings(learning_rate=0.5, betas=(0.5, 0.9), weight_decay=0.2, warm_up=0)
    settings = EngineSettings(4, QUICK, {"critic": critic})
    learners = trainer_of(Duel(), tmp_path / "c.pt", settings).learners
    group = learners["critic"].optimiser.param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.5, (0.5, 0.9), 0.2)
    assert learners["generator"].optimiser.param_groups[0]["lr"] == QUICK.learning_rate


def test_settings_for_a_network_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"generator, critic, found critik"):
        trainer_of(Duel(), tmp_path / "c.pt", EngineSettings(4, QUICK, {"critik": QUICK}))


def test_a_checkpoint_of_another_size_is_refused_with_both_shapes(tmp_path: Path) -> None:
    objective = Regression()
    trainer_of(objective, tmp_path / "c.pt", short()).run(objective, ignore, until=1)
    wider = Trainer({"line": nn.Sequential(nn.Linear(4, 5))}, short(), tmp_path / "c.pt", torch.device("cpu"))
    with pytest.raises(TrainingError, match=r"expected \(5,\), found \(4,\)") as caught:
        wider.resume()
    assert caught.value.code == TrainingFault.CHECKPOINT_MISMATCH
    assert wider.step == 0


def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path) -> None:
    objective = Regression()
    trainer_of(objective, tmp_path / "c.pt", short()).run(objective, ignore, until=1)
    with pytest.raises(TrainingError, match="generator, critic, found line"):
        trainer_of(Duel(), tmp_path / "c.pt", short()).resume()


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path) -> None:
    assert not trainer_of(Regression(), tmp_path / "c.pt", short()).resume()
