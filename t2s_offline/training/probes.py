"""Classifiers on features: nearest neighbours with the paper's votes and two linear probes; and the score LogME.

Random numbers are drawn from the given generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from t2s_offline.errors import BadInput

CELLS = 1 << 25  # similarities at a time
Predict = Callable[[torch.Tensor], torch.Tensor]


def knn_votes(
    bank_ND: torch.Tensor,
    label_N: torch.Tensor,
    query_MD: torch.Tensor,
    classes: int,
    k: int = 5,
    temperature: float = 0.07,
    *,
    itself: bool = False,
) -> torch.Tensor:
    """Vote sums (M, classes) of the k most similar pictures, each exp(cosine / temperature) for its class.

    Of equally similar pictures the first are taken. itself: the query is the bank, and a picture is not compared with
    itself, only with copies of it. BadInput with fewer than k pictures to compare with.
    """
    others = len(bank_ND) - itself
    if others < k:
        raise BadInput(f"{others} pictures to compare with; expected {k} or more for {k} nearest neighbours")
    bank_DN = F.normalize(bank_ND, dim=1).T.contiguous()
    votes = torch.empty((len(query_MD), classes), device=query_MD.device)
    chunk = max(CELLS // bank_DN.shape[1], 1)
    for first in range(0, len(query_MD), chunk):
        similarity = F.normalize(query_MD[first : first + chunk], dim=1) @ bank_DN
        if itself:
            similarity.diagonal(first).fill_(-torch.inf)
        top = _top(similarity, k)
        weight = torch.exp(similarity.gather(1, top) / temperature)
        votes[first : first + chunk] = torch.zeros_like(votes[first : first + chunk]).scatter_add_(
            1, label_N[top], weight
        )
    return votes


def _top(similarity_MN: torch.Tensor, k: int) -> torch.Tensor:
    """Positions of the k greatest values of each row, the first of equal ones; topk takes any of these."""
    value, top = similarity_MN.topk(k, dim=1)
    tied = torch.nonzero((similarity_MN >= value[:, -1:]).sum(1) > k).squeeze(1)
    if len(tied):
        top[tied] = similarity_MN[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return top


@dataclass(frozen=True, eq=False)
class Affine:
    """A linear classifier of K classes: features (N, D) are standardised, then weighed. Calling it gives scores (N, K),
    float32."""

    mean_D: torch.Tensor
    scale_D: torch.Tensor
    weight_DK: torch.Tensor
    bias_K: torch.Tensor

    def standard(self, feature_ND: torch.Tensor) -> torch.Tensor:
        """Features standardised, (N, D)."""
        return (feature_ND - self.mean_D) * self.scale_D

    def __call__(self, feature_ND: torch.Tensor) -> torch.Tensor:
        return (self.standard(feature_ND).to(self.weight_DK.dtype) @ self.weight_DK + self.bias_K).float()


def logistic_probe(feature_ND: torch.Tensor, label_N: torch.Tensor, classes: int, c: float = 0.01) -> Predict:
    """The classifier of `logistic_fit` for all classes: features to scores (M, classes), -inf for a class without
    pictures."""
    found, present_K = logistic_fit(feature_ND, label_N, c)

    def predict(other: torch.Tensor) -> torch.Tensor:
        scores = torch.full((len(other), classes), -torch.inf, device=other.device)
        scores[:, present_K] = found(other)
        return scores

    return predict


def logistic_fit(feature_ND: torch.Tensor, label_N: torch.Tensor, c: float = 0.01) -> tuple[Affine, torch.Tensor]:
    """L2-regularised multinomial logistic regression on features of zero mean and unit variance: the classifier, in
    float64, and the K labels that have pictures.

    Minimises c x (sum of cross-entropies) + half the squared weights, biases free, as scikit-learn's
    LogisticRegression(C=c) does. The search uses coordinates in which the curvature at equal probabilities is 1: 10 to
    30 steps instead of 20 to 100, and less than half of the time.
    """
    from scipy.optimize import minimize

    # as a batch norm without weights does after training
    mean_D, scale_D = feature_ND.mean(0), torch.rsqrt(feature_ND.var(0, correction=0) + 1e-5)
    present_K, label_N = torch.unique(label_N, return_inverse=True)
    x, basis_DR = _spanned(((feature_ND - mean_D) * scale_D).double())
    n, width = x.shape
    many = len(present_K)
    target = F.one_hot(label_N, many).double()
    # scikit-learn has one weight vector for two classes, the difference of ours: half the squared length at the optimum
    penalty = (2 if many == 2 else 1) / (c * n)
    bend = max(many - 1, 1) / many**2  # curvature of the cross-entropy at equal probabilities
    one = torch.eye(width, dtype=x.dtype, device=x.device)
    curvature = x.T @ x * (bend / n)
    floor = penalty + 1e-10 * float(curvature.diagonal().mean())  # positive definite also when features are dependent
    back = torch.linalg.solve_triangular(torch.linalg.cholesky(curvature + floor * one), one, upper=False)
    x, pull, unit = x @ back.T, penalty * back @ back.T, bend**-0.5

    def cost(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weight = torch.from_numpy(flat).to(x.device).view(width + 1, many)
        log_chance = F.log_softmax(torch.addmm(weight[-1] * unit, x, weight[:-1]), dim=1)
        error, pulled = (log_chance.exp() - target) / n, pull @ weight[:-1]
        slope = torch.cat([torch.addmm(pulled, x.T, error), error.sum(0, keepdim=True) * unit])
        value = -(log_chance * target).sum() / n + (pulled * weight[:-1]).sum() / 2
        both = torch.cat([slope.flatten(), value[None]]).cpu().numpy()  # one wait for a GPU, not two
        return float(both[-1]), both[:-1]

    found = minimize(cost, np.zeros((width + 1) * many), jac=True, method="L-BFGS-B",
                     options={"maxiter": 500, "gtol": 3e-5, "ftol": 1e-12, "maxcor": 10})  # fmt: skip
    flat = torch.from_numpy(found.x).to(x.device).view(width + 1, many)
    weight, bias = back.T @ flat[:-1], flat[-1] * unit
    weight = weight if basis_DR is None else basis_DR @ weight
    return Affine(mean_D, scale_D, weight, bias), present_K


def _spanned(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """With fewer pictures than features: coordinates in the span of the pictures, and its basis (D, R). The optimal
    weights lie in that span. Else the features, and None."""
    if len(x) >= x.shape[1]:
        return x, None
    basis_DR, upper_RN = torch.linalg.qr(x.T)
    return upper_RN.T.contiguous(), basis_DR


def decayed(rate: float, epoch: int, epochs: int) -> float:
    """The paper's schedule for probes and fine-tuning: a tenth after 25 of 50 epochs, a hundredth after 37."""
    return rate * 0.1 ** ((epoch >= epochs // 2) + (epoch >= epochs * 37 // 50))


def dropped(x: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Dropout with numbers from the given generator, drawn on the host."""
    if not share:
        return x
    kept = (torch.rand(x.shape, generator=generator) >= share).to(x.device, non_blocking=True)
    return x * kept / (1 - share)


def sgd_probe(
    feature_ND: torch.Tensor,
    label_N: torch.Tensor,
    head: torch.nn.Linear,
    *,
    generator: torch.Generator,
    rate: float = 0.01,
    epochs: int = 50,
    batch: int = 32,
    dropout: float = 0.2,
) -> Predict:
    """The paper's linear probe on cached features: batch norm without weights, dropout, `head`; SGD, momentum 0.9.
    `head` is trained in place."""
    norm = sgd_fit(
        feature_ND, label_N, head, generator=generator, rate=rate, epochs=epochs, batch=batch, dropout=dropout
    )

    def predict(other: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            scores: torch.Tensor = head(norm(other))
        return scores

    return predict


def sgd_fit(
    feature_ND: torch.Tensor,
    label_N: torch.Tensor,
    head: torch.nn.Linear,
    *,
    generator: torch.Generator,
    rate: float = 0.01,
    epochs: int = 50,
    batch: int = 32,
    dropout: float = 0.2,
) -> torch.nn.BatchNorm1d:
    """Train `head` in place as `sgd_probe` says; returns the batch norm before it, in evaluation mode."""
    norm = torch.nn.BatchNorm1d(feature_ND.shape[1], affine=False, device=feature_ND.device)
    optimiser = torch.optim.SGD(head.parameters(), lr=rate, momentum=0.9)
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = decayed(rate, epoch, epochs)
        order = torch.randperm(len(feature_ND), generator=generator).to(feature_ND.device, non_blocking=True)
        for at in order.split(batch):
            if len(at) < 2:
                continue  # one picture has no variance
            logits = head(dropped(norm(feature_ND[at]), dropout, generator))
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(logits, label_N[at]).backward()
            optimiser.step()
    return norm.eval()


def logme(feature_ND: torch.Tensor, label_N: torch.Tensor, classes: int, steps: int = 200) -> float:
    """Log of the maximum evidence of a Bayesian linear model, per picture, mean over classes (You et al. 2021)."""
    x = feature_ND.double()
    u_NR, s_R, _ = torch.linalg.svd(x, full_matrices=False)
    power = s_R.square()[:, None]  # (R, 1)
    target = F.one_hot(label_N, classes).double()
    shared = (u_NR.T @ target).square()  # (R, classes)
    rest = (target.square().sum(0) - shared.sum(0)).clamp(min=0)
    n, width = x.shape
    alpha, beta = torch.ones_like(rest), torch.ones_like(rest)
    for _ in range(steps):
        ratio = alpha / beta
        used = (power / (power + ratio)).sum(0)
        weight = (power * shared / (power + ratio).square()).sum(0)
        error = (shared * (ratio / (power + ratio)).square()).sum(0) + rest
        alpha, beta = used / weight.clamp(min=1e-12), (n - used) / error.clamp(min=1e-12)
        if bool(((alpha / beta - ratio).abs() <= 1e-6 * ratio).all()):
            break
    return float(log_evidence(power, shared, rest, alpha, beta, n, width).mean() / n)


def log_evidence(
    power: torch.Tensor,
    shared: torch.Tensor,
    rest: torch.Tensor,
    alpha: torch.Tensor,
    beta: torch.Tensor,
    n: int,
    width: int,
) -> torch.Tensor:
    """Log evidence of each class at precisions alpha of the weights and beta of the noise; shapes as in `logme`."""
    ratio = alpha / beta
    weight = (power * shared / (power + ratio).square()).sum(0)
    error = (shared * (ratio / (power + ratio)).square()).sum(0) + rest
    determinant = torch.log(alpha + beta * power).sum(0) + (width - len(power)) * torch.log(alpha)
    fit = width * torch.log(alpha) + n * torch.log(beta) - determinant - beta * error - alpha * weight
    return 0.5 * (fit - n * math.log(2 * math.pi))
