"""Whether fewer pictures of more backbones find a better one: successive halving beside whole measurements.

    T2S_DATA=FOLDER python -m tests.bench.halving tables/cpu --backbones WORK/backbones --keep FOLDER

Features of every task's train and val pictures by each kept backbone of seed 0 are computed once and kept in a folder
(some three core-seconds a backbone for 47 tasks). Each task is left out with its relatives. "K at N" measures K
backbones on N pictures of it by 5-NN and LogME (a linear probe of so few pictures costs more than its features), the
next by expected improvement; "-> K at N" then measures the best K by the posterior on N pictures; "all" are all of
them. The noise of N pictures is that of all times 1 - F + F x all / N, F = 1/3 (fitted to this table's 64, 128 and
all). Estimates of two stages are put on one level by the backbones that both have. Forward passes are pictures that a
backbone has seen.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

import t2s_offline as t2s
from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.images.task_data import load_task
from t2s_offline.learners.compare import leave_one_out
from t2s_offline.learners.measured_answer import taught_quality
from t2s_offline.learners.posterior import Belief
from t2s_offline.learners.quality import FEWEST, Quality
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.matrix import RewardMatrix
from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_rng
from t2s_offline.store.backbone_files import backbone_name
from t2s_offline.training.evaluate import Labelled, left_out
from t2s_offline.training.networks import extract, load_backbone
from t2s_offline.training.probes import logme
from tests.bench.folder import first_seed
from tests.bench.table import markdown

METRICS = ("knn5", "logme")
SHARE = 1 / 3  # F
PICTURED = 0.5  # of the binomial variance that is between backbones: the same pictures are hard for all
SIZES = (64, 128)
#: stages of (backbones, pictures; 0 for all)
PLANS = (
    ((8, 0),), ((4, 0),), ((65, 0),), ((9, 64),), ((5, 128),), ((6, 64), (3, 128)), ((24, 128),), ((48, 64),),
    ((65, 64),), ((65, 128),), ((24, 64), (5, 0)), ((12, 128), (6, 0)), ((24, 64), (12, 128), (3, 0)),
    ((16, 64), (6, 0)),
)  # fmt: skip


def nested(label_N: np.ndarray, name: str) -> np.ndarray:
    """An order of pictures of which every beginning has about as many of each class."""
    key_N = derive_rng("nested", name).random(len(label_N))
    rank_N = np.empty(len(label_N))
    for label in np.unique(label_N):
        at = np.flatnonzero(label_N == label)
        rank_N[at[np.argsort(key_N[at])]] = np.arange(len(at))
    return np.lexsort((key_N, rank_N))


def few_pictures(
    table: t2s.api.table.Table, target: RewardMatrix, backbones: Path, keep: Path
) -> dict[str, np.ndarray]:
    """Values of METRICS at each of SIZES, by "metric-size", each (T, C), NaN for configurations without a backbone; and
    the number of pictures of each task, "all"."""
    if (keep / "few.npz").is_file():
        with np.load(keep / "few.npz") as read:
            return dict(read)
    torch.set_num_threads(1)
    with table.store.reader() as con:
        row = con.execute("SELECT contents FROM recipes WHERE recipe = $1", [target.recipe]).fetchone()
    recipe = Recipe.from_contents(row[0] if row else "")
    banks = {
        name: load_task(name, recipe.evaluated, resize=recipe.eval_resize, test_share=recipe.test_share).bank
        for name in target.tasks
    }
    orders = {name: nested(bank.label_N, name)[: max(SIZES)] for name, bank in banks.items()}
    shape = len(target.tasks), len(target.space)
    found = {f"{metric}-{size}": np.full(shape, np.nan) for metric in METRICS for size in SIZES}
    for at, configuration in enumerate(target.space):
        file = backbones / f"{backbone_name(target.recipe, configuration, 0)}.safetensors"
        if not file.is_file() or not target.measured_C[at]:
            continue
        backbone = load_backbone(file).backbone
        for row, (name, bank) in enumerate(banks.items()):
            feature = extract(backbone, bank.image_NCHW[orders[name]], autocast=recipe.precision == "bfloat16")
            label = torch.from_numpy(bank.label_N[orders[name]])
            for size in SIZES:
                of, classes = Labelled(feature[:size], label[:size]), len(bank.classes)
                found[f"knn5-{size}"][row, at] = left_out("knn5", of, classes, recipe, 0, name)
                found[f"logme-{size}"][row, at] = logme(of.feature_ND, of.label_N, classes)
        print(configuration, flush=True)
    found["all"] = np.array([len(bank) for bank in banks.values()])
    keep.mkdir(parents=True, exist_ok=True)
    np.savez(keep / "few.npz", **found)
    return found


@dataclass(frozen=True)
class Fold:
    """One task that is left out. value: of each metric by number of pictures (0: all), each (C,); pictures: all."""

    belief: Belief
    quality: Quality
    noise: object
    value: dict[tuple[str, int], np.ndarray]
    pictures: int
    there_C: np.ndarray

    @cached_property
    def ratio(self) -> float:
        """Noise over signal, as variances, of measuring all pictures."""
        return self.quality.residual**2 / (1 - self.quality.residual**2)

    def estimate(self, index_K: np.ndarray, size: int) -> tuple[np.ndarray, float]:
        """Estimates in percent of backbones measured on so many pictures, and their SD."""
        target_K = self.value["knn5", size][index_K]
        mean = float(target_K.mean())
        if len(index_K) < FEWEST:
            return target_K, float(self.noise.at(size or self.pictures)(mean))
        value_MK = np.stack([self.value[metric, size][index_K] for metric in self.quality.metrics])
        sd, ratio = float(target_K.std()), self.ratio
        if size:
            ratio *= 1 - SHARE + SHARE * self.pictures / size
            more = PICTURED * mean * (100 - mean) * (1 / size - 1 / self.pictures)
            sd = np.sqrt(max(sd**2 - more, (0.3 * sd) ** 2))
        spread = max(sd * self.quality.ratio, 1e-6)
        z_K = self.quality.weight_M @ ((value_MK - value_MK.mean(1, keepdims=True)) / value_MK.std(1, keepdims=True))
        share = 1 / (1 + ratio)  # of the variance that the estimate explains
        return mean + spread * np.sqrt(share) * z_K / (z_K.std() or 1.0), float(np.sqrt(1 - share) * spread)

    def run(self, plan: tuple[tuple[int, int], ...]) -> tuple[int, int]:
        """The answer of a plan, and its forward passes."""
        (count, size), *later = plan
        index_K = np.array([int(np.where(self.there_C, self.belief.mean_C, -np.inf).argmax())])
        while len(index_K) < min(count, int(self.there_C.sum())):
            estimate_K, sd = self.estimate(index_K, size)
            posterior = self.belief.given(index_K, estimate_K, noise_sd=sd)
            gain_C = posterior.expected_improvement(float(posterior.reward()[0][index_K].max()))
            gain_C[~self.there_C] = -np.inf
            gain_C[index_K] = -np.inf
            index_K = np.r_[index_K, int(gain_C.argmax())]
        passes = len(index_K) * (size or self.pictures)
        estimate_K, sd = self.estimate(index_K, size)
        sd_K = np.full(len(index_K), sd)
        for count, more in later:
            mean_K = self.belief.given(index_K, estimate_K, noise_sd=sd_K).reward()[0][index_K]  # type: ignore[arg-type]
            best = np.argsort(-mean_K, kind="stable")[:count]
            passes += len(best) * ((more or self.pictures) - size)
            size = more or self.pictures
            again, sd = self.estimate(index_K[best], more)
            estimate_K = estimate_K + (again.mean() - estimate_K[best].mean())
            estimate_K[best], sd_K[best] = again, sd
        mean_K = self.belief.given(index_K, estimate_K, noise_sd=sd_K).reward()[0][index_K]  # type: ignore[arg-type]
        return int(index_K[mean_K.argmax()]), passes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--backbones", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    given = parser.parse_args()
    table = t2s.open_table(given.table)
    whole = {name: table.matrix(name) for name in METRICS}
    one = {name: first_seed(matrix) for name, matrix in whole.items()}
    target, embeddings = whole["knn5"], table.embeddings()
    few = few_pictures(table, target, given.backbones, given.keep)
    there_C = target.measured_C & np.isfinite(few[f"knn5-{SIZES[0]}"]).all(axis=0)
    regret: dict[tuple[tuple[int, int], ...], list[float]] = {plan: [] for plan in PLANS}
    passes: dict[tuple[tuple[int, int], ...], list[int]] = {plan: [] for plan in PLANS}
    for fold in leave_one_out(target.tasks, table.store.relatives()):
        task, at = fold.test[0], target.position(fold.test[0])
        policy = Surrogate().fit(
            target.select(fold.train), embeddings.select(fold.train), rng=derive_rng("bench", "folder")
        )
        value = {(name, 0): one[name].signal_TC[one[name].position(task)] for name in METRICS}
        value |= {(name, size): few[f"{name}-{size}"][at] for name in METRICS for size in SIZES}
        quality = taught_quality(one, fold.train)
        assert quality is not None
        belief = policy.belief(embeddings.select((task,)).unit_TD[0])
        left = Fold(belief, quality, policy.noise, value, int(few["all"][at]), there_C)
        reward_C = np.where(target.measured_C, target.reward_TC[at], np.nan)
        for plan in PLANS:
            answer, cost = left.run(plan)
            regret[plan].append((np.nanmax(reward_C) - reward_C[answer]) / (np.nanmax(reward_C) - np.nanmean(reward_C)))
            passes[plan].append(cost)
    rows = []
    for plan, values in regret.items():
        inside = mean_interval(np.array(values)[:, None])
        text = " -> ".join(f"{count} at {size or 'all'}" for count, size in plan)
        shown = f"{np.mean(values):.2f} ({inside.low:.2f} to {inside.high:.2f})"
        rows.append([text, shown, f"{np.mean(passes[plan]):.0f}"])
    print(f"{len(target.tasks)} tasks, {int(there_C.sum())} kept backbones")
    print(markdown(["backbones at pictures", "normalised regret", "passes"], rows))


if __name__ == "__main__":
    main()
