"""Exact policy gradient: the expected reward of a factored policy summed over all configurations, without sampling.

The objective is equation 1 of the Task2Sim paper, E[R] = sum over configurations c of P(c) R(c), on rewards
standardised by task; a missing cell counts as the task's mean. The policy is that of Algorithm 1 and is saved in the
same form.

Two things differ from Algorithm 1 besides the sampling:
- Inputs are centred and whitened (`embedding_space.whitening`); the projection is then folded into the first layer.
  With nearly parallel embeddings gradient ascent otherwise ends at one configuration for all tasks.
- E[R] of independent heads has local maxima that no change of a single head leaves. With `risk` = b > 0 the gradient is
  that of the exponential utility log E[exp(b R)] / b (Howard and Matheson 1972), which for large b is near max R. b
  falls linearly to 0 over the first three quarters of the epochs, so that the last quarter maximises E[R].
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from t2s_offline.errors import BadInput
from t2s_offline.learners.embedding_space import whitening
from t2s_offline.learners.learner import check_same_tasks
from t2s_offline.learners.policy import MLP, FactoredPolicy, softmax
from t2s_offline.learners.posterior import standardise
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam's defaults (Kingma and Ba 2015, algorithm 1)


@dataclass(frozen=True)
class Exact:
    """Hyperparameters: steps of Adam on all tasks at once, units of each hidden layer, Adam's rate at the start (it
    falls linearly to 0), and the risk parameter b at the start, per SD of a task's rewards. BadInput for a value out
    of range.
    """

    epochs: int = 200
    hidden: int = 64
    learning_rate: float = 0.01
    risk: float = 16.0
    name: str = "exact"
    seeded: bool = True

    def __post_init__(self) -> None:
        for field in fields(self)[:4]:
            value = getattr(self, field.name)
            if not np.isfinite(value) or value < 0 or (value < 1 and field.name == "hidden"):
                raise BadInput(f"{field.name} is {value}; expected a number of at least {int(field.name == 'hidden')}")

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> FactoredPolicy:
        """Train one network on the standardised rewards; `rng` draws its initial weights."""
        with threadpool_limits(1):  # small products: threads cost more than they give, and would change rounding
            return self._fit(matrix, embeddings, rng)

    def _fit(self, matrix: RewardMatrix, embeddings: Embeddings, rng: np.random.Generator) -> FactoredPolicy:
        check_same_tasks(matrix, embeddings)
        z_TC = np.nan_to_num(standardise(matrix.signal_TC)[0])
        centre_D, project_RD = whitening(embeddings.unit_TD)
        context_TR = (embeddings.unit_TD - centre_D) @ project_RD.T
        heads_CL = one_hot_levels(matrix.space)
        layers = self._start(context_TR.shape[1], heads_CL.shape[1], rng)
        first = [np.zeros_like(layer) for layer in layers]
        second = [np.zeros_like(layer) for layer in layers]
        for epoch in range(self.epochs):
            done = epoch / self.epochs
            rate = self.learning_rate * (1 - done)
            gradients = _gradients(
                layers, context_TR, z_TC, heads_CL, matrix.space, self.risk * max(0.0, 1 - done / 0.75)
            )
            for layer, gradient, m, v in zip(layers, gradients, first, second, strict=True):
                m += (1 - BETA1) * (gradient - m)
                v += (1 - BETA2) * (gradient**2 - v)
                bias1, bias2 = 1 - BETA1 ** (epoch + 1), 1 - BETA2 ** (epoch + 1)
                layer += rate * (m / bias1) / (np.sqrt(v / bias2) + EPSILON)
        weight1, bias1_H, *rest = layers
        folded_HD = weight1 @ project_RD  # W P (x - centre) = (W P) x - (W P) centre
        folded = [folded_HD, bias1_H - folded_HD @ centre_D, *rest]
        return FactoredPolicy(matrix.space, (MLP(*(layer.astype(np.float32) for layer in folded)),))

    def _start(self, inputs: int, outputs: int, rng: np.random.Generator) -> list[Float64]:
        """Normal weights of variance 2 / inputs (He et al. 2015); the last layer is zero: all configurations are
        equally likely."""
        sizes = ((self.hidden, inputs), (self.hidden, self.hidden))
        layers = []
        for rows, columns in sizes:
            layers += [rng.standard_normal((rows, columns)) * np.sqrt(2 / max(columns, 1)), np.zeros(rows)]
        return [*layers, np.zeros((outputs, self.hidden)), np.zeros(outputs)]


def one_hot_levels(space: SimSpace) -> Float64:
    """1 where a configuration has a level of a head, else 0; shape (C, L), L the sum of levels."""
    start_P = np.r_[0, np.cumsum(space.levels_P)[:-1]]
    heads_CL = np.zeros((len(space), int(space.levels_P.sum())))
    np.put_along_axis(heads_CL, space.digits_CP + start_P, 1.0, axis=1)
    return heads_CL


def expected_gradient(
    logit_TL: Float64, z_TC: Float64, heads_CL: Float64, space: SimSpace, risk: float = 0.0
) -> tuple[Float64, Float64]:
    """Expected reward (T,), and the gradient at the logits (T, L) of E[r], or of log E[exp(risk r)] / risk for risk >
    0.

    d E[r] / d logit of level l = sum over configurations c with level l of P(c) r(c), minus P(l) E[r]. The other
    gradient is (Q(l) - P(l)) / risk, where Q(c) is proportional to P(c) exp(risk r(c)).
    """
    chance_TL = np.concatenate(
        [softmax(part) for part in np.split(logit_TL, np.cumsum(space.levels_P)[:-1], axis=1)], axis=1
    )
    joint_TC = np.ones((len(logit_TL), 1))
    for part_TK in np.split(chance_TL, np.cumsum(space.levels_P)[:-1], axis=1):
        joint_TC = (joint_TC[:, :, None] * part_TK[:, None, :]).reshape(len(logit_TL), -1)
    expected_T = (joint_TC * z_TC).sum(axis=1)
    if risk > 0:
        weight_TC = joint_TC * np.exp(risk * (z_TC - z_TC.max(axis=1, keepdims=True)))
        weight_TC /= np.maximum(weight_TC.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return expected_T, (weight_TC @ heads_CL - chance_TL) / risk
    return expected_T, (joint_TC * z_TC) @ heads_CL - chance_TL * expected_T[:, None]


def _gradients(
    layers: list[Float64], context_TR: Float64, z_TC: Float64, heads_CL: Float64, space: SimSpace, risk: float
) -> list[Float64]:
    """Gradients of the mean objective over tasks by backpropagation, in the order of `layers`."""
    weight1, bias1, weight2, bias2, weight3, bias3 = layers
    hidden1_TH = np.maximum(context_TR @ weight1.T + bias1, 0)
    hidden2_TH = np.maximum(hidden1_TH @ weight2.T + bias2, 0)
    _, slope_TL = expected_gradient(hidden2_TH @ weight3.T + bias3, z_TC, heads_CL, space, risk)
    slope_TL /= len(context_TR)
    slope2_TH = (slope_TL @ weight3) * (hidden2_TH > 0)
    slope1_TH = (slope2_TH @ weight2) * (hidden1_TH > 0)
    return [
        slope1_TH.T @ context_TR,
        slope1_TH.sum(axis=0),
        slope2_TH.T @ hidden1_TH,
        slope2_TH.sum(axis=0),
        slope_TL.T @ hidden2_TH,
        slope_TL.sum(axis=0),
    ]
