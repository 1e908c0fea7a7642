"""Safetensors files from others: their header is checked before any tensor is read.

The header says which tensors a file has, with their types, shapes and places. A header that does not match the file, or
is larger than any real one, is BadFile.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s_offline.errors import BadFile, brief

if TYPE_CHECKING:
    import numpy.typing as npt

#: Bytes. A header has about 100 a tensor; the largest file is a policy of a hundred seeds.
MAX_HEADER = 4 << 20
MAX_FILE = 4 << 30
#: Prefix of the names of a backbone's tensors, without its head.
TRUNK = "trunk."
BYTES = {"F32": 4, "F16": 2, "F64": 8, "I64": 8}


@dataclass(frozen=True)
class Announced:
    """The header of a file. shapes: of the tensors, by name; metadata: texts by name."""

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]


def announced(path: Path, types: Collection[str]) -> Announced:
    """Names, shapes and metadata of a file whose tensors are of these types (names of safetensors: F32, F16 …)."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            if not 2 <= length <= min(MAX_HEADER, size - 8):
                raise BadFile(f"{path} is not safetensors: its header would have {length} bytes; get the file again")
            header = json.loads(file.read(length))
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror or error}; expected a safetensors file") from error
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not safetensors: its header is no JSON; get the file again") from error
    if size > MAX_FILE:
        raise BadFile(f"{path} has {size} bytes; expected at most {MAX_FILE}")
    if not isinstance(header, dict):
        raise BadFile(f"{path} is not safetensors: its header is no table; get the file again")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise BadFile(f"{path} is not safetensors: its metadata are no texts; get the file again")
    if not header:
        raise BadFile(f"{path} holds no tensors; get the file again")
    return Announced({name: _shape(path, name, entry, types) for name, entry in header.items()}, metadata)


def _shape(path: Path, name: str, entry: Any, types: Collection[str]) -> tuple[int, ...]:
    entry = entry if isinstance(entry, dict) else {}
    kind = str(entry.get("dtype"))
    if kind not in types:
        raise BadFile(f"{path}: tensor {name[:60]} is of type {kind[:20]}; expected {' or '.join(types)}")
    shape, place = _naturals(entry.get("shape")), _naturals(entry.get("data_offsets"))
    if shape is None or place is None:
        raise BadFile(f"{path} is not safetensors: tensor {name[:60]} has no shape or place; get the file again")
    if len(shape) > 8 or len(place) != 2 or place[1] - place[0] != prod(shape) * BYTES[kind]:
        raise BadFile(f"{path} is not safetensors: tensor {name[:60]} is not as large as its shape; get the file again")
    return shape


def _naturals(value: Any) -> tuple[int, ...] | None:
    fits = isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)
    return tuple(value) if fits else None


def weights_digest(path: Path) -> str:
    """Eight hex digits of the hash of a network's weights in full precision; names of embeddings contain them.

    Of a backbone's file the head is left out, of torchvision's weights the last layer.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    ours = any(name.startswith(TRUNK) for name in announced(path, ("F16", "F32", "I64")).shapes)
    try:
        arrays = {
            name.removeprefix(TRUNK): array
            for name, array in load_file(path).items()
            if (name.startswith(TRUNK) if ours else not name.startswith("fc."))
        }
    except (SafetensorError, OSError, ValueError) as error:
        raise BadFile(f"{path} is not safetensors: {brief(error, 80)}; get the file again") from error
    return arrays_digest(arrays)


def arrays_digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Eight hex digits of a network's weights and buffers by name; floats count as float32."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(name.encode())
        found.update((array.astype("float32", copy=False) if array.dtype.kind == "f" else array).tobytes())
    return found.hexdigest()[:8]
