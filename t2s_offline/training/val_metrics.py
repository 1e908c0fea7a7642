"""The val accuracy of features alone: what `evaluate` gives, without the test pictures that it needs for the rest."""

from __future__ import annotations

from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_seed
from t2s_offline.training.evaluate import Labelled, by_folds, left_out, measured


def of_features(metric: str, recipe: Recipe) -> bool:
    """Whether a metric is a function of features: fine-tuning and the authors' linear probe need the network."""
    return metric != "finetune" and not (metric == "linear" and recipe.linear_solver == "task2sim")


def val_accuracy(
    metric: str, train: Labelled, val: Labelled, classes: int, recipe: Recipe, task: str, seed: int = 0
) -> float:
    """`Measurement.val_accuracy` of a metric of features: percent, or the score of logme."""
    own = derive_seed(metric, task, seed, "val")
    if by_folds(metric, recipe):
        return left_out(metric, train + val, classes, recipe, own, task)
    return measured(metric, train, val, classes, recipe, own, task)
