"""Devices by name: where networks and pictures are computed. torch is imported when a device is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s_offline.errors import BadInput

if TYPE_CHECKING:
    import torch


def open_device(name: str = "auto") -> torch.device:
    """``auto``, ``cpu``, ``cuda`` or ``cuda:0`` to a device that is there; BadInput otherwise."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()) or (kind == "cpu" and number):
        raise BadInput(f"device {name!r}; expected auto, cpu, cuda or cuda:0, cuda:1 …")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise BadInput(f"device {name!r} is not there: {torch.cuda.device_count()} CUDA devices; use --device cpu")
    return torch.device(name)
