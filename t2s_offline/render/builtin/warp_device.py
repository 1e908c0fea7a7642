"""Devices for the renderer: what Warp and torch can both use, and Warp started without its banner."""

from __future__ import annotations

import os
import sys

import torch
import warp as wp

from t2s_offline.device import device_number
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
    """A device by name that Warp and torch can both use; BadInput for what is no device, RenderError for one that is
    not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() and wp.is_cuda_available() else "cpu"
    number = device_number(name)
    if number is None:
        return "cpu"
    count = min(torch.cuda.device_count(), wp.get_cuda_device_count())
    if max(number, 0) >= count:
        raise RenderError(f"device {name!r} is not there: {count} CUDA devices can be used; try --device cpu")
    return f"cuda:{torch.cuda.current_device() if number < 0 else number}"
