"""Stochastic depth: residual branches are left out at random during training (Huang et al. 2016).

The share of branches that are left out rises linearly from 0 in the first block to the given share in the last. For
each picture a whole branch is kept or left out, and kept ones are scaled so that the mean stays the same, as in timm's
drop-path. Nothing is left out in evaluation mode. Random numbers are drawn on the host.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck


class StochasticDepth:
    """Attached to a ResNet by hooks, so that its weights keep their names. Set `generator` before each training step.
    Call `remove` after training: copies of the backbone have the hooks too."""

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
