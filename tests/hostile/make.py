"""Makes a small corpus of hostile files."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from math import prod

#: Bits of a number, by safetensors' names of types.
BITS = {
    "F64": 64, "I64": 64, "C64": 64, "F32": 32, "F16": 16, "BF16": 16, "U16": 16, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8,
    "F8_E8M0": 8, "F6_E2M3": 6, "F4": 4,
}  # fmt: skip


def safetensors_bytes(
    tensors: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str] | None = None, *, data: bool = True
) -> bytes:
    """A safetensors file of zeros with any types and shapes, also those its library would not write."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, (kind, shape) in tensors.items():
        size = -(-prod(shape) * BITS[kind] // 8)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + (bytes(end) if data else b"")
