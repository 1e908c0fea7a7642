"""Stochastic depth: which branches are left out and how often, and none in evaluation mode."""

from __future__ import annotations

import pytest
import torch
from torchvision.models.resnet import BasicBlock

from t2s_offline.training.networks import build
from t2s_offline.training.stochastic_depth import StochasticDepth


@pytest.mark.parametrize("arch", ["resnet18-narrow", "resnet50"])
def test_later_blocks_lose_more_and_the_mean_stays(arch: str) -> None:
    backbone = build(arch, seed=0)
    lasts = [block.bn3 if hasattr(block, "bn3") else block.bn2 for block in backbone.modules() if hasattr(block, "bn2")]
    lasts = [last for last in lasts if last is not backbone.trunk.bn1]
    depth = StochasticDepth(backbone, 0.5)
    depth.generator = torch.Generator().manual_seed(0)
    shares = []
    for last in lasts:
        last.train()
        branch = torch.randn(2000, last.num_features, 1, 1) + 3
        with torch.no_grad():
            last.weight.fill_(0.0)
            last.bias.fill_(1.0)
        seen = last(branch).detach()[:, 0, 0, 0]
        shares.append(float((seen == 0).float().mean()))
        assert float(seen.mean()) == pytest.approx(1, abs=0.1)
        assert bool((last.eval()(branch)[:, 0, 0, 0] == 1).all())
    expected = torch.linspace(0, 0.5, len(lasts))
    assert shares == pytest.approx(expected.tolist(), abs=0.04)


def test_a_picture_without_a_branch_passes_its_block_unchanged() -> None:
    block = BasicBlock(4, 4).train()
    backbone = torch.nn.Sequential(BasicBlock(4, 4), block)
    depth = StochasticDepth(backbone, 0.9)
    depth.generator = torch.Generator().manual_seed(1)
    x = torch.rand(64, 4, 5, 5)
    same = (block(x) == x).flatten(1).all(1)
    assert 40 <= int(same.sum()) < 64
