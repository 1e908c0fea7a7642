"""Measured shortlists: measure a few kept backbones on a new task, one after another, and answer with the best.

`shortlist` needs a belief about the task and a function that measures one configuration; it returns the path and the
answer. `curve` replays that on a table, beside strategies that measure K configurations without a belief.

The next configuration is the one of highest expected improvement over the best measured. The first is the one of
highest mean: it is what would be answered without measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln
from threadpoolctl import ThreadpoolController

from t2s_offline.analysis.oracle import seeds_of_all
from t2s_offline.analysis.seed_noise import CellNoise, seeds_T
from t2s_offline.errors import BadInput
from t2s_offline.learners.baselines import greedy_portfolio, mean_standardised
from t2s_offline.learners.learner import Learner
from t2s_offline.learners.posterior import Belief
from t2s_offline.learners.surrogate import Surrogate, SurrogatePolicy
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: index of a configuration -> its reward (percent, or the score of logme) on the part of the task that may be looked at
Measure = Callable[[int], float]


class Believing(Protocol):
    """A policy that can say what it believes of a task, such as the surrogate's, and how noisy a measurement is."""

    @property
    def noise(self) -> CellNoise: ...

    def belief(self, unit_D: npt.NDArray[np.float32]) -> Belief: ...


@dataclass(frozen=True)
class Step:
    """One measurement. expected, sd: the belief before it, in percent; answer: the answer if it were the last."""

    configuration: str
    expected: float
    sd: float
    measured: float
    answer: str


@dataclass(frozen=True)
class Shortlist:
    """Where measuring led. mean_C, sd_C: every configuration's reward afterwards, in percent."""

    configuration: str
    steps: tuple[Step, ...]
    mean_C: Float64
    sd_C: Float64

    def as_dicts(self) -> list[dict[str, Any]]:
        """The path as rows, for tables and JSON."""
        return [vars(step).copy() for step in self.steps]


def shortlist(
    belief: Belief,
    measure: Measure,
    count: int,
    *,
    allowed_C: npt.NDArray[np.bool_] | None = None,
    noise_sd: float | Callable[[float], float] = 0.0,
) -> Shortlist:
    """Measure `count` configurations out of the allowed ones (default all), one after another.

    noise_sd: SD of one measurement about what is reported, in percent, or that by the task's mean accuracy in percent,
    for which the mean of what was measured so far is taken. Without noise the answer is the best measured;
    with noise it is the measured one of highest posterior mean. With `count` 0 it is the highest prior mean.
    """
    space = belief.kernel.space
    allowed_C = np.ones(len(space), dtype=bool) if allowed_C is None else allowed_C
    check_count(count, int(allowed_C.sum()))
    index_K = np.zeros(0, dtype=np.int64)
    reward_K = np.zeros(0)
    cross_CK = np.zeros((len(space), 0))
    single = ThreadpoolController()  # small products: threads cost more than they give; measuring keeps its own
    posterior = belief.given(index_K, reward_K)
    mean_C, sd_C = posterior.reward()
    steps: list[Step] = []
    spread = 0.0
    # the prior mean of a reward includes the level, which is the same for all: rank by the standardised mean
    answer = int(np.where(allowed_C, belief.mean_C, -np.inf).argmax())
    for number in range(count):
        if number:
            best = float(reward_K.max() if spread == 0 else mean_C[index_K].max())
            score_C = np.where(allowed_C, posterior.expected_improvement(best), -np.inf)
            score_C[index_K] = -np.inf
            chosen = int(score_C.argmax())
        else:
            chosen = answer
        reward = measure(chosen)
        if not np.isfinite(reward):
            raise BadInput(f"measuring configuration {space.configurations[chosen]} gave {reward}; expected a number")
        expected, sd = float(mean_C[chosen]), float(sd_C[chosen])
        index_K, reward_K = np.r_[index_K, chosen], np.r_[reward_K, reward]
        spread = noise_sd(float(reward_K.mean())) if callable(noise_sd) else noise_sd
        with single.limit(limits=1):
            cross_CK = np.c_[cross_CK, belief.columns(index_K[-1:])]
            posterior = belief.given_columns(cross_CK, index_K, reward_K, noise_sd=spread)
            mean_C, sd_C = posterior.reward()
        answer = int(index_K[(reward_K if spread == 0 else mean_C[index_K]).argmax()])
        steps.append(Step(space.configurations[chosen], expected, sd, float(reward), space.configurations[answer]))
    return Shortlist(space.configurations[answer], tuple(steps), mean_C, sd_C)


def check_count(count: int, available: int) -> None:
    """BadInput when more is to be measured than there is."""
    if not 0 <= count <= available:
        raise BadInput(f"measure {count}: expected 0 to {available}, the configurations that can be measured")


def replay(
    belief: Belief,
    signal_C: Float64,
    reward_C: Float64,
    counts: Sequence[int],
    *,
    noise_sd: float | Callable[[float], float] = 0.0,
) -> Float64:
    """Rewards (percent) that `shortlist` obtains on a task of a table after each count, shape (len(counts),).

    signal_C: what measuring shows, NaN where missing; reward_C: what is reported (the same without a val part).
    """
    allowed_C = np.isfinite(signal_C) & np.isfinite(reward_C)
    for count in counts:
        check_count(count, int(allowed_C.sum()))
    space = belief.kernel.space
    path = shortlist(belief, lambda index: float(signal_C[index]), max(counts), allowed_C=allowed_C, noise_sd=noise_sd)
    first = int(np.where(allowed_C, belief.mean_C, -np.inf).argmax())
    answers = [first, *(space.index(step.answer) for step in path.steps)]
    return reward_C[[answers[count] for count in counts]]


def replay_top(score_C: Float64, signal_C: Float64, reward_C: Float64, counts: Sequence[int]) -> Float64:
    """Rewards of measuring the `count` configurations of highest score and keeping the best, shape (len(counts),)."""
    allowed = np.flatnonzero(np.isfinite(signal_C) & np.isfinite(reward_C))
    order = allowed[np.argsort(-score_C[allowed], kind="stable")]
    for count in counts:
        check_count(count, len(order))
    return reward_C[[order[: max(count, 1)][signal_C[order[: max(count, 1)]].argmax()] for count in counts]]


def replay_random(signal_C: Float64, reward_C: Float64, counts: Sequence[int]) -> Float64:
    """Expected rewards of measuring `count` configurations drawn without replacement and keeping the best, exactly.

    Nothing is drawn: the r-th best of C is the best of K drawn with probability choose(C - r, K - 1) / choose(C, K).
    """
    allowed = np.flatnonzero(np.isfinite(signal_C) & np.isfinite(reward_C))
    order = allowed[np.argsort(-signal_C[allowed], kind="stable")]
    size = len(order)
    rewards = []
    for count in counts:
        check_count(count, size)
        drawn = max(count, 1)  # with nothing measured one is still drawn
        rest = size - 1 - np.arange(size - drawn + 1)
        chance = np.exp(_log_choose(rest, drawn - 1) - _log_choose(np.array(size), drawn))
        rewards.append(float(chance @ reward_C[order[: size - drawn + 1]]))
    return np.array(rewards)


def _log_choose(total: Ints, chosen: int) -> Float64:
    return np.asarray(gammaln(total + 1.0) - gammaln(chosen + 1.0) - gammaln(total - chosen + 1.0))


def curve(
    matrix: RewardMatrix,
    embeddings: Embeddings,
    learner: Learner[Believing],
    folds: Sequence[tuple[Sequence[str], str]],
    counts: Sequence[int],
    *,
    taught: RewardMatrix | None = None,
) -> dict[str, Float64]:
    """Rewards in percent after each count for each fold's test task, by strategy, each (len(counts), folds).

    folds: (training tasks, test task); taught: the rewards that learners may see of training tasks, all by default
    (a fraction, to see what a smaller sweep would have given). Strategies: the learner's measured shortlist under its
    name; prior_top: its prior's best K; fixed_top: the K configurations with the highest mean standardised reward on
    the training tasks; portfolio: the first K of their greedy portfolio; random.
    """
    if not counts or not folds:
        raise BadInput("a curve needs at least one count and one task")
    seeds = seeds_T(matrix)
    taught = taught or matrix
    prepared: dict[tuple[str, ...], tuple[Believing, Float64, Float64]] = {}
    rows: dict[str, list[Float64]] = {}
    for train, test in folds:
        if tuple(train) not in prepared:  # relatives share their training tasks
            known = taught.select(train)
            policy = learner.fit(known, embeddings.select(train), rng=derive_rng(learner.name, matrix.recipe, 0))
            prepared[tuple(train)] = policy, mean_standardised(known.signal_TC), portfolio_score(known.signal_TC)
        policy, mean_C, portfolio_C = prepared[tuple(train)]
        belief = policy.belief(embeddings.select((test,)).unit_TD[0])
        at = matrix.position(test)
        signal_C, reward_C = matrix.signal_TC[at], matrix.reward_TC[at]
        noise_sd = policy.noise.at(matrix.pictures_T[at], seeds[at])
        obtained = {
            learner.name: replay(belief, signal_C, reward_C, counts, noise_sd=noise_sd),
            "prior_top": replay_top(belief.mean_C, signal_C, reward_C, counts),
            "fixed_top": replay_top(mean_C, signal_C, reward_C, counts),
            "portfolio": replay_top(portfolio_C, signal_C, reward_C, counts),
            "random": replay_random(signal_C, reward_C, counts),
        }
        for name, reward_K in obtained.items():
            rows.setdefault(name, []).append(reward_K)
    return {name: np.array(reward_FK).T for name, reward_FK in rows.items()}


def crossed_curve(
    matrix: RewardMatrix,
    embeddings: Embeddings,
    learner: Learner,
    folds: Sequence[tuple[Sequence[str], str]],
    counts: Sequence[int],
    *,
    taught: RewardMatrix | None = None,
) -> dict[str, Float64] | None:
    """As `curve`, but measured with all seeds but one and scored on the one that is left, mean over the seeds: what is
    found by luck is not scored as luck again. None where `oracle.cross_fitted_T` is, or with too few configurations."""
    whole = seeds_of_all(matrix)
    if len(whole) < 2 or max(counts) > matrix.measured_C.sum():
        return None
    found = []
    for at in whole:
        others = [seed for seed in whole if seed != at]
        signal_TCS = matrix.signal_TCS[:, :, others].mean(axis=2, keepdims=True)
        reward_TCS = np.where(np.isnan(signal_TCS), np.nan, matrix.accuracy_TCS[:, :, [at]])
        one = replace(matrix, accuracy_TCS=reward_TCS, val_TCS=signal_TCS, n_val_T=matrix.pictures_T)
        found.append(curve(one, embeddings, learner, folds, counts, taught=taught or matrix))
    return {name: np.mean([part[name] for part in found], axis=0) for name in found[0]}


@dataclass(frozen=True)
class Remembered:
    """The surrogate, which draws nothing at random, fitted once a set of training tasks: its shortlists ask for the
    same fits again."""

    learner: Surrogate = field(default_factory=Surrogate)
    name: str = "surrogate"
    seeded: bool = False
    fitted: dict[tuple[str, ...], SurrogatePolicy] = field(default_factory=dict)

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> SurrogatePolicy:
        if matrix.tasks not in self.fitted:
            self.fitted[matrix.tasks] = self.learner.fit(matrix, embeddings, rng=rng)
        return self.fitted[matrix.tasks]


def portfolio_score(signal_TC: Float64) -> Float64:
    """Minus the place of each configuration in the greedy portfolio of these tasks, shape (C,)."""
    score_C = np.empty(signal_TC.shape[1])
    score_C[greedy_portfolio(signal_TC)] = -np.arange(signal_TC.shape[1])
    return score_C
