"""Backbones: building them from an architecture's name and a seed, extracting features, saving and loading files.

A backbone is the network without its head: pictures to pooled features. Files are safetensors with a JSON card in the
header, of two formats: weights in half precision (what a sweep keeps, `save_backbone`), or under torchvision's names in
single precision (what is handed over, `portable.py`). No other format is loaded. Initial weights are drawn from a
generator with the given seed, never from torch's global one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from t2s_offline.errors import BadFile, BadInput, brief, check_known
from t2s_offline.files import write_whole
from t2s_offline.tensor_files import announced

FORMAT = "t2s-offline backbone 1"
PORTABLE = "t2s-offline backbone 2"
#: Format -> what stands before torchvision's names of the tensors.
PREFIXES = {FORMAT: "trunk.", PORTABLE: ""}
MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as torchvision's weights expect
BATCH = 256


class Pool(nn.Module):
    """Mean over the picture, in float32 also where the layers before it ran in bfloat16."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.float() if x.dtype == torch.bfloat16 else x).mean((2, 3))


class NarrowResNet18(nn.Module):
    """ResNet-18 for small pictures: width 32, a 3x3 stem of stride 2 and no max-pool."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        from torchvision.models.resnet import BasicBlock, conv1x1

        def layer(planes_in: int, planes: int, stride: int) -> nn.Sequential:
            shortcut = None
            if stride != 1:
                shortcut = nn.Sequential(conv1x1(planes_in, planes, stride), nn.BatchNorm2d(planes))
            return nn.Sequential(BasicBlock(planes_in, planes, stride, shortcut), BasicBlock(planes, planes))

        self.conv1 = nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = layer(width, width, 1)
        self.layer2 = layer(width, 2 * width, 2)
        self.layer3 = layer(2 * width, 4 * width, 2)
        self.layer4 = layer(4 * width, 8 * width, 2)
        self.avgpool = Pool()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        features: torch.Tensor = self.avgpool(self.layer4(self.layer3(self.layer2(self.layer1(x)))))
        return features


class Backbone(nn.Module):
    """Pictures to features (N, D). Takes uint8 (N, 3, S, S), or floats 0 to 255 of that shape."""

    def __init__(self, arch: str, trunk: nn.Module, features: int) -> None:
        super().__init__()
        self.arch, self.trunk, self.features = arch, trunk, features
        self.register_buffer("scale", torch.tensor([1 / (255 * sd) for sd in SD])[:, None, None], persistent=False)
        self.register_buffer("shift", torch.tensor([-m / s for m, s in zip(MEAN, SD, strict=True)])[:, None, None],
                             persistent=False)  # fmt: skip
        self.scale: torch.Tensor
        self.shift: torch.Tensor

    def forward(self, image_NCHW: torch.Tensor) -> torch.Tensor:
        x = torch.addcmul(self.shift, image_NCHW.to(self.scale.dtype), self.scale)
        features: torch.Tensor = self.trunk(x.contiguous(memory_format=torch.channels_last))
        return features


#: name -> features of the last layer
WIDTHS = {"resnet50": 2048, "resnet18": 512, "resnet18-narrow": 256}


def seeded(seed: int) -> torch.Generator:
    """A generator on the host, from a seed of any size."""
    return torch.Generator().manual_seed(seed % 2**63)  # torch takes 64 bits


def build(arch: str, *, seed: int, device: torch.device | str = "cpu") -> Backbone:
    """A backbone with initial weights from `seed` alone: the same on every device."""
    check_known("backbone", arch, WIDTHS)
    backbone = _empty(arch).to_empty(device="cpu")
    generator = seeded(seed)
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return _placed(backbone, device)


def _empty(arch: str) -> Backbone:
    """The modules on the meta device, without memory: torchvision would draw weights from the global generator."""
    with torch.device("meta"):
        if arch == "resnet18-narrow":
            trunk: nn.Module = NarrowResNet18()
        else:
            import torchvision

            trunk = getattr(torchvision.models, arch)(weights=None)
            trunk.avgpool, trunk.fc = Pool(), nn.Identity()
    return Backbone(arch, trunk, WIDTHS[arch])


def _placed(backbone: Backbone, device: torch.device | str) -> Backbone:
    # to_empty has left these two constants without values
    backbone.scale = torch.tensor([1 / (255 * sd) for sd in SD])[:, None, None]
    backbone.shift = torch.tensor([-m / s for m, s in zip(MEAN, SD, strict=True)])[:, None, None]
    return backbone.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def linear_head(features: int, classes: int, *, seed: int, device: torch.device | str = "cpu") -> nn.Linear:
    """A linear layer with torch's usual initial weights, drawn from `seed`."""
    head = nn.Linear(features, classes, device="meta").to_empty(device="cpu")
    generator = seeded(seed)
    bound = features**-0.5
    with torch.no_grad():
        head.weight.uniform_(-bound, bound, generator=generator)
        head.bias.uniform_(-bound, bound, generator=generator)
    return head.to(device)


@torch.no_grad()
def extract(
    backbone: Backbone, image_NCHW: torch.Tensor | np.ndarray[Any, Any], *, batch: int = BATCH, autocast: bool = False
) -> torch.Tensor:
    """Pooled features of uint8 pictures, float32 (N, D) on the backbone's device, in evaluation mode."""
    image_NCHW = torch.as_tensor(image_NCHW)
    device = backbone.scale.device
    training = backbone.training
    backbone.eval()
    parts = [torch.empty((0, backbone.features), device=device)]
    try:
        for chunk in image_NCHW.split(batch):
            with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                parts.append(backbone(chunk.to(device, non_blocking=True)).float())
    finally:
        backbone.train(training)
    return torch.cat(parts)


@dataclass(frozen=True)
class SavedBackbone:
    """A backbone read from a file, its head if the file has one, and the card that says how it was made."""

    backbone: Backbone
    head: nn.Linear | None
    card: Mapping[str, Any]


def halve(module: nn.Module) -> None:
    """Round weights to half precision in place, so that the network is the one that its file will contain.

    Vectors (batch norms, biases) are left in full precision: they are small, and variances may be out of range.
    """
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() > 1:
                parameter.copy_(parameter.half().float())


def save_backbone(path: Path, backbone: Backbone, head: nn.Linear | None, card: Mapping[str, Any]) -> None:
    """Write one file; BadInput for weights that are not finite, BadFile when it cannot be written."""
    from safetensors.torch import save

    tensors = {}
    modules = {"trunk": backbone.trunk} | ({"head": head} if head is not None else {})
    for prefix, module in modules.items():
        for name, tensor in module.state_dict().items():
            kept = tensor.detach().cpu()
            kept = (kept.half() if kept.dim() > 1 else kept).contiguous()
            if not torch.isfinite(kept.float()).all():
                raise BadInput(f"{prefix}.{name} is not finite in half precision; train at a lower rate")
            tensors[f"{prefix}.{name}"] = kept
    text = json.dumps({**card, "format": FORMAT, "arch": backbone.arch}, ensure_ascii=False, allow_nan=False)
    try:
        write_whole(path, save(tensors, metadata={"t2s_offline": text}))
    except OSError as error:
        raise BadFile(f"cannot write the backbone to {path}: {error.strerror or error}; free space there") from error


def load_backbone(path: Path, device: torch.device | str = "cpu") -> SavedBackbone:
    """Read a file of either format; BadFile when it is missing, no safetensors, or has other shapes."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise BadFile(f"no backbone at {path}; write one with: t2s-offline pretrain --out {path}")
    found = announced(path, ("F16", "F32", "I64"))
    try:
        card = json.loads(found.metadata.get("t2s_offline", "null"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is no backbone of this package: its card is no JSON; pre-train it again") from error
    kind, arch = (card.get("format"), card.get("arch")) if isinstance(card, dict) else (None, None)
    if not isinstance(kind, str) or kind not in PREFIXES or not isinstance(arch, str) or arch not in WIDTHS:
        raise BadFile(f"{path} is no backbone of this package; expected format {FORMAT!r}; pre-train it again")
    backbone, head, prefix = _empty(arch), None, PREFIXES[kind]
    expected = {f"{prefix}{name}": tuple(tensor.shape) for name, tensor in backbone.trunk.state_dict().items()}
    if kind == FORMAT and "head.weight" in found.shapes:
        classes = found.shapes["head.weight"][0] if found.shapes["head.weight"] else 0
        expected |= {"head.weight": (classes, backbone.features), "head.bias": (classes,)}
    # before any tensor is read, so that a file from others cannot make this process allocate memory
    if wrong := sorted(name for name in expected.keys() | found.shapes.keys()
                       if expected.get(name) != found.shapes.get(name)):  # fmt: skip
        raise BadFile(
            f"{path} is damaged: {wrong[0][:60]} has shape {found.shapes.get(wrong[0])}, {arch} has "
            f"{expected.get(wrong[0])}; pre-train it again"
        )
    try:
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise BadFile(f"{path} is not safetensors: {brief(error, 80)}; expected a backbone") from error
    if lost := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise BadFile(f"{path} is damaged: {lost[0]} is not finite; pre-train it again")
    backbone = backbone.to_empty(device="cpu")
    if "head.weight" in tensors:
        head = nn.Linear(backbone.features, len(tensors["head.weight"]), device="meta").to_empty(device="cpu")
        head.load_state_dict({name: tensors[f"head.{name}"] for name in ("weight", "bias")})
    backbone.trunk.load_state_dict(
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if not name.startswith("head.")}
    )
    return SavedBackbone(_placed(backbone, device), head.to(device) if head is not None else None, card)
