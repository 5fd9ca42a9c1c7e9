from __future__ import annotations

import builtins
import os
import pickle
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from models.errors import WeightsError, WeightsFault
from models.pickle_import import Archive, Stub
from models.pickle_modules import read_module, read_modules
from tests.models.pickled import Calls, archive, foreign_class, save_unet, tensor_pickle, with_pickle

HOSTILE: dict[str, Callable[[Path], Calls]] = {
    "os.system": lambda marker: Calls(os.system, f"touch {marker}"),
    "builtins.eval": lambda marker: Calls(builtins.eval, f"open({str(marker)!r}, 'w')"),
    "builtins.exec": lambda marker: Calls(builtins.exec, f"open({str(marker)!r}, 'w')"),
    "builtins.open": lambda marker: Calls(builtins.open, str(marker), "w"),
    "subprocess.call": lambda marker: Calls(subprocess.call, ["touch", str(marker)]),
    "shutil.copy": lambda marker: Calls(shutil.copy, __file__, str(marker)),
    "Path.touch": lambda marker: Calls(Path.touch, marker),
    "torch.save": lambda marker: Calls(torch.save, 1, str(marker)),
}


def fault(path: Path) -> tuple[WeightsFault, str]:
    with pytest.raises(WeightsError) as caught:
        read_modules(path)
    return WeightsFault(caught.value.code), str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_payload_in_a_module_does_not_run_and_the_tensors_beside_it_are_read(tmp_path: Path, name: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / "net.pth"
    network = nn.Linear(2, 3)
    network.payload = HOSTILE[name](marker)
    torch.save(network, path)
    module = read_module(path)
    assert not marker.exists()
    assert torch.equal(module.state["weight"], network.weight)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_payload_in_the_place_of_everything_does_not_run_and_is_refused(tmp_path: Path, name: str) -> None:
    marker = tmp_path / "ran"
    path = archive(tmp_path / "net.pth", pickle.dumps(HOSTILE[name](marker)))
    assert fault(path)[0] is WeightsFault.FOREIGN
    assert not marker.exists()


def test_the_payloads_would_run_if_they_were_loaded_the_ordinary_way(tmp_path: Path) -> None:
    for name in ("os.system", "builtins.eval", "builtins.open", "Path.touch"):
        marker = tmp_path / name
        pickle.loads(pickle.dumps(HOSTILE[name](marker)))
        assert marker.exists()


def test_a_class_that_is_not_installed_is_a_stub_with_its_name_and_state(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with foreign_class("Strange", "strange.land") as strange:
        network = strange()
        network.register_buffer("kept", torch.arange(3))
        network.register_buffer("passing", torch.arange(4), persistent=False)
        network.register_parameter("nothing", None)
        network.width = 7
        torch.save(network, path)
    assert isinstance(Archive(path).unpickled(), Stub)
    module = read_module(path)
    assert module.root_class == "strange.land.Strange"
    assert list(module.state) == ["kept"]
    assert module.number("", "width", 0) == 7


def test_a_whole_module_gives_exactly_its_state_dict(tmp_path: Path) -> None:
    unet = save_unet(tmp_path / "net.pth")
    state = read_module(tmp_path / "net.pth").state
    assert list(state) == list(unet.state_dict())
    assert all(torch.equal(state[name], tensor) for name, tensor in unet.state_dict().items())


@pytest.mark.parametrize("protocol", [2, 4])
def test_state_dicts_and_dicts_of_networks_are_found(tmp_path: Path, protocol: int) -> None:
    network, path = nn.Linear(2, 3), tmp_path / "net.pth"
    torch.save(network.state_dict(), path, pickle_protocol=protocol)
    assert torch.equal(read_module(path).state["bias"], network.bias)
    torch.save({"model": network.state_dict(), "ema": network, "optimizer": {"lr": 1}, "epoch": 3}, path,
               pickle_protocol=protocol)  # fmt: skip
    assert set(read_modules(path)) == {"model", "ema"}
    assert torch.equal(read_module(path, "ema").state["weight"], network.weight)


def test_a_network_wrapped_for_several_devices_is_unwrapped(tmp_path: Path) -> None:
    with foreign_class("DataParallel", "parallel.wrap") as wrapper:
        network = wrapper()
        network.module = nn.Linear(2, 3)
        torch.save(network, tmp_path / "net.pth")
    assert list(read_module(tmp_path / "net.pth").state) == ["weight", "bias"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool])
def test_every_type_of_storage_and_any_stride_is_read(tmp_path: Path, dtype: torch.dtype) -> None:
    whole = torch.arange(24).view(4, 6).to(dtype)
    tensors = {"view": whole[1:, ::2].t(), "whole": whole, "empty": whole[:0], "scalar": whole[3, 5]}
    torch.save(tensors, tmp_path / "net.pth")
    state = read_module(tmp_path / "net.pth").state
    assert all(torch.equal(state[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_said_to_be_cut_short(tmp_path: Path, share: float) -> None:
    path = tmp_path / "net.pth"
    save_unet(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    code, message = fault(path)
    assert code is WeightsFault.TRUNCATED
    assert "net.pth" in message


def test_a_storage_with_altered_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({"w": torch.full((64,), 1.5)}, path)
    path.write_bytes(path.read_bytes().replace(struct.pack("<f", 1.5) * 64, struct.pack("<f", 2.5) * 64))
    assert fault(path)[0] is WeightsFault.TRUNCATED


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"\x80\x02}q\x00.", b"DICM" * 100])
def test_a_file_of_another_kind_is_foreign(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    assert fault(path)[0] is WeightsFault.FOREIGN


def test_the_legacy_format_is_refused_by_name(tmp_path: Path) -> None:
    torch.save(nn.Linear(1, 1), tmp_path / "net.pth", _use_new_zipfile_serialization=False)
    code, message = fault(tmp_path / "net.pth")
    assert code is WeightsFault.FOREIGN
    assert "legacy" in message


def test_an_absent_file_is_missing(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.pth")[0] is WeightsFault.MISSING


def test_a_zip_without_a_pickle_and_a_pickle_without_a_network_are_foreign(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as made:
        made.writestr("readme.txt", "hello")
    assert fault(tmp_path / "a.pth")[0] is WeightsFault.FOREIGN
    assert fault(archive(tmp_path / "b.pth", pickle.dumps({"epoch": 3})))[0] is WeightsFault.FOREIGN


def test_a_tensor_whose_storage_is_absent_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "net.pth", tensor_pickle(4, 0, (4,), (1,)))
    code, message = fault(path)
    assert code is WeightsFault.TRUNCATED
    assert "data/0" in message


@pytest.mark.parametrize(
    ("elements", "offset", "size", "stride"),
    [
        (4, 0, (5,), (1,)),
        (4, 1, (4,), (1,)),
        (4, 0, (2, 2), (3, 1)),
        (4, -1, (2,), (1,)),
        (4, 0, (2,), (-1,)),
        (4, 0, (10**9,), (0,)),
        (4, 0, (2, 2), (1,)),
        (4, 0, (-2, -2), (1, 1)),
        (4, 0, (True,), (1,)),
        (4, 0, ("2",), (1,)),
        (4, 0, (1,) * 9, (1,) * 9),
        (2**62, 0, (4,), (1,)),
        (3, 0, (3,), (1,)),
    ],
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(
    tmp_path: Path, elements: object, offset: object, size: object, stride: object
) -> None:
    pickled = tensor_pickle(elements, offset, size, stride)
    assert fault(archive(tmp_path / "net.pth", pickled, {"0": b"\0" * 16}))[0] is WeightsFault.FOREIGN


def test_a_tensor_inside_its_storage_is_read(tmp_path: Path) -> None:
    content = struct.pack("<4f", 1, 2, 3, 4)
    path = archive(tmp_path / "net.pth", tensor_pickle(4, 1, (2,), (2,)), {"0": content})
    assert read_module(path).state["w"].tolist() == [2, 4]


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02.",
        b"not a pickle",
        b"\x80\x02(ios\nsystem\nU\x04trueo.",  # INST
        b"\x80\x02\x82\x01.",  # EXT1: the extension registry
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # LONG_BINPUT: a memo of two thousand million slots
        b"\x80\x02ccollections\nOrderedDict\n}U\x01aNsb.",  # BUILD on a class
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}U\x01aNsb.",  # BUILD on a rebuild function
        b"\x80\x02ctorch\nFloatStorage\n}U\x01aNsb.",
        b"\x80\x02U\x01xQ.",  # a persistent id that is no storage
    ],
)
def test_a_malformed_or_crafted_pickle_is_refused(tmp_path: Path, pickled: bytes) -> None:
    assert fault(archive(tmp_path / "net.pth", pickled))[0] is WeightsFault.FOREIGN


def test_modules_nested_without_end_are_refused(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(1, 1))
    network.add_module("again", nn.Sequential())
    network[1].add_module("around", network)
    torch.save(network, tmp_path / "net.pth")
    assert "nested deeper" in fault(tmp_path / "net.pth")[1]


def test_modules_shared_until_they_are_without_number_are_refused(tmp_path: Path) -> None:
    network: nn.Module = nn.Linear(1, 1)
    for _ in range(40):
        network = nn.ModuleDict({"a": network, "b": network})
    torch.save(network, tmp_path / "net.pth")
    assert "past all number" in fault(tmp_path / "net.pth")[1]


def test_one_storage_claimed_over_and_over_does_not_fill_the_memory(tmp_path: Path) -> None:
    whole = torch.zeros(100_000)
    torch.save({f"w{i}": whole[i:] for i in range(50)}, tmp_path / "net.pth")
    assert "larger than the file" in fault(tmp_path / "net.pth")[1]


def test_a_compressed_entry_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pth", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("made/data.pkl", tensor_pickle(10_000_000, 0, (10_000_000,), (1,)))
        made.writestr("made/data/0", b"\0" * 40_000_000)
    assert "stored plainly" in fault(tmp_path / "net.pth")[1]


def test_big_endian_storages_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "net.pth", tensor_pickle(1, 0, (1,), (1,)), {"0": b"\0" * 4})
    with zipfile.ZipFile(path, "a") as made:
        made.writestr("made/byteorder", "big")
    assert "little-endian" in fault(path)[1]


def test_another_pickle_in_the_same_archive_is_read_for_what_it_is(tmp_path: Path) -> None:
    save_unet(tmp_path / "net.pth")
    path = with_pickle(tmp_path / "net.pth", tmp_path / "other.pth", pickle.dumps(Calls(os.getcwd)))
    assert fault(path)[0] is WeightsFault.FOREIGN
