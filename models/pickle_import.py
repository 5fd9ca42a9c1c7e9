"""Reads what `torch.save` wrote without executing anything in it: for `import_published` and the golden files.

The published checkpoints are whole modules pickled by name, so loading them the ordinary way imports and calls whatever
they name. Here the zip is opened, the pickle's opcodes are checked against a list, and it is unpickled with a
`find_class` that imports nothing: it gives rebuild shims for tensors, `OrderedDict`, `set`, a tuple for `torch.Size`,
and an inert stub for every other global, `os.system` included. Tensors stay descriptions until `pickle_tensors` has
checked them against their storages. Legacy files (before the zip format) are refused.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from models.errors import WeightsError, WeightsFault
from models.pickle_tensors import STORAGE_DTYPES, PickledTensor, StorageKey

MAX_PICKLE_BYTES = 64 * 1024 * 1024
# fmt: off
KNOWN_OPCODES = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT",
    "GET", "BINGET", "LONG_BINGET", "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2",
    "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE",
    "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "EMPTY_LIST", "APPEND", "APPENDS", "LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_SET", "ADDITEMS", "FROZENSET",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "NEWOBJ", "BINPERSID",
})
# fmt: on


class Stub:
    """Stands for an object of a class that is not imported. Keeps its state, does nothing."""

    qualified_name = ""

    def __init__(self, *_arguments: object) -> None:
        self.state: dict[str, object] = {}
        self.items: dict[object, object] = {}

    def __setstate__(self, state: object) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.state = {str(key): value for key, value in part.items()}

    def __setitem__(self, key: object, value: object) -> None:
        self.items[key] = value

    def __call__(self, *_arguments: object) -> Stub:
        return Stub()

    def append(self, _item: object) -> None:
        """Items of an unknown sequence are dropped."""

    def extend(self, _items: object) -> None:
        """As `append`."""

    def add(self, _item: object) -> None:
        """As `append`."""


class Archive:
    """The zip of one checkpoint: its pickle, and its storages by key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = _open_zip(path)
        pickles = [name for name in self._zip.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise foreign(path, f"expected one <name>/data.pkl in the archive, found {len(pickles)}")
        self._prefix = pickles[0].removesuffix("data.pkl")
        if self._has("byteorder") and self._read("byteorder", 16) != b"little":
            raise foreign(path, "expected little-endian storages")

    def unpickled(self) -> object:
        """The root object, made of stubs, plain containers and `PickledTensor`s."""
        pickled = self._read("data.pkl", MAX_PICKLE_BYTES)
        _check_opcodes(pickled, self.path)
        try:
            return _InertUnpickler(pickled).load()
        except WeightsError:
            raise
        except Exception as error:  # whatever a hostile pickle provokes is one thing to the operator
            raise foreign(self.path, f"its pickle cannot be read ({type(error).__name__})") from error

    def storage(self, key: StorageKey) -> bytearray:
        """A storage's bytes; raises WeightsError unless they are exactly as many as the pickle says."""
        wanted = key.elements * STORAGE_DTYPES[key.kind].itemsize
        found = bytearray(self._read(f"data/{key.name}", wanted))
        if len(found) != wanted:
            raise foreign(self.path, f"storage {key.name!r} should hold {wanted} bytes and holds {len(found)}")
        return found

    def _has(self, name: str) -> bool:
        return self._prefix + name in self._zip.namelist()

    def _read(self, name: str, limit: int) -> bytes:
        try:
            entry = self._zip.getinfo(self._prefix + name)
        except KeyError:
            raise WeightsError(WeightsFault.TRUNCATED, f"{self.path.name}: it lacks {name}") from None
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > limit:
            raise foreign(
                self.path, f"{name} should be stored plainly in {limit} bytes or fewer, it has {entry.file_size}"
            )
        try:
            return self._zip.read(entry)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise WeightsError(WeightsFault.TRUNCATED, f"{self.path.name}: {name} cannot be read ({error})") from error


def foreign(path: Path, reason: str) -> WeightsError:
    """The error for a file that is not a checkpoint we can read."""
    return WeightsError(WeightsFault.FOREIGN, f"{path.name}: not a checkpoint that can be imported: {reason}")


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise WeightsError(WeightsFault.MISSING, f"{path}: cannot be opened ({error.strerror})") from error
    if magic != b"PK\x03\x04":
        raise foreign(path, "expected a zip as torch.save writes since 1.6 (legacy and other formats are refused)")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise WeightsError(WeightsFault.TRUNCATED, f"{path.name}: a zip that is cut short ({error})") from error


def _check_opcodes(pickled: bytes, path: Path) -> None:
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            if opcode.name not in KNOWN_OPCODES:
                raise foreign(path, f"its pickle holds the instruction {opcode.name}, which torch.save never writes")
            # A huge memo index would make the unpickler allocate that many slots.
            if opcode.name in ("PUT", "LONG_BINPUT") and isinstance(argument, int) and argument > len(pickled):
                raise foreign(path, f"its pickle numbers an object {argument}, more than it can hold")
    except WeightsError:
        raise
    except Exception as error:
        raise foreign(path, f"its pickle is malformed ({type(error).__name__})") from error


class _Shim:
    """A callable that a pickle may name. An instance, so that the pickle can alter neither a function nor a class."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call

    def __call__(self, *arguments: object) -> object:
        return self._call(*arguments)

    def __setstate__(self, _state: object) -> None:
        raise ValueError("a rebuild function has no state")


class _InertUnpickler(pickle.Unpickler):
    def __init__(self, pickled: bytes) -> None:
        super().__init__(io.BytesIO(pickled))
        self._stubs: dict[str, type[Stub]] = {}

    def find_class(self, module: str, name: str, /) -> object:
        """Imports nothing, whatever is asked for."""
        match module, name:
            case "torch._utils", "_rebuild_tensor_v2":
                return _Shim(PickledTensor.rebuild)
            case "torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state":
                return _Shim(_same_tensor)
            case "collections", "OrderedDict":
                return OrderedDict
            case (("builtins" | "__builtin__"), "set"):
                return set
            case "torch", "Size":
                return _Shim(_size)
            case "torch", kind if kind in STORAGE_DTYPES:
                return _StorageKind(kind)
        qualified = f"{module}.{name}"
        if qualified not in self._stubs:
            self._stubs[qualified] = type("Stub", (Stub,), {"qualified_name": qualified})
        return self._stubs[qualified]

    def persistent_load(self, pid: object, /) -> StorageKey:
        """A storage's description; its bytes are read later."""
        match pid:
            case ("storage", _StorageKind(kind=kind), str(name), str(), int(elements)) if elements >= 0:
                return StorageKey(kind, name, elements)
        raise ValueError("a persistent id that is not a tensor's storage")


class _StorageKind:
    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __setstate__(self, _state: object) -> None:
        raise ValueError("a storage class has no state")


def _same_tensor(tensor: object, *_rest: object) -> PickledTensor:
    if not isinstance(tensor, PickledTensor):
        raise ValueError("a parameter that is not a tensor")
    return tensor


def _size(dimensions: object = ()) -> tuple[object, ...]:
    if not isinstance(dimensions, tuple | list):
        raise ValueError("a size that is not a list of numbers")
    return tuple(dimensions)
