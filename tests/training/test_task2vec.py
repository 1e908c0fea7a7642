"""Task2Vec against a slow float64 loop over pictures; changes that must not change an embedding."""

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
from t2s_offline.images.task_data import load_task, task_digest
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.training.fisher import batch_fisher, picture_fisher
from t2s_offline.training.networks import Backbone, build, linear_head, save_backbone
from t2s_offline.training.task2vec import Probe, balanced, embed, open_probe, probe_name, with_replacement
from t2s_offline.training.variational import variational_fisher


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
    vector = picture_fisher(backbone, head, image, label, batch=4)
    assert vector.shape == (width,)
    expected = reference(backbone, head, image, label, 1)
    # in float32 a unit at the kink of its ReLU may fall to the other side, so single values are compared in float64
    assert np.linalg.norm(vector - expected) < 5e-3 * np.linalg.norm(expected)
    double = copy.deepcopy(backbone).double(), copy.deepcopy(head).double()
    np.testing.assert_allclose(picture_fisher(*double, image, label, batch=4), expected, rtol=1e-5)

    # a pair that was drawn three times is computed once and counts three times
    weight = torch.tensor([3.0, 1, 1, 1, 1, 1])
    many = torch.cat([image[:1].repeat(2, 1, 1, 1), image]), torch.cat([label[:1].repeat(2), label])
    once = picture_fisher(*double, image, label, weight, batch=4)
    np.testing.assert_allclose(once, picture_fisher(*double, *many, batch=4), rtol=1e-5)

    backbone.train()
    drawn = torch.arange(6).numpy()
    double[0].train()
    batches = batch_fisher(*double, image, drawn, torch.Generator().manual_seed(3), batch=3)
    # the labels that it drew: from the softmax of the same pass
    generator, labels = torch.Generator().manual_seed(3), []
    with torch.no_grad():
        for first in (0, 3):
            chance = double[1](copy.deepcopy(double[0])(image[first : first + 3])).softmax(1)
            labels.append(torch.multinomial(chance, 1, generator=generator).squeeze(1))
    np.testing.assert_allclose(batches, reference(*double, image, torch.cat(labels), 3), rtol=1e-5)
    batch_fisher(backbone, head, image, drawn, torch.Generator(), batch=3)
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
    for estimator, width in (("batch", 4800), ("variational", 2400)):
        other = embed(task.bank, probe, "digits", samples=70, estimator=estimator, batch=16)  # type: ignore[arg-type]
        again = embed(task.bank, probe, "digits", samples=70, estimator=estimator, batch=16)  # type: ignore[arg-type]
        assert other.shape == (width,)
        assert (other > 0).mean() > 0.99
        assert np.array_equal(other, again)


def test_a_picture_drawn_often_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from t2s_offline.training import task2vec

    task = load_task("digits", 16).limited(12)
    probe = Probe("p", settled("resnet18-narrow", torch.from_numpy(task["train"].image_NCHW)))
    looked = []
    monkeypatch.setattr(task2vec, "extract", lambda b, image: looked.append(len(image)) or torch.rand(len(image), 256))
    monkeypatch.setattr(
        task2vec, "picture_fisher", lambda b, h, image, label, weight, **_: np.array([len(image), weight.sum()])
    )
    passes, drawn = embed(task.bank, probe, "digits", samples=400)
    assert looked == [len(task.bank)]
    assert drawn == 400
    assert passes < 250  # at most ten labels a picture, and few of them likely


def test_variances_shrink_where_the_task_needs_a_filter() -> None:
    # one class is dark, one bright: a filter of the stem that the head reads bears less noise than one that it does not
    generator = torch.Generator().manual_seed(0)
    image = torch.cat([torch.randint(0, 60, (32, 3, 16, 16)), torch.randint(190, 256, (32, 3, 16, 16))]).to(torch.uint8)
    label = torch.arange(64) // 32
    backbone = settled("resnet18-narrow", image)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    head = linear_head(backbone.features, 2, seed=1)
    with torch.no_grad():
        head.weight[:, :128] = 0  # the last block's first half is never read
    draw = np.tile(np.arange(64), 40)
    value = variational_fisher(backbone, head, image, label, draw, generator, batch=64)
    last = value[-256:]
    assert last[128:].mean() > last[:128].mean()
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def test_draws_with_replacement_take_every_class_as_often() -> None:
    rng = np.random.default_rng(0)
    label_N = rng.permutation(np.repeat(np.arange(3), [50, 5, 1]))
    drawn = with_replacement(label_N, 9000, rng)
    assert len(drawn) == 9000
    count = np.bincount(label_N[drawn])
    assert count.min() > 2850


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
        names |= {probe_name(probe, 32, "batch", 500), probe_name(probe, 32, "variational")}
    assert len(names) == 10
    (tmp_path / "probe.safetensors").write_bytes(b"no")
    with pytest.raises(BadFile, match="is not safetensors"):
        open_probe(str(tmp_path / "probe.safetensors"))


def test_the_command_writes_to_a_store_or_a_file(tmp_path: Path) -> None:
    from t2s_offline.cli.embed import embed_command

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
    assert RewardStore(tmp_path / "a.duckdb").digests() == {"digits": task_digest("digits")}
    other = np.zeros((12, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "digits.npz", x=other, y=np.arange(12) % 2)
    arguments = [str(tmp_path / "digits.npz"), *arguments[1:], "--store", str(tmp_path / "a.duckdb")]
    refused = CliRunner().invoke(embed_command, arguments).exception
    assert "task digits: " in str(refused)
    assert "holds other pictures" in str(refused)
