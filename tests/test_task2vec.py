"""Task2Vec against a slow float64 loop over pictures, and what must not change an embedding."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from torch import nn

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.networks import Backbone, build, linear_head, save_backbone
from t2s_offline.store import RewardStore
from t2s_offline.task2vec import Probe, balanced, embed, fisher, open_probe, probe_name
from t2s_offline.task_data import load_task


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def settled(arch: str, image: torch.Tensor) -> Backbone:
    """Initial weights, with running statistics of these pictures."""
    backbone = build(arch, seed=0).train()
    with torch.no_grad():
        for _ in range(20):
            backbone(image)
    return backbone.eval()


def reference(backbone: Backbone, head: nn.Linear, image: torch.Tensor, label: torch.Tensor, batch: int) -> np.ndarray:
    """Squared gradients of batches of pictures in turn, in the order of named_modules, by autograd in float64."""
    backbone, head = copy.deepcopy(backbone).double(), copy.deepcopy(head).double()
    modules = [module for _, module in backbone.trunk.named_modules() if hasattr(module, "weight")]
    rows = []
    for first in range(0, len(image), batch):
        at = slice(first, first + batch)
        loss = F.cross_entropy(head(backbone(image[at])), label[at])
        slopes = torch.autograd.grad(loss, [module.weight for module in modules])
        rows.append(torch.cat([g.square().flatten(1).mean(1) if g.dim() > 1 else g.square() for g in slopes]))
    return torch.stack(rows).mean(0).numpy()


@pytest.mark.parametrize(("arch", "size", "width"), [("resnet18-narrow", 32, 4800), ("resnet18", 48, 9600)])
def test_it_is_the_fisher_diagonal(arch: str, size: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (6, 3, size, size), dtype=torch.uint8, generator=generator)
    label = torch.randint(0, 10, (6,), generator=generator)
    backbone = settled(arch, image)
    head = linear_head(backbone.features, 10, seed=1)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    vector = fisher(backbone, head, image, label, batch=4)
    assert vector.shape == (width,)
    expected = reference(backbone, head, image, label, 1)
    # in float32 a unit at the kink of its ReLU may fall to the other side, so single values are compared in float64
    assert np.linalg.norm(vector - expected) < 5e-3 * np.linalg.norm(expected)
    double = copy.deepcopy(backbone).double(), copy.deepcopy(head).double()
    np.testing.assert_allclose(fisher(*double, image, label, batch=4), expected, rtol=1e-5)

    backbone.train()
    batches = fisher(double[0].train(), double[1], image, label, estimator="batch", batch=3)
    np.testing.assert_allclose(batches, reference(backbone, head, image, label, 3), rtol=1e-5)
    fisher(backbone, head, image, label, estimator="batch", batch=3)
    assert backbone.training
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in backbone.parameters())
    assert np.corrcoef(vector, batches)[0, 1] > 0.2


def test_an_embedding_depends_on_task_seed_and_probe_alone() -> None:
    task = load_task("digits", 32).limited(60)
    probe = Probe("p", settled("resnet18-narrow", torch.from_numpy(task["train"].image_NCHW)))
    first = embed(task.bank, probe, "digits", samples=40)
    assert first.dtype == np.float32
    assert first.shape == (4800,)
    assert (first >= 0).all()
    np.testing.assert_allclose(embed(task.bank, probe, "digits", samples=40, batch=7), first, rtol=1e-3)
    assert not np.array_equal(embed(task.bank, probe, "digits", samples=40, seed=1), first)
    with pytest.raises(BadInput, match="1 pictures of digits"):
        embed(task.bank, probe, "digits", samples=1)
    with pytest.raises(UnknownName, match="did you mean batch"):
        embed(task.bank, probe, "digits", estimator="batches")  # type: ignore[arg-type]


def test_samples_are_balanced() -> None:
    label_N = np.repeat(np.arange(3), [50, 5, 1])
    drawn = balanced(label_N, 60, np.random.default_rng(0))
    assert np.bincount(label_N[drawn]).tolist() == [20, 20, 20]
    counts = np.bincount(drawn, minlength=56)
    assert counts[:50].max() == 1
    assert counts[50:55].tolist() == [4] * 5
    assert len(balanced(label_N, 10, np.random.default_rng(0))) == 10


def test_probes_have_names_that_tell_them_apart(tmp_path: Path) -> None:
    names = set()
    for seed in range(2):
        save_backbone(tmp_path / "probe.safetensors", build("resnet18-narrow", seed=seed), None, {"size": 48})
        probe = open_probe(str(tmp_path / "probe.safetensors"))
        assert probe.size == 48
        names |= {probe_name(probe, 32), probe_name(probe, 64), probe_name(probe, 32, "batch")}
    assert len(names) == 6
    (tmp_path / "probe.safetensors").write_bytes(b"no")
    with pytest.raises(BadFile, match="is not safetensors"):
        open_probe(str(tmp_path / "probe.safetensors"))


def test_the_command_writes_to_a_store_or_a_file(tmp_path: Path) -> None:
    from t2s_offline.cli.live import embed_command

    probe = tmp_path / "probe.safetensors"
    save_backbone(probe, build("resnet18-narrow", seed=0), None, {"size": 16})
    arguments = ["digits", "--probe", str(probe), "--samples", "20", "--device", "cpu"]
    for where in (["--store", str(tmp_path / "a.duckdb")], ["--out", str(tmp_path / "a.parquet")]):
        CliRunner().invoke(embed_command, [*arguments, *where], catch_exceptions=False)
    assert (tmp_path / "a.parquet").is_file()
    embeddings = RewardStore(tmp_path / "a.duckdb").embeddings()
    assert embeddings.tasks == ("digits",)
    assert embeddings.probe.endswith("-16px")
    assert embeddings.vector_TD.shape == (1, 4800)
    assert isinstance(CliRunner().invoke(embed_command, arguments).exception, BadInput)
