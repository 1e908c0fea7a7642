"""Training in the span of the embeddings is exact: the plain network over all D inputs ends at the same weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from t2s_offline.learners.policy import MLP, centred
from t2s_offline.learners.span import SpanNetwork, span
from t2s_offline.matrix import unit

D, T, H, L = 60, 5, 16, 6


def embeddings(rows: int = T, seed: int = 0) -> npt.NDArray[np.float32]:
    return unit(np.abs(np.random.default_rng(seed).normal(size=(rows, D))).astype(np.float32))


def about_the_mean(rows: int = T) -> npt.NDArray[np.float32]:
    unit_TD = embeddings(rows)
    return centred(unit_TD, unit_TD.mean(axis=0))


def network(unit_TD: npt.NDArray[np.float32]) -> SpanNetwork:
    return SpanNetwork(unit_TD, H, L, momentum=0.9, decay=1e-2, rng=np.random.default_rng(1))


def plain(start: MLP) -> torch.nn.Sequential:
    """The same network in torch, with all D inputs."""
    layers = torch.nn.Linear(D, H), torch.nn.Linear(H, H), torch.nn.Linear(H, L)
    for layer, name in zip(layers, "123", strict=True):
        layer.weight.data = torch.from_numpy(getattr(start, f"weight{name}").copy())
        layer.bias.data = torch.from_numpy(getattr(start, f"bias{name}").copy())
    return torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])


def test_the_span_holds_every_embedding() -> None:
    unit_TD = embeddings()
    basis_DR, z_TR = span(unit_TD)
    assert basis_DR.shape == (D, T)
    assert np.allclose(basis_DR.T @ basis_DR, np.eye(T), atol=1e-6)
    assert np.allclose(z_TR @ basis_DR.T, unit_TD, atol=1e-6)


def test_equal_embeddings_lower_the_rank() -> None:
    unit_TD = embeddings()
    unit_TD[3] = unit_TD[1]
    basis_DR, z_TR = span(unit_TD)
    assert basis_DR.shape == (D, T - 1)
    assert np.allclose(z_TR @ basis_DR.T, unit_TD, atol=1e-6)


def test_centred_embeddings_have_one_dimension_less() -> None:
    unit_TD = about_the_mean()
    basis_DR, z_TR = span(unit_TD)
    assert basis_DR.shape == (D, T - 1)
    assert np.allclose(z_TR @ basis_DR.T, unit_TD, atol=1e-6)
    assert np.allclose(np.linalg.norm(unit_TD, axis=1), 1)


@pytest.mark.parametrize("inputs", [embeddings, about_the_mean])
def test_the_same_weights_as_plain_training(inputs: Callable[[], npt.NDArray[np.float32]]) -> None:
    """SGD with momentum and a strong weight decay, random gradients at the logits, uneven batches, zero steps."""
    unit_TD = inputs()
    reduced = network(unit_TD)
    model = plain(reduced.full())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-2)
    rng = np.random.default_rng(2)
    for step in range(200):
        task_B = rng.permutation(T)[: 1 + step % 4]
        logit_BL = rng.normal(size=(len(task_B), L)).astype(np.float32)
        zero = step % 7 == 3
        reduced.forward(task_B)
        reduced.step(None if zero else logit_BL, 0.05)
        optimiser.zero_grad()
        output = model(torch.from_numpy(unit_TD[task_B]))
        (output * torch.from_numpy(logit_BL * (0 if zero else 1))).sum().backward()
        optimiser.step()
    ours, theirs = reduced.full(), [parameter.detach().numpy() for parameter in model.parameters()]
    names = ["weight1", "bias1", "weight2", "bias2", "weight3", "bias3"]
    for name, value in zip(names, theirs, strict=True):
        assert np.allclose(getattr(ours, name), value, atol=2e-4), name
    # tasks outside the span see W_perp: it has shrunk by weight decay alone
    assert 0 < reduced.outside < 0.95
    unseen = embeddings(3, seed=9)
    with torch.no_grad():
        assert np.allclose(ours.logits(unseen), model(torch.from_numpy(unseen)).numpy(), atol=1e-3)


def test_the_full_network_answers_as_the_reduced_one() -> None:
    unit_TD = embeddings()
    reduced = network(unit_TD)
    assert np.allclose(reduced.full().logits(unit_TD), reduced.forward(np.arange(T)), atol=1e-6)


def test_initial_weights_are_pytorchs() -> None:
    start = network(embeddings()).full()
    for name, fan_in in (("1", D), ("2", H), ("3", H)):
        bound = 1 / np.sqrt(fan_in)
        for value in (getattr(start, f"weight{name}"), getattr(start, f"bias{name}")):
            assert np.abs(value).max() <= bound + 1e-6
        assert abs(getattr(start, f"weight{name}").std() / (bound / np.sqrt(3)) - 1) < 0.15
