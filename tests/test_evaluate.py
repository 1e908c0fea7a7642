"""Measures against references: the paper's vote, scikit-learn, a multivariate normal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.evaluate import evaluate, features_of, finetuned
from t2s_offline.networks import build, linear_head
from t2s_offline.pictures import Pictures
from t2s_offline.recipe import Recipe
from t2s_offline.scoring import decayed, knn_votes, log_evidence, logistic_probe, logme, sgd_probe, standardiser
from t2s_offline.task_data import load_task

RECIPE = Recipe(size=16, linear_epochs=10, finetune_epochs=4)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def clouds(count: int = 200, width: int = 20, classes: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Overlapping clouds of positive features, as a network's are."""
    rng = np.random.default_rng(seed)
    centre = np.random.default_rng(99).normal(size=(classes, width))
    label = rng.integers(0, classes, count)
    feature = np.maximum(centre[label] + 1.2 * rng.normal(size=(count, width)) + 0.5, 0)
    return torch.from_numpy(feature.astype(np.float32)), torch.from_numpy(label)


def reference_votes(bank: np.ndarray, label: np.ndarray, query: np.ndarray, classes: int, k: int) -> np.ndarray:
    """The paper's vote, one query at a time, in plain loops."""
    unit = bank / np.linalg.norm(bank, axis=1, keepdims=True)
    votes = np.zeros((len(query), classes))
    for row, x in enumerate(query):
        similarity = unit @ (x / np.linalg.norm(x))
        for at in np.argsort(-similarity, kind="stable")[:k]:
            votes[row, label[at]] += np.exp(similarity[at] / 0.07)
    return votes


@pytest.mark.parametrize("k", [1, 5, 20])
def test_neighbours_vote_as_the_paper_has_it(k: int) -> None:
    (bank, label), (query, _) = clouds(), clouds(70, seed=1)
    votes = knn_votes(bank, label, query, 5, k=k)
    expected = reference_votes(bank.double().numpy(), label.numpy(), query.double().numpy(), 5, k)
    np.testing.assert_array_equal(votes.argmax(1).numpy(), expected.argmax(1))
    np.testing.assert_allclose(votes.numpy(), expected, rtol=1e-4)


def test_of_equal_neighbours_the_first_count(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = torch.eye(3)[torch.tensor([0, 1, 1, 1, 1, 1, 1, 2])]
    label = torch.tensor([0, 1, 1, 1, 2, 2, 2, 0])
    votes = knn_votes(bank, label, torch.eye(3)[1:2].repeat(9, 1), 3, k=4)
    assert torch.allclose(votes[:, 1] / votes[:, 2], torch.tensor(3.0))
    monkeypatch.setattr("t2s_offline.scoring.CELLS", 8)
    assert torch.equal(knn_votes(bank, label, torch.eye(3)[1:2].repeat(9, 1), 3, k=4), votes)
    with pytest.raises(BadInput, match="8 pictures to compare with; expected 9"):
        knn_votes(bank, label, bank, 3, k=9)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("c", [1e-3, 1e-2, 1.0])
def test_the_linear_probe_is_logistic_regression(classes: int, c: float) -> None:
    (x, y), (query, truth) = clouds(300, classes=classes), clouds(400, classes=classes, seed=1)
    ours = logistic_probe(x, y, classes, c)(query)
    scale = standardiser(x)
    theirs = LogisticRegression(C=c, tol=1e-8, max_iter=1000).fit(scale(x).numpy(), y.numpy())
    chance = theirs.predict_proba(scale(query).numpy())
    np.testing.assert_allclose(ours.softmax(1).numpy(), chance, atol=2e-3)
    accuracies = [100 * float((named == truth.numpy()).mean()) for named in (ours.argmax(1).numpy(), chance.argmax(1))]
    assert abs(accuracies[0] - accuracies[1]) <= 0.5


def test_the_papers_probe_learns_and_repeats() -> None:
    (x, y), (query, truth) = clouds(), clouds(300, seed=1)

    def run(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return sgd_probe(x, y, linear_head(20, 5, seed=0), generator=generator, epochs=20)(query)

    first = run(0)
    assert torch.equal(first, run(0))
    assert not torch.equal(first, run(1))
    reference = logistic_probe(x, y, 5, 0.1)(query)
    right, wanted = (float((scores.argmax(1) == truth).float().mean()) for scores in (first, reference))
    assert right > wanted - 0.06
    assert [decayed(1.0, epoch, 50) for epoch in (0, 24, 25, 36, 37, 49)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def direct_evidence(x: np.ndarray, target: np.ndarray, alpha: float, beta: float) -> float:
    """Targets are normal with covariance x x' / alpha + 1 / beta."""
    covariance = x @ x.T / alpha + np.eye(len(x)) / beta
    return float(multivariate_normal(np.zeros(len(x)), covariance).logpdf(target))


@pytest.mark.parametrize(("count", "width"), [(40, 6), (15, 30)])
def test_logme_is_the_greatest_evidence(count: int, width: int) -> None:
    x, y = clouds(count, width, classes=3)
    array, target = x.double().numpy(), np.eye(3)[y.numpy()]
    u, s, _ = torch.linalg.svd(x.double(), full_matrices=False)
    power = s.square()[:, None]
    shared = (u.T @ torch.from_numpy(target)).square()
    rest = (torch.from_numpy(target).square().sum(0) - shared.sum(0)).clamp(min=0)

    def formula(alpha: float, beta: float) -> np.ndarray:
        full = [torch.full((3,), value, dtype=torch.float64) for value in (alpha, beta)]
        return log_evidence(power, shared, rest, *full, count, width).numpy()

    for alpha, beta in ((1.0, 1.0), (30.0, 4.0)):
        expected = [direct_evidence(array, target[:, at], alpha, beta) for at in range(3)]
        np.testing.assert_allclose(formula(alpha, beta), expected, rtol=1e-6)
    grid = np.geomspace(1e-3, 1e5, 60)
    best = np.max([formula(alpha, beta) for alpha in grid for beta in grid], axis=0).mean() / count
    assert best - 1e-6 <= logme(x, y, 3) <= best + 0.02


def test_a_task_is_measured_by_every_metric() -> None:
    task = load_task("digits", 16).limited(200)
    backbone = build("resnet18-narrow", seed=0)
    rows = evaluate(backbone, "digits", task.parts, RECIPE, ("knn5", "linear", "logme"))
    assert [row.metric for row in rows] == ["knn5", "linear", "logme"]
    assert all(row.n_eval == len(task["test"]) for row in rows)
    assert [row.n_val for row in rows] == [len(task["val"]), len(task["val"]), len(task["train"])]
    assert all(60 < row.accuracy <= 100 for row in rows[:2])
    again = evaluate(backbone, "digits", task.parts, RECIPE, ("linear", "knn5"))
    assert [row.accuracy for row in again] == [rows[1].accuracy, rows[0].accuracy]
    (sgd,) = evaluate(backbone, "digits", task.parts, replace(RECIPE, linear_solver="sgd"), ("linear",))
    assert sgd.accuracy > 60
    found = features_of(backbone, task.parts, RECIPE)
    bank = found["train"] + found["val"]
    expected = reference_votes(bank.feature_ND.numpy(), bank.label_N.numpy(), found["test"].feature_ND.numpy(), 10, 5)
    right = expected.argmax(1) == found["test"].label_N.numpy()
    assert rows[0].accuracy == pytest.approx(100 * right.mean())


def test_fine_tuning_leaves_the_backbone_alone_and_learns() -> None:
    task = load_task("digits", 16).limited(120)
    backbone = build("resnet18-narrow", seed=0)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    recipe = replace(RECIPE, flip=False, crop_area=1.0, finetune_epochs=5, finetune_batch=16)
    accuracy = finetuned(backbone, [task["train"]], task["val"], recipe, seed=1)
    assert accuracy == finetuned(backbone, [task["train"]], task["val"], recipe, seed=1)
    assert accuracy > 50
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def test_tasks_that_cannot_be_measured() -> None:
    task = load_task("digits", 16).limited(100)
    backbone = build("resnet18-narrow", seed=0)
    few = {name: part.take(np.arange(2)) for name, part in task.parts.items()}
    with pytest.raises(BadInput, match="few has 2 pictures to compare with; expected 5"):
        evaluate(backbone, "few", few, RECIPE)
    with pytest.raises(UnknownName, match="did you mean knn5"):
        evaluate(backbone, "digits", task.parts, RECIPE, ("knn",))
    none = Pictures(few["val"].image_NCHW[:0], few["val"].label_N[:0], task.classes)
    with pytest.raises(BadInput, match="no val pictures"):
        evaluate(backbone, "digits", {**few, "val": none}, RECIPE)
