"""Renderers: requests for a dataset, batches of labelled images, and how a renderer is opened by name.

Every renderer is used through the `Renderer` protocol. `recipe_renderer` opens the one that a recipe names, which may
come from a stranger: only with options that the renderer declares (`options.py`), and only where its pixels are the
recipe's (`pixels.py`). `get_renderer` opens one by name for a person, with any option. A renderer of your own is one
file with a function that returns a `Renderer`, named here in RENDERERS or given as ``package.module:function``. This
module imports neither torch nor a renderer.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.render import pixels
from t2s_offline.render.options import OPTIONS, check_named, check_options
from t2s_offline.space import TASK2SIM, SimSpace

if TYPE_CHECKING:
    import torch

    from t2s_offline.recipe import Recipe
    from t2s_offline.render.scene import Scenes

#: Name of a renderer -> where the function that opens it lies.
RENDERERS = {
    "builtin": "t2s_offline.render.builtin.renderer:open_renderer",
    "tdw": "t2s_offline.render.tdw.open_tdw:open_renderer",
    "fractals": "t2s_offline.render.fractals:open_renderer",
    "dead_leaves": "t2s_offline.render.dead_leaves:open_renderer",
}

MIN_SIZE, MAX_SIZE, MAX_SAMPLES = 16, 4096, 256


@dataclass(frozen=True)
class RenderRequest:
    """One dataset: `images` pictures of every class, `size` x `size` pixels, under one configuration.

    Image i shows class ``i // images``. What image k of a class shows depends on (seed, class, k) alone, so a larger
    request extends a smaller one. `samples`: rays a pixel.
    """

    configuration: str
    images: int
    size: int = 64
    seed: int = 0
    samples: int = 4
    space: SimSpace = TASK2SIM

    def __post_init__(self) -> None:
        self.space.digits(self.configuration)
        if self.images < 1:
            raise BadInput(f"{self.images} images a class; expected 1 or more")
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise BadInput(f"size {self.size}; expected {MIN_SIZE} to {MAX_SIZE} pixels")
        if not 1 <= self.samples <= MAX_SAMPLES:
            raise BadInput(f"{self.samples} samples a pixel; expected 1 to {MAX_SAMPLES}")
        if self.seed < 0:
            raise BadInput(f"seed {self.seed}; expected 0 or more")


@dataclass(frozen=True, eq=False)
class Batch:
    """N images. image_NCHW: uint8 (N, 3, H, W), sRGB; label_N, object_N, index_N: int64 (N,), all on one device.

    label: place in the renderer's `classes`; object: place in its `objects`; index: number of the image in the
    dataset; scenes: the scene values behind the images (numpy, N rows).
    """

    image_NCHW: torch.Tensor
    label_N: torch.Tensor
    object_N: torch.Tensor
    index_N: torch.Tensor
    scenes: Scenes


@runtime_checkable
class Renderer(Protocol):
    """What a renderer offers. `classes`, `objects`: names; `settings`: what can change a pixel, for a recipe's hash."""

    name: str
    classes: tuple[str, ...]
    objects: tuple[str, ...]

    @property
    def settings(self) -> dict[str, str | int | float]: ...

    def describe(
        self, request: RenderRequest, indices: npt.NDArray[np.int64] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Scenes]:
        """What images `indices` (all when None) will show, without rendering: label (N,), object (N,), scene values."""
        ...

    def render(
        self, request: RenderRequest, *, indices: npt.NDArray[np.int64] | None = None, batch: int = 256
    ) -> Iterator[Batch]:
        """Images `indices` of the dataset (all of them in order when None), `batch` at a time."""
        ...


def get_renderer(
    name: str = "builtin",
    *,
    classes: Sequence[str] | int | None = None,
    objects: int = 20,
    device: str = "auto",
    **options: Any,
) -> Renderer:
    """Open a renderer: ``builtin``, or ``package.module:function`` for one of your own.

    `classes`: names, how many, or None for all; `objects`: objects a class; `device`: auto, cpu, cuda, cuda:0 ...;
    further options go to the renderer. Raises UnknownName, BadInput or RenderError.
    """
    module, function = _place(name)
    try:
        opener = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"renderer {name!r} cannot be imported: {error}") from error
    renderer: Renderer = opener(classes=classes, objects=objects, device=device, **options)
    return renderer


def recipe_renderer(recipe: Recipe, *, device: str = "auto", **own: Any) -> Renderer:
    """Open the renderer of a recipe, whoever wrote it. `own`: options of the person who asks, such as threads.

    BadInput for options or code that a recipe may not choose, and for a recipe of other pixels than this renderer's.
    """
    check_recipe(recipe)
    check_pixels(recipe)
    options = {**recipe.renderer_options, **own}
    return get_renderer(recipe.renderer, classes=recipe.classes, objects=recipe.objects, device=device, **options)


def check_pixels(recipe: Recipe) -> None:
    """BadInput for a recipe of other pixels than its renderer makes here."""
    here = pixels_version(recipe.renderer)
    if recipe.renderer_version != here:
        raise BadInput(
            f"the recipe is of version {recipe.renderer_version!r} of the pixels of {recipe.renderer}, and this one "
            f"makes version {here!r}: render with the t2s-offline that made the recipe, or sweep anew"
        )


def check_recipe(recipe: Recipe) -> None:
    """BadInput where a recipe chooses what only a person may. Imports somebody's own code only where it was named."""
    name = recipe.renderer
    declared = OPTIONS.get(name)
    if declared is None:
        _place(name)
        check_named(name)
        declared = _attribute(name, "RECIPE_OPTIONS", {})
    check_options(name, recipe.renderer_options, declared)


def pixels_version(name: str) -> str:
    """What changes when the pixels of a recipe's renderer do: see `pixels.py`; of one's own, its module's PIXELS."""
    if name in pixels.SOURCES:
        return pixels.version(name)
    _place(name)
    check_named(name)
    return str(_attribute(name, "PIXELS", ""))


def _place(name: str) -> tuple[str, str]:
    """Module and function of a renderer; UnknownName names the nearest."""
    module, _, function = RENDERERS.get(name, name).partition(":")
    if not function.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise UnknownName("renderer", name, RENDERERS, "or give package.module:function")
    return module, function


def _attribute(name: str, attribute: str, otherwise: Any) -> Any:
    try:
        return getattr(importlib.import_module(_place(name)[0]), attribute, otherwise)
    except ImportError as error:
        raise BadInput(f"renderer {name!r} cannot be imported: {error}") from error
