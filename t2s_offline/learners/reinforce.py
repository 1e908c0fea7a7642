"""Algorithm 1 of the paper: REINFORCE with a self-critical baseline, exploration noise and self-imitation.

Equations and line numbers in this module are those of the Task2Sim paper (arXiv:2112.00054, section 3). For a task with
embedding e and a configuration a drawn from the policy, the loss of a sample is

    - (R(e, a) - R(e, greedy a)) x sum over parameters i of log P_i(a_i | e)                            (equation 4)

where P_i is the softmax head of parameter i with exploration noise added and greedy a takes the likeliest level of each
head (self-critical baseline). From epoch `imitation_start` on every mini-batch is followed by `imitation_steps` steps
towards the best configuration seen for each task (lines 13 to 16). docs/paper.md lists what differs from the paper and
from the authors' training script.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.learners.learner import check_same_tasks
from t2s_offline.learners.policy import MLP, FactoredPolicy, centred
from t2s_offline.learners.reward_source import RewardSource
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Progress = Callable[[int], None]


def _option(default: float, text: str) -> Any:
    """A field that `t2s-offline learn` offers as an option, with this default and help."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Reinforce:
    """Hyperparameters of Algorithm 1; the defaults are the authors' values. BadInput for a value out of range."""

    epochs: int = _option(1000, "Passes over the training tasks.")
    batch_size: int = _option(4, "Tasks of a mini-batch.")
    hidden: int = _option(400, "Units of each hidden layer.")
    learning_rate: float = _option(1e-3, "SGD learning rate.")
    momentum: float = _option(0.9, "SGD momentum.")
    weight_decay: float = _option(1e-5, "SGD weight decay.")
    warmup_epochs: int = _option(50, "Epochs of linear warm-up.")
    warmup_rate: float = _option(1e-6, "Learning rate at the start.")
    decay_epochs: int = _option(500, "Epochs after which the rate drops.")
    decay_factor: float = _option(0.1, "Factor it drops by.")
    noise: float = _option(0.4, "Exploration noise at the start.")
    noise_epochs: int = _option(5, "Epochs between drops of the noise.")
    imitation_steps: int = _option(5, "Self-imitation steps a mini-batch.")
    imitation_start: int = _option(50, "Epoch self-imitation starts at.")
    #: An ablation: gather log-probabilities as the authors' script does (`LeakyHeads`).
    published_indexing: bool = False
    #: Not in the paper. Where embeddings are nearly parallel the network cannot tell tasks apart without it.
    centre: bool = _option(False, "Subtract the training tasks' mean embedding first.")

    seeded: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return ("published_indexing" if self.published_indexing else "reinforce") + ("_centred" if self.centre else "")

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            least = 1 if setting.name in ("batch_size", "hidden", "decay_epochs", "noise_epochs") else 0
            if not np.isfinite(value) or value < least:
                raise BadInput(f"{setting.name} is {value}; expected a number of at least {least}")

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> FactoredPolicy:
        """Train one network. A sample whose cell is missing is dropped."""
        network = self.train(RewardSource(matrix, on_miss="skip"), embeddings, rng=rng)
        return FactoredPolicy(matrix.space, (network,), self.centre_of(embeddings))

    def centre_of(self, embeddings: Embeddings) -> Float32 | None:
        """The mean of the unit embeddings, shape (D,), which is subtracted from each; None without `centre`."""
        return embeddings.unit_TD.mean(axis=0, dtype=np.float64).astype(np.float32) if self.centre else None

    def rate(self, epoch: int) -> float:
        """Learning rate of an epoch: linear warm-up, then a step down every `decay_epochs`."""
        if epoch < self.warmup_epochs:
            return self.warmup_rate + epoch * (self.learning_rate - self.warmup_rate) / self.warmup_epochs
        return self.learning_rate * self.decay_factor ** (epoch // self.decay_epochs)

    def epsilon(self, epoch: int) -> float:
        """Exploration noise of an epoch (Algorithm 1, line 5)."""
        return self.noise / np.ceil((epoch + 1) / self.noise_epochs)

    def train(
        self,
        source: RewardSource,
        embeddings: Embeddings,
        *,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> MLP:
        """Train one network on rewards from `source`; `progress` is called with the number of the epoch that ended."""
        from t2s_offline.learners.span import SpanNetwork  # imports scipy.linalg, which `learn --help` can do without

        matrix = source.matrix
        check_same_tasks(matrix, embeddings)
        heads = (LeakyHeads if self.published_indexing else Heads)(matrix.space)
        network = SpanNetwork(
            centred(embeddings.unit_TD, self.centre_of(embeddings)),
            self.hidden,
            int(matrix.space.levels_P.sum()),
            momentum=self.momentum,
            decay=self.weight_decay,
            rng=rng,
        )
        memory = Memory(len(matrix.tasks))
        for epoch in range(self.epochs):
            rate, epsilon = self.rate(epoch), self.epsilon(epoch)
            order_T = rng.permutation(len(matrix.tasks))
            draw_TP = rng.random((len(order_T), len(matrix.space.params)))
            for start in range(0, len(order_T), self.batch_size):
                task_B = order_T[start : start + self.batch_size]
                draw_BP = draw_TP[start : start + self.batch_size]
                for sub_step in range(1 + (self.imitation_steps if epoch >= self.imitation_start else 0)):
                    chance_BPK = heads.softmax(network.forward(task_B))
                    greedy_BP = chance_BPK.argmax(axis=2)
                    if sub_step == 0:
                        noisy_BPK = heads.explore(chance_BPK, greedy_BP, epsilon)
                        action_BP = heads.sample(noisy_BPK, draw_BP)
                        action_B = heads.index(action_BP)
                        reward_B = source.rewards(task_B, action_B)
                        memory.keep(task_B, action_B, reward_B)
                    else:  # self-imitation of the best seen (lines 13 to 16), without noise
                        noisy_BPK = chance_BPK
                        action_B, reward_B = memory.action_T[task_B], memory.reward_T[task_B]
                        action_BP = matrix.space.digits_CP[action_B]
                    greedy_B = heads.index(greedy_BP)
                    baseline_B = source.baselines(task_B, greedy_B)
                    memory.keep(task_B, greedy_B, source.reward_TC[task_B, greedy_B])
                    advantage_B = reward_B - baseline_B
                    network.step(heads.loss_gradient(chance_BPK, noisy_BPK, action_BP, advantage_B), rate)
            if progress is not None:
                progress(epoch)
        return network.full()


class Memory:
    """The best configuration seen for each task and its reward (Algorithm 1, line 10); of equals the first is kept.

    action_T: array indices; reward_T: percent, -inf where none was seen yet.
    """

    def __init__(self, tasks: int) -> None:
        self.action_T = np.zeros(tasks, dtype=np.int64)
        self.reward_T = np.full(tasks, -np.inf)

    def keep(self, task_B: Ints, action_B: Ints, reward_B: Float64) -> None:
        """Compare B samples, given by row of the matrix, array index and reward in percent, with what is kept."""
        better = reward_B > self.reward_T[task_B]  # False for NaN: a missing cell is never kept
        if better.any():
            self.action_T[task_B[better]] = action_B[better]
            self.reward_T[task_B[better]] = reward_B[better]


class Heads:
    """Softmax heads of P parameters as arrays (B, P, K), K the largest number of levels.

    A parameter with fewer levels is padded; padding has probability 0. `uniform`: there is no padding.
    """

    def __init__(self, space: SimSpace) -> None:
        self.stride_P = space.stride_P
        self.position_P = np.arange(len(space.params))
        self.others_P1 = (space.levels_P - 1)[:, None].astype(np.float64)
        self.real_PK = np.arange(space.levels_P.max()) < space.levels_P[:, None]
        self.uniform = bool(self.real_PK.all())

    def softmax(self, logit_BL: Float32) -> Float64:
        """Probability of each level, shape (B, P, K), from logits (B, L), L the sum of levels."""
        if self.uniform:
            logit_BPK = logit_BL.reshape(len(logit_BL), *self.real_PK.shape).astype(np.float64)
        else:
            logit_BPK = np.full((len(logit_BL), *self.real_PK.shape), -np.inf)
            logit_BPK[:, self.real_PK] = logit_BL
        logit_BPK -= logit_BPK.max(axis=2, keepdims=True)
        np.exp(logit_BPK, out=logit_BPK)
        logit_BPK /= logit_BPK.sum(axis=2, keepdims=True)
        return logit_BPK

    def at(self, level_BP: Ints) -> tuple[Ints, Ints, Ints]:
        """Index of the levels (B, P) in an array of shape (B, P, K)."""
        return np.arange(len(level_BP))[:, None], self.position_P, level_BP

    def explore(self, chance_BPK: Float64, greedy_BP: Ints, epsilon: float) -> Float64:
        """Move probability `epsilon` from the likeliest level of each head to its other levels, in equal parts.

        At most what the likeliest level has is moved. Shape (B, P, K); Algorithm 1, line 5.
        """
        greedy = self.at(greedy_BP)
        top_BP = chance_BPK[greedy]
        moved_BP = np.minimum(epsilon, top_BP)
        noisy_BPK = chance_BPK + moved_BP[..., None] / self.others_P1
        noisy_BPK[greedy] = top_BP - moved_BP
        return noisy_BPK if self.uniform else np.where(self.real_PK, noisy_BPK, 0.0)

    def sample(self, chance_BPK: Float64, draw_BP: Float64) -> Ints:
        """Levels drawn by inverting the distribution function at `draw_BP`, numbers in [0, 1); shape (B, P)."""
        total_BPK = np.cumsum(chance_BPK, axis=2)
        draw_BP1 = (draw_BP * total_BPK[:, :, -1])[..., None]
        return (draw_BP1 >= total_BPK[:, :, :-1]).sum(axis=2)

    def index(self, action_BP: Ints) -> Ints:
        """Array index of configurations given by levels, shape (B,)."""
        return action_BP @ self.stride_P

    def loss_gradient(
        self, chance_BPK: Float64, noisy_BPK: Float64, action_BP: Ints, advantage_B: Float64
    ) -> Float32 | None:
        """Gradient at the logits, shape (B, L), of - mean over samples of advantage x log P(a) (equation 4).

        P are the heads with noise added, from which `action_BP` was drawn. The noise does not depend on the weights, so
        d log(p + e) = dp / (p + e). Samples with a NaN advantage are dropped; None when the gradient is zero.
        """
        known_B = ~np.isnan(advantage_B)
        if not known_B.all():
            advantage_B = np.where(known_B, advantage_B, 0.0)
        if not advantage_B.any():
            return None
        taken = self.at(action_BP)
        taken_BP, noisy_BP = chance_BPK[taken], noisy_BPK[taken]
        # a level that has probability 0 under noise has gradient 0
        credit_BP = np.divide(taken_BP, noisy_BP, out=np.zeros_like(taken_BP), where=noisy_BP > 0)
        credit_BP *= (advantage_B / known_B.sum())[:, None]
        gradient_BPK = chance_BPK * credit_BP[..., None]
        gradient_BPK[taken] -= credit_BP
        flat_BL = gradient_BPK[:, self.real_PK] if not self.uniform else gradient_BPK.reshape(len(advantage_B), -1)
        return flat_BL.astype(np.float32)


class LeakyHeads(Heads):
    """The loss of the authors' script, where `out[:, idx]` is a (B, B) matrix instead of B values.

    Entry (i, j) is the probability that task i gives to the action of task j. Its logarithm is multiplied by the
    advantage of task j and averaged over i and j, so every task is credited with every action of its mini-batch.
    """

    def loss_gradient(
        self, chance_BPK: Float64, noisy_BPK: Float64, action_BP: Ints, advantage_B: Float64
    ) -> Float32 | None:
        size = len(advantage_B)
        total: Float32 | None = None
        for action_P, advantage in zip(action_BP, advantage_B, strict=True):
            of_action = super().loss_gradient(
                chance_BPK, noisy_BPK, np.tile(action_P, (size, 1)), np.full(size, advantage)
            )
            if of_action is not None:
                total = of_action / np.float32(size) + (0 if total is None else total)
        return total
