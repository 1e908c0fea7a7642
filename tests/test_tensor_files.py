"""Safetensors files from others: the header is checked first, and every error is one line."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from t2s_offline.errors import BadFile
from t2s_offline.learners.policy import CARD, MLP, WEIGHTS, FactoredPolicy, load_policy, save_policy
from t2s_offline.space import SimSpace
from t2s_offline.tensor_files import announced, weights_digest
from t2s_offline.training.checkpoint import read_checkpoint, restore
from t2s_offline.training.networks import build, load_backbone, save_backbone
from t2s_offline.training.task2vec import open_probe
from tests.hostile.make import safetensors_bytes

SPACE = SimSpace.parse("a:2,b:2")
SHAPES = {"weight1": (5, 7), "bias1": (5,), "weight2": (5, 5), "bias2": (5,), "weight3": (4, 5), "bias3": (4,)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    arrays = (np.ones(shape, dtype=np.float32) for shape in SHAPES.values())
    save_policy(tmp_path / "p", FactoredPolicy(SPACE, (MLP(*arrays),)), {"recipe": "r", "tasks": ["a"]})
    return tmp_path / "p"


def refused(folder: Path, said: str = "learn it again") -> None:
    with pytest.raises(BadFile, match=said) as caught:
        load_policy(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "kind", ["BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "F16", "F64", "BOOL", "U16"]
)
def test_a_policy_of_other_numbers(folder: Path, kind: str) -> None:
    (folder / WEIGHTS).write_bytes(safetensors_bytes({f"0.{name}": (kind, shape) for name, shape in SHAPES.items()}))
    refused(folder, f"is of type {kind}; expected F32")


@pytest.mark.parametrize(
    "change",
    [
        {"weight1": (5, 7, 1)}, {"weight1": (0, 7)}, {"weight1": (5, 0)}, {"bias1": (1,)}, {"bias1": (5, 1)},
        {"weight2": (5, 6)}, {"weight3": (3, 5)}, {"bias3": ()}, {"more": (2,)},
    ],
    ids=str,
)  # fmt: skip
def test_a_policy_of_other_shapes(folder: Path, change: dict[str, tuple[int, ...]]) -> None:
    shapes = {**SHAPES, **change}
    save_file({f"0.{name}": np.ones(shape, dtype=np.float32) for name, shape in shapes.items()}, folder / WEIGHTS)
    refused(folder)


def test_a_policy_without_numbers(folder: Path) -> None:
    arrays = {f"0.{name}": np.ones(shape, dtype=np.float32) for name, shape in SHAPES.items()}
    save_file({}, folder / WEIGHTS)
    refused(folder, "holds no tensors")
    save_file({name.replace("0.", "1."): array for name, array in arrays.items()}, folder / WEIGHTS)
    refused(folder)
    arrays["0.bias1"][2] = np.nan
    save_file(arrays, folder / WEIGHTS)
    refused(folder, "not finite")


@pytest.mark.parametrize(
    "change",
    [{"recipe": {}}, {"probe": ["p"]}, {"metric": 5}, {"tasks": 7}, {"tasks": [{}]}, {"space": [1]}, {"space": "a:99"}],
    ids=str,
)
def test_a_card_with_values_of_other_kinds(folder: Path, change: dict[str, object]) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | change))
    refused(folder)


def test_a_card_nested_without_end(folder: Path) -> None:
    (folder / CARD).write_text("[" * 100_000 + "]" * 100_000)
    refused(folder)


def test_a_large_space_costs_no_square_of_it() -> None:
    space = SimSpace.parse(",".join(f"p{at}:2" for at in range(16)))
    shapes = {**SHAPES, "weight3": (32, 5), "bias3": (32,)}
    policy = FactoredPolicy(space, (MLP(*(np.ones(shape, dtype=np.float32) for shape in shapes.values())),))
    decided = policy.decide(np.ones((3, 7), dtype=np.float32), np.ones(len(space), dtype=bool))
    assert (decided.shape, decided.sum()) == ((3, 65536), 3)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backbone") / "b.safetensors"
    save_backbone(path, build("resnet18-narrow", seed=0), None, {"size": 16})
    return path


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "C64", "BOOL"])
@pytest.mark.parametrize("load", [load_backbone, lambda path: open_probe(str(path))], ids=["backbone", "probe"])
def test_a_backbone_of_other_numbers(backbone: Path, tmp_path: Path, kind: str, load: object) -> None:
    found = announced(backbone, ("F16", "F32", "I64"))
    content = safetensors_bytes({name: (kind, shape) for name, shape in found.shapes.items()}, found.metadata)
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(BadFile, match=f"is of type {kind}; expected") as caught:
        load(tmp_path / "b")  # type: ignore[operator]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["trunk.conv1.weight", "trunk.bn1.bias", "head.weight", "odd"])
def test_a_backbone_of_other_shapes_is_not_read(backbone: Path, tmp_path: Path, name: str) -> None:
    """A sparse file of 3 GB: nothing of it is allocated."""
    found = announced(backbone, ("F16", "F32", "I64"))
    shapes = {key: ("F32", shape) for key, shape in found.shapes.items()} | {name: ("F32", (750_000_000,))}
    head = safetensors_bytes(shapes, found.metadata, data=False)
    total = sum(4 * int(np.prod(shape)) for _, shape in shapes.values())
    (tmp_path / "b").write_bytes(head)
    with (tmp_path / "b").open("r+b") as file:
        file.truncate(len(head) + total)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadFile, match=r"is damaged|is not as large"):
        load_backbone(tmp_path / "b")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize(
    "content",
    [
        (1 << 40).to_bytes(8, "little") + b"{}",
        (1 << 63).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (200_000).to_bytes(8, "little") + b"[" * 100_000 + b"]" * 100_000,
        safetensors_bytes({"a": ("F32", (1 << 40, 1 << 40))}, data=False),
        safetensors_bytes({"a": ("F32", (0, 1 << 62))}),
        safetensors_bytes({"a": ("F32", (2,))}, {"t2s_offline": "[" * 100_000}),
        safetensors_bytes({"a": ("F32", (2,))}, {"t2s_offline": '{"format": "t2s-offline backbone 1", "arch": {}}'}),
        b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    ],
    ids=range(10),
)
def test_headers_that_cannot_be(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadFile) as caught:
        load_backbone(path)
    assert "\n" not in str(caught.value)
    assert read_checkpoint(path) is None


def test_a_backbone_that_is_not_finite(backbone: Path, tmp_path: Path) -> None:
    content = backbone.read_bytes()
    (tmp_path / "b").write_bytes(content[:-4] + np.array([np.nan], dtype=np.float16).tobytes() * 2)
    with pytest.raises(BadFile, match="not finite"):
        load_backbone(tmp_path / "b")


def test_a_checkpoint_of_other_tensors() -> None:
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(network.parameters())
    good = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for state in (
        {"network.weight": torch.zeros(9, 9)},
        {**good, "optimiser.x.step": torch.zeros(1)},
        {**good, "optimiser.7.step": torch.zeros(1)},
        {**good, "optimiser.step": torch.zeros(1)},
    ):
        with pytest.raises(BadFile, match="remove it") as caught:
            restore(state, network, optimiser)
        assert "\n" not in str(caught.value)


def test_refusing_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom t2s_offline.learners.policy import load_policy\n"
        "load_policy(Path(sys.argv[1]))\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], timeout=60).returncode == 0


@pytest.mark.parametrize("torchvision_names", [False, True])
def test_the_digest_of_a_file_is_that_of_the_network_in_it(torchvision_names: bool, tmp_path: Path) -> None:
    backbone = build("resnet18", seed=3)
    path = tmp_path / "probe.safetensors"
    if torchvision_names:
        weights = backbone.trunk.state_dict() | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
        save_file({name: tensor.numpy() for name, tensor in weights.items()}, path)
    else:
        save_backbone(path, backbone, None, {"size": 64})
    assert open_probe(str(path)).name.endswith(f"-{weights_digest(path)}")
