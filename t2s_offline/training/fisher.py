"""Diagonals of the Fisher information of a probe, averaged over each filter.

The squared gradient of the cross-entropy, with labels drawn from the model's own softmax, averaged over each filter of
each convolution and batch norm in the order of the network's modules, without the head: 9600 values for ResNet-18.
`picture_fisher` is the definition; `batch_fisher` is what the authors' code computes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from t2s_offline.images.image_files import Int64, Progress
from t2s_offline.training.device_memory import placed
from t2s_offline.training.networks import Backbone

BATCH = 64  # of every estimator, as in the code behind the authors' vectors


def picture_fisher(
    backbone: Backbone,
    head: nn.Linear,
    image_NCHW: torch.Tensor,
    label_N: torch.Tensor,
    weight_N: torch.Tensor | None = None,
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Mean over pictures of the squared gradient of each picture's loss, with running statistics: float32 (D,).

    weight_N: how often each pair of picture and label was drawn, 1 by default. A pair is computed once.
    """
    modules = _modules(backbone)
    device = backbone.scale.device
    weight_N = torch.ones(len(label_N)) if weight_N is None else weight_N
    whole = float(weight_N.sum())
    image_NCHW, label_N, weight_N = placed(image_NCHW, device), label_N.to(device), weight_N.to(device)
    with _Probing(backbone, modules, batch_statistics=False) as probing:
        total = torch.zeros(sum(len(module.weight) for module in modules), dtype=torch.float64, device=device)
        for first in range(0, len(image_NCHW), batch):
            part = slice(first, first + batch)
            loss_B = F.cross_entropy(head(backbone(image_NCHW[part].to(device))), label_N[part], reduction="none")
            # gradients are squared, so the root of a weight makes it count that often
            loss = (loss_B * weight_N[part].to(loss_B.dtype).sqrt()).sum()
            gradients = torch.autograd.grad(loss, probing.outputs)
            rows = {
                module: per_picture(module, given, slope)
                for module, given, slope in zip(probing.order, probing.inputs, gradients, strict=True)
            }
            total += torch.cat([rows[module].double() for module in modules])
            if progress is not None:
                progress(min(first + batch, len(image_NCHW)), len(image_NCHW))
    return (total / whole).float().cpu().numpy()


def batch_fisher(
    backbone: Backbone,
    head: nn.Linear,
    image_NCHW: torch.Tensor,
    draw_M: Int64,
    generator: torch.Generator,
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Mean over batches of the squared gradient of a batch's mean loss, in training mode: float32 (D,).

    draw_M: places of the pictures drawn. Labels are drawn from the same pass; an incomplete last batch is left out when
    there is another. Running statistics end as they began.
    """
    modules = _modules(backbone)
    device = backbone.scale.device
    image_NCHW = placed(image_NCHW, device)
    with _Probing(backbone, modules, batch_statistics=True):
        total = torch.zeros(sum(len(module.weight) for module in modules), dtype=torch.float64, device=device)
        batch = min(batch, len(draw_M))
        count = len(draw_M) // batch
        for number, at in enumerate(draw_M[: count * batch].reshape(count, batch), 1):
            drawn = torch.from_numpy(at).to(image_NCHW.device, non_blocking=True)
            logits = head(backbone(image_NCHW[drawn].to(device)))
            label = torch.multinomial(logits.detach().softmax(1).cpu(), 1, generator=generator).squeeze(1)
            slopes = torch.autograd.grad(
                F.cross_entropy(logits, label.to(device, non_blocking=True)), [module.weight for module in modules]
            )
            total += torch.cat([
                slope.square().flatten(1).mean(1) if slope.dim() > 1 else slope.square() for slope in slopes
            ]).double()  # fmt: skip
            if progress is not None:
                progress(number * batch, count * batch)
    return (total / count).float().cpu().numpy()


def _modules(backbone: Backbone) -> list[Any]:
    return [module for module in backbone.trunk.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]


class _Probing:
    """A context that keeps inputs and outputs of the modules in the latest pass, and restores the backbone."""

    def __init__(self, backbone: Backbone, modules: list[Any], *, batch_statistics: bool) -> None:
        self.backbone, self.modules, self.batch_statistics = backbone, modules, batch_statistics
        self.order: list[Any] = []
        self.inputs: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []

    def __enter__(self) -> _Probing:
        self.buffers = {name: buffer.clone() for name, buffer in self.backbone.named_buffers()}
        self.training = self.backbone.training
        self.backbone.train(self.batch_statistics)
        # a ReLU in place would overwrite the outputs whose gradients are taken
        self.relus = [m for m in self.backbone.modules() if isinstance(m, nn.ReLU) and m.inplace]
        for relu in self.relus:
            relu.inplace = False
        self.needed = [parameter.requires_grad for parameter in self.backbone.parameters()]
        for parameter in self.backbone.parameters():
            # the sample estimator needs gradients of outputs only; the first weight, set below, starts the graph
            parameter.requires_grad_(self.batch_statistics)
        self.modules[0].weight.requires_grad_(True)
        self.hooks = [module.register_forward_hook(self._keep) for module in self.modules]
        self.hooks.append(self.backbone.register_forward_pre_hook(self._clear))
        return self

    def _clear(self, *_: Any) -> None:
        self.order, self.inputs, self.outputs = [], [], []

    def _keep(self, module: nn.Module, given: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self.order.append(module)
        self.inputs.append(given[0].detach())
        self.outputs.append(output)

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()
        self._clear()
        for relu in self.relus:
            relu.inplace = True
        for parameter, needed in zip(self.backbone.parameters(), self.needed, strict=True):
            parameter.requires_grad_(needed)
        for name, buffer in self.backbone.named_buffers():
            buffer.copy_(self.buffers[name])
        self.backbone.train(self.training)


def per_picture(module: Any, given: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Sum over B pictures of the squared gradient of a module's weight, mean over each filter: (filters,).

    `given`: input (B, I, H, W); `slope`: gradient of the loss at the output (B, O, H', W').
    """
    if isinstance(module, nn.BatchNorm2d):
        running: Any = module  # its statistics are there: `track_running_stats` is torchvision's default
        scale = torch.rsqrt(running.running_var + module.eps)[:, None, None]
        normal = (given - running.running_mean[:, None, None]) * scale
        return (slope * normal).sum((2, 3)).square().sum(0)
    column_BIL = F.unfold(given, module.kernel_size, padding=module.padding, stride=module.stride)
    slope_BOL = slope.flatten(2)
    inputs, places, filters = column_BIL.shape[1], column_BIL.shape[2], slope_BOL.shape[1]
    # squared norms of the rows of slope x column', directly or through (L, L) products over the L places: the cheaper
    if places * (inputs + filters) < inputs * filters:
        gram_BLL = column_BIL.transpose(1, 2) @ column_BIL
        square_BO = ((slope_BOL @ gram_BLL) * slope_BOL).sum(2)
    else:
        square_BO = (slope_BOL @ column_BIL.transpose(1, 2)).square().sum(2)
    return square_BO.sum(0) / inputs
