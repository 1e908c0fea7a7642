"""Backbones to take away: a file as a torch module; what a prediction hands over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.api.told import Progress
from t2s_offline.device import open_device

if TYPE_CHECKING:
    from t2s_offline.api.question import Question
    from t2s_offline.training.encoder import Encoder


def load_backbone(path: str | Path, device: str = "cpu") -> Encoder:
    """The backbone of a file as a torch module in evaluation mode: pictures (N, 3, H, W), floats 0 to 1 or uint8, to
    float32 features (N, `.features`).

    device: auto, cpu, cuda or cuda:0. BadFile when the file is absent, damaged or not a backbone of this package.
    """
    from t2s_offline.training.encoder import Encoder
    from t2s_offline.training.networks import load_backbone as read

    saved = read(Path(path), open_device(device))
    return Encoder(saved.backbone, saved.card).eval()


def hand_over(
    question: Question,
    configuration: str,
    out: Path,
    *,
    render: int = 0,
    pretrain: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write pictures of the configuration (`render` a class) to out/pictures, and its backbone to
    out/backbone.safetensors: the one that the sweep kept, else one trained now."""
    from t2s_offline.sweep.hand_over import hand_over_backbone, render_pictures

    if render:
        step = progress or (lambda done, total: None)
        question.told(render_pictures(*question.rendering, configuration, render, out / "pictures", step))
    if pretrain:
        question.told(hand_over_backbone(*question.rendering, configuration, out / "backbone.safetensors"))
