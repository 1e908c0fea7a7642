"""The renderer behind `open_tdw`: batches of a TDW build's pictures for a request.

Images of an object are taken one after another, since loading a model is what costs, and pictures are decoded in
threads while the build draws the next. A build that fails is started again where the dataset was. A dataset can be
described without a build. How a build is told and reached lies in `session`. Does not import tdw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch

from t2s_offline.errors import BadInput, RenderError
from t2s_offline.render.renderer import Batch, RenderRequest
from t2s_offline.render.scene import Scenes, SceneSampler
from t2s_offline.render.tdw import models as tdw_models
from t2s_offline.render.tdw.build import BuildLost
from t2s_offline.render.tdw.commands import Placement, Shot, shot
from t2s_offline.render.tdw.models import Material, ModelSet, Skybox
from t2s_offline.render.tdw.session import Session

COMPONENTS = 32  # materials an image; they go round over models with more parts
GRACE = 50  # images after which earlier failures are forgotten
#: Payload and size to a picture, uint8 (3, size, size): BuildLost when damaged, RenderError at another size.
Decode = Callable[[bytes, int], npt.NDArray[np.uint8]]


class TdwRenderer:
    """Renders a `ModelSet` through a build; see `open_renderer`."""

    name = "tdw"

    def __init__(
        self,
        models: ModelSet,
        skyboxes: Sequence[Skybox],
        materials: Sequence[Material],
        session: Session,
        decode: Decode,
        *,
        pixels: str,
        device: torch.device,
        quality: str,
        threads: int,
        restarts: int,
        models_a_build: int,
    ) -> None:
        self.models, self.skyboxes, self.materials, self.session = models, skyboxes, materials, session
        self.classes = models.classes
        self.objects = tuple(f"{model.category}_{model.name}".replace(" ", "_") for model in models.models)
        self.device, self.quality, self.pixels = device, quality, pixels
        self.restarts, self.models_a_build = restarts, models_a_build
        self.faults, self.since = 0, 0
        self._first = np.cumsum([0, *models.counts], dtype=np.int64)
        self._decode, self._pool = decode, ThreadPoolExecutor(threads)

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def settings(self) -> dict[str, str | int | float]:
        """See `Renderer.settings`; models, skyboxes and materials are named by a hash of their names."""
        names = [part for m in self.models.models for part in (m.wnid, m.name)]
        return {
            "renderer": self.name,
            "version": self.pixels,
            "build": self.session.wire.package,
            "models": tdw_models.digest(*names),
            "backgrounds": tdw_models.digest(*(sky.name for sky in self.skyboxes)),
            "materials": tdw_models.digest(*(material.name for material in self.materials)),
            "quality": self.quality,
            "render_quality": self.session.render_quality,
            "pictures": "jpg" if self.session.jpeg else "png",
            "settle": self.session.settle,
        }

    def describe(
        self, request: RenderRequest, indices: npt.NDArray[np.int64] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Scenes]:
        """See `Renderer.describe`. Needs no build. Raises UnknownName for a parameter that TDW cannot vary."""
        index_N = self._indices(request, indices)
        label_N, k_N = np.divmod(index_N, request.images)
        sampler = SceneSampler(
            request.space, request.configuration, request.seed,
            classes=self.classes, objects=self.models.counts,
            components=min(COMPONENTS, max(1, *(len(model.slots) for model in self.models.models))),
            backgrounds=len(self.skyboxes), materials=len(self.materials),
        )  # fmt: skip
        scenes = sampler.sample(label_N, k_N)
        return label_N, self._first[label_N] + scenes.object_N.astype(np.int64), scenes

    def render(
        self, request: RenderRequest, *, indices: npt.NDArray[np.int64] | None = None, batch: int = 256
    ) -> Iterator[Batch]:
        """See `Renderer.render`. Raises RenderError when the build fails more often than it may."""
        index_N = self._indices(request, indices)
        self.faults = self.since = 0
        for start in range(0, len(index_N), batch):
            index = index_N[start : start + batch]
            label, shown, scenes = self.describe(request, index)
            image = torch.from_numpy(self._pictures(scenes, shown, request.size)).to(self.device)
            numbers = torch.from_numpy(np.stack([label, shown, index]).astype(np.int64)).to(self.device)
            yield Batch(image, numbers[0], numbers[1], numbers[2], scenes)

    def close(self) -> None:
        """End the build if it is ours, let go of the port."""
        self.session.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _indices(self, request: RenderRequest, indices: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
        total = request.images * len(self.classes)
        index_N = np.arange(total) if indices is None else np.asarray(indices, dtype=np.int64)
        if len(index_N) and not 0 <= index_N.min() <= index_N.max() < total:
            raise BadInput(f"image numbers {index_N.min()} to {index_N.max()}; expected 0 to {total - 1}")
        return index_N

    def _pictures(self, scenes: Scenes, shown: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.uint8]:
        """Pictures (N, 3, size, size), taken object by object; those that a lost build owes are asked for again."""
        out = np.empty((len(shown), 3, size, size), dtype=np.uint8)
        # by skybox within an object: the same one again needs no new sky
        left = np.lexsort((scenes.view_N3[:, 0], scenes.background_N, shown)).tolist()
        while left:
            taken: dict[int, Future[None]] = {}
            fault: BuildLost | None = None
            try:
                for row in left:
                    name = self.models.models[shown[row]].name
                    if self.session.models >= self.models_a_build and name not in self.session.loaded:
                        self.session.tidy()
                    self.session.ready(size)
                    payload = self._photograph(scenes, row, int(shown[row]))
                    taken[row] = self._pool.submit(self._develop, payload, out[row])
            except BuildLost as error:
                fault = error
            except BaseException:  # an answer may be under way, which nobody would take
                self.session.stop()
                raise
            for row, future in taken.items():
                try:
                    future.result()
                    self.since += 1
                    left.remove(row)
                except BuildLost as error:
                    fault = error
            if fault is not None:
                self._lost(fault)
        return out

    def _develop(self, payload: bytes, out_CHW: npt.NDArray[np.uint8]) -> None:
        out_CHW[:] = self._decode(payload, out_CHW.shape[1])

    def _photograph(self, scenes: Scenes, row: int, which: int) -> bytes:
        model = self.models.models[which]

        def make(number: int, placement: Placement) -> Shot:
            return shot(scenes, row, model, number, placement, self.skyboxes, self.materials)

        return self.session.photograph(model, make)

    def _lost(self, fault: BuildLost) -> None:
        """End a build that failed; RenderError when that happened too often."""
        self.session.stop()
        self.faults = 1 if self.since >= GRACE else self.faults + 1
        self.since = 0
        if self.faults > self.restarts:
            raise RenderError(
                f"{fault}; given up after {self.restarts} restarts; look into the build's Player.log and run "
                f"t2s-offline doctor"
            ) from fault
