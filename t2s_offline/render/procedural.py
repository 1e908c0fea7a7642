"""Renderers of formulas, without simulation parameters: what `fractals` and `dead_leaves` share.

Such a renderer is a function that draws pictures from class numbers, object numbers and one 32-bit key a picture. All
random numbers are hashes of that key and a counter, so a picture depends on its class, its object and its key alone:
neither on the other pictures of a batch nor on the number of threads. The key comes from (seed, class name, number of
the picture in its class), as for every renderer (`scene.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from t2s_offline.device import open_device
from t2s_offline.errors import BadInput
from t2s_offline.render import pixels
from t2s_offline.render.renderer import Batch, RenderRequest
from t2s_offline.render.scene import Scenes, SceneSampler, hash_uint64
from t2s_offline.space import TASK2SIM

DEFAULT_CLASSES, MAX_CLASSES = 60, 10_000
#: (class numbers (N,), object numbers within the class (N,), keys uint64 (N,), size) -> uint8 (N, 3, size, size)
Draw = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64], int], npt.NDArray[np.uint8]]


class ProceduralRenderer:
    """A `Renderer` around a drawing function. Class names are the renderer's name and a number: ``fractals_00007``."""

    def __init__(
        self, name: str, draw: Draw, classes: Sequence[str] | int | None, objects: int, device: str = "auto"
    ) -> None:
        """`objects`: objects a class. Raises BadInput for class names that are not of this renderer."""
        self.name, self._draw, self.per_class = name, draw, objects
        self.device = open_device(device)
        if classes is None or isinstance(classes, int):
            self.numbers = np.arange(DEFAULT_CLASSES if classes is None else classes)
        else:
            self.numbers = np.array([self._number(text) for text in classes], dtype=np.int64)
        if not 0 < len(self.numbers) <= MAX_CLASSES:
            raise BadInput(f"{len(self.numbers)} classes of {name}; expected 1 to {MAX_CLASSES}")
        self.classes = tuple(f"{name}_{number:05d}" for number in self.numbers)
        self.objects = tuple(f"{label}_{at:02d}" for label in self.classes for at in range(objects))

    def _number(self, text: str) -> int:
        found = re.fullmatch(rf"{self.name}_([0-9]{{5}})", text)
        if not found:
            raise BadInput(f"class {text!r} of {self.name}; expected {self.name}_ and five digits, or how many classes")
        return int(found[1])

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def settings(self) -> dict[str, str | int | float]:
        """See `Renderer.settings`."""
        return {"renderer": self.name, "version": pixels.version(self.name)}

    def describe(
        self, request: RenderRequest, indices: npt.NDArray[np.int64] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Scenes]:
        """See `Renderer.describe`. Of the scene values, object_N and noise_N (the key) decide the picture. Raises
        BadInput for a configuration that varies something."""
        if request.configuration != request.space.all_off:
            raise BadInput(
                f"configuration {request.configuration} for {self.name}, which has no simulation parameters; "
                f"expected {request.space.all_off}"
            )
        total = request.images * len(self.classes)
        index_N = np.arange(total) if indices is None else np.asarray(indices, dtype=np.int64)
        if len(index_N) and not 0 <= index_N.min() <= index_N.max() < total:
            raise BadInput(f"image numbers {index_N.min()} to {index_N.max()}; expected 0 to {total - 1}")
        label_N, k_N = np.divmod(index_N, request.images)
        sampler = SceneSampler(
            TASK2SIM, TASK2SIM.all_off, request.seed, classes=self.classes,
            objects=[self.per_class] * len(self.classes), components=1, backgrounds=1, materials=1,
        )  # fmt: skip
        scenes = sampler.sample(label_N, k_N)
        return label_N, label_N * self.per_class + scenes.object_N.astype(np.int64), scenes

    def render(
        self, request: RenderRequest, *, indices: npt.NDArray[np.int64] | None = None, batch: int = 256
    ) -> Iterator[Batch]:
        """See `Renderer.render`. `samples` of the request is not used."""
        index_N = np.arange(request.images * len(self.classes)) if indices is None else np.asarray(indices)
        for start in range(0, len(index_N), batch):
            index = index_N[start : start + batch]
            label, shown, scenes = self.describe(request, index)
            key = scenes.noise_N.astype(np.uint64) << np.uint64(32)
            image = self._draw(self.numbers[label], scenes.object_N.astype(np.int64), key, request.size)
            numbers = torch.from_numpy(np.stack([label, shown, index]).astype(np.int64)).to(self.device)
            yield Batch(torch.from_numpy(image).to(self.device), numbers[0], numbers[1], numbers[2], scenes)


def uniform(key_N: npt.NDArray[np.uint64], stream: int, *shape: int) -> npt.NDArray[np.float32]:
    """Numbers in [0, 1) for each key: float32 (N, *shape). Streams of different numbers are independent."""
    count = int(np.prod(shape, dtype=np.int64))
    bits = hash_uint64(hash_uint64(key_N[:, None], np.array([stream])), np.arange(count)[None])
    return ((bits >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)).reshape(len(key_N), *shape)


def random_bytes(key_N: npt.NDArray[np.uint64], stream: int, count: int) -> npt.NDArray[np.uint8]:
    """Random bytes for each key: uint8 (N, count)."""
    bits = hash_uint64(hash_uint64(key_N[:, None], np.array([stream])), np.arange(-(-count // 8))[None])
    return bits.astype("<u8").view(np.uint8)[:, :count]


def shrunk(canvas_NHWC: npt.NDArray[np.float32], scale: int) -> npt.NDArray[np.uint8]:
    """Means of scale x scale pixels: values 0 to 255, float32 (N, H, W, C), to uint8 (N, C, H / scale, W / scale)."""
    n, height, width, channels = canvas_NHWC.shape
    parts = canvas_NHWC.reshape(n, height // scale, scale, width // scale, scale, channels)
    mean = np.rint(parts.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8)
    return np.ascontiguousarray(mean.transpose(0, 3, 1, 2))
