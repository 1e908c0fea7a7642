"""A backbone's file for other programs: the names, shapes and precision of torchvision's own files.

`torchvision.models.resnet18().load_state_dict(load_file(path), strict=False)` misses the last layer alone; timm's
resnet18 and resnet50 have the same names. The narrow ResNet-18 is a network of this package alone, and is read by
`t2s_offline.load_backbone`, which reads the others, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2s_offline.errors import BadFile
from t2s_offline.files import write_whole
from t2s_offline.training.networks import MEAN, PORTABLE, SD, Backbone, SavedBackbone

#: Architectures that torchvision and timm have under the same name.
ELSEWHERE = ("resnet50", "resnet18")


def write_portable(path: Path, saved: SavedBackbone) -> dict[str, Any]:
    """Write a backbone without its head in float32, with its card; returns the card.

    mean, sd: of the three channels, to normalise pictures of 0 to 1. BadFile when the file cannot be written.
    """
    from safetensors.torch import save

    card = portable_card(saved.backbone, saved.card)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in saved.backbone.trunk.state_dict().items()}
    text = json.dumps(card, ensure_ascii=False, allow_nan=False)
    try:
        write_whole(path, save(tensors, metadata={"t2s_offline": text}))
    except OSError as error:
        raise BadFile(f"cannot write the backbone to {path}: {error.strerror or error}; free space there") from error
    return card


def portable_card(backbone: Backbone, card: Mapping[str, Any]) -> dict[str, Any]:
    """The card with the format, the architecture and how pictures are normalised."""
    return {**card, "format": PORTABLE, "arch": backbone.arch, "mean": list(MEAN), "sd": list(SD)}
