from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from models.checkpoint import file_sha256, load_network, load_tensors, save_tensors
from models.errors import WeightsError, WeightsFault

CPU = torch.device("cpu")


def linear() -> nn.Linear:
    return nn.Linear(3, 2)


def saved(folder: Path, tensors: dict[str, torch.Tensor]) -> tuple[Path, str]:
    path = folder / "net.safetensors"
    return path, save_tensors(tensors, path)


def fault(path: Path, sha256: str) -> WeightsFault:
    with pytest.raises(WeightsError) as caught:
        load_network(linear, path, sha256, CPU)
    return WeightsFault(caught.value.code)


def test_weights_are_float16_on_disk_and_float32_in_a_network_that_only_evaluates(tmp_path: Path) -> None:
    original = linear()
    path, sha256 = saved(tmp_path, original.state_dict())
    assert path.stat().st_size < 8 * 2 + 400
    network = load_network(linear, path, sha256, CPU)
    assert network.weight.dtype == torch.float32
    torch.testing.assert_close(network.weight, original.weight, atol=1e-3, rtol=1e-3, check_device=True)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_value_beyond_float16_is_kept_and_whole_numbers_stay_whole(tmp_path: Path) -> None:
    path, sha256 = saved(tmp_path, {"large": torch.tensor([1e6, 0.5]), "count": torch.tensor([3])})
    found = load_tensors(path, sha256)
    assert found["large"].tolist() == [1e6, 0.5]
    assert found["count"].dtype == torch.int64


def test_one_altered_bit_is_found(tmp_path: Path) -> None:
    path, sha256 = saved(tmp_path, linear().state_dict())
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert fault(path, sha256) is WeightsFault.ALTERED


def test_the_message_names_the_expected_and_the_found_digest(tmp_path: Path) -> None:
    path, sha256 = saved(tmp_path, linear().state_dict())
    with pytest.raises(WeightsError, match=f"expected SHA-256 {'0' * 64}, found {sha256}"):
        load_tensors(path, "0" * 64)


def test_an_absent_file_is_missing(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.safetensors", "0" * 64) is WeightsFault.MISSING


def test_another_kind_of_file_is_foreign(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"\x89PNG" * 100)
    assert fault(path, file_sha256(path)) is WeightsFault.FOREIGN


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.zeros(2, 3)}, r"1 tensors missing \(bias\)"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2), "x": torch.zeros(1)}, r"1 tensors unexpected \(x\)"),
        (
            {"weight": torch.zeros(3, 2), "bias": torch.zeros(2)},
            r"weight: expected \(2, 3\), found \(3, 2\)",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, tensors: dict[str, torch.Tensor], message: str) -> None:
    path, sha256 = saved(tmp_path, tensors)
    with pytest.raises(WeightsError, match=message) as caught:
        load_network(linear, path, sha256, CPU)
    assert caught.value.code == WeightsFault.MISMATCH
