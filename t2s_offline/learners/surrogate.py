"""The surrogate: a Gaussian process over (task, configuration) whose covariance between configurations is learned.

`marginal_likelihood.py` states the model. Hyperparameters and the form of the context (values or ranks of the
embedding) maximise the marginal likelihood of the training tasks' rewards; several seeds of a cell are averaged. The
policy gives each task a `Belief`, mean and covariance of its rewards, which `shortlist.py` conditions on measured
configurations.

Missing cells are replaced by their posterior means given the other tasks and the task's own cells, and the fit is
repeated (FILL_ROUNDS times). Filled cells then count as known, so intervals are somewhat too narrow. A configuration
that no task has is predicted by the kernel and keeps its variance (`unseen_C`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from threadpoolctl import threadpool_limits

from t2s_offline.analysis.seed_noise import CellNoise, binomial_variance, seeds_T
from t2s_offline.analysis.walsh import DiffusionKernel
from t2s_offline.errors import BadInput
from t2s_offline.learners.embedding_space import Context, Form
from t2s_offline.learners.learner import check_same_tasks
from t2s_offline.learners.marginal_likelihood import Evidence, Hyperparameters
from t2s_offline.learners.policy import best_measured
from t2s_offline.learners.posterior import Belief, Level, standardise
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng
from t2s_offline.space import SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

FORMS: tuple[Form, ...] = ("ranks", "cosine")
FILL_ROUNDS = 2
DRAWS = 512  # draws from the belief behind `SurrogatePolicy.probabilities`


@dataclass(frozen=True)
class Surrogate:
    """`embedded=False` is an ablation without embeddings: every new task has the same belief."""

    embedded: bool = True
    seeded: bool = False

    @property
    def name(self) -> str:
        return "surrogate" if self.embedded else "surrogate_shared"

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> SurrogatePolicy:
        """Fit to `matrix.signal_TC`. BadInput for fewer than two tasks, or fewer than two rewards of a task."""
        with threadpool_limits(1):  # small products: threads cost far more than they give
            return self._fit(matrix, embeddings)

    def _fit(self, matrix: RewardMatrix, embeddings: Embeddings) -> SurrogatePolicy:
        check_same_tasks(matrix, embeddings)
        if len(matrix.tasks) < 2:
            raise BadInput(f"{self.name}: {len(matrix.tasks)} training task; expected at least 2")
        reward_TC = matrix.signal_TC
        known_TC = ~np.isnan(reward_TC)
        for task, known_C in zip(matrix.tasks, known_TC, strict=True):
            if known_C.sum() < 2:
                raise BadInput(f"{self.name}: training task {task} has {known_C.sum()} rewards; expected at least 2")
        measured_O = np.flatnonzero(known_TC.any(axis=0))
        reward_TO, known_TO = reward_TC[:, measured_O], known_TC[:, measured_O]
        noise = CellNoise.of(matrix)
        seen = np.nanmean(reward_TO, axis=1), matrix.pictures_T, seeds_T(matrix)
        filled_TO = _first_fill(reward_TO)
        policy = self._fit_filled(matrix, embeddings, filled_TO, measured_O, noise)
        for _ in range(0 if known_TO.all() else FILL_ROUNDS):
            filled_TO = _fill(policy, reward_TO, known_TO, measured_O, policy.noise.variance(*seen))
            policy = self._fit_filled(matrix, embeddings, filled_TO, measured_O, noise)
        return policy

    def _fit_filled(
        self,
        matrix: RewardMatrix,
        embeddings: Embeddings,
        reward_TO: Float64,
        measured_O: npt.NDArray[np.int64],
        noise: CellNoise,
    ) -> SurrogatePolicy:
        """Fit to rewards (T, O) of the measured configurations, none missing; of FORMS the one of higher evidence."""
        z_TO, mean_T, sd_T = standardise(reward_TO)
        candidates = []
        for form in FORMS if self.embedded else FORMS[:1]:
            context = Context.of(embeddings.unit_TD, form)
            evidence = Evidence(matrix.space, measured_O, z_TO, context.distance(embeddings.unit_TD), self.embedded)
            candidates.append((evidence.maximise(), context, evidence))
        found, context, evidence = max(candidates, key=lambda candidate: candidate[0].log_evidence)
        # The fitted nugget includes the noise of the training rewards. It bounds the binomial part of that noise
        # (`share`); the noise is then taken out of it, since the belief is about rewards without noise.
        at = np.flatnonzero(sd_T > 0)
        of_task, whole = (mean_T[at], matrix.pictures_T[at]), found.shared + found.similar + 1.0
        binomial = float(np.nan_to_num(binomial_variance(*of_task) / sd_T[at] ** 2).mean()) if len(at) else 0.0
        noise = replace(noise, share=min(found.kernel.nugget * whole / binomial, 1.0) if binomial else 1.0)
        part_T = noise.variance(*of_task, seeds_T(matrix)[at]) / sd_T[at] ** 2
        nugget = found.kernel.nugget - (float(part_T.mean()) / whole if len(at) else 0.0)
        kernel = replace(found.kernel, nugget=max(nugget, 0.01 * found.kernel.nugget))
        z_TC, unseen_C = _extend(evidence, found)
        return SurrogatePolicy(
            matrix.space, context, embeddings.unit_TD, found, kernel, z_TC, unseen_C, level_of(mean_T, sd_T), noise
        )


@dataclass(frozen=True)
class SurrogatePolicy:
    """A fitted surrogate. found: the hyperparameters; kernel: theirs, without noise in its nugget; z_TC: standardised
    rewards of the training tasks, predicted for configurations that no task has; unseen_C: prior variance of those
    given the measured ones, 0 elsewhere; level: of new tasks; noise: of a measurement."""

    space: SimSpace
    context: Context
    unit_TD: Float32
    found: Hyperparameters
    kernel: DiffusionKernel
    z_TC: Float64
    unseen_C: Float64
    level: Level
    noise: CellNoise

    @cached_property
    def between_TT(self) -> Float64:
        """Covariance between training tasks, shape (T, T)."""
        return self.found.between(self.context.distance(self.unit_TD)) + np.eye(len(self.unit_TD))

    def belief(self, unit_D: Float32) -> Belief:
        """Prior of a new task by its unit embedding (D,)."""
        near_T = self.found.between(self.context.distance(unit_D[None]))[0]
        return self._belief(near_T, np.arange(len(self.unit_TD)))

    def belief_of_training(self, task: int) -> Belief:
        """Prior of training task number `task` given the other training tasks; its own rewards are not used."""
        others = np.delete(np.arange(len(self.unit_TD)), task)
        return self._belief(self.between_TT[task, others], others)

    def _belief(self, near_T: Float64, rows: npt.NDArray[np.int64]) -> Belief:
        """Predictive distribution of a row of a matrix t given the rows `rows`, by its first two moments.

        near_T: covariance with those tasks. With B the covariance between them and a = B^-1 near_T, the mean is a' Z,
        and own = own variance - near_T' a. Sigma has the posterior mean (x K + Z' B^-1 Z) / (x + T), K the kernel,
        from the inverse Wishart prior with mean K.
        """
        root = cho_factor(self.between_TT[np.ix_(rows, rows)], lower=True)
        share_T = cho_solve(root, near_T)
        own = self.found.shared + self.found.similar + 1.0 - float(near_T @ share_T)
        z_TC = self.z_TC[rows]
        total = self.found.x + len(rows)
        white_TC = solve_triangular(root[0], z_TC, lower=True)
        return Belief(
            kernel=self.kernel,
            weight=own * self.found.x / total,
            factor_FC=np.sqrt(own / total) * white_TC,
            extra_C=own * (1 - self.found.x / total) * self.unseen_C,
            mean_C=share_T @ z_TC,
            level=self.level,
        )

    def probabilities(self, unit_TD: Float32) -> Float64:
        """Share of DRAWS draws from the belief in which a configuration is the best, shape (T, C). The random numbers
        are the same for every task and call."""
        rows = []
        for unit_D in unit_TD:
            best = self.belief(unit_D).draw(DRAWS, derive_rng("surrogate", "probabilities")).argmax(axis=1)
            rows.append(np.bincount(best, minlength=len(self.space)) / DRAWS)
        return np.array(rows).reshape(len(unit_TD), len(self.space))

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        """All weight on the measured configuration with the highest mean."""
        mean_TC = np.array([self.belief(unit_D).mean_C for unit_D in unit_TD]).reshape(len(unit_TD), -1)
        return best_measured(mean_TC, measured_C)


def level_of(mean_T: Float64, sd_T: Float64) -> Level:
    """Prior of level and scale of a new task from means and SDs of the training tasks in percent.

    Wider than those of the training tasks, which are few: twice the SD of the means, at least 10 points, and 1.1 times
    the SD of the log SDs, at least 0.3.
    """
    log_T = np.log(sd_T[sd_T > 0])
    log_scale = float(log_T.mean()) if len(log_T) else 0.0
    log_sd = 1.1 * float(log_T.std(ddof=1)) if len(log_T) > 1 else 1.0
    return Level(float(mean_T.mean()), max(2 * float(mean_T.std(ddof=1)), 10.0), log_scale, max(log_sd, 0.3))


def _first_fill(reward_TO: Float64) -> Float64:
    """Missing cells by the mean over tasks that have them, on the standardised scale, shrunk towards 0."""
    z_TO, mean_T, sd_T = standardise(reward_TO)
    known_TO = ~np.isnan(z_TO)
    column_O = np.where(known_TO, z_TO, 0.0).sum(axis=0) / (known_TO.sum(axis=0) + 1.0)  # one task more, of value 0
    return np.where(known_TO, reward_TO, mean_T[:, None] + sd_T[:, None] * column_O)


def _fill(
    policy: SurrogatePolicy,
    reward_TO: Float64,
    known_TO: npt.NDArray[np.bool_],
    measured_O: npt.NDArray[np.int64],
    noise_T: Float64,
) -> Float64:
    """Missing cells by their posterior means given the other tasks and the task's own measured cells; noise_T: noise
    variance of those in percent squared, shape (T,)."""
    filled_TO = reward_TO.copy()
    for task, known_O in enumerate(known_TO):
        if not known_O.all():
            belief, noise_sd = policy.belief_of_training(task), float(np.sqrt(noise_T[task]))
            own = np.flatnonzero(known_O)
            mean_C, _ = belief.given(measured_O[own], reward_TO[task, own], noise_sd=noise_sd).reward()
            filled_TO[task, ~known_O] = mean_C[measured_O[~known_O]]
    return filled_TO


def modelled(matrix: RewardMatrix, embeddings: Embeddings) -> RewardMatrix:
    """`matrix.signal_TC` as a complete matrix: a missing cell is the surrogate's posterior mean given the task's own
    measured cells and the other tasks, clipped to 0 to 100. Measured cells keep their values.

    For learners that need every cell of a table that is a fraction. The filled cells are predictions: report no result
    from them.
    """
    reward_TC = matrix.signal_TC.copy()
    with threadpool_limits(1):
        policy = Surrogate().fit(matrix, embeddings, rng=derive_rng("modelled"))
        noise_T = policy.noise.variance(np.nanmean(reward_TC, axis=1), matrix.pictures_T, seeds_T(matrix))
        for task, row_C in enumerate(reward_TC):
            known = np.flatnonzero(~np.isnan(row_C))
            missing = np.flatnonzero(np.isnan(row_C))
            if len(missing):
                belief, noise_sd = policy.belief_of_training(task), float(np.sqrt(noise_T[task]))
                mean_C, _ = belief.given(known, row_C[known], noise_sd=noise_sd).reward()
                row_C[missing] = np.clip(mean_C[missing], 0.0, 100.0)
    return replace(matrix, accuracy_TCS=reward_TC[..., None], val_TCS=None, n_eval_T=None, n_val_T=None)


def _extend(evidence: Evidence, found: Hyperparameters) -> tuple[Float64, Float64]:
    """Standardised rewards of the training tasks over all configurations (T, C), by kriging with the kernel where not
    measured, and the kernel's variance given the measured configurations (C,), 0 where measured."""
    if evidence.complete:
        return evidence.z_TO, np.zeros(len(evidence.space))
    every_C, measured_O, basis_OF = np.arange(len(evidence.space)), evidence.measured_O, evidence.basis()
    cross_CF = found.kernel.block(every_C, measured_O) @ basis_OF
    block_FF = basis_OF.T @ found.kernel.block(measured_O, measured_O) @ basis_OF
    root = cho_factor(block_FF, lower=True)
    weight_FC = cho_solve(root, cross_CF.T)
    unseen_C = np.maximum(found.kernel.variance() - (cross_CF * weight_FC.T).sum(axis=1), 0.0)
    unseen_C[measured_O] = 0.0
    z_TC = evidence.z_TO @ basis_OF @ weight_FC
    z_TC[:, measured_O] = evidence.z_TO
    return z_TC, unseen_C
