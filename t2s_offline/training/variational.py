"""Task2Vec's variational estimator: how much noise on its weights each filter of a probe tolerates on a task.

The result has one value for each filter of each convolution, 4800 for ResNet-18. Noise with one variance for each
filter is added to the weights (as noise of the outputs, by the local reparametrisation of Kingma et al. 2015). The
variances are trained to minimise the cross-entropy with the task's labels plus BETA times the divergence from a prior
N(0, lambda²) for each layer (Achille et al. 2019, section 3.1). At the optimum the variance is the inverse of the
Fisher information; the value returned is (1 / variance) / (1 / lambda²), as in the authors' code.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from t2s_offline.images.image_files import Int64, Progress
from t2s_offline.training.device_memory import placed
from t2s_offline.training.fisher import BATCH
from t2s_offline.training.networks import Backbone

BETA = 1e-7
RATE, SLOW_RATE = 1e-2, 5e-4  # of variances; of batch norms and the head
START = 0.05  # first variance, as a share of that of a filter's weights
FLOOR = 1e-2  # added to squared inputs


class NoisyConv(nn.Module):
    """A convolution with noise on its weights. log_variance: (O,), of each filter; log_prior: scalar, of the prior."""

    def __init__(self, conv: nn.Conv2d, generator: torch.Generator) -> None:
        super().__init__()
        self.conv, self.generator = conv, generator
        weight = conv.weight.detach()
        self.log_variance = nn.Parameter((weight.flatten(1).var(1) * START + 1e-8).log())
        self.log_prior = nn.Parameter((weight.square().mean() + 1e-8).log())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        conv: Any = self.conv
        output: torch.Tensor = conv(x)
        # all weights of a filter have one variance, so one sum of squared inputs serves all filters
        squares = (x.square() + FLOOR).sum(1, keepdim=True)
        ones = torch.ones((1, 1, *conv.kernel_size), device=x.device, dtype=x.dtype)
        spread = F.conv2d(squares, ones, None, conv.stride, conv.padding) * self.log_variance.exp()[:, None, None]
        noise = torch.randn(output.shape, generator=self.generator).to(output)
        return output + spread.sqrt() * noise

    def divergence(self) -> torch.Tensor:
        """Twice the divergence of N(weights, variances) from N(0, prior)."""
        weight = self.conv.weight.detach()
        count = weight.numel()
        inverse = torch.exp(-self.log_prior)
        each = count / len(weight)
        trace = (self.log_variance.exp().sum() * each + weight.square().sum()) * inverse
        return trace + count * self.log_prior - self.log_variance.sum() * each - count


def variational_fisher(
    backbone: Backbone,
    head: nn.Linear,
    image_NCHW: torch.Tensor,
    label_N: torch.Tensor,
    draw_M: Int64,
    generator: torch.Generator,
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Variances after one pass of training over the pictures at `draw_M`, with their own labels: float32 (filters,).

    Copies of backbone and head are trained.
    """
    noisy, head = copy.deepcopy(backbone), copy.deepcopy(head)
    convs = _replaced(noisy.trunk, generator)
    noisy.train().requires_grad_(False)
    noises = [parameter for conv in convs for parameter in (conv.log_variance, conv.log_prior)]
    norms = [p for module in noisy.modules() if isinstance(module, nn.BatchNorm2d) for p in module.parameters()]
    for parameter in (*noises, *norms):
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam([
        {"params": noises, "lr": RATE}, {"params": [*norms, *head.parameters()], "lr": SLOW_RATE},
    ])  # fmt: skip
    device = backbone.scale.device
    batch = min(batch, len(draw_M))
    count = len(draw_M) // batch
    image_NCHW, label_N = placed(image_NCHW, device), label_N.to(device)
    for number, at in enumerate(torch.from_numpy(draw_M[: count * batch]).reshape(count, batch), 1):
        there = at.to(device, non_blocking=True)
        shown = image_NCHW[there if image_NCHW.device == device else at].to(device)
        loss = F.cross_entropy(head(noisy(shown)), label_N[there])
        loss = loss + BETA * torch.stack([conv.divergence() for conv in convs]).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if progress is not None:
            progress(number * batch, count * batch)
    return torch.cat([(conv.log_prior - conv.log_variance).detach().exp() for conv in convs]).cpu().numpy()


def _replaced(module: nn.Module, generator: torch.Generator) -> list[NoisyConv]:
    """Replace every convolution below `module` by one with noise; returns these in the order of the modules."""
    found: list[NoisyConv] = []
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            found.append(NoisyConv(child, generator))
            setattr(module, name, found[-1])
        else:
            found += _replaced(child, generator)
    return found
