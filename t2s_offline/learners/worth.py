"""What an answer is worth: the accuracy to expect, the gain over what one would do without it, and what ties with it.

Everything is read off joint draws from a task's posterior (`posterior.Belief.draw_given`), so that differences between
configurations have intervals of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.space import SimSpace

Float64 = npt.NDArray[np.float64]

#: A configuration ties with the answer while it is at least as good with more than this probability.
TIED = 0.05
LOW, HIGH = 2.5, 97.5  # percentiles of an interval of 95 %


@dataclass(frozen=True)
class Worth:
    """expected, low, high: reward of the answer in percent with its 95 % interval. gains: over other choices, each with
    ``over``, ``gain``, ``low``, ``high`` in percent. tied: configurations that cannot be told from the answer, the
    likeliest best first. p_best: probability that the answer is the best of all."""

    expected: float
    low: float
    high: float
    p_best: float
    gains: list[dict[str, Any]]
    tied: list[str]

    def as_dict(self) -> dict[str, Any]:
        return vars(self).copy()


def worth_of(
    space: SimSpace,
    answer: int,
    drawn_NC: Float64,
    others: Mapping[str, int],
    untrained: tuple[float, float] | None = None,
    rng: np.random.Generator | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Worth:
    """The worth of configuration `answer`. drawn_NC: rewards in percent drawn from the posterior, (N, C); others: what
    it is compared with by name; untrained: measured reward of an untrained network and the SD of its noise, percent;
    bounds: of a reward, 0 to 100 for accuracies, because the posterior is Gaussian and goes beyond."""
    reward_N = drawn_NC[:, answer]
    gains = [_gain(name, reward_N - drawn_NC[:, index]) for name, index in others.items()]
    if untrained is not None:
        level, noise_sd = untrained
        noise_N = (rng or np.random.default_rng(0)).normal(0.0, noise_sd, len(reward_N))
        gains.append(_gain("untrained", reward_N - level - noise_N))
    best_C = best_probability(drawn_NC)
    ahead_C = (drawn_NC >= reward_N[:, None]).mean(axis=0)
    ahead_C[answer] = 0.0
    tied = [index for index in np.argsort(-best_C, kind="stable") if ahead_C[index] > TIED]
    reward_N = reward_N.clip(*bounds)
    low, high = np.percentile(reward_N, [LOW, HIGH])
    return Worth(
        expected=float(reward_N.mean()), low=float(low), high=float(high), p_best=float(best_C[answer]), gains=gains,
        tied=[space.configurations[index] for index in tied],
    )  # fmt: skip


def best_probability(drawn_NC: Float64) -> Float64:
    """Probability of each configuration of being the best, shape (C,)."""
    return np.bincount(drawn_NC.argmax(axis=1), minlength=drawn_NC.shape[1]) / len(drawn_NC)


def level_probabilities(space: SimSpace, best_C: Float64) -> dict[str, list[float]]:
    """Probability that the best configuration has each level, by parameter."""
    digit_CP = np.array([[int(digit, 36) for digit in name] for name in space.configurations])
    return {
        param.name: [float(best_C[digit_CP[:, place] == level].sum()) for level in range(param.levels)]
        for place, param in enumerate(space.params)
    }


def _gain(name: str, difference_N: Float64) -> dict[str, Any]:
    low, high = np.percentile(difference_N, [LOW, HIGH])
    return {"over": name, "gain": float(difference_N.mean()), "low": float(low), "high": float(high)}
