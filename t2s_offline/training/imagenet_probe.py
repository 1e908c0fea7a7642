"""torchvision's ImageNet ResNet-18, the probe of the authors' vectors.

It is downloaded once by torchvision, or read from a file where there is no network: torchvision's own file, or the same
weights as safetensors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from t2s_offline.errors import BadFile, brief
from t2s_offline.files import digest
from t2s_offline.tensor_files import announced
from t2s_offline.training.networks import Backbone, build

FILE = "resnet18-f37072fd.pth"
DIGEST = "f37072fd"  # the SHA-256 of torchvision's file begins so, as its name says
LARGEST = 200 << 20  # bytes; torchvision's file has 47 million
HEAD = "fc."


def download() -> Backbone:
    """The backbone with torchvision's weights, from its cache or its server; BadFile without a network."""
    import torchvision

    try:
        weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        reason = brief(error)
        raise BadFile(
            f"cannot download torchvision's ImageNet ResNet-18: {reason}; "
            f"bring its file {FILE} from a machine with a network and name it with --probe FILE"
        ) from error
    return _filled(weights, FILE)


def is_weights(path: Path) -> bool:
    """Whether a file may be of torchvision's weights: by its ending, or by the names of its tensors.

    A backbone that was handed over has the same names; it is told apart by its card.
    """
    if path.suffix in (".pth", ".pt"):
        return True
    try:
        found = announced(path, ("F32", "F16", "I64"))
    except BadFile:
        return False
    return "conv1.weight" in found.shapes and "t2s_offline" not in found.metadata


def read(path: Path) -> tuple[Backbone, bool]:
    """The backbone of a file, and whether the file is torchvision's own. BadFile for any other content."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadFile(f"{path} is larger than {LARGEST >> 20} MB; expected the weights of a ResNet-18, {FILE}")
        genuine = digest(path).startswith(DIGEST)
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}; expected {FILE}") from error
    try:
        if path.suffix in (".pth", ".pt"):
            weights = torch.load(path, map_location="cpu", weights_only=True)  # reads tensors only and runs no code
        else:
            from safetensors.torch import load_file

            weights = load_file(path)
    except Exception as error:  # torch raises many kinds for a damaged or foreign file
        raise BadFile(f"{path} holds no weights: {brief(error, 100)}; expected {FILE}") from error
    return _filled(weights, str(path)), genuine


def _filled(weights: Any, what: str) -> Backbone:
    backbone = build("resnet18", seed=0)
    try:
        backbone.trunk.load_state_dict({key: value for key, value in weights.items() if not key.startswith(HEAD)})
    except (RuntimeError, AttributeError, TypeError) as error:
        reason = brief(error, 100)
        raise BadFile(f"{what} is no ResNet-18 as torchvision has it: {reason}; expected {FILE}") from error
    return backbone
