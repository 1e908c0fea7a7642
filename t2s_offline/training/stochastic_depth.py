"""Stochastic depth: residual branches that are left out at random while a network trains (Huang et al. 2016).

Comes in: a ResNet's backbone and the share that its last block leaves out. The share rises linearly from 0 at the first
block, a picture keeps or loses a whole branch, and what is kept is scaled so that its mean stays the same, as timm's
drop-path does. Nothing is left out in evaluation mode. Numbers come from `generator`, drawn on the host.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck


class StochasticDepth:
    """Attached to a backbone by hooks, so that its weights keep their names. Set `generator` before a step; `remove`
    when the training is over: a copy of the backbone would have the hooks as well."""

    def __init__(self, backbone: nn.Module, share: float) -> None:
        self.generator: torch.Generator | None = None
        blocks = [module for module in backbone.modules() if isinstance(module, BasicBlock | Bottleneck)]
        self.hooks = []
        for number, block in enumerate(blocks):
            last: nn.Module = block.bn3 if isinstance(block, Bottleneck) else block.bn2
            drop = partial(self._drop, share * number / max(len(blocks) - 1, 1))
            self.hooks.append(last.register_forward_hook(drop))

    def remove(self) -> None:
        """Leave the backbone as it was."""
        for hook in self.hooks:
            hook.remove()

    def _drop(self, share: float, module: nn.Module, _given: Any, branch: torch.Tensor) -> torch.Tensor | None:
        if not module.training or not share:
            return None
        kept = (torch.rand(len(branch), generator=self.generator) >= share).to(branch, non_blocking=True) / (1 - share)
        return branch * kept[:, None, None, None]
