"""Devices by name: where networks and pictures are computed. torch is imported when a device is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s_offline.errors import BadInput

if TYPE_CHECKING:
    import torch


def device_number(name: str) -> int | None:
    """None for ``cpu``, the number for ``cuda:0``, -1 for ``cuda`` (the current one); BadInput for anything else."""
    kind, colon, number = name.partition(":")
    if kind == "cpu" and not colon:
        return None
    if kind != "cuda" or (colon and not number.isdecimal()):
        raise BadInput(f"device {name!r}; expected auto, cpu, cuda or cuda:0, cuda:1 …")
    return int(number) if colon else -1


def open_device(name: str = "auto") -> torch.device:
    """``auto``, ``cpu``, ``cuda`` or ``cuda:0`` to a device that is there; BadInput otherwise."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    number = device_number(name)
    if number is not None and max(number, 0) >= torch.cuda.device_count():
        raise BadInput(f"device {name!r} is not there: {torch.cuda.device_count()} CUDA devices; use --device cpu")
    return torch.device(name)
