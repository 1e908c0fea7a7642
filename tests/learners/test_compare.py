"""Comparison: the figures of the authors' table, and rules that hold on any table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.analysis.intervals import mean_interval, paired
from t2s_offline.analysis.oracle import cross_fitted_T
from t2s_offline.errors import BadInput
from t2s_offline.learners.baselines import BestFixed, DomainRandomization, Nearest, Random
from t2s_offline.learners.compare import Fold, as_dicts, compare, leave_one_out, normalised, seen_unseen
from t2s_offline.learners.judged import judge, judged_curve
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.shortlist import Remembered, crossed_curve, curve
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.store.reward_store import RewardStore
from tests.planted import Planted, space_of

BASELINES = (Random(), DomainRandomization(), BestFixed(), Nearest())
SHORT = Reinforce(epochs=5, hidden=8)


def split(store: RewardStore, name: str) -> list[str]:
    return [task for task, of in store.tasks().items() if of == name]


def test_the_published_figures(published_store: RewardStore) -> None:
    """Means in percent of the authors' table, to 0.01 (12 seen and 8 unseen tasks)."""
    folds = seen_unseen(split(published_store, "seen"), split(published_store, "unseen"))
    rows = compare(published_store.matrix(), published_store.embeddings(), BASELINES, folds).rows
    reward = {(row.learner, row.split): round(row.reward, 2) for row in rows}
    assert reward == {
        ("oracle", "seen"): 32.60,
        ("random", "seen"): 25.12,
        ("domain_randomization", "seen"): 24.07,
        ("best_fixed", "seen"): 29.89,
        ("nearest", "seen"): 32.60,
        ("oracle", "unseen"): 61.62,
        ("random", "unseen"): 51.75,
        ("domain_randomization", "unseen"): 50.75,
        ("best_fixed", "unseen"): 55.26,
        ("nearest", "unseen"): 57.92,
    }


def test_the_best_fixed_configuration_of_the_published_table(published_store: RewardStore) -> None:
    matrix, embeddings = published_store.matrix(), published_store.embeddings()
    seen = split(published_store, "seen")
    policy = BestFixed().fit(matrix.select(seen), embeddings.select(seen), rng=np.random.default_rng(0))
    assert matrix.space.configurations[int(policy.probability_C.argmax())] == "01111110"


def test_algorithm_1_on_the_published_table(published_store: RewardStore) -> None:
    """Two seeds here; README.md has the command for eight."""
    folds = seen_unseen(split(published_store, "seen"), split(published_store, "unseen"))
    rows = compare(published_store.matrix(), published_store.embeddings(), (Reinforce(),), folds, seeds=2).rows
    reward = {row.split: row.reward for row in rows if row.learner == "reinforce"}
    assert reward["seen"] >= 32.2
    assert reward["unseen"] >= 54.0


def test_leave_one_out_never_trains_on_the_left_out_task(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    seen_tasks = []

    class Spy(Nearest):
        def fit(self, matrix, embeddings, *, rng):
            assert matrix.tasks == embeddings.tasks
            seen_tasks.append(matrix.tasks)
            return super().fit(matrix, embeddings, rng=rng)

    rows = compare(planted, planted_embeddings, (Spy(),), leave_one_out(planted.tasks)).rows
    assert sorted(set(planted.tasks) - set(tasks) for tasks in seen_tasks) == sorted({task} for task in planted.tasks)
    assert [(row.learner, row.split, row.tasks) for row in rows] == [
        ("oracle", "leave_one_out", 4),
        ("nearest", "leave_one_out", 4),
    ]


def test_a_task_is_left_out_with_its_relatives(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    one, two, three, four = planted.tasks
    kin = {one: "letters", three: "letters", four: "chest", "elsewhere": "chest"}
    folds = leave_one_out(planted.tasks, kin)
    assert [(fold.train, fold.test) for fold in folds] == [
        ((two, four), (one,)),
        ((one, three, four), (two,)),
        ((two, four), (three,)),
        ((one, two, three), (four,)),
    ]
    assert [fold.relatives for fold in folds] == [(three,), (), (one,), ()]
    assert leave_one_out(planted.tasks, {}) == leave_one_out(planted.tasks)
    rows = compare(planted, planted_embeddings, (Nearest(),), folds).rows
    assert [(row.learner, row.split, row.tasks) for row in rows] == [
        ("oracle", "leave_one_out", 4),
        ("nearest", "leave_one_out", 4),
    ]


def test_a_task_whose_relatives_are_all_others_cannot_be_left_out(planted: RewardMatrix) -> None:
    with pytest.raises(BadInput, match=r"relatives of .* are all the other tasks.*--alone"):
        leave_one_out(planted.tasks, dict.fromkeys(planted.tasks, "letters"))


def test_oracle_and_random_frame_normalised_regret(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    found = compare(planted, planted_embeddings, BASELINES, leave_one_out(planted.tasks))
    rows = {row.learner: row for row in found.rows}
    assert rows["oracle"].regret == rows["oracle"].normalised_regret == 0
    assert rows["random"].normalised_regret == pytest.approx(1)
    for row in rows.values():
        assert row.ci_low <= row.normalised_regret <= row.ci_high
        assert row.reward + row.regret == pytest.approx(80)


def test_jobs_and_order_change_nothing(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    folds = leave_one_out(planted.tasks)
    one = compare(planted, planted_embeddings, (SHORT, Random()), folds, seeds=2, jobs=1).rows
    two = compare(planted, planted_embeddings, (Random(), SHORT), folds, seeds=2, jobs=2).rows
    assert sorted(map(str, one)) == sorted(map(str, two))


def test_only_configurations_that_every_task_has(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    planted.accuracy_TCS[0, 1] = np.nan  # the best cell of the first task
    rows = compare(replace(planted), planted_embeddings, BASELINES, [Fold("seen", planted.tasks, planted.tasks)]).rows
    oracle = next(row for row in rows if row.learner == "oracle")
    assert oracle.reward == pytest.approx((70 + 3 * 80) / 4)
    planted.accuracy_TCS[0] = np.nan
    with pytest.raises(BadInput, match="no configuration is measured"):
        compare(replace(planted), planted_embeddings, BASELINES, leave_one_out(planted.tasks))


def test_learners_see_what_they_are_taught(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    from t2s_offline.analysis.ties import restrict

    taught = restrict(planted, np.array([0, 3, 5, 6]))
    folds = [Fold("seen", planted.tasks, planted.tasks)]
    rows = {row.learner: row for row in compare(planted, planted_embeddings, BASELINES, folds, taught=taught).rows}
    assert rows["oracle"].reward == 80, "reported on the whole table"
    best = taught.reward_TC[:, [0, 3, 5, 6]].max(axis=1).mean()
    assert rows["nearest"].reward == pytest.approx(best)


def test_equal_rewards_have_no_regret(planted: RewardMatrix) -> None:
    flat = replace(planted, accuracy_TCS=np.full_like(planted.accuracy_TCS, 3.0))
    assert normalised(flat, np.full(4, 3.0), range(4)).tolist() == [0] * 4


def test_learners_choose_on_val_and_are_reported_on_test(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    misleading = replace(planted, val_TCS=100.0 - planted.accuracy_TCS)
    rows = compare(misleading, planted_embeddings, (BestFixed(),), [Fold("seen", planted.tasks, planted.tasks)]).rows
    worst = planted.reward_TC[:, planted.reward_TC.mean(axis=0).argmin()].mean()
    assert rows[1].reward == pytest.approx(worst)


def test_intervals_hold_tasks_and_seeds(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    found = compare(planted, planted_embeddings, (SHORT, Nearest()), leave_one_out(planted.tasks), seeds=3)
    regret = found.normalised_TS["leave_one_out"]
    assert (regret["reinforce"].shape, regret["nearest"].shape) == ((4, 3), (4, 1))
    rows = {row.learner: row for row in found.rows}
    for name in ("reinforce", "nearest"):
        interval = mean_interval(regret[name])
        assert (rows[name].ci_low, rows[name].ci_high) == (max(interval.low, 0.0), interval.high)
        assert rows[name].normalised_regret == pytest.approx(found.normalised_T["leave_one_out"][name].mean())


def test_one_task_has_no_interval(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    folds = [Fold("unseen", planted.tasks[:3], planted.tasks[3:])]
    rows = compare(planted, planted_embeddings, (Nearest(),), folds).rows
    assert all(np.isnan([row.ci_low, row.ci_high]).all() for row in rows)


def test_too_little_to_compare() -> None:
    with pytest.raises(BadInput, match="at least 2 tasks"):
        leave_one_out(["a"])
    with pytest.raises(BadInput, match="marked seen"):
        seen_unseen([], ["a"])


def test_json_keys_are_a_contract(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    found = compare(planted, planted_embeddings, BASELINES, leave_one_out(planted.tasks))
    rows = as_dicts(found.rows)
    keys = [
        "learner",
        "split",
        "tasks",
        "reward",
        "regret",
        "normalised_regret",
        "ci_low",
        "ci_high",
        "measured",
        "runs",
        "hours",
    ]
    assert all(list(row) == keys for row in rows)
    further = ["vs_fixed", "vs_fixed_low", "vs_fixed_high", "rank_low", "rank_high", "tie_group", "p_best"]
    assert all(list(row) == [*keys, *further] for row in as_dicts(judge(found).rows)), "only where they can be had"


def noisy(tasks: int = 24) -> tuple[RewardMatrix, Embeddings]:
    planted = Planted(space_of(2, 2, 2, 2, 2, 2), tasks=tasks, seeds=2, noise_sd=2.0, shared=0.2, group=0.2)
    return planted.draw(np.random.default_rng(11))


def test_regret_against_the_cross_fitted_oracle_is_free_of_luck() -> None:
    """The plain oracle, and whoever measures everything on the seeds it is scored with, are below zero: they are lucky.
    A choice made without looking at the task is not."""
    matrix, embeddings = noisy()
    folds = leave_one_out(matrix.tasks)
    rows = {row.learner: row for row in compare(matrix, embeddings, (Random(), BestFixed()), folds).rows}
    cross_T = cross_fitted_T(matrix)
    assert cross_T is not None
    assert rows["oracle"].cross_regret == pytest.approx(cross_T.mean() - rows["oracle"].reward)
    assert rows["oracle"].cross_high is not None
    assert rows["oracle"].cross_high < 0
    assert rows["random"].cross_regret == pytest.approx(cross_T.mean() - matrix.reward_TC.mean())
    assert rows["best_fixed"].cross_regret < rows["best_fixed"].regret
    best = rows["true_best"]
    assert 0 < best.regret < rows["best_fixed"].regret
    assert best.reward + best.regret == pytest.approx(rows["oracle"].reward)
    assert list(rows) == ["oracle", "true_best", "random", "best_fixed"]
    seen = compare(matrix, embeddings, (BestFixed(),), [Fold("seen", matrix.tasks, matrix.tasks)]).rows
    assert all(row.cross_regret is None for row in seen), "a choice there has seen the noise it is scored with"


def test_measuring_everything_is_no_better_than_the_cross_fitted_oracle() -> None:
    """All measured on one seed, scored on the other: that is what the oracle does, so the regret is zero."""
    matrix, embeddings = noisy(8)
    folds = leave_one_out(matrix.tasks)
    pairs = [(fold.train, fold.test[0]) for fold in folds]
    learner, counts = Remembered(), [0, 4, 64]
    crossed = crossed_curve(matrix, embeddings, learner, pairs, counts)
    assert crossed is not None
    found = judged_curve(matrix, folds, counts, curve(matrix, embeddings, learner, pairs, counts), crossed)
    rows = {(row.learner, row.measured): row for row in found.rows}
    for name in ("fixed_top", "portfolio", "random_search"):
        assert rows[name, 64].cross_regret == pytest.approx(0, abs=1e-9)
        assert rows[name, 64].regret == pytest.approx(0, abs=1e-9)
    assert rows["portfolio", 4].cross_regret == pytest.approx(
        cross_fitted_T(matrix).mean() - crossed["portfolio"][1].mean()
    )
    row = rows["surrogate_shortlist", 4]
    rewards = curve(matrix, embeddings, learner, pairs, counts)
    own, fixed = (normalised(matrix, rewards[name][1], range(8)) for name in ("surrogate", "fixed_top"))
    gap = paired(own, fixed)
    assert (row.vs_fixed, row.vs_fixed_low, row.vs_fixed_high) == (gap.mean, gap.low, gap.high)
    assert set(found.rankings) == {"K = 0", "K = 4", "K = 64"}
    one = replace(matrix, accuracy_TCS=matrix.accuracy_TCS[:, :, :1])
    assert crossed_curve(one, embeddings, learner, pairs, counts) is None


def test_scratch_and_real_pictures_stand_beside_learners(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    """Their rewards are the table's; normalised regret is measured with the same ruler, and may be below zero."""
    scratch = dict.fromkeys(planted.tasks, 50.0)
    real = dict.fromkeys(planted.tasks, 90.0)
    part = dict.fromkeys(planted.tasks[1:], 50.0)
    references = {"scratch": scratch, "real:photos": real, "real:part": part}
    found = compare(planted, planted_embeddings, BASELINES, leave_one_out(planted.tasks), references=references)
    rows = {row.learner: row for row in found.rows}
    assert list(rows)[-2:] == ["scratch", "real:photos"]
    spread = 80 - planted.reward_TC.mean()
    assert (rows["scratch"].reward, rows["scratch"].regret) == (50, 30)
    assert rows["scratch"].normalised_regret == pytest.approx(30 / spread)
    assert rows["real:photos"].normalised_regret == pytest.approx(-10 / spread)
    assert rows["real:photos"].ci_low <= rows["real:photos"].normalised_regret
    assert set(found.normalised_T["leave_one_out"]) == {learner.name for learner in BASELINES}, "no learner: no winner"
