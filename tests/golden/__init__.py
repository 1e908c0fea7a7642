"""Pictures that the embedded renderers made and must make again; ``python -m tests.golden`` makes them anew.

One strip of a few classes a file: everything off, everything on, and each parameter on alone at 32 pixels; off and on
at 48 pixels; for each renderer without parameters two pictures of six classes at 32 pixels. `MADE_ON` names the
processor: another one may round differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from t2s_offline.render.renderer import RenderRequest, get_renderer
from t2s_offline.space import PROCEDURAL, TASK2SIM

HERE = Path(__file__).parent
MADE_ON = HERE / "made_on.txt"
CLASSES = ("grand_piano", "lantern", "owl")
ONE_BIT = ["0" * at + "1" + "0" * (7 - at) for at in range(8)]
WANTED = [(configuration, 32) for configuration in ("00000000", "11111111", *ONE_BIT)]
WANTED += [("00000000", 48), ("11111111", 48)]


def strips() -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Each file's name and its picture, uint8 (size, size * classes, 3)."""
    renderer = get_renderer("builtin", classes=CLASSES, objects=2, device="cpu", threads=1)
    for configuration, size in WANTED:
        request = RenderRequest(configuration, 1, size, seed=5, samples=4, space=TASK2SIM)
        (batch,) = renderer.render(request)
        image_NHWC = batch.image_NCHW.permute(0, 2, 3, 1).numpy()
        yield f"{configuration}-{size}.png", np.concatenate(list(image_NHWC), axis=1)
    for name in PROCEDURAL:
        request = RenderRequest(TASK2SIM.all_off, 2, 32, seed=5)
        (batch,) = get_renderer(name, classes=6, objects=3, device="cpu").render(request)
        image_NHWC = batch.image_NCHW.permute(0, 2, 3, 1).numpy()
        yield f"{name}-32.png", np.concatenate(list(image_NHWC), axis=1)
