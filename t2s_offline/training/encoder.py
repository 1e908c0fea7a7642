"""A pre-trained backbone as a torch module that takes pictures as torch users have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from t2s_offline.errors import BadInput
from t2s_offline.training.networks import Backbone


class Encoder(nn.Module):
    """Maps pictures (N, 3, H, W) in RGB to features (N, `features`), float32.

    Pictures are floats from 0 to 1 or uint8 from 0 to 255; they are normalised inside. Any H and W from 32 on work:
    features are means over the picture. `size` is what the backbone was pre-trained on in pixels (0 where its file does
    not say so), `card` what else its file says (recipe, configuration, seed, classes, figures). The parameters can be
    trained further; the module comes in evaluation mode.
    """

    def __init__(self, backbone: Backbone, card: Mapping[str, Any]) -> None:
        super().__init__()
        self.backbone, self.features, self.card = backbone, backbone.features, dict(card)
        size = self.card.get("size")
        self.size = size if type(size) is int else 0

    def forward(self, image_NCHW: torch.Tensor) -> torch.Tensor:
        if image_NCHW.ndim != 4 or image_NCHW.shape[1] != 3:
            raise BadInput(f"pictures of shape {tuple(image_NCHW.shape)}; expected (N, 3, H, W)")
        features: torch.Tensor = self.backbone(image_NCHW * 255 if image_NCHW.is_floating_point() else image_NCHW)
        return features
