"""Devices for the renderer: what Warp and torch can both use, and Warp started without its banner."""

from __future__ import annotations

import os
import sys

import torch
import warp as wp

from t2s_offline.device import open_device as torch_device
from t2s_offline.errors import RenderError


def start_warp() -> None:
    """Start Warp once, without its banner and, where there is no GPU, without its complaint about that."""
    for name, value in (("quiet", True), ("log_level", 40)):  # the newer name and the older
        if hasattr(wp.config, name):
            setattr(wp.config, name, value)
    if torch.cuda.is_available():
        wp.init()
        return
    sys.stderr.flush()
    kept, silent = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)  # its native code writes to the descriptor itself
        wp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)


def open_device(name: str) -> str:
    """As `t2s_offline.device.open_device`, for a device that Warp can use too; RenderError when Warp cannot."""
    if name == "auto" and not wp.is_cuda_available():
        return "cpu"
    place = torch_device(name)
    if place.type == "cpu":
        return "cpu"
    number = torch.cuda.current_device() if place.index is None else place.index
    if number >= wp.get_cuda_device_count():
        raise RenderError(f"Warp cannot use device {name!r}: it sees {wp.get_cuda_device_count()}; try --device cpu")
    return f"cuda:{number}"
