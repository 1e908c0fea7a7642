"""Accuracy in percent of a backbone on a task, by several metrics.

Features are extracted once a task, for every metric but fine-tuning. Test accuracy is measured after learning from the
train and val parts together. Val accuracy is that of the val part after learning from the train part (val_by = "part"),
or that of all pictures of both, each left out in turn (val_by = "folds"): one by one for 5-NN, a fifth at a time for
the linear probe. Folds measure five times as many pictures, so they have less than half the noise. Fine-tuning always
uses the val part. LogME is an unbounded score, of train (val_accuracy) and of train and val (accuracy). With
linear_solver = "task2sim", linear probe and fine-tuning are the authors' (`authors_probe.py`).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from t2s_offline.errors import BadInput, check_known
from t2s_offline.images.augment import Augment
from t2s_offline.images.image_files import Pictures
from t2s_offline.recipe import METRICS, Recipe
from t2s_offline.seeds import derive_rng, derive_seed
from t2s_offline.training.authors_probe import scored
from t2s_offline.training.networks import Backbone, extract, linear_head, seeded
from t2s_offline.training.probes import decayed, dropped, knn_votes, logistic_probe, logme, sgd_probe

FOLDS = 5
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Measurement:
    """One metric of a task. accuracy on test and val_accuracy on val: percent, scores for logme; n_eval, n_val: number
    of pictures that each was measured on; seconds: time taken."""

    metric: str
    accuracy: float
    val_accuracy: float
    n_eval: int
    n_val: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Labelled:
    """N features (N, D) float32 and labels (N,) int64 on one device."""

    feature_ND: torch.Tensor
    label_N: torch.Tensor

    def __add__(self, other: Labelled) -> Labelled:
        pairs = (self.feature_ND, other.feature_ND), (self.label_N, other.label_N)
        return Labelled(*(torch.cat(pair) for pair in pairs))

    def take(self, at: Ints) -> Labelled:
        """These rows, in this order."""
        place = torch.from_numpy(at).to(self.label_N.device)
        return Labelled(self.feature_ND[place], self.label_N[place])


def features_of(backbone: Backbone, parts: Mapping[str, Pictures], recipe: Recipe) -> dict[str, Labelled]:
    """Features of every part, on the backbone's device."""
    device, autocast = backbone.scale.device, recipe.precision == "bfloat16"
    return {
        name: Labelled(extract(backbone, part.image_NCHW, autocast=autocast), torch.from_numpy(part.label_N).to(device))
        for name, part in parts.items()
    }


def evaluate(
    backbone: Backbone,
    task: str,
    parts: Mapping[str, Pictures],
    recipe: Recipe,
    metrics: Sequence[str] = ("knn5",),
    *,
    seed: int = 0,
) -> list[Measurement]:
    """Measure a task with train, val and test parts. seed: with the task's name, of probes and fine-tuning.

    The seconds of extracting features count for the first metric that uses them. BadInput for an empty part.
    """
    for metric in metrics:
        check_known("metric", metric, METRICS)
    for name in ("train", "val", "test"):
        if name not in parts or not len(parts[name]):
            raise BadInput(f"task {task} has no {name} pictures; expected train, val and test parts")
    classes = len(parts["train"].classes)
    found: dict[str, Labelled] | None = None
    rows = []
    for metric in metrics:
        begin = time.perf_counter()
        if recipe.linear_solver == "task2sim" and metric in ("linear", "finetune"):
            val, test = as_the_authors(metric, backbone, task, parts, recipe, seed)
        elif metric == "finetune":
            val, test = [
                finetuned(backbone, teach, parts[part], recipe, seed=derive_seed("finetune", task, seed, part))
                for part, teach in (("val", [parts["train"]]), ("test", [parts["train"], parts["val"]]))
            ]
        else:
            found = found or features_of(backbone, parts, recipe)
            bank = found["train"] + found["val"]
            own = derive_seed(metric, task, seed, "val")
            if by_folds(metric, recipe):
                val = left_out(metric, bank, classes, recipe, own, task)
            else:
                val = measured(metric, found["train"], found["val"], classes, recipe, own, task)
            test = measured(metric, bank, found["test"], classes, recipe, derive_seed(metric, task, seed, "test"), task)
        n_val = val_pictures(metric, parts, recipe)
        rows.append(Measurement(metric, test, val, len(parts["test"]), n_val, time.perf_counter() - begin))
    return rows


def as_the_authors(
    metric: str, backbone: Backbone, task: str, parts: Mapping[str, Pictures], recipe: Recipe, seed: int
) -> tuple[float, float]:
    """Percent right on val and on test of the authors' linear probe or fine-tuning."""
    train, val = parts["train"], parts["val"]
    image_NCHW = np.concatenate([train.image_NCHW, val.image_NCHW])
    bank = Pictures(image_NCHW, np.concatenate([train.label_N, val.label_N]), train.classes)

    def right(teach: Pictures, judge: Pictures, own: int) -> float:
        scores = scored(backbone, teach, judge, task, recipe, tuned=metric == "finetune", seed=own)
        return percent(scores, torch.from_numpy(judge.label_N).to(scores.device))

    test = right(bank, parts["test"], derive_seed(metric, task, seed, "test"))
    own = derive_seed(metric, task, seed, "val")
    if not by_folds(metric, recipe):
        return right(train, val, own), test
    total, fold_N = 0.0, fold_of(bank.label_N, task)
    for fold in range(FOLDS):
        out, stay = np.flatnonzero(fold_N == fold), np.flatnonzero(fold_N != fold)
        if len(out) and len(stay) > 1:
            total += len(out) * right(bank.take(stay), bank.take(out), derive_seed(own, "fold", fold))
    return total / len(fold_N), test


def by_folds(metric: str, recipe: Recipe) -> bool:
    """Whether val accuracy of the metric is that of all training pictures, each left out in turn."""
    return recipe.val_by == "folds" and metric in ("knn5", "linear")


def val_pictures(metric: str, parts: Mapping[str, Pictures], recipe: Recipe) -> int:
    """Number of pictures that the val accuracy (for logme: the score) is computed from."""
    if by_folds(metric, recipe):
        return len(parts["train"]) + len(parts["val"])
    return len(parts["train" if metric == "logme" else "val"])


def left_out(metric: str, bank: Labelled, classes: int, recipe: Recipe, seed: int, task: str) -> float:
    """Percent right of all pictures of the bank, each classified after learning from others: for knn5 from all others,
    for linear from those of the other folds."""
    if metric == "knn5":
        check_bank(len(bank.label_N) - 1, recipe, task)
        x, y = bank.feature_ND, bank.label_N
        return percent(knn_votes(x, y, x, classes, recipe.k, recipe.temperature, itself=True), y)
    right, fold_N = 0.0, fold_of(bank.label_N.cpu().numpy(), task)
    for fold in range(FOLDS):
        out, stay = np.flatnonzero(fold_N == fold), np.flatnonzero(fold_N != fold)
        if len(out) and len(stay):
            own = derive_seed(seed, "fold", fold)
            right += len(out) * measured(metric, bank.take(stay), bank.take(out), classes, recipe, own, task)
    return right / len(fold_N)


def fold_of(label_N: Ints, task: str) -> Ints:
    """The fold of each picture, shape (N,): folds of equal size with about equal shares of every class. They depend on
    the task's name, so they are the same on every machine and for every backbone."""
    order_N = np.argsort(derive_rng("folds", task).random(len(label_N)), kind="stable")
    by_class_N = order_N[np.argsort(label_N[order_N], kind="stable")]
    fold_N = np.empty(len(label_N), dtype=np.int64)
    fold_N[by_class_N] = np.arange(len(label_N)) % FOLDS
    return fold_N


def check_bank(pictures: int, recipe: Recipe, task: str) -> None:
    """BadInput when there are fewer than k pictures to compare with."""
    if pictures < recipe.k:
        raise BadInput(f"task {task} has {pictures} pictures to compare with; expected {recipe.k} or more (k)")


def measured(
    metric: str, teach: Labelled, judge: Labelled, classes: int, recipe: Recipe, seed: int, task: str = ""
) -> float:
    """One metric of `judge` after learning from `teach`: percent right, or the score of `teach` for logme."""
    x, y = teach.feature_ND, teach.label_N
    if metric == "logme":
        return logme(x, y, classes)
    if metric == "knn5":
        check_bank(len(x), recipe, task)
        scores = knn_votes(x, y, judge.feature_ND, classes, recipe.k, recipe.temperature)
    elif recipe.linear_solver == "lbfgs":
        scores = logistic_probe(x, y, classes, recipe.linear_c)(judge.feature_ND)
    else:
        scores = sgd_probe(
            x,
            y,
            linear_head(x.shape[1], classes, seed=seed, device=x.device),
            generator=seeded(seed),
            rate=recipe.linear_rate,
            epochs=recipe.linear_epochs,
            batch=recipe.linear_batch,
            dropout=recipe.linear_dropout,
        )(judge.feature_ND)
    return percent(scores, judge.label_N)


def percent(score_MC: torch.Tensor, label_M: torch.Tensor) -> float:
    """How many of M pictures have their label's score highest, in percent."""
    return 100 * (int((score_MC.argmax(1) == label_M).sum()) / len(label_M))


def finetuned(backbone: Backbone, teach: Sequence[Pictures], judge: Pictures, recipe: Recipe, *, seed: int) -> float:
    """Percent right on `judge` after fine-tuning a copy of the backbone: the probe's head and schedule, all weights.

    Pictures are cropped and flipped as in pre-training.
    """
    device = backbone.scale.device
    network = copy.deepcopy(backbone).train()
    norm = torch.nn.BatchNorm1d(network.features, affine=False, device=device)
    head = linear_head(network.features, len(judge.classes), seed=seed, device=device)
    image = torch.from_numpy(np.concatenate([part.image_NCHW for part in teach])).to(device)
    label = torch.from_numpy(np.concatenate([part.label_N for part in teach])).to(device)
    augment = Augment(image.shape[-1], recipe.crop_area, recipe.flip)
    generator = seeded(seed)
    optimiser = torch.optim.SGD([*network.parameters(), *head.parameters()], lr=recipe.finetune_rate, momentum=0.9)
    autocast = recipe.precision == "bfloat16"
    for epoch in range(recipe.finetune_epochs):
        for group in optimiser.param_groups:
            group["lr"] = decayed(recipe.finetune_rate, epoch, recipe.finetune_epochs)
        order = torch.randperm(len(label), generator=generator).to(device, non_blocking=True)
        for at in order.split(recipe.finetune_batch):
            if len(at) < 2:
                continue  # one picture has no variance
            with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                feature = network(augment(image[at], generator))
            logits = head(dropped(norm(feature), recipe.linear_dropout, generator))
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(logits, label[at]).backward()
            optimiser.step()
    norm.eval()
    with torch.no_grad():
        scores = head(norm(extract(network, judge.image_NCHW, autocast=autocast)))
    return percent(scores, torch.from_numpy(judge.label_N).to(device))
