"""What fits into a device's memory: pictures that a loop reads again and again."""

from __future__ import annotations

import torch

SHARE = 0.5  # of a GPU's free memory that pictures may take; the rest is the network's


def free_bytes(device: torch.device) -> int | None:
    """Bytes that a new tensor can take on a GPU, those that torch holds and does not use among them; None for a CPU,
    where pictures lie already."""
    if device.type != "cuda":
        return None
    free, _whole = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + unused)


def placed(image_NCHW: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Pictures on the device where they take at most SHARE of its free memory: a loop then copies nothing. Else as
    given, and the loop moves each batch."""
    free = free_bytes(device)
    if free is None or image_NCHW.device == device or image_NCHW.nbytes > SHARE * free:
        return image_NCHW
    return image_NCHW.to(device)
