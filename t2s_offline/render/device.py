"""Devices: a name comes in, a device that Warp and torch both can use goes out.

Ignores what is computed on it.
"""

from __future__ import annotations

import os
import sys

import torch
import warp as wp

from t2s_offline.errors import BadInput, RenderError


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
    """``auto``, ``cpu``, ``cuda`` or ``cuda:0`` to a device that is there; BadInput or RenderError otherwise."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() and wp.is_cuda_available() else "cpu"
    if name == "cpu":
        return name
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number.isdecimal() or number == "" == name[4:]):
        raise BadInput(f"device {name!r}; expected auto, cpu, cuda or cuda:0, cuda:1 ...")
    count = min(torch.cuda.device_count(), wp.get_cuda_device_count())
    if int(number or 0) >= count:
        raise RenderError(f"device {name!r} is not there: {count} CUDA devices can be used; try --device cpu")
    return f"cuda:{number or torch.cuda.current_device()}"
