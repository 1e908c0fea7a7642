"""The authors' linear probe and fine-tuning against plain loops, and their settings by task."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from t2s_offline.images.augment import crop_flip
from t2s_offline.images.image_files import Pictures
from t2s_offline.images.task_data import load_task
from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_seed
from t2s_offline.tasks import PAPER_TASKS
from t2s_offline.training.authors_probe import FINETUNE, LINEAR, scored, settings
from t2s_offline.training.evaluate import evaluate, fold_of
from t2s_offline.training.networks import Backbone, build, linear_head
from t2s_offline.training.pretrain import pretrain
from t2s_offline.training.stochastic_depth import StochasticDepth
from tests.training.test_pretrain import TINY, stripes

RECIPE = Recipe(
    size=16, precision="float32", linear_solver="task2sim", linear_epochs=4, linear_batch=16, finetune_epochs=2,
    finetune_batch=16,
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def digits() -> dict[str, Pictures]:
    return dict(load_task("digits", 16).limited(70).parts)


@pytest.fixture
def backbone() -> Backbone:
    return build("resnet18-narrow", seed=0).eval()


def plain(
    backbone: Backbone, teach: Pictures, judge: Pictures, rate: float, decay: float, seed: int, norm_first: bool = False
) -> torch.Tensor:
    """Four epochs of batches of sixteen on the frozen backbone: each step written out."""
    head = linear_head(256, 10, seed=seed)
    weight, bias = head.weight.detach().clone(), head.bias.detach().clone()
    mean, variance = torch.zeros(256), torch.ones(256)
    speed_w, speed_b = torch.zeros_like(weight), torch.zeros_like(bias)
    generator = torch.Generator().manual_seed(seed)
    image, label = torch.from_numpy(teach.image_NCHW), torch.from_numpy(teach.label_N)
    for slowed in (1.0, 1.0, 0.01, 0.01):  # a tenth from half of the epochs on, a hundredth from 37 of 50 on
        order = torch.randperm(len(label), generator=generator)
        for first in range(0, len(label) - len(label) % 16, 16):  # the incomplete batch is left out
            at = order[first : first + 16]
            with torch.no_grad():
                x = backbone(crop_flip(image[at], 16, 0.08, True, generator))
            kept = (torch.rand(x.shape, generator=generator) >= 0.2) / 0.8
            x = x if norm_first else x * kept
            m, v = x.mean(0), x.var(0, correction=0)
            mean, variance = 0.9 * mean + 0.1 * m, 0.9 * variance + 0.1 * x.var(0, correction=1)
            x = (x - m) / (v + 1e-5).sqrt()
            x = x * kept if norm_first else x
            error = ((x @ weight.T + bias).softmax(1) - torch.eye(10)[label[at]]) / 16
            slope_w, slope_b = error.T @ x + decay * weight, error.sum(0)  # no decay of biases
            speed_w, speed_b = 0.9 * speed_w + slope_w, 0.9 * speed_b + slope_b
            weight = weight - rate * slowed * (slope_w + 0.9 * speed_w)
            bias = bias - rate * slowed * (slope_b + 0.9 * speed_b)
    with torch.no_grad():
        features = backbone(torch.from_numpy(judge.image_NCHW))
    return (features - mean) / (variance + 1e-5).sqrt() @ weight.T + bias


def test_the_probe_is_a_plain_loop(backbone: Backbone, digits: dict[str, Pictures]) -> None:
    """A head on features of the frozen backbone, which stays as it is."""
    recipe = replace(RECIPE, linear_rate=0.05)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    found = scored(backbone, digits["train"], digits["test"], "digits", recipe, tuned=False, seed=3)
    wanted = plain(backbone, digits["train"], digits["test"], 0.05, 0.0, 3)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def test_dropout_comes_before_the_batch_norm(backbone: Backbone, digits: dict[str, Pictures]) -> None:
    found = scored(backbone, digits["train"], digits["test"], "digits", RECIPE, tuned=False, seed=3)
    ours, other = (plain(backbone, digits["train"], digits["test"], 0.01, 0.0, 3, swapped) for swapped in (False, True))
    assert float((found - ours).abs().max()) < 1e-3
    assert float((found - other).abs().max()) > 0.05


def test_weights_decay_and_biases_do_not(
    backbone: Backbone, digits: dict[str, Pictures], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LINEAR, "heavy", (16, 0.05, 0.5))
    found = scored(backbone, digits["train"], digits["test"], "heavy", RECIPE, tuned=False, seed=3)
    wanted = plain(backbone, digits["train"], digits["test"], 0.05, 0.5, 3)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)
    free = plain(backbone, digits["train"], digits["test"], 0.05, 0.0, 3)
    assert float((found - free).abs().max()) > 0.1


def test_settings_are_those_of_the_task_else_the_recipes() -> None:
    names = {task.name for task in PAPER_TASKS}
    assert set(LINEAR) == set(FINETUNE) == names
    for table in (LINEAR, FINETUNE):
        assert {batch for batch, _, _ in table.values()} == {32, 128}
        assert {decay for _, _, decay in table.values()} == {0.0, 1e-5}
    assert settings("CUB", RECIPE, tuned=False) == (32, 0.01, 0.0)
    assert settings("Omniglot", RECIPE, tuned=True) == (128, 0.1, 1e-5)
    assert settings("mine", RECIPE, tuned=False) == (16, 0.01, 0.0)
    assert settings("mine", replace(RECIPE, finetune_rate=0.5), tuned=True) == (16, 0.5, 0.0)


def test_fine_tuning_is_a_plain_loop(backbone: Backbone, digits: dict[str, Pictures]) -> None:
    """With stochastic depth, in training mode, all weights; the backbone given stays as it is."""
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    found = scored(backbone, digits["train"], digits["test"], "digits", RECIPE, tuned=True, seed=3)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
    assert not backbone.training
    wanted = []
    for share in (0.1, 0.0):
        network = copy.deepcopy(backbone).train()
        depth = StochasticDepth(network, share)
        head, norm = linear_head(256, 10, seed=3), torch.nn.BatchNorm1d(256, affine=False)
        optimiser = torch.optim.SGD([*network.parameters(), *head.parameters()], lr=0.01, momentum=0.9, nesterov=True)
        generator = depth.generator = torch.Generator().manual_seed(3)
        image, label = torch.from_numpy(digits["train"].image_NCHW), torch.from_numpy(digits["train"].label_N)
        for rate in (0.01, 0.0001):  # of two epochs the second lies behind both steps
            optimiser.param_groups[0]["lr"] = rate
            order = torch.randperm(len(label), generator=generator)
            for at in order.split(16)[: len(label) // 16]:
                x = network(crop_flip(image[at], 16, 0.08, True, generator))
                x = x * (torch.rand(x.shape, generator=generator) >= 0.2) / 0.8
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(head(norm(x)), label[at]).backward()
                optimiser.step()
        with torch.no_grad():
            judged = network.eval()(torch.from_numpy(digits["test"].image_NCHW))
            wanted.append(head(norm.eval()(judged)))
    torch.testing.assert_close(found, wanted[0], rtol=1e-3, atol=1e-3)
    assert float((found - wanted[1]).abs().max()) > 0.01


@pytest.mark.parametrize("val_by", ["part", "folds"])
def test_a_task_is_measured_as_the_recipe_says(val_by: str, backbone: Backbone, digits: dict[str, Pictures]) -> None:
    recipe = replace(RECIPE, val_by=val_by)
    (row,) = evaluate(backbone, "digits", digits, recipe, ("linear",), seed=2)
    train, val, test = (digits[name] for name in ("train", "val", "test"))
    image = np.concatenate([train.image_NCHW, val.image_NCHW])
    bank = Pictures(image, np.concatenate([train.label_N, val.label_N]), train.classes)

    def right(teach: Pictures, judge: Pictures, seed: int) -> int:
        scores = scored(backbone, teach, judge, "digits", recipe, tuned=False, seed=seed)
        return int((scores.argmax(1).numpy() == judge.label_N).sum())

    own = derive_seed("linear", "digits", 2, "val")
    assert row.accuracy == pytest.approx(
        100 * right(bank, test, derive_seed("linear", "digits", 2, "test")) / len(test)
    )
    if val_by == "part":
        assert row.val_accuracy == pytest.approx(100 * right(train, val, own) / len(val))
        assert row.n_val == len(val)
        return
    fold_N = fold_of(bank.label_N, "digits")
    total = sum(
        right(bank.take(np.flatnonzero(fold_N != fold)), bank.take(np.flatnonzero(fold_N == fold)),
              derive_seed(own, "fold", fold))
        for fold in range(5)
    )  # fmt: skip
    assert row.val_accuracy == pytest.approx(100 * total / len(bank))
    assert row.n_val == len(bank)


def test_fine_tuning_of_a_recipe_follows_the_solver(backbone: Backbone, digits: dict[str, Pictures]) -> None:
    recipe = replace(RECIPE, finetune_epochs=1)
    (theirs,) = evaluate(backbone, "digits", digits, recipe, ("finetune",))
    scores = scored(backbone, digits["train"], digits["val"], "digits", recipe, tuned=True,
                    seed=derive_seed("finetune", "digits", 0, "val"))  # fmt: skip
    right = scores.argmax(1).numpy() == digits["val"].label_N
    assert theirs.val_accuracy == pytest.approx(100 * right.mean())


def test_fewer_pictures_than_a_batch_are_one_batch(backbone: Backbone, digits: dict[str, Pictures]) -> None:
    few = digits["train"].take(np.arange(12))
    start = scored(backbone, few, digits["test"], "d", replace(RECIPE, linear_rate=0.0), tuned=False, seed=0)
    assert not torch.equal(scored(backbone, few, digits["test"], "d", RECIPE, tuned=False, seed=0), start)


def test_a_backbone_that_was_trained_with_stochastic_depth_has_none_afterwards() -> None:
    """Its copy would be fine-tuned with leftover hooks, and one read from a file without: two rewards of one cell."""
    made = pretrain(stripes(), replace(TINY, drop_path=0.5, epochs=1), configuration="0", seed=0).backbone
    fresh = build("resnet18-narrow", seed=1)
    fresh.load_state_dict(made.state_dict())
    x = stripes().image_NCHW[:8]
    assert torch.equal(made.train()(x), fresh.train()(x))
