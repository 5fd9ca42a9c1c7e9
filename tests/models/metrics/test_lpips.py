from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.errors import WeightsError
from models.metrics.lpips import SMALLEST_SIDE, Lpips, load_lpips
from models.metrics.published import published
from models.phantom import render


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {name: 0.05 * torch.rand(value.shape, generator=generator) for name, value in Lpips().state_dict().items()}


@pytest.fixture(scope="module")
def network(weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Lpips:
    path = tmp_path_factory.mktemp("lpips") / "alex.safetensors"
    save_file(weights, path)
    return load_lpips(path)


def test_the_file_holds_the_fifteen_tensors_that_the_docstring_names(weights: dict[str, Tensor]) -> None:
    import models.metrics.lpips as module

    text = " ".join((module.__doc__ or "").split())
    assert len(weights) == 15
    for name, value in weights.items():
        assert f"{name} {tuple(value.shape)}" in text


def test_equal_images_are_at_no_distance_and_others_at_the_same_from_both_sides(network: Lpips) -> None:
    a, b = torch.rand((2, 3, 1, 64, 48), generator=torch.Generator().manual_seed(2)) * 2 - 1
    assert network(a, a).tolist() == [0.0] * 3
    there, back = network(a, b), network(b, a)
    assert there.shape == (3,)
    assert (there > 0).all()
    torch.testing.assert_close(there, back)


def test_it_is_the_published_formula_layer_by_layer(network: Lpips, weights: dict[str, Tensor]) -> None:
    a, b = torch.rand((2, 1, 1, 63, 63), generator=torch.Generator().manual_seed(3)) * 2 - 1
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    total = 0.0
    x, y = ((image[0].expand(3, -1, -1) - shift[:, None, None]) / scale[:, None, None] for image in (a, b))
    settings = {0: (4, 2), 3: (1, 2), 6: (1, 1), 8: (1, 1), 10: (1, 1)}
    for layer, (place, (stride, padding)) in enumerate(settings.items()):
        if layer in (1, 2):
            x, y = (torch.nn.functional.max_pool2d(image, 3, 2) for image in (x, y))
        kernel, bias = weights[f"features.{place}.weight"], weights[f"features.{place}.bias"]
        x, y = (torch.conv2d(image[None], kernel, bias, stride, padding)[0].relu() for image in (x, y))
        unit_x, unit_y = (image / (image.norm(dim=0) + 1e-10) for image in (x, y))
        squared = (unit_x - unit_y) ** 2
        total += float((weights[f"lin{layer}.model.1.weight"][0] * squared).sum(0).mean())
    assert float(network(a, b)) == pytest.approx(total, rel=1e-4)


def test_a_gradient_is_finite_even_where_no_channel_sees_anything(network: Lpips) -> None:
    blank = torch.zeros(1, 1, 40, 40)
    mute = Lpips()
    mute.load_state_dict({name: -value.abs() for name, value in network.state_dict().items()})
    image = blank.clone().requires_grad_(True)
    mute.requires_grad_(False)(image, blank + 0.5).sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()


def test_the_smallest_side_runs_and_anything_less_is_refused(network: Lpips) -> None:
    network(torch.zeros(1, 1, SMALLEST_SIDE, SMALLEST_SIDE), torch.ones(1, 1, SMALLEST_SIDE, SMALLEST_SIDE))
    for a, b in (((1, 1, 30, 64), (1, 1, 30, 64)), ((1, 1, 64, 64), (1, 1, 64, 65)), ((1, 3, 64, 64), (1, 3, 64, 64))):
        with pytest.raises(ValueError, match="of one size"):
            network(torch.zeros(a), torch.zeros(b))


def test_as_published_the_network_sees_half_the_contrast(network: Lpips) -> None:
    phantom = render(64, 7)
    found = published(phantom.radiograph, phantom.radiograph, phantom.soft_tissue, network)
    assert found.lpips is not None
    assert found.lpips_as_published is not None
    assert found.lpips > 0
    assert found.lpips_as_published != pytest.approx(found.lpips, rel=0.01)


def test_a_missing_file_another_format_and_other_tensors_are_refused(
    tmp_path: Path, weights: dict[str, Tensor]
) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        load_lpips(tmp_path / "none.safetensors")
    (tmp_path / "text").write_text("not weights")
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_lpips(tmp_path / "text")
    save_file({name: value for name, value in weights.items() if "lin" not in name}, tmp_path / "part.safetensors")
    with pytest.raises(WeightsError, match="5 tensors missing"):
        load_lpips(tmp_path / "part.safetensors")
