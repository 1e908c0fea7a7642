"""Metrics against references: the paper's vote, scikit-learn, a multivariate normal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.images.image_files import Pictures
from t2s_offline.images.task_data import load_task
from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_seed
from t2s_offline.training.evaluate import evaluate, features_of, finetuned, fold_of
from t2s_offline.training.networks import build, linear_head
from t2s_offline.training.probes import decayed, knn_votes, log_evidence, logistic_fit, logistic_probe, logme, sgd_probe

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
    monkeypatch.setattr("t2s_offline.training.probes.CELLS", 8)
    assert torch.equal(knn_votes(bank, label, torch.eye(3)[1:2].repeat(9, 1), 3, k=4), votes)
    with pytest.raises(BadInput, match="8 pictures to compare with; expected 9"):
        knn_votes(bank, label, bank, 3, k=9)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("c", [1e-3, 1e-2, 1.0])
def test_the_linear_probe_is_logistic_regression(classes: int, c: float) -> None:
    (x, y), (query, truth) = clouds(300, classes=classes), clouds(400, classes=classes, seed=1)
    ours = logistic_probe(x, y, classes, c)(query)
    scale = logistic_fit(x, y)[0].standard
    theirs = LogisticRegression(C=c, tol=1e-8, max_iter=1000).fit(scale(x).numpy(), y.numpy())
    chance = theirs.predict_proba(scale(query).numpy())
    np.testing.assert_allclose(ours.softmax(1).numpy(), chance, atol=2e-3)
    accuracies = [100 * float((named == truth.numpy()).mean()) for named in (ours.argmax(1).numpy(), chance.argmax(1))]
    assert abs(accuracies[0] - accuracies[1]) <= 0.5


def test_the_linear_probe_with_fewer_pictures_than_features_and_a_class_without_any() -> None:
    (x, y), (query, _) = clouds(60, 200, classes=4), clouds(300, 200, classes=4, seed=1)
    x, y = x[y != 2], y[y != 2]
    x[:, 7] = 1.0  # says nothing
    ours = logistic_probe(x, y, 4)(query)
    scale = logistic_fit(x, y)[0].standard
    theirs = LogisticRegression(C=0.01, tol=1e-8, max_iter=1000).fit(scale(x).numpy(), y.numpy())
    np.testing.assert_allclose(ours.softmax(1)[:, [0, 1, 3]], theirs.predict_proba(scale(query).numpy()), atol=2e-3)
    assert (ours[:, 2] == -torch.inf).all()
    only = logistic_probe(x[y == 3], y[y == 3], 4)(query)
    assert (only.argmax(1) == 3).all()


def test_a_picture_has_no_vote_for_itself_and_an_equal_one_has(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds(60)
    x[[5, 6, 7, 40]] = x[3].clone()  # equal pictures of several classes
    votes = knn_votes(x, y, x, 5, itself=True)
    rest = [np.delete(np.arange(60), at) for at in range(60)]
    plain = [knn_votes(x[out], y[out], x[at : at + 1], 5) for at, out in enumerate(rest)]
    torch.testing.assert_close(votes, torch.cat(plain), rtol=1e-4, atol=0)
    expected = [
        reference_votes(x[out].double().numpy(), y[out].numpy(), x[at : at + 1].double().numpy(), 5, 5)
        for at, out in enumerate(rest)
    ]
    np.testing.assert_allclose(votes.numpy(), np.concatenate(expected), rtol=1e-4)
    monkeypatch.setattr("t2s_offline.training.probes.CELLS", 420)  # seven rows at a time
    torch.testing.assert_close(knn_votes(x, y, x, 5, itself=True), votes, rtol=1e-4, atol=0)
    with pytest.raises(BadInput, match="4 pictures to compare with; expected 5"):
        knn_votes(x[:5], y[:5], x[:5], 5, itself=True)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_val_accuracy_by_folds_is_a_plain_loop(solver: str) -> None:
    task = load_task("digits", 16).limited(60)
    backbone = build("resnet18-narrow", seed=0)
    recipe = replace(RECIPE, val_by="folds", linear_solver=solver, linear_epochs=3)
    metrics = ("knn5", "linear", "logme")
    rows = evaluate(backbone, "digits", task.parts, recipe, metrics)
    part = evaluate(backbone, "digits", task.parts, replace(recipe, val_by="part"), metrics)
    total = len(task["train"]) + len(task["val"])
    assert [row.n_val for row in rows] == [total, total, len(task["train"])]
    assert [row.n_val for row in part] == [len(task["val"])] * 2 + [len(task["train"])]
    assert [row.accuracy for row in rows] == [row.accuracy for row in part]
    assert rows[2].val_accuracy == part[2].val_accuracy
    found = features_of(backbone, task.parts, recipe)
    bank = found["train"] + found["val"]
    x, y = bank.feature_ND, bank.label_N
    alone = []
    for at in range(total):
        out = np.delete(np.arange(total), at)
        alone.append(int(knn_votes(x[out], y[out], x[at : at + 1], 10).argmax()) == int(y[at]))
    assert rows[0].val_accuracy == pytest.approx(100 * np.mean(alone))
    fold_N, right = fold_of(y.numpy(), "digits"), 0
    for fold in range(5):
        stay, out = fold_N != fold, fold_N == fold
        if solver == "lbfgs":
            scores = logistic_probe(x[stay], y[stay], 10, recipe.linear_c)(x[out])
        else:
            seed = derive_seed(derive_seed("linear", "digits", 0, "val"), "fold", fold)
            head = linear_head(x.shape[1], 10, seed=seed, device=x.device)
            generator = torch.Generator().manual_seed(seed % 2**63)
            scores = sgd_probe(x[stay], y[stay], head, generator=generator, epochs=3)(x[out])
        right += int((scores.argmax(1) == y[out]).sum())
    assert rows[1].val_accuracy == pytest.approx(100 * right / total)


def test_folds_share_every_class_and_depend_on_the_task_alone() -> None:
    label_N = np.repeat(np.arange(7), [30, 1, 2, 5, 8, 50, 4])
    fold_N = fold_of(label_N, "a")
    assert np.array_equal(fold_N, fold_of(label_N, "a"))
    assert not np.array_equal(fold_N, fold_of(label_N, "b"))
    assert np.ptp(np.bincount(fold_N)) <= 1
    for label in range(7):
        assert np.ptp(np.bincount(fold_N[label_N == label], minlength=5)) <= 1


def test_folds_keep_the_part_for_fine_tuning() -> None:
    task = load_task("digits", 16).limited(40)
    recipe = replace(RECIPE, val_by="folds", finetune_epochs=1)
    (row,) = evaluate(build("resnet18-narrow", seed=0), "digits", task.parts, recipe, ("finetune",))
    assert row.n_val == len(task["val"])


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
    with pytest.raises(BadInput, match="few has 3 pictures to compare with; expected 5"):
        evaluate(backbone, "few", few, replace(RECIPE, val_by="folds"))
    with pytest.raises(UnknownName, match="did you mean knn5"):
        evaluate(backbone, "digits", task.parts, RECIPE, ("knn",))
    none = Pictures(few["val"].image_NCHW[:0], few["val"].label_N[:0], task.classes)
    with pytest.raises(BadInput, match="no val pictures"):
        evaluate(backbone, "digits", {**few, "val": none}, RECIPE)
