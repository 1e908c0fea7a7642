"""Tests that would catch a wrong Algorithm 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.policy import FactoredPolicy
from t2s_offline.learners.reinforce import Heads, LeakyHeads, Memory, Reinforce
from t2s_offline.learners.reward_source import RewardSource
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimParam, SimSpace

Float64 = npt.NDArray[np.float64]

SPACES = [
    SimSpace((SimParam("a"), SimParam("b"), SimParam("c"))),
    SimSpace((SimParam("a", 3), SimParam("b", 2), SimParam("c", 4))),
]
#: enough for the tiny tables here; the published hyperparameters are tested on the published table
QUICK = Reinforce(epochs=600, hidden=40, warmup_epochs=20, imitation_start=30, decay_epochs=600, learning_rate=3e-3)


def logits(space: SimSpace, tasks: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(tasks, int(space.levels_P.sum()))).astype(np.float32)


def joint(heads: Heads, space: SimSpace, chance_BPK: Float64) -> Float64:
    """P(a) of every configuration, shape (B, C)."""
    at = np.arange(len(space.params))
    return np.stack([chance_BPK[:, at, digits].prod(axis=1) for digits in space.digits_CP], axis=1)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.25])  # 0.25: the least that the likeliest of 4 levels can have
def test_the_expected_sampled_gradient_is_the_exact_gradient(space: SimSpace, epsilon: float) -> None:
    """Summing the sampled gradient over every action, weighted by its chance, gives d E[R] / d logits exactly, whatever
    the noise and the baseline; the exact one is taken by finite differences of the sum over the full table."""
    heads, tasks = Heads(space), 3
    logit_BL = logits(space, tasks)
    reward_BC = np.random.default_rng(1).uniform(0, 100, size=(tasks, len(space)))
    chance = heads.softmax(logit_BL)
    greedy = chance.argmax(axis=2)
    noisy = heads.explore(chance, greedy, epsilon)
    action_chance_BC = joint(heads, space, noisy)
    baseline_B = reward_BC[np.arange(tasks), heads.index(greedy)]
    mean_BL = np.zeros(logit_BL.shape)
    for index, digits in enumerate(space.digits_CP):
        for task in range(tasks):  # one task at a time: the chances of their actions are independent
            advantage_B = np.zeros(tasks)
            advantage_B[task] = reward_BC[task, index] - baseline_B[task]
            gradient = heads.loss_gradient(chance, noisy, np.tile(digits, (tasks, 1)), advantage_B)
            if gradient is not None:
                mean_BL += action_chance_BC[task, index] * gradient

    # the noise is a constant added to the heads: move it along with them
    added = noisy - chance

    def expected(logit: npt.NDArray[np.float64]) -> float:
        moved = heads.softmax(logit.astype(np.float64)) + added  # type: ignore[arg-type]
        return -float((joint(heads, space, moved) * reward_BC).sum() / tasks)

    exact_BL = np.zeros(logit_BL.shape)
    for at in np.ndindex(logit_BL.shape):
        step = np.zeros(logit_BL.shape)
        step[at] = 1e-5
        exact_BL[at] = (expected(logit_BL + step) - expected(logit_BL - step)) / 2e-5
    assert np.allclose(mean_BL, exact_BL, atol=1e-4)


@pytest.mark.parametrize("space", SPACES)
def test_the_sampler_draws_the_noisy_heads(space: SimSpace) -> None:
    heads, draws = Heads(space), 40_000
    chance = heads.softmax(logits(space, 1))
    noisy = heads.explore(chance, chance.argmax(axis=2), 0.2)
    draw_BP = np.random.default_rng(3).random((draws, len(space.params)))
    action_BP = heads.sample(np.repeat(noisy, draws, axis=0), draw_BP)
    count_C = np.bincount(heads.index(action_BP), minlength=len(space))
    expected_C = joint(heads, space, noisy)[0]
    assert count_C.sum() == draws
    assert np.abs(count_C / draws - expected_C).max() < 4 * np.sqrt(0.25 / draws)


@pytest.mark.parametrize("space", SPACES)
def test_noise_moves_probability_off_the_likeliest_level(space: SimSpace) -> None:
    heads = Heads(space)
    chance = heads.softmax(logits(space, 4))
    noisy = heads.explore(chance, chance.argmax(axis=2), 0.3)
    assert np.allclose(noisy.sum(axis=2), 1)
    assert (noisy >= 0).all()
    assert np.allclose(chance.max(axis=2) - np.take_along_axis(noisy, chance.argmax(axis=2)[..., None], 2)[..., 0], 0.3)


def test_no_credit_leaks_between_tasks_of_a_minibatch() -> None:
    heads = Heads(SPACES[1])
    chance = heads.softmax(logits(SPACES[1], 4))
    action = chance.argmin(axis=2)
    gradient = heads.loss_gradient(chance, chance, action, np.array([0.0, 5.0, 0.0, 0.0]))
    assert gradient is not None
    assert not gradient[[0, 2, 3]].any()
    assert gradient[1].any()
    alone = heads.loss_gradient(chance[[1]], chance[[1]], action[[1]], np.array([5.0]))
    assert alone is not None
    assert np.allclose(gradient[1], alone[0] / 4, atol=1e-6)


def test_published_indexing_is_the_mean_over_the_whole_matrix() -> None:
    """The authors' loss written out in torch: -(advantage * log out[:, idx]).mean() over a (B, B) matrix."""
    import torch

    space, heads = SPACES[0], LeakyHeads(SPACES[0])
    logit_BL = logits(space, 4)
    chance = heads.softmax(logit_BL)
    action = chance.argmin(axis=2)
    advantage = np.array([3.0, -1.0, 0.0, 2.0])
    gradient = heads.loss_gradient(chance, chance, action, advantage)
    leaf = torch.from_numpy(logit_BL.astype(np.float64)).requires_grad_()
    out = torch.softmax(leaf.view(4, 3, 2), dim=2)
    total = sum(torch.log(out[:, head][:, torch.from_numpy(action[:, head])]) for head in range(3))
    (-torch.from_numpy(advantage) * total).mean().backward()
    assert gradient is not None
    assert leaf.grad is not None
    assert np.allclose(gradient, leaf.grad.numpy(), atol=1e-6)


def test_dropped_samples_do_not_count() -> None:
    heads = Heads(SPACES[0])
    chance = heads.softmax(logits(SPACES[0], 3))
    action = chance.argmin(axis=2)
    whole = heads.loss_gradient(chance[:2], chance[:2], action[:2], np.array([1.0, 2.0]))
    part = heads.loss_gradient(chance, chance, action, np.array([1.0, 2.0, np.nan]))
    assert whole is not None
    assert part is not None
    assert np.allclose(part[:2], whole)
    assert not part[2].any()
    assert heads.loss_gradient(chance, chance, action, np.full(3, np.nan)) is None


def test_memory_keeps_the_best_and_the_first_of_equals() -> None:
    memory = Memory(2)
    memory.keep(np.array([0, 1]), np.array([3, 4]), np.array([10.0, np.nan]))
    memory.keep(np.array([0]), np.array([5]), np.array([10.0]))
    assert memory.action_T[0] == 3
    assert memory.reward_T.tolist() == [10.0, -np.inf]
    memory.keep(np.array([1, 0]), np.array([6, 7]), np.array([-1.0, 11.0]))
    assert memory.action_T.tolist() == [7, 6]


def test_the_schedule_is_the_authors() -> None:
    learner = Reinforce()
    assert learner.rate(0) == 1e-6
    assert learner.rate(25) == pytest.approx((1e-6 + 1e-3) / 2)
    assert [learner.rate(epoch) for epoch in (50, 499, 500, 999)] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])
    assert [learner.epsilon(epoch) for epoch in (0, 4, 5, 9, 10)] == pytest.approx([0.4, 0.4, 0.2, 0.2, 0.4 / 3])


def test_a_planted_table_whose_best_depends_on_the_task_is_solved(
    planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    policy = QUICK.fit(planted, planted_embeddings, rng=np.random.default_rng(0))
    chance_TC = policy.probabilities(planted_embeddings.unit_TD)
    assert np.array_equal(chance_TC.argmax(axis=1), planted.reward_TC.argmax(axis=1))
    assert np.allclose(chance_TC.sum(axis=1), 1)


def test_nearly_parallel_embeddings_are_told_apart_about_their_mean(
    planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    parallel = replace(planted_embeddings, vector_TD=planted_embeddings.vector_TD + np.float32(20))
    cosine_TT = parallel.unit_TD @ parallel.unit_TD.T
    assert cosine_TT.min() > 0.99
    best_T = planted.reward_TC.argmax(axis=1)
    plain, about = (
        learner.fit(planted, parallel, rng=np.random.default_rng(0)) for learner in (QUICK, replace(QUICK, centre=True))
    )
    assert not np.array_equal(plain.probabilities(parallel.unit_TD).argmax(axis=1), best_T)
    assert np.array_equal(about.probabilities(parallel.unit_TD).argmax(axis=1), best_T)
    np.testing.assert_allclose(about.centre_D, parallel.unit_TD.mean(axis=0), atol=1e-6)
    assert plain.centre_D is None


def test_one_task_at_the_centre_breaks_nothing(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    one = planted.select(planted.tasks[:1]), planted_embeddings.select(planted.tasks[:1])
    policy = replace(QUICK, epochs=200, centre=True).fit(*one, rng=np.random.default_rng(0))
    assert np.isfinite(policy.probabilities(planted_embeddings.unit_TD)).all()


def test_a_space_of_more_levels_is_solved() -> None:
    space = SPACES[1]
    best = np.array([[0, 1, 3], [2, 0, 1], [1, 1, 0]])
    reward_TC = 90.0 - 10.0 * (space.digits_CP[None] != best[:, None]).sum(axis=2)
    tasks = ("x", "y", "z")
    vectors = np.abs(np.random.default_rng(8).normal(size=(3, 20))).astype(np.float32)
    matrix, embeddings = RewardMatrix("r", "knn5", space, tasks, reward_TC[..., None]), Embeddings("p", tasks, vectors)
    policy = QUICK.fit(matrix, embeddings, rng=np.random.default_rng(0))
    assert np.array_equal(policy.probabilities(embeddings.unit_TD).argmax(axis=1), reward_TC.argmax(axis=1))


def test_missing_cells_are_skipped(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    accuracy_TCS = planted.accuracy_TCS.copy()
    accuracy_TCS[:, [0, 6]] = np.nan  # neither is best for any task
    matrix = replace(planted, accuracy_TCS=accuracy_TCS)
    policy = QUICK.fit(matrix, planted_embeddings, rng=np.random.default_rng(0))
    decided = policy.decide(planted_embeddings.unit_TD, matrix.measured_C).argmax(axis=1)
    assert np.array_equal(decided, planted.reward_TC.argmax(axis=1))


def test_same_seed_same_policy(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    short = replace(QUICK, epochs=30)
    first, second, other = (
        short.fit(planted, planted_embeddings, rng=np.random.default_rng(seed)).networks[0] for seed in (1, 1, 2)
    )
    assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in vars(first))
    assert not np.array_equal(first.weight2, other.weight2)


def test_progress_and_counts(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    source, epochs = RewardSource(planted), []
    learner = replace(QUICK, epochs=22, imitation_start=20)
    learner.train(source, planted_embeddings, rng=np.random.default_rng(0), progress=epochs.append)
    assert epochs == list(range(22))
    # 4 tasks: 2 look-ups a task before self-imitation, and one more for each of its 5 steps
    assert source.hits == 20 * 8 + 2 * (8 + 5 * 4)


@pytest.mark.parametrize("change", [{"epochs": -1}, {"batch_size": 0}, {"learning_rate": float("nan")}, {"hidden": 0}])
def test_hyperparameters_that_cannot_be(change: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(change))):
        Reinforce(**change)  # type: ignore[arg-type]


def test_rewards_and_embeddings_must_be_of_the_same_tasks(
    planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    with pytest.raises(BadInput, match="same tasks"):
        QUICK.fit(planted, planted_embeddings.select(planted.tasks[::-1]), rng=np.random.default_rng(0))


def test_a_constant_table_teaches_nothing_and_breaks_nothing(
    planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    matrix = replace(planted, accuracy_TCS=np.full_like(planted.accuracy_TCS, 5.0))
    policy = replace(QUICK, epochs=30).fit(matrix, planted_embeddings, rng=np.random.default_rng(0))
    assert isinstance(policy, FactoredPolicy)
    assert np.isfinite(policy.probabilities(planted_embeddings.unit_TD)).all()
