"""What each parameter does: the Walsh/ANOVA report of a reward table.

Of rewards by task and configuration, complete or a fraction: share of variance by degree, main effects and pairs with
95 % intervals for each task and over tasks, the noise, and which effects cannot be told apart.

An effect is what a contrast adds, in percent: for a binary parameter the mean at 1 minus the mean at 0; for a pair half
the difference between the effect of one with the other at 1 and at 0. Parameters of more levels: each Helmert
contrast, level k against the mean of the levels below, is an effect `name[k]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from t2s_offline.analysis import walsh
from t2s_offline.analysis.ties import noise_sd_T
from t2s_offline.errors import BadInput
from t2s_offline.matrix import RewardMatrix
from t2s_offline.space import SimSpace

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OVERALL = "all tasks"
ALIAS = 1 - 1e-6


@dataclass(frozen=True)
class Effect:
    """One effect on one task, or its mean over tasks (task OVERALL), in percent. share: of the variance over the
    measured configurations; aliased: effects of degree 2 and less that it cannot be told apart from."""

    task: str
    effect: str
    degree: int
    percent: float
    low: float
    high: float
    share: float
    aliased: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shares:
    """Share of variance by degree on one task; by_degree[0] is degree 1. noise: the share that noise would give."""

    task: str
    mean: float
    sd: float
    by_degree: tuple[float, ...]
    noise_sd: float
    noise: float


@dataclass(frozen=True)
class Report:
    """The whole: shares (empty for a fraction, where degrees are mixed), effects, and notes in plain words."""

    shares: tuple[Shares, ...]
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]


def report(matrix: RewardMatrix, *, most: int = 2) -> Report:
    """Effects up to degree `most` (1 or 2) on the configurations that all tasks have."""
    if most not in (1, 2):
        raise BadInput(f"effects up to degree {most}; expected 1 or 2")
    measured = np.flatnonzero(matrix.measured_C)
    if len(measured) < 2:
        have = f"{len(measured)} configurations are measured on all {len(matrix.tasks)} tasks"
        raise BadInput(f"{have}; expected at least 2; sweep more cells or choose fewer tasks")
    space, complete = matrix.space, len(measured) == len(matrix.space)
    degree_C = walsh.degree_C(space)
    chosen = [index for index in effects_order(space) if degree_C[index] <= most]
    names = [effect_name(space, index) for index in chosen]
    unit_OE = columns(space, chosen)[measured]
    aliases, kept = alias_groups(unit_OE)
    noise_T, how = noise_sd_T(matrix)
    reward_TO = matrix.reward_TC[:, measured]
    value_TE, error_TE, free_T = _estimate(reward_TO, unit_OE[:, kept], noise_T)
    found: list[Effect] = []
    variance_T = reward_TO.var(axis=1)
    scale_E = np.array([effect_scale(space, chosen[at]) for at in kept])
    # a coefficient is per unit-variance column, so its square is the variance it explains
    share_TE = np.divide(value_TE**2, variance_T[:, None], out=np.zeros_like(value_TE), where=variance_T[:, None] > 0)
    for task, value_E, error_E, share_E, free in zip(
        matrix.tasks, value_TE * scale_E, error_TE * np.abs(scale_E), share_TE, free_T, strict=True
    ):
        reach_E = error_E * (student.ppf(0.975, free) if np.isfinite(free) else 1.96)
        for at, value, reach, share in zip(kept, value_E, reach_E, share_E, strict=True):
            alias = tuple(names[other] for other in aliases[at])
            degree = int(degree_C[chosen[at]])
            found.append(Effect(task, names[at], degree, value, value - reach, value + reach, float(share), alias))
    if len(matrix.tasks) > 1:
        found = [*_overall(value_TE * scale_E, share_TE, kept, names, aliases, degree_C[chosen]), *found]
    shares = _shares(matrix, noise_T) if complete else ()
    return Report(tuple(shares), tuple(found), tuple(_notes(matrix, len(measured), aliases, names, how)))


def effects_order(space: SimSpace) -> list[int]:
    """Coefficients without the constant, by degree, then in the order of the space's parameters."""
    degree_C = walsh.degree_C(space)
    support = [tuple(np.flatnonzero(row)) for row in walsh.support_CP(space)]
    return sorted(range(1, len(space)), key=lambda index: (degree_C[index], support[index], index))


def effect_name(space: SimSpace, index: int) -> str:
    """``background × materials``; ``light[2]`` for the second contrast of a parameter with more than two levels."""
    parts = [
        name if levels == 2 else f"{name}[{digit}]"
        for name, levels, digit in zip(space.names, space.levels_P, space.digits_CP[index], strict=True)
        if digit
    ]
    return " × ".join(parts)


def columns(space: SimSpace, chosen: Sequence[int]) -> Float64:
    """Contrasts with a mean square of 1 over the whole space, shape (C, E)."""
    unit_EC = np.zeros((len(chosen), len(space)))
    unit_EC[np.arange(len(chosen)), chosen] = np.sqrt(len(space))
    return walsh.inverse(unit_EC, space).T


def effect_scale(space: SimSpace, index: int) -> float:
    """What turns a coefficient into an effect in percent; the sign is that of the higher level's change.

    Contrast k of L levels is a on the k levels below and -k a on level k, a² = L / (k (k + 1)): a step of -(k + 1) a.
    """
    digit_P, scale = space.digits_CP[index], 2.0
    for levels, digit in zip(space.levels_P[digit_P > 0], digit_P[digit_P > 0], strict=True):
        scale *= -(digit + 1) * float(np.sqrt(levels / (digit * (digit + 1)))) / 2
    return scale


def alias_groups(unit_OE: Float64) -> tuple[dict[int, list[int]], list[int]]:
    """Which effects have the same column, up to sign, on the measured configurations; and the first of each group.

    Effects that are constant there belong to no group and are left out.
    """
    centred_OE = unit_OE - unit_OE.mean(axis=0)
    norm_E = np.linalg.norm(centred_OE, axis=0)
    alive = np.flatnonzero(norm_E > 1e-9 * np.sqrt(len(unit_OE)))
    cosine_EE = np.abs((centred_OE[:, alive] / norm_E[alive]).T @ (centred_OE[:, alive] / norm_E[alive]))
    groups: dict[int, list[int]] = {}
    taken: set[int] = set()
    for row, effect in enumerate(alive):
        if effect not in taken:
            same = [int(alive[column]) for column in np.flatnonzero(cosine_EE[row] > ALIAS) if column != row]
            groups[int(effect)] = same
            taken.update(same)
    return groups, list(groups)


def _estimate(reward_TO: Float64, unit_OE: Float64, noise_T: Float64) -> tuple[Float64, Float64, Float64]:
    """Least squares: coefficients and standard errors (T, E), degrees of freedom (T,) of the errors.

    Where noise is known its SD gives the errors; otherwise the residuals do, and with none left the errors are NaN.
    """
    design = np.c_[np.ones(len(unit_OE)), unit_OE]
    inverse = np.linalg.pinv(design)
    coefficient_TE = reward_TO @ inverse.T
    rank = int(np.linalg.matrix_rank(design))
    free = len(design) - rank
    squares_T = ((reward_TO - coefficient_TE @ design.T) ** 2).sum(axis=1)
    residual_T = np.sqrt(squares_T / free) if free else np.full(len(reward_TO), np.nan)
    known_T = np.isfinite(noise_T)
    error_T1 = np.where(known_T, noise_T, residual_T)[:, None]
    error_TE = error_T1 * np.sqrt((inverse**2).sum(axis=1))
    return coefficient_TE[:, 1:], error_TE[:, 1:], np.where(known_T, np.inf, max(free, 1))


def _overall(
    value_TE: Float64,
    share_TE: Float64,
    kept: list[int],
    names: list[str],
    aliases: dict[int, list[int]],
    degree_E: Ints,
) -> list[Effect]:
    """Means over tasks with t intervals over tasks, which count how tasks differ and not only noise."""
    tasks = len(value_TE)
    mean_E = value_TE.mean(axis=0)
    reach_E = value_TE.std(axis=0, ddof=1) / np.sqrt(tasks) * student.ppf(0.975, tasks - 1)
    return [
        Effect(
            OVERALL, names[at], int(degree_E[at]), float(mean), float(mean - reach), float(mean + reach), float(share),
            tuple(names[other] for other in aliases[at]),
        )
        for at, mean, reach, share in zip(kept, mean_E, reach_E, share_TE.mean(axis=0), strict=True)
    ]  # fmt: skip


def _shares(matrix: RewardMatrix, noise_T: Float64) -> list[Shares]:
    """Variance by degree for each task, and their mean over tasks first."""
    square_TC = walsh.transform(matrix.reward_TC, matrix.space) ** 2
    degree_C = walsh.degree_C(matrix.space)
    by_TD = np.array([square_TC[:, degree_C == degree].sum(axis=1) for degree in range(1, degree_C.max() + 1)]).T
    total_T1 = by_TD.sum(axis=1, keepdims=True)
    share_TD = np.divide(by_TD, total_T1, out=np.zeros_like(by_TD), where=total_T1 > 1e-12)
    sd_T = matrix.reward_TC.std(axis=1)
    noise_share_T = np.divide(noise_T**2, sd_T**2, out=np.zeros_like(sd_T), where=sd_T > 1e-9)
    rows = [
        Shares(task, float(mean), float(sd), tuple(map(float, share_D)), float(noise), float(part))
        for task, mean, sd, share_D, noise, part in zip(
            matrix.tasks, matrix.reward_TC.mean(axis=1), sd_T, share_TD, noise_T, noise_share_T, strict=True
        )
    ]
    noise = float(np.median(noise_T))  # tasks differ tenfold
    overall = Shares(
        OVERALL, float(matrix.reward_TC.mean()), float(np.sqrt((sd_T**2).mean())),
        tuple(map(float, share_TD.mean(axis=0))), noise, float(noise_share_T.mean()),
    )  # fmt: skip
    return [overall, *rows] if len(rows) > 1 else rows


def _notes(matrix: RewardMatrix, measured: int, aliases: dict[int, list[int]], names: list[str], how: str) -> list[str]:
    """What a reader must know."""
    notes = [f"{measured} of {len(matrix.space)} configurations are measured on all {len(matrix.tasks)} tasks"]
    meaning = {
        "seeds": "noise: SD between seeds of a cell",
        "high degrees": "noise: interactions of degree 5 and up, one seed; an upper bound",
        "none": "noise is not known: intervals come from what main effects and pairs leave over",
    }
    notes.append(meaning[how])
    merged = [[at, *same] for at, same in aliases.items() if same]
    if measured < len(matrix.space):
        notes.append("a fraction: shares by degree are not told, effects may hold interactions of three and more")
        notes += ["aliased: " + " = ".join(names[at] for at in group) for group in merged[:20]]
        if len(merged) > 20:
            notes.append(f"and {len(merged) - 20} more aliased groups")
    return notes


def effect_rows(found: Report, *, top: int, by_task: bool) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for people: the `top` strongest effects over tasks (of each task with `by_task`)."""
    rows: list[list[object]] = []
    tasks = list(dict.fromkeys(effect.task for effect in found.effects))
    for task in tasks if by_task or tasks[0] != OVERALL else tasks[:1]:
        own = sorted((e for e in found.effects if e.task == task), key=lambda e: -e.share)[:top]
        rows += [[e.task, e.effect, e.percent, e.low, e.high, e.share, " = ".join(e.aliased)] for e in own]
    return ["task", "effect", "percent", "low", "high", "share", "aliased"], rows


def share_rows(found: Report) -> tuple[list[str], list[list[object]]]:
    """Columns and rows of shares of variance by degree."""
    if not found.shares:
        raise BadInput("shares of variance by degree need every configuration; this table is a fraction: see effects")
    degrees = [f"d{at + 1}" for at in range(len(found.shares[0].by_degree))]
    rows: list[list[object]] = [[s.task, s.mean, s.sd, *s.by_degree, s.noise_sd, s.noise] for s in found.shares]
    return ["task", "mean", "sd", *degrees, "noise_sd", "noise"], rows
