"""Backbones that are handed over have torchvision's names, and give the same features there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file

import t2s_offline as t2s
from t2s_offline.errors import BadFile
from t2s_offline.tensor_files import weights_digest
from t2s_offline.training.networks import (
    MEAN,
    SD,
    WIDTHS,
    SavedBackbone,
    build,
    extract,
    halve,
    load_backbone,
    save_backbone,
)
from t2s_offline.training.portable import ELSEWHERE, write_portable
from t2s_offline.training.task2vec import open_probe
from tests.hostile.make import safetensors_bytes

CARD = {"recipe": "r-1", "configuration": "01100100", "size": 32}


def handed(tmp_path: Path, arch: str) -> Path:
    """A file whose batch norms are not those of initial weights."""
    backbone = build(arch, seed=4)
    generator = torch.Generator().manual_seed(0)
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2, generator=generator)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2, generator=generator)  # type: ignore[union-attr]
            module.num_batches_tracked.fill_(7)  # type: ignore[union-attr]
    halve(backbone)
    write_portable(tmp_path / "backbone.safetensors", SavedBackbone(backbone.eval(), None, CARD))
    return tmp_path / "backbone.safetensors"


def pictures() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, 64, 64), dtype=np.uint8))


def normalised(picture_NCHW: torch.Tensor) -> torch.Tensor:
    return (picture_NCHW / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SD)[:, None, None]


@pytest.mark.parametrize("arch", ELSEWHERE)
def test_keys_and_shapes_are_torchvisions_without_the_last_layer(arch: str, tmp_path: Path) -> None:
    """timm's networks of these names have the same keys."""
    theirs = getattr(torchvision.models, arch)().state_dict()
    ours = load_file(handed(tmp_path, arch))
    wanted = {name: (tensor.shape, tensor.dtype) for name, tensor in theirs.items() if not name.startswith("fc.")}
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in ours.items()} == wanted


@torch.no_grad()
def test_torchvision_gives_the_same_features(tmp_path: Path) -> None:
    path = handed(tmp_path, "resnet18")
    net = torchvision.models.resnet18().eval()
    found = net.load_state_dict(load_file(path), strict=False)
    assert (found.missing_keys, found.unexpected_keys) == (["fc.weight", "fc.bias"], [])
    net.fc = torch.nn.Identity()
    features = t2s.load_backbone(path)(pictures())
    assert features.std() > 0.01
    torch.testing.assert_close(net(normalised(pictures())), features, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_timm_gives_the_same_features(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    path = handed(tmp_path, "resnet18")
    net = timm.create_model("resnet18", num_classes=0).eval()
    net.load_state_dict(load_file(path))
    features = t2s.load_backbone(path)(pictures())
    torch.testing.assert_close(net(normalised(pictures())), features, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arch", WIDTHS)
def test_both_formats_hold_the_same_network(arch: str, tmp_path: Path) -> None:
    path = handed(tmp_path, arch)
    new = load_backbone(path)
    save_backbone(tmp_path / "kept.safetensors", new.backbone, None, CARD)
    old = load_backbone(tmp_path / "kept.safetensors")
    assert torch.equal(extract(new.backbone, pictures()), extract(old.backbone, pictures()))
    assert new.card["arch"] == arch
    assert (new.card["mean"], new.card["sd"]) == (list(MEAN), list(SD))
    assert {name: new.card[name] for name in CARD} == CARD
    assert weights_digest(path) == weights_digest(tmp_path / "kept.safetensors")


@pytest.mark.parametrize("arch", ["resnet18", "resnet18-narrow"])
def test_it_is_a_probe_of_its_own_and_not_imagenets(arch: str, tmp_path: Path) -> None:
    path = handed(tmp_path, arch)
    probe = open_probe(str(path))
    assert (probe.name, probe.size) == (f"{arch}-{weights_digest(path)}", 32)


@pytest.mark.parametrize("name", ["conv1.weight", "bn1.bias", "head.weight", "trunk.conv1.weight", "fc.weight"])
def test_files_of_other_shapes_are_refused(name: str, tmp_path: Path) -> None:
    path = handed(tmp_path, "resnet18-narrow")
    whole = load_file(path)
    shapes = {key: ("F32", tuple(tensor.shape)) for key, tensor in whole.items()} | {name: ("F32", (1000, 256))}
    card = '{"format": "t2s-offline backbone 2", "arch": "resnet18-narrow"}'
    path.write_bytes(safetensors_bytes(shapes, {"t2s_offline": card}))
    with pytest.raises(BadFile, match=f"{name} has shape") as caught:
        load_backbone(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(safetensors_bytes(shapes, {"t2s_offline": card.replace('"t2s-offline backbone 2"', "[2]")}))
    with pytest.raises(BadFile, match="no backbone of this package"):
        load_backbone(path)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="cannot write the backbone"):
        write_portable(tmp_path / "file" / "b", SavedBackbone(build("resnet18-narrow", seed=0), None, {}))
