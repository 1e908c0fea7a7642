"""The classifier that is handed over beside a backbone: a recipe's linear probe, fitted to all pictures of a task.

Its file is safetensors: weight (C, D), bias (C,), and mean and scale (D,), which standardise features, all float32; the
header has a JSON card with the names of the classes, the accuracy over folds, how pictures are prepared, and the digest
of the backbone that it was fitted to. Reading one checks all of these before a tensor is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from t2s_offline.errors import BadFile, BadInput, brief
from t2s_offline.files import as_text, write_whole
from t2s_offline.images.task_data import MAX_SIZE, MIN_SIZE
from t2s_offline.images.task_files import MOST_CLASSES
from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_seed
from t2s_offline.tensor_files import MAX_HEADER, announced
from t2s_offline.training.evaluate import FOLDS, Labelled, left_out
from t2s_offline.training.networks import linear_head, seeded
from t2s_offline.training.probes import Affine, logistic_fit, sgd_fit

FORMAT = "t2s-offline classifier 1"
MAX_RESIZE = 4
AGAIN = "hand it over again"


@dataclass(frozen=True, eq=False)
class Classifier:
    """scores: features (N, D) to scores of the C classes; card: what the file says of it, with `classes` (C names),
    `accuracy` (percent over folds, None where it was not measured), `backbone` (digest), `size` (pixels), `resize`."""

    scores: Affine
    card: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.card["classes"])

    def probabilities(self, feature_ND: torch.Tensor) -> torch.Tensor:
        """Probability of each class, (N, C) float32; BadInput where scores are not finite."""
        score_NC = self.scores(feature_ND)
        if not torch.isfinite(score_NC).all():
            raise BadInput(f"the classifier gives scores that are not finite: its file is damaged; {AGAIN}")
        return score_NC.softmax(1)


def fit_classifier(
    bank: Labelled, classes: tuple[str, ...], recipe: Recipe, task: str, backbone: str, about: Mapping[str, Any]
) -> Classifier:
    """Fit the recipe's linear probe to all features, and measure it over five folds of them.

    backbone: digest of its weights. about: further entries of the card. A recipe whose probe is the authors', which is
    trained on crops of pictures, is fitted by the same schedule to features of whole pictures (`sgd`). BadInput when a
    class has no picture.
    """
    if recipe.linear_solver == "task2sim":
        recipe = replace(recipe, linear_solver="sgd")
    if lost := set(range(len(classes))) - set(bank.label_N.cpu().tolist()):
        raise BadInput(f"task {task}: class {classes[min(lost)]} has no pictures; give it some or leave it out")
    x, seed = bank.feature_ND, derive_seed("classifier", task)
    accuracy = left_out("linear", bank, len(classes), recipe, seed, task)
    if recipe.linear_solver == "lbfgs":
        found, _all = logistic_fit(x, bank.label_N, recipe.linear_c)
    else:
        head = linear_head(x.shape[1], len(classes), seed=seed, device=x.device)
        norm = sgd_fit(
            x,
            bank.label_N,
            head,
            generator=seeded(seed),
            rate=recipe.linear_rate,
            epochs=recipe.linear_epochs,
            batch=recipe.linear_batch,
            dropout=recipe.linear_dropout,
        )
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        found = Affine(mean, torch.rsqrt(variance + norm.eps), head.weight.detach().T, head.bias.detach())
    own = {
        "classes": [as_text(name) for name in classes], "accuracy": accuracy, "folds": FOLDS, "task": as_text(task),
        "pictures": len(x), "backbone": backbone, "size": recipe.evaluated, "resize": recipe.eval_resize,
        "solver": recipe.linear_solver,
    }  # fmt: skip
    return Classifier(found, {**about, **own})


def save_classifier(path: Path, classifier: Classifier) -> None:
    """Write one file; BadInput for names that do not fit into its header, BadFile when it cannot be written."""
    from safetensors.torch import save

    text = json.dumps({**classifier.card, "format": FORMAT}, ensure_ascii=False, allow_nan=False)
    if len(text.encode()) > MAX_HEADER // 2:
        raise BadInput(f"the names of {len(classifier.classes)} classes are too long for a file; use shorter ones")
    found = classifier.scores
    named = {"weight": found.weight_DK.T, "bias": found.bias_K, "mean": found.mean_D, "scale": found.scale_D}
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in named.items()}
    try:
        write_whole(path, save(tensors, metadata={"t2s_offline": text}))
    except OSError as error:
        raise BadFile(f"cannot write the classifier to {path}: {error.strerror or error}; free space there") from error


def load_classifier(path: Path, features: int, device: torch.device | str = "cpu") -> Classifier:
    """Read what `save_classifier` wrote, for a backbone of so many features; BadFile when it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise BadFile(
            f"no classifier at {path}; write one with: t2s-offline predict FOLDER --policy DIR --pretrain --classifier "
            f"--out {path.parent}"
        )
    found = announced(path, ("F32",))
    card = _card(path, found.metadata.get("t2s_offline", "null"))
    count = len(card["classes"])
    expected = {"weight": (count, features), "bias": (count,), "mean": (features,), "scale": (features,)}
    # before any tensor is read, so that a file from others cannot make this process allocate memory
    if wrong := sorted(name for name in expected.keys() | found.shapes.keys()
                       if expected.get(name) != found.shapes.get(name)):  # fmt: skip
        raise BadFile(
            f"{path} is damaged: {wrong[0][:60]} has shape {found.shapes.get(wrong[0])}, expected "
            f"{expected.get(wrong[0])} for {count} classes and {features} features; {AGAIN}"
        )
    try:
        tensors = {name: tensor.to(device) for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise BadFile(f"{path} is not safetensors: {brief(error, 80)}; {AGAIN}") from error
    if lost := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise BadFile(f"{path} is damaged: {lost[0]} is not finite; {AGAIN}")
    return Classifier(Affine(tensors["mean"], tensors["scale"], tensors["weight"].T, tensors["bias"]), card)


def _card(path: Path, text: str) -> dict[str, Any]:
    """The card of a file, with values of the right kinds and sizes."""
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is no classifier of this package: its card is no JSON; {AGAIN}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BadFile(f"{path} is no classifier of this package; expected format {FORMAT!r}; {AGAIN}")
    classes, size, accuracy = card.get("classes"), card.get("size"), card.get("accuracy")
    fits = {
        "classes": isinstance(classes, list)
        and 2 <= len(classes) <= MOST_CLASSES
        and all(isinstance(name, str) and as_text(name) == name for name in classes),
        "size": type(size) is int and MIN_SIZE <= size <= MAX_SIZE,
        "resize": _within(card.get("resize"), 1, MAX_RESIZE),
        "backbone": isinstance(card.get("backbone"), str),
        "accuracy": accuracy is None or _within(accuracy, 0, 100),
    }
    if wrong := [name for name, good in fits.items() if not good]:
        raise BadFile(f"{path} is damaged: {wrong[0]} in its card is {card.get(wrong[0])!r:.60}; {AGAIN}")
    return card


def _within(value: Any, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high
