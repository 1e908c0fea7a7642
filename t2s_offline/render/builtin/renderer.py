"""The embedded renderer: draws scene values with the Warp kernel, on a CPU or one CUDA GPU.

Owns what lives on the device (meshes, materials, backgrounds) and how a batch is cut up: on a CPU over a pool of
threads, since a launch there is sequential but releases the GIL; on a GPU in one launch whose output is the torch
tensor handed out. Equal bytes are promised on one machine and kind of device, not between a CPU and a GPU.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import warp as wp

from t2s_offline.errors import BadInput
from t2s_offline.render import pixels
from t2s_offline.render.builtin import backgrounds, coverage, kernel, lens, shading, stage
from t2s_offline.render.builtin.materials import material_rows
from t2s_offline.render.builtin.meshset import MeshSet
from t2s_offline.render.builtin.srgb import encoded
from t2s_offline.render.builtin.warp_device import open_device, start_warp
from t2s_offline.render.options import BACKGROUNDS_VARIABLE, MESHES_VARIABLE, given_folder
from t2s_offline.render.renderer import Batch, RenderRequest
from t2s_offline.render.scene import Scenes, SceneSampler

CHUNK = 8  # images a CPU launch: some milliseconds of work, so that threads finish together ...
CHUNK_PIXELS = 1 << 20  # ... and fewer of large ones, so that what they need in between stays small


class BuiltinRenderer:
    """Renders a `MeshSet`. `threads`: CPU threads, 0 = one a core that this process may use."""

    name = "builtin"

    def __init__(
        self, meshes: MeshSet, sky: backgrounds.Backgrounds, *, device: str = "auto", threads: int = 0
    ) -> None:
        start_warp()
        self.device = open_device(device)
        for module in (coverage, lens, kernel):  # compiled here once, not by every thread of the pool
            wp.load_module(module, device=self.device)
        self.classes, self.objects, self.meshes, self.sky = meshes.classes, meshes.objects, meshes, sky
        self.threads = threads or len(os.sched_getaffinity(0)) if self.device == "cpu" else 1
        by_class = [np.flatnonzero(meshes.class_of == c) for c in range(len(meshes.classes))]
        self.per_class = [len(objects) for objects in by_class]
        if not all(self.per_class):
            name = self.classes[self.per_class.index(0)]
            raise BadInput(f"class {name} has no object to show; give it one or leave it out")
        self._by_class_CO = np.array([np.resize(objects, max(self.per_class)) for objects in by_class])
        self.rows = material_rows()
        self._built: dict[int, wp.Mesh] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None
        start, vertex = meshes.vertex_start[:-1], meshes.vertex
        self._radius_O = np.sqrt(np.maximum.reduceat((vertex.astype(np.float64) ** 2).sum(1), start))
        self._mesh_O = np.zeros(len(meshes), dtype=np.uint64)
        self.world = shading.World()
        self._fill(self.world, {
            "vertex_start_O": (meshes.vertex_start, wp.int32), "face_start_O": (meshes.face_start, wp.int32),
            "component_start_O": (meshes.component_start, wp.int32), "normal": (meshes.normal, wp.vec3),
            "face": (meshes.face, wp.vec3i), "component": (meshes.component, wp.int32),
            "vertex": (meshes.vertex, wp.vec3), "colour": (meshes.colour, wp.vec3),
            "material": (self.rows, wp.float32), "texel": (sky.texel.reshape(-1, 3), wp.vec3ub),
            # dark backgrounds still light the object, bright ones do not flood it
            "encode": (np.rint(255 * encoded(np.linspace(0, 1, 4096))).astype(np.uint8), wp.uint8),
            "ambient_B": (0.27 / (0.2 + sky.mean_light_B), wp.float32), "mesh_O": (self._mesh_O, wp.uint64),
        })  # fmt: skip

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def settings(self) -> dict[str, str | int | float]:
        """See `Renderer.settings`; meshes and backgrounds are named by a hash of what is in them."""

        def digest(*arrays: npt.NDArray[Any]) -> str:
            summed = hashlib.blake2b(digest_size=8)
            for array in arrays:
                summed.update(np.ascontiguousarray(array).data)
            return summed.hexdigest()

        m = self.meshes
        meshes = digest(m.vertex, m.normal, m.face, m.component, m.colour, m.class_of, m.vertex_start)
        sky = digest(self.sky.texel)
        return {"renderer": self.name, "version": pixels.version(self.name), "meshes": meshes, "backgrounds": sky}

    def _fill(self, struct: Any, values: dict[str, tuple[npt.ArrayLike, Any]]) -> None:
        for name, (value, dtype) in values.items():
            setattr(struct, name, wp.array(np.ascontiguousarray(value), dtype=dtype, device=self.device))

    def _build(self, objects: npt.NDArray[np.int64]) -> None:
        """Make the ray-tracing trees of objects that have none yet; a tree takes milliseconds, so only when needed."""
        with self._lock:
            missing = [int(o) for o in np.unique(objects) if int(o) not in self._built]
            for o in missing:
                mesh = self.meshes.mesh(o)
                points: Any = wp.array(np.ascontiguousarray(mesh.vertex), dtype=wp.vec3, device=self.device)
                indices: Any = wp.array(np.ascontiguousarray(mesh.face).ravel(), dtype=wp.int32, device=self.device)
                self._built[o] = wp.Mesh(points, indices)  # kept: its id is a pointer into it
                self._mesh_O[o] = self._built[o].id
            if missing:
                self._fill(self.world, {"mesh_O": (self._mesh_O, wp.uint64)})

    def sampler(self, request: RenderRequest) -> SceneSampler:
        """The sampler of scene values behind a request."""
        return SceneSampler(
            request.space, request.configuration, request.seed,
            classes=self.classes, objects=self.per_class,
            components=int(np.diff(self.meshes.component_start).max()),
            backgrounds=len(self.sky), materials=len(self.rows),
        )  # fmt: skip

    def _shots(self, scenes: Scenes, object_N: npt.NDArray[np.int64]) -> Any:
        """Scene values as the kernel wants them, one row an image."""
        camera = stage.camera(scenes, self._radius_O[object_N])
        shots = shading.Shots()
        self._fill(shots, {
            "object_N": (object_N.astype(np.int32), wp.int32), "noise_N": (scenes.noise_N, wp.uint32),
            "pose_N": (stage.pose(scenes.rotation_N3), wp.mat33),
            "camera_N": (camera, wp.vec4),
            "sun_N": (stage.sun(scenes.light_N2), wp.vec3),
            "light_N": (scenes.colour_N3 * scenes.intensity_N[:, None], wp.vec3),
            "background_N": (scenes.background_N, wp.int32), "view_N": (scenes.view_N3, wp.vec3),
            "grain_N": (scenes.grain_N3, wp.vec3), "material_NK": (scenes.material_NK, wp.int32),
        })  # fmt: skip
        return shots

    def draw(self, scenes: Scenes, object_N: npt.NDArray[np.int64], size: int, samples: int) -> torch.Tensor:
        """Pictures of objects object_N (N,) in these scenes: uint8 (N, 3, size, size) on the renderer's device."""
        n = len(object_N)
        out = torch.empty((n, 3, size, size), dtype=torch.uint8, device=self.device)
        if self.device != "cpu":
            # On torch's own stream the kernel waits for the tensor's memory, and whoever reads the tensor waits for the
            # kernel. What only the kernel needs is given back inside, so that its memory is reused in that order too.
            stream = wp.stream_from_torch(torch.cuda.current_stream(out.device))
            with torch.cuda.device(out.device), wp.ScopedStream(stream):
                self._build(object_N)
                shots = self._shots(scenes, object_N)
                kernel.launch(self.world, shots, wp.from_torch(out), 0, n, samples, self.device)
                del shots
            return out
        self._build(object_N)
        shots = self._shots(scenes, object_N)
        target: Any = wp.from_torch(out)

        step = min(CHUNK, max(1, CHUNK_PIXELS // size**2))

        def chunk(first: int) -> None:
            kernel.launch(self.world, shots, target, first, min(step, n - first), samples, "cpu")

        if self._pool is None:
            for first in range(0, n, step):
                chunk(first)
        else:
            list(self._pool.map(chunk, range(0, n, step)))
        return out

    def describe(
        self, request: RenderRequest, indices: npt.NDArray[np.int64] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Scenes]:
        """See `Renderer.describe`. Raises UnknownName for a parameter that this renderer cannot vary."""
        total = request.images * len(self.classes)
        index_N = np.arange(total) if indices is None else np.asarray(indices, dtype=np.int64)
        if len(index_N) and not 0 <= index_N.min() <= index_N.max() < total:
            raise BadInput(f"image numbers {index_N.min()} to {index_N.max()}; expected 0 to {total - 1}")
        label_N, k_N = np.divmod(index_N, request.images)
        scenes = self.sampler(request).sample(label_N, k_N)
        return label_N, self._by_class_CO[label_N, scenes.object_N], scenes

    def render(
        self, request: RenderRequest, *, indices: npt.NDArray[np.int64] | None = None, batch: int = 256
    ) -> Iterator[Batch]:
        """See `Renderer.render`."""
        total = request.images * len(self.classes)
        index_N = np.arange(total) if indices is None else np.asarray(indices, dtype=np.int64)
        for start in range(0, len(index_N), batch):
            index = index_N[start : start + batch]
            label, shown, scenes = self.describe(request, index)
            image = self.draw(scenes, shown, request.size, request.samples)
            numbers = torch.from_numpy(np.stack([label, shown, index]).astype(np.int64)).to(self.device)
            yield Batch(image, numbers[0], numbers[1], numbers[2], scenes)


def open_renderer(
    *,
    classes: Sequence[str] | int | None = None,
    objects: int = 20,
    device: str = "auto",
    threads: int = 0,
    meshes: Path | MeshSet | str | None = None,
    photographs: Path | str | None = None,
    catalogue_seed: int = 0,
    cache: Path | None = None,
    warn: Callable[[str], None] = lambda line: None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> BuiltinRenderer:
    """The builtin renderer on the catalogue, or on `meshes` (a folder of class folders, or a MeshSet).

    `photographs`: a folder to take backgrounds from; for either, ``folder:DIGEST`` is the folder that T2S_MESHES or
    T2S_BACKGROUNDS names. `warn` is called with a line for every file left out, `progress` with (what, done, total).
    """
    start_warp()
    open_device(device)  # before a catalogue is built
    if threads < 0:
        raise BadInput(f"{threads} threads; expected 1 or more, or 0 for one a core")
    if isinstance(meshes, MeshSet):
        shown = meshes
    elif meshes is not None:
        from t2s_offline.render.builtin.user_meshes import load_meshes

        folder = given_folder(meshes, MESHES_VARIABLE, "--meshes") if isinstance(meshes, str) else meshes
        shown, skipped = load_meshes(folder, progress=partial(progress, "meshes"))
        for line in skipped:
            warn(line)
    else:
        from t2s_offline.render.builtin.catalogue import load_catalogue

        shown = load_catalogue(
            classes,
            objects,
            seed=catalogue_seed,
            cache=cache,
            progress=partial(progress, "categories"),
            jobs=threads or 2,
        )
    if photographs is None:
        sky = backgrounds.procedural(cache=cache, progress=partial(progress, "backgrounds"))
    else:
        if isinstance(photographs, str):
            photographs = given_folder(photographs, BACKGROUNDS_VARIABLE, "--backgrounds")
        sky, skipped = backgrounds.photographs(photographs)
        for line in skipped:
            warn(line)
    return BuiltinRenderer(shown, sky, device=device, threads=threads)
