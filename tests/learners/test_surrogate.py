from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.embedding_space import Context
from t2s_offline.learners.marginal_likelihood import Evidence
from t2s_offline.learners.posterior import Belief, standardise
from t2s_offline.learners.surrogate import Surrogate, SurrogatePolicy, modelled
from t2s_offline.matrix import Embeddings, RewardMatrix
from tests.planted import Planted, space_of

RNG = np.random.default_rng(0)  # the surrogate draws nothing from it


def gain(belief: Belief) -> tuple[np.ndarray, np.ndarray]:
    """Prior mean and SD of reward minus level, in percent, each (C,)."""
    scale_G, weight_G = belief.scales()
    first, second = weight_G @ scale_G, weight_G @ scale_G**2
    return first * belief.mean_C, np.sqrt(
        second * (belief.variance_C + belief.mean_C**2) - (first * belief.mean_C) ** 2
    )


def fit(matrix: RewardMatrix, embeddings: Embeddings, *, embedded: bool = True) -> SurrogatePolicy:
    return Surrogate(embedded).fit(matrix, embeddings, rng=RNG)


def without_last(matrix: RewardMatrix, embeddings: Embeddings) -> tuple[RewardMatrix, Embeddings]:
    return matrix.select(matrix.tasks[:-1]), embeddings.select(matrix.tasks[:-1])


@pytest.fixture
def table() -> tuple[RewardMatrix, Embeddings]:
    return Planted(space_of(2, 2, 2, 2, 2)).draw(np.random.default_rng(1))


@pytest.mark.parametrize("step", [1, 2])
def test_gradient_of_the_evidence(table: tuple[RewardMatrix, Embeddings], step: int) -> None:
    matrix, embeddings = table
    measured_O = np.arange(0, 32, step)
    z_TO, _, _ = standardise(matrix.reward_TC[:, measured_O])
    distance_TT = Context.of(embeddings.unit_TD).distance(embeddings.unit_TD)
    evidence = Evidence(matrix.space, measured_O, z_TO, distance_TT)
    likelihood = evidence._spectral() if step == 1 else evidence._dense()
    theta = np.r_[0.5, -2, -1, -0.5, 0.2, 1.5, np.linspace(-2, 1, 5)]
    _, gradient = likelihood.evaluate(theta)
    tiny = 1e-5 * np.eye(len(theta))
    numeric = [(likelihood.evaluate(theta + d)[0] - likelihood.evaluate(theta - d)[0]) / 2e-5 for d in tiny]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-4)


def test_closed_form_equals_the_dense_one(table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    z_TO, _, _ = standardise(matrix.reward_TC)
    evidence = Evidence(matrix.space, np.arange(32), z_TO, Context.of(embeddings.unit_TD).distance(embeddings.unit_TD))
    theta = np.r_[0.5, -2, -1, -0.5, 0.2, 1.5, np.linspace(-2, 1, 5)]
    spectral, dense = evidence._spectral().evaluate(theta), evidence._dense().evaluate(theta)
    assert spectral[0] == pytest.approx(dense[0], rel=1e-9)
    np.testing.assert_allclose(spectral[1], dense[1], rtol=1e-6, atol=1e-8)


def test_a_known_kernel_is_recovered() -> None:
    space = space_of(2, 2, 2, 2, 2, 2)
    planted = Planted(space, tasks=40, rho=(0.9, 0.9, 0.5, 0.5, 0.03, 0.03), nugget=0.01, shared=0.2, group=0.3)
    found = fit(*planted.draw(np.random.default_rng(3))).found
    np.testing.assert_allclose(found.kernel.rho_P[:2], 0.9, atol=0.15)
    np.testing.assert_allclose(found.kernel.rho_P[2:4], 0.5, atol=0.2)
    assert (found.kernel.rho_P[4:] < 0.1).all()
    ratio = found.kernel.nugget / found.kernel.amplitude
    assert 0.005 < ratio < 0.02


def test_without_task_structure_it_answers_the_best_fixed_with_wide_intervals() -> None:
    planted = Planted(space_of(2, 2, 2, 2, 2), tasks=12, shared=0.5, group=0.0)
    matrix, embeddings = planted.draw(np.random.default_rng(4))
    shuffled = Embeddings("probe", matrix.tasks, np.random.default_rng(9).random((12, 40), dtype=np.float32) + 0.1)
    policy = fit(*without_last(matrix, shuffled))
    mean_C = standardise(matrix.reward_TC[:-1])[0].mean(axis=0)
    decision = policy.decide(shuffled.unit_TD[-1:], np.ones(32, dtype=bool))[0].argmax()
    assert mean_C[decision] > mean_C.max() - 0.1
    gain_C, sd_C = gain(policy.belief(shuffled.unit_TD[-1]))
    assert sd_C.mean() > gain_C.std()
    assert embeddings.tasks == shuffled.tasks


def test_embeddings_help_when_they_tell_the_group() -> None:
    planted = Planted(space_of(2, 2, 2, 2, 2), tasks=12, shared=0.0, group=0.9)
    right = {True: 0, False: 0}
    for seed in range(6):
        matrix, embeddings = planted.draw(np.random.default_rng(seed))
        for embedded in right:
            policy = fit(*without_last(matrix, embeddings), embedded=embedded)
            reward_C = matrix.reward_TC[-1]
            chosen = policy.belief(embeddings.unit_TD[-1]).mean_C.argmax()
            right[embedded] += int(reward_C[chosen] > np.quantile(reward_C, 0.9))
    assert right[True] >= 5
    assert right[True] > right[False]


def test_intervals_cover() -> None:
    """200 planted tables: 95 % intervals of a new task, before and after four measurements."""
    planted = Planted(space_of(2, 2, 2, 2), tasks=9)
    inside = {0: [], 4: []}
    for seed in range(200):
        matrix, embeddings = planted.draw(np.random.default_rng(1000 + seed))
        policy = fit(*without_last(matrix, embeddings))
        belief = policy.belief(embeddings.unit_TD[-1])
        reward_C = matrix.reward_TC[-1]
        gain_C, sd_C = gain(belief)
        inside[0].append(np.abs(reward_C - reward_C.mean() - gain_C) < 1.96 * sd_C)
        measured = np.random.default_rng(seed).choice(16, 4, replace=False)
        mean_C, sd_C = belief.given(measured, reward_C[measured]).reward()
        rest = np.delete(np.arange(16), measured)
        inside[4].append((np.abs(reward_C - mean_C) < 1.96 * sd_C)[rest])
    for count, hits in inside.items():
        assert 0.9 <= np.mean(np.concatenate(hits)) <= 0.99, (count, np.mean(np.concatenate(hits)))


@pytest.mark.parametrize("levels", [(2, 2, 2, 2, 2), (3, 4, 2), (5, 3)])
def test_missing_cells_are_filled_well(levels: tuple[int, ...]) -> None:
    planted = Planted(space_of(*levels), tasks=10, rho=0.3, shared=0.5)
    matrix, embeddings = planted.draw(np.random.default_rng(6))
    rng = np.random.default_rng(7)
    hidden_TC = rng.random(matrix.reward_TC.shape) < 0.3
    partial = replace(matrix, accuracy_TCS=np.where(hidden_TC[..., None], np.nan, matrix.accuracy_TCS))
    policy = fit(partial, embeddings)
    true_TC, found_TC = standardise(matrix.reward_TC)[0], policy.z_TC
    assert np.corrcoef(true_TC[hidden_TC], found_TC[hidden_TC])[0, 1] > 0.6
    np.testing.assert_allclose(policy.probabilities(embeddings.unit_TD).sum(axis=1), 1.0)


def test_configurations_no_task_has_are_predicted_and_less_sure() -> None:
    planted = Planted(space_of(2, 2, 2, 2, 2, 2), tasks=10, rho=0.3, nugget=0.001, shared=0.4)
    matrix, embeddings = planted.draw(np.random.default_rng(8))
    kept_C = matrix.space.digits_CP.sum(axis=1) % 2 == 0  # a half fraction
    half = replace(matrix, accuracy_TCS=np.where(kept_C[:, None], matrix.accuracy_TCS, np.nan))
    policy = fit(half, embeddings)
    true_TC = matrix.reward_TC[:, ~kept_C]
    assert np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(true_TC, policy.z_TC[:, ~kept_C], strict=True)]) > 0.7
    variance_C = policy.belief(embeddings.unit_TD[0]).variance_C
    assert variance_C[~kept_C].mean() > variance_C[kept_C].mean()
    assert np.isfinite(variance_C).all()


def test_a_modelled_table_keeps_what_was_measured_and_predicts_the_rest() -> None:
    planted = Planted(space_of(2, 2, 2, 2, 2, 2), tasks=8, rho=0.3, nugget=0.001)
    matrix, embeddings = planted.draw(np.random.default_rng(9))
    holed = matrix.accuracy_TCS.copy()
    holed[:, matrix.space.digits_CP.sum(axis=1) % 2 == 1] = np.nan  # a half fraction
    full = modelled(replace(matrix, accuracy_TCS=holed), embeddings)
    known_TC = ~np.isnan(holed[..., 0])
    assert (full.reward_TC[known_TC] == matrix.reward_TC[known_TC]).all()
    error = (full.reward_TC - matrix.reward_TC)[~known_TC]
    mean_T1 = np.nanmean(holed[..., 0], axis=1, keepdims=True)
    assert (error**2).mean() < 0.5 * ((matrix.reward_TC - mean_T1)[~known_TC] ** 2).mean()


def test_noise_comes_from_seeds() -> None:
    matrix, embeddings = Planted(space_of(2, 2, 2, 2, 2), seeds=3, noise_sd=0.7).draw(np.random.default_rng(2))
    policy = fit(matrix, embeddings)
    assert policy.noise.at(float("nan"))(50.0) == pytest.approx(0.7, rel=0.1)
    assert policy.kernel.nugget < policy.found.kernel.nugget


def photographed(seed: int, pictures: int = 80) -> tuple[RewardMatrix, Embeddings]:
    """A planted table with one seed: what is reported is exact, what is looked at is counted on so many pictures."""
    rng = np.random.default_rng(seed)
    matrix, embeddings = Planted(space_of(2, 2, 2, 2, 2), tasks=12, nugget=0.05, rho=0.4).draw(rng)
    true_TCS = np.clip(matrix.accuracy_TCS, 1, 99)
    val_TCS = 100 * rng.binomial(pictures, true_TCS / 100) / pictures
    n_val_T = np.full(12, float(pictures))
    return replace(matrix, accuracy_TCS=true_TCS, val_TCS=val_TCS, n_val_T=n_val_T), embeddings


def test_with_one_seed_the_noise_of_so_many_pictures_is_known() -> None:
    covered, gains = {True: [], False: []}, []
    for seed in range(30):
        table, embeddings = photographed(seed)
        measured = np.random.default_rng(seed).choice(32, 12, replace=False)
        for counted in covered:
            matrix = table if counted else replace(table, n_val_T=None)
            policy = fit(*without_last(matrix, embeddings))
            noise_sd = policy.noise.at(matrix.pictures_T[-1])(50.0)
            belief = policy.belief(embeddings.unit_TD[-1])
            seen_K = table.signal_TC[-1, measured]
            mean_C, sd_C = belief.given(measured, seen_K, noise_sd=noise_sd).reward()
            covered[counted].append(np.abs(table.reward_TC[-1] - mean_C)[measured] < 1.96 * sd_C[measured] + 1e-9)
            if not counted:
                assert noise_sd == 0
                continue
            assert 1.5 < noise_sd <= 5.6  # the binomial one is 5.6
            assert policy.kernel.nugget < policy.found.kernel.nugget
            error = [np.mean((guess - table.reward_TC[-1, measured]) ** 2) for guess in (seen_K, mean_C[measured])]
            gains.append(error[1] / error[0])
    assert np.mean(gains) < 0.7  # less error than what was counted
    assert np.mean(covered[False]) < 0.2
    assert np.mean(covered[True]) > 0.8


def test_bad_input(table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    with pytest.raises(BadInput, match="at least 2"):
        fit(matrix.select(matrix.tasks[:1]), embeddings.select(matrix.tasks[:1]))
    with pytest.raises(BadInput, match="different tasks"):
        fit(matrix, embeddings.select(matrix.tasks[::-1]))
    empty = matrix.accuracy_TCS.copy()
    empty[0] = np.nan
    with pytest.raises(BadInput, match="task00 has 0 rewards"):
        fit(replace(matrix, accuracy_TCS=empty), embeddings)
    policy = fit(matrix, embeddings)
    with pytest.raises(BadInput, match="not finite"):
        policy.belief(np.full(40, np.nan, dtype=np.float32))
    with pytest.raises(BadInput, match="same probe"):
        policy.belief(np.ones(7, dtype=np.float32))


def test_constant_rewards_and_duplicate_embeddings_have_an_answer(table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    constant = replace(matrix, accuracy_TCS=np.full_like(matrix.accuracy_TCS, 40.0))
    same = Embeddings("probe", matrix.tasks, np.tile(embeddings.vector_TD[:1], (len(matrix.tasks), 1)))
    for rewards in (matrix, constant):
        for vectors in (embeddings, same):
            policy = fit(rewards, vectors)
            mean_C, sd_C = gain(policy.belief(vectors.unit_TD[0]))
            assert np.isfinite(mean_C).all()
            assert np.isfinite(sd_C).all()
            assert policy.decide(vectors.unit_TD, np.ones(32, dtype=bool)).sum() == len(matrix.tasks)


def test_probabilities_repeat(table: tuple[RewardMatrix, Embeddings]) -> None:
    policy = fit(*table)
    first, second = (policy.probabilities(table[1].unit_TD) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.sum(axis=1), 1.0)
