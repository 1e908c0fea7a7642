"""What a reward table says, in Markdown: ``python -m tests.bench.table tables/cpu [--section NAME]``

The card of a shipped table quotes this. Sections: signal, budgets, metrics, best, groups, effects, published (needs
T2S_TASK2SIM), cost, probe (needs T2S_DATA), policies, metrics_measured. policies is `t2s-offline compare
--leave-one-out --measure 1,2,4,8,16` as Markdown, of the learners in LEARNERS or those of --learners; metrics_measured
is what `predict` does by default: a portfolio of K measured by every metric of the table, then the surrogate.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from t2s_offline.analysis import effects
from t2s_offline.analysis import seed_noise as noise
from t2s_offline.analysis.intervals import Interval, mean_interval, paired
from t2s_offline.api.compare import compare
from t2s_offline.api.table import Table
from t2s_offline.errors import BadInput, EmptyStore
from t2s_offline.learners.baselines import greedy_portfolio
from t2s_offline.learners.compare import leave_one_out, normalised
from t2s_offline.learners.measured_answer import replay_portfolio
from t2s_offline.learners.shortlist import Remembered
from t2s_offline.matrix import RewardMatrix
from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_rng
from t2s_offline.space import SCRATCH
from t2s_offline.store.reward_store import RewardStore

#: this project's small versions of tasks of the paper -> their names in the authors' table
SHARED = {
    "aid": "AID", "usps": "USPS", "pacs_c": "PacsC", "pacs_s": "PacsS", "chestpneumonia": "ChestXPneumonia",
    "dtd": "DTD", "omniglot": "Omniglot", "isic": "ISIC",
}  # fmt: skip
SHUFFLES = 1_000
#: all but the ones that take minutes (reinforce, lin_thompson) and the ones that differ in a detail
LEARNERS = (
    "domain_randomization,best_fixed,best_fixed_standardised,nearest,nearest_k,distance_weighted,exact,surrogate_shared,"
    "surrogate"
)
MEASURED = (1, 2, 4, 8, 16)
#: normalised regret that was aimed at, by backbones measured
GOALS = {0: 0.50, 4: 0.32, 8: 0.27, 16: 0.25}
H200_PEAK = 0.99e15  # FLOP a second, bfloat16, dense


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    def text(value: object) -> str:
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(text, line)) + " |" for line in lines)


def recipe_of_most(store: RewardStore) -> str:
    """The recipe with the most rewards."""
    with store.reader() as con:
        return str(con.sql("SELECT recipe FROM rewards GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").fetchall()[0][0])


def recipe_of(store: RewardStore, name: str) -> Recipe:
    """The recipe behind a name."""
    return Recipe.from_contents(
        store.frame("recipes").row(by_predicate=pl.col("recipe") == name, named=True)["contents"]
    )


def references(store: RewardStore, recipe: str) -> dict[str, float]:
    """Mean 5-NN accuracy of the untrained network by task."""
    with store.reader() as con:
        rows = con.execute(
            "SELECT task, accuracy FROM reference_backbones WHERE (recipe, metric, configuration) = ($1, 'knn5', $2)",
            [recipe, SCRATCH],
        )
        return dict(rows.fetchall())


def signal(store: RewardStore) -> None:
    """Signal and noise of every task, beside the untrained network and three fixed configurations."""
    recipe = recipe_of_most(store)
    matrix = store.matrix(recipe)
    untrained, space = references(store, recipe), matrix.space
    all_on, all_off = space.index(space.domain_randomization), 0
    rows = []
    for c in noise.components(matrix, rng=derive_rng("noise", recipe, "knn5")):
        reward_C = matrix.reward_TC[matrix.position(c.task)]
        rows.append([
            c.task, untrained.get(c.task, float("nan")), c.mean, reward_C[all_off], reward_C[all_on], c.best,
            c.signal_sd, c.noise_sd, c.signal_sd / c.noise_sd, f"{c.p:.4f}", f"{c.p_holm:.4f}",
        ])  # fmt: skip
    rows.sort(key=lambda row: -float(row[8]))  # type: ignore[arg-type]
    columns = [
        "task",
        "untrained",
        "mean",
        "all off",
        "all on",
        "best cell",
        "signal SD",
        "noise SD",
        "ratio",
        "p",
        "p Holm",
    ]
    print(markdown(columns, rows))
    strong = sum(row[8] >= 1 for row in rows)
    clear = sum(float(row[10]) < noise.SIGNIFICANT for row in rows)
    idle = [row[0] for row in rows if row[2] <= row[1]]
    print(f"\n{strong} of {len(rows)} tasks: signal SD at least the noise SD of a cell;")
    print(f"{clear} separate at p < .05 after Holm's correction;")
    print(f"the mean configuration does not beat the untrained network on {len(idle)}: {', '.join(idle)}")


def budgets(store: RewardStore) -> None:
    """Signal against noise against seconds, for every recipe with two seeds; on the tasks that all have."""
    rows = []
    for recipe in store.recipes():
        try:
            found = noise.components(store.matrix(recipe), permutations=999, rng=derive_rng("noise", recipe))
        except (BadInput, EmptyStore) as error:
            print(f"{recipe}: {error}")
            continue
        contents = Recipe.from_contents(
            store.frame("recipes").row(by_predicate=pl.col("recipe") == recipe, named=True)["contents"]
        )
        ratio = [c.signal_sd / c.noise_sd for c in found]
        rows.append([
            recipe, contents.classes * contents.images, contents.epochs, found[0].configurations,
            store.backbone_seconds(recipe) or float("nan"), float(np.sqrt(np.mean([c.signal_sd**2 for c in found]))),
            float(np.sqrt(np.mean([c.noise_sd**2 for c in found]))), float(np.median(ratio)),
            f"{sum(r >= 1 for r in ratio)} of {len(ratio)}", f"{sum(c.clear for c in found)} of {len(found)}",
        ])  # fmt: skip
    columns = ["recipe", "pictures", "epochs", "configurations", "core-seconds"]
    columns += ["signal SD", "noise SD", "median ratio", "ratio >= 1", "p Holm < .05"]
    print(markdown(columns, rows))


def metrics(store: RewardStore) -> None:
    """Does 5-NN stand for the dearer measures? Spearman's rho over configurations, task by task."""
    recipe = recipe_of_most(store)
    base = store.matrix(recipe)
    columns: dict[str, dict[str, float]] = {}
    for metric in ("linear", "finetune", "logme"):
        try:
            other = store.matrix(recipe, metric)
        except EmptyStore:
            continue
        columns[metric] = {}
        for task in other.tasks:
            ours, theirs = base.reward_TC[base.position(task)], other.reward_TC[other.position(task)]
            both = ~np.isnan(ours) & ~np.isnan(theirs)
            if both.sum() >= 8:
                columns[metric][task] = float(spearmanr(ours[both], theirs[both]).statistic)
    rows = [[task, *(found.get(task, "") for found in columns.values())] for task in base.tasks]
    rows.append(["**median**", *(float(np.median(list(found.values()))) for found in columns.values())])
    print(markdown(["rho of 5-NN with", *columns], rows))


def main_effects(matrix: RewardMatrix) -> dict[str, dict[str, effects.Effect]]:
    """Main effects by task and parameter."""
    found: dict[str, dict[str, effects.Effect]] = {}
    for effect in effects.report(matrix, most=2).effects:
        if effect.degree == 1:
            found.setdefault(effect.task, {})[effect.effect] = effect
    return found


def parameters(store: RewardStore) -> None:
    """Main effects in percent by task; * where the 95 % interval leaves out zero."""
    found = main_effects(store.matrix(recipe_of_most(store)))
    names = list(next(iter(found.values())))
    rows = [
        [task, *(f"{e.percent:+.1f}{'*' if e.low > 0 or e.high < 0 else ''}" for e in (own[name] for name in names))]
        for task, own in found.items()
    ]
    print(markdown(["task", *names], rows))


def best(store: RewardStore) -> None:
    """How many tasks have a best configuration of their own, and what the best one for all loses; on mean test
    accuracy, so the best cells owe some of their height to noise."""
    matrix = store.matrix(recipe_of_most(store))
    name_C = np.array(matrix.space.configurations)[matrix.measured_C]
    reward_TC = matrix.reward_TC[:, matrix.measured_C]
    own_T, mean_C = reward_TC.max(axis=1), reward_TC.mean(axis=0)
    at, everything = int(mean_C.argmax()), matrix.space.domain_randomization
    count = len(set(reward_TC.argmax(axis=1)))
    print(f"{len(matrix.tasks)} tasks, {len(name_C)} configurations, {count} of them best of a task")
    print(f"best for all {name_C[at]}: mean {mean_C[at]:.1f}, {own_T.mean() - mean_C[at]:.1f} below each task's own;")
    print(f"a random one {mean_C.mean():.1f}, {own_T.mean() - mean_C.mean():.1f} below; {everything} "
          f"{mean_C[name_C == everything][0]:.1f}")  # fmt: skip
    order = [int(index) for index in greedy_portfolio(matrix.signal_TC) if matrix.measured_C[index]][:8]
    print(f"greedy portfolio of 8: {', '.join(matrix.space.configurations[index] for index in order)}")


def groups(store: RewardStore) -> None:
    """Main effects in percent, mean over the tasks of a group, and how many of them separate from seed noise."""
    matrix = store.matrix(recipe_of_most(store))
    found = main_effects(matrix)
    group = {row["task"]: row["task_group"] or "none" for row in store.frame("tasks").to_dicts()}
    clear = {part.task: part.clear for part in noise.components(matrix, rng=derive_rng("noise", matrix.recipe, "knn5"))}
    names = list(next(iter(found.values())))
    rows = []
    for name in sorted({group[task] for task in matrix.tasks}):
        own = [task for task in matrix.tasks if group[task] == name]
        means = (np.mean([found[task][effect].percent for task in own]) for effect in names)
        rows.append([name, len(own), sum(clear[task] for task in own), *(f"{mean:+.1f}" for mean in means)])
    print(markdown(["group", "tasks", "separate", *names], rows))


def policies(store: RewardStore, learners: str = LEARNERS) -> None:
    """What choices are worth on tasks left out with their relatives, one shot and with backbones measured."""
    said: list[str] = []
    frame = compare(
        Table(store), recipe=recipe_of_most(store), leave_one_out=True, learners=learners.split(","), measure=MEASURED,
        told=said.append,
    )  # fmt: skip
    rows = frame.to_dicts()
    columns = ["normalised regret (95 % interval)", "minus best fixed", "minus portfolio"]
    for title, own in (("one shot", [row for row in rows if not row["measured"]]),
                       ("measured", [row for row in rows if row["measured"]])):  # fmt: skip
        print(markdown([title, "K", *columns], [
            [row["learner"], row["measured"], span(row, "normalised_regret", "ci"), span(row, "vs_fixed"),
             span(row, "vs_portfolio")] for row in own
        ]) + "\n")  # fmt: skip
    print("\n".join(said) + "\n")
    reached = {row["measured"]: row["normalised_regret"] for row in rows
               if row["learner"] == ("surrogate_shortlist" if row["measured"] else "surrogate")}  # fmt: skip
    goal = [[count, wanted, reached[count], "reached" if reached[count] <= wanted else f"missed by "
             f"{reached[count] - wanted:.2f}"] for count, wanted in GOALS.items() if count in reached]  # fmt: skip
    print(markdown(["K", "aim", "surrogate", ""], goal))


def metrics_measured(store: RewardStore) -> None:
    """Measuring a portfolio of K by every metric, answered by the surrogate; beside the same by 5-NN alone, and the
    best measured of the portfolio. Each task is left out with its relatives."""
    recipe = recipe_of_most(store)
    matrices = {name: store.matrix(recipe, name) for name in ("knn5", "linear", "logme")}
    target, folds = matrices["knn5"], leave_one_out(store.matrix(recipe).tasks, store.relatives())
    embeddings, learner = store.embeddings().select(target.tasks), Remembered()
    tested, reward = [target.position(fold.test[0]) for fold in folds], dict[tuple[str, int], list[float]]()
    for fold, at in zip(folds, tested, strict=True):
        known = target.select(fold.train)
        policy = learner.fit(known, embeddings.select(fold.train), rng=derive_rng(learner.name))
        fixed = int(np.where(target.measured_C, known.signal_TC.mean(axis=0), -np.inf).argmax())
        reward.setdefault(("best fixed", 0), []).append(target.reward_TC[at, fixed])
        for count in MEASURED:
            for name, used in (("all metrics", matrices), ("5-NN alone", {"knn5": target})):
                found = replay_portfolio(policy, embeddings.unit_TD[at], used, fold.train, fold.test[0], count)
                reward.setdefault((name, count), []).append(target.reward_TC[at, found.answer])
            best = found.index_K[target.signal_TC[at, found.index_K].argmax()]
            reward.setdefault(("best of the portfolio", count), []).append(target.reward_TC[at, best])
    regret = {key: normalised(target, np.array(value), tested) for key, value in reward.items()}
    rows = []
    for (name, count), own_T in regret.items():
        fixed, folio = (
            paired(own_T, regret[key]) for key in (("best fixed", 0), ("best of the portfolio", count or 1))
        )
        rows.append(
            [name, count, told(mean_interval(own_T), ""), told(fixed) if count else "", told(folio) if count else ""]
        )
    print(markdown(["measured", "K", "normalised regret", "minus best fixed", "minus best of the portfolio"], rows))


def told(interval: Interval, sign: str = "+") -> str:
    """A mean with its interval."""
    return f"{interval.mean:{sign}.2f} ({interval.low:{sign}.2f} to {interval.high:{sign}.2f})"


def span(row: dict[str, Any], name: str, ends: str | None = None) -> str:
    """A value of a row with its interval; empty where there is none."""
    mean, low, high = row.get(name), row.get(f"{ends or name}_low"), row.get(f"{ends or name}_high")
    sign = "" if ends else "+"
    return "" if mean is None or low is None else f"{mean:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


def published(store: RewardStore) -> None:
    """Rank correlation of main effects with the authors' table, on the tasks that both have."""
    from t2s_offline.store.fetch_published import fetch_task2sim

    folder = os.environ.get("T2S_TASK2SIM")
    if not folder:
        print("T2S_TASK2SIM is not set")
        return
    with TemporaryDirectory() as place:
        theirs_store = RewardStore(Path(place) / "published.duckdb")
        fetch_task2sim(theirs_store, Path(folder))
        theirs = main_effects(theirs_store.matrix())
    ours = main_effects(store.matrix(recipe_of_most(store)))
    shared = {mine: name for mine, name in SHARED.items() if mine in ours and name in theirs}
    names = list(ours[next(iter(shared))])
    mine_TP = np.array([[ours[task][name].percent for name in names] for task in shared])
    their_TP = np.array([[theirs[task][name].percent for name in names] for task in shared.values()])
    rho_T = np.array([spearmanr(a, b).statistic for a, b in zip(mine_TP, their_TP, strict=True)])
    rng = derive_rng("published")
    null = [
        np.mean(
            [spearmanr(a[rng.permutation(len(names))], b).statistic for a, b in zip(mine_TP, their_TP, strict=True)]
        )
        for _ in range(SHUFFLES)
    ]
    print(
        markdown(
            ["task", "rho of 8 main effects"], [[task, float(rho)] for task, rho in zip(shared, rho_T, strict=True)]
        )
    )
    p = (1 + sum(value >= rho_T.mean() for value in null)) / (1 + len(null))
    print(f"\nmean rho {rho_T.mean():.2f}; p = {p:.3f} (parameters shuffled within each task, {len(null)} times)")
    rows = [[name, float(a), float(b)] for name, a, b in zip(names, mine_TP.mean(0), their_TP.mean(0), strict=True)]
    print("\n" + markdown(["parameter, mean over these tasks", "here", "published"], rows))
    print(f"\nrho of the means {spearmanr(mine_TP.mean(0), their_TP.mean(0)).statistic:.2f}")
    print("a possible cause beside the renderer: theirs was measured in training mode (docs/published-table.md)")


def cost(store: RewardStore) -> None:
    """Seconds a configuration, split; share of the device's peak; the paper's setting in GPU-hours."""
    for recipe in store.recipes():
        with store.reader() as con:
            count, render, train, device, hours = con.execute(
                """SELECT count(*), median(render_seconds), median(train_seconds), any_value(device),
                          sum(render_seconds + train_seconds) / 3600
                   FROM backbones WHERE recipe = $1 AND status = 'done'""",
                [recipe],
            ).fetchall()[0]
            by_metric = con.execute(
                """SELECT metric, median(total) FROM (
                       SELECT metric, configuration, seed, sum(seconds) AS total
                       FROM rewards WHERE recipe = $1 GROUP BY ALL)
                   GROUP BY 1 ORDER BY 1""",
                [recipe],
            ).fetchall()
        contents = recipe_of(store, recipe)
        measured = ", ".join(f"{metric} {seconds:.1f}" for metric, seconds in by_metric)
        print(f"{recipe}: {count} backbones on {device}; {hours:.2f} hours of rendering and training")
        print(f"median seconds: render {render:.1f}, pre-train {train:.1f}; all tasks: {measured}")
        steps = round(contents.classes * contents.images * (1 - contents.holdout)) * contents.epochs
        work, peak = 3 * flops(contents) * steps, matmul_rate()
        print(
            f"training is {work / 1e12:.1f} TFLOP at {work / train / 1e9:.0f} GFLOP/s; a matrix product in bfloat16 on"
        )
        print(f"one core of this machine reaches {peak / 1e9:.0f} GFLOP/s\n")
    paper = Recipe(backbone="resnet50", size=224)
    work = 3 * flops(paper) * 40_000 * 100 * 256
    hours = work / H200_PEAK / 3600
    print(f"the paper's full setting (256 x 40,000 pictures x 100 epochs, 224 px, ResNet-50) is {work:.2e} FLOP:")
    print(f"{hours / 0.35:.0f} GPU-hours at 35 % of an H200's dense bfloat16 peak, {hours / 0.10:.0f} at 10 %")


def flops(recipe: Recipe) -> float:
    """Of a forward pass of one picture, a multiplication and an addition counted apart."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from t2s_offline.training.networks import build

    backbone = build(recipe.backbone, seed=0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        backbone(torch.zeros(1, 3, recipe.size, recipe.size, dtype=torch.uint8))
    return float(counter.get_total_flops())


def matmul_rate() -> float:
    """FLOP a second of a large bfloat16 product on one thread, best of five."""
    import torch

    torch.set_num_threads(1)
    a = torch.randn(1024, 1024).bfloat16()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - begin)
    return 2 * 1024**3 / min(times)


def probe(store: RewardStore) -> None:
    """How often a task's nearest neighbour is of its group: the probe's embeddings against raw pictures.

    Raw: mean and SD of every colour of an 8 x 8 thumbnail over the task's pictures. Needs T2S_DATA.
    """
    from t2s_offline.images.task_data import load_task

    embeddings = store.embeddings()
    group = {row["task"]: row["task_group"] for row in store.frame("tasks").to_dicts()}
    tasks = [task for task in embeddings.tasks if group.get(task)]
    raw = []
    for task in tasks:
        small = load_task(task, 8).bank.image_NCHW.reshape(-1, 192).astype(float)
        raw.append(np.r_[small.mean(0), small.std(0)])
    vectors = {embeddings.probe: embeddings.select(tasks).unit_TD, "raw thumbnails": np.array(raw)}
    rows = []
    for name, vector_TD in vectors.items():
        near, same = neighbours(vector_TD, [group[task] for task in tasks])
        rows.append([name, f"{same} of {sum(list(map(group.get, tasks)).count(group[t]) > 1 for t in tasks)}",
                     "; ".join(f"{task} → {tasks[at]}" for task, at in zip(tasks, near, strict=True))])  # fmt: skip
    rng, names = derive_rng("probe"), [group[task] for task in tasks]
    shuffled = [neighbours(vectors[embeddings.probe], list(rng.permutation(names)))[1] for _ in range(2000)]
    print(markdown(["embedding", "nearest task of the same group", "nearest"], rows))
    print(f"\nby chance {np.mean(shuffled):.1f} (groups shuffled)")
    unit_TD = vectors[embeddings.probe]
    cosine: dict[bool, list[float]] = {True: [], False: []}
    for a, b in combinations(range(len(tasks)), 2):
        cosine[group[tasks[a]] == group[tasks[b]]].append(float(unit_TD[a] @ unit_TD[b]))
    print(f"cosine within groups {np.mean(cosine[True]):.3f}, across {np.mean(cosine[False]):.3f}")


def neighbours(vector_TD: np.ndarray, groups: Sequence[str]) -> tuple[list[int], int]:
    """The nearest other task of each by cosine of centred vectors, and how many are of the same group."""
    centred = vector_TD - vector_TD.mean(0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    cosine_TT = centred @ centred.T - 2 * np.eye(len(centred))
    near = [int(at) for at in cosine_TT.argmax(axis=1)]
    return near, sum(groups[a] == groups[b] for a, b in enumerate(near))


SECTIONS: dict[str, Callable[[RewardStore], None]] = {
    "signal": signal, "budgets": budgets, "metrics": metrics, "best": best, "groups": groups, "effects": parameters,
    "published": published, "cost": cost, "probe": probe, "policies": policies, "metrics_measured": metrics_measured,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="A table folder, or a store.")
    parser.add_argument("--section", choices=SECTIONS, action="append")
    parser.add_argument("--learners", default=LEARNERS, help="For section policies, with commas.")
    given = parser.parse_args()
    sections = SECTIONS | {"policies": partial(policies, learners=given.learners)}
    for name in given.section or SECTIONS:
        print(f"\n### {name}\n", flush=True)
        sections[name](RewardStore(given.store))


if __name__ == "__main__":
    main()
