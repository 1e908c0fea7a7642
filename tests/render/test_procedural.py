"""Renderers without simulation parameters: fractals and dead leaves."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.recipe import Recipe
from t2s_offline.render import dead_leaves, fractals
from t2s_offline.render.renderer import Renderer, RenderRequest, check_recipe, get_renderer, pixels_version
from t2s_offline.space import PROCEDURAL, TASK2SIM

OFF = TASK2SIM.all_off


def opened(name: str, classes: int = 6, objects: int = 5) -> Renderer:
    return get_renderer(name, classes=classes, objects=objects, device="cpu")


def pictures(renderer: Renderer, request: RenderRequest, **how: object) -> npt.NDArray[np.uint8]:
    return np.concatenate([batch.image_NCHW.numpy() for batch in renderer.render(request, **how)])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PROCEDURAL)
def test_they_are_renderers_like_any_other(name: str) -> None:
    renderer = opened(name)
    assert isinstance(renderer, Renderer)
    assert renderer.settings == {"renderer": name, "version": pixels_version(name)}
    assert (len(renderer.classes), len(renderer.objects)) == (6, 30)
    (batch,) = renderer.render(RenderRequest(OFF, 10, 32))
    assert batch.image_NCHW.shape == (60, 3, 32, 32)
    assert batch.label_N.tolist() == np.repeat(np.arange(6), 10).tolist()
    assert (batch.object_N // 5).tolist() == batch.label_N.tolist()
    assert len(batch.object_N.unique()) == 30, "ten pictures of a class show its five objects"
    assert batch.scenes.noise_N.shape == (60,)


@pytest.mark.parametrize("name", PROCEDURAL)
@pytest.mark.parametrize("size", [16, 33, 64])
def test_a_picture_depends_on_class_number_and_seed_alone(name: str, size: int) -> None:
    renderer, request = opened(name, 3), RenderRequest(OFF, 4, size, seed=2)
    all_N = pictures(renderer, request)
    assert np.array_equal(pictures(renderer, request, batch=5), all_N)
    assert np.array_equal(pictures(renderer, request, indices=np.array([7, 0, 11])), all_N[[7, 0, 11]])
    more = pictures(renderer, RenderRequest(OFF, 6, size, seed=2)).reshape(3, 6, 3, size, size)
    assert np.array_equal(more[:, :4].reshape(all_N.shape), all_N)
    third = get_renderer(name, classes=renderer.classes[2:], objects=5, device="cpu")
    assert np.array_equal(pictures(third, request), all_N[8:])
    assert not np.array_equal(pictures(renderer, RenderRequest(OFF, 4, size, seed=3)), all_N)
    assert len({picture.tobytes() for picture in all_N}) == 12


@pytest.mark.parametrize("name", PROCEDURAL)
def test_what_they_refuse(name: str) -> None:
    renderer = opened(name, 2)
    with pytest.raises(BadInput, match="no simulation parameters; expected 00000000"):
        renderer.describe(RenderRequest("10000000", 1, 32))
    with pytest.raises(BadInput, match="image numbers 2 to 2; expected 0 to 1"):
        renderer.describe(RenderRequest(OFF, 1, 32), np.array([2]))
    with pytest.raises(BadInput, match="five digits"):
        get_renderer(name, classes=["owl"], device="cpu")
    with pytest.raises(BadInput, match="0 classes"):
        get_renderer(name, classes=0, device="cpu")
    with pytest.raises(BadInput, match="may set nothing of it"):
        check_recipe(Recipe(renderer=name, renderer_options={"threads": 1}))


@pytest.mark.parametrize("name", PROCEDURAL)
def test_classes_can_be_told_apart_by_other_objects(name: str) -> None:
    """Pictures of objects 0 to 3 teach, those of object 4 are asked: the nearest class by simple statistics."""
    renderer = opened(name, 12)
    (batch,) = renderer.render(RenderRequest(OFF, 60, 32), batch=720)
    image = batch.image_NCHW.numpy().astype(np.float32)
    label, held = batch.label_N.numpy(), batch.object_N.numpy() % 5 == 4
    across, down = np.abs(np.diff(image, axis=3)).mean((1, 2, 3)), np.abs(np.diff(image, axis=2)).mean((1, 2, 3))
    coarse = image.reshape(-1, 3, 4, 8, 4, 8).mean((3, 5)).reshape(len(image), -1)
    mirrored = np.sort(coarse, axis=1)  # fractals are flipped
    values = np.concatenate([mirrored, across[:, None], down[:, None], image.std((2, 3))], axis=1)
    values = (values - values[~held].mean(0)) / (values[~held].std(0) + 1e-6)
    means = np.stack([values[~held & (label == at)].mean(0) for at in range(12)])
    nearest = ((values[held][:, None] - means[None]) ** 2).sum(2).argmin(1)
    assert (nearest == label[held]).mean() > 0.3, "chance is 0.08"


def test_fractals_fill_their_pictures() -> None:
    """Every object of 16 classes, perturbed ones too, is more than a speck; and they are grey."""
    renderer = opened("fractals", 16, fractals.OBJECTS)
    assert len(renderer.objects) == 16 * 25
    image = pictures(renderer, RenderRequest(OFF, fractals.OBJECTS, 32))
    assert (image[:, :1] == image).all()
    assert image.max() <= fractals.GREY
    share = (image[:, 0] > 0).mean((1, 2))
    assert np.quantile(share, 0.02) > 0.15
    assert share.mean() < 0.9


def test_dead_leaves_are_of_their_family() -> None:
    """Edges of upright squares and rectangles follow rows and columns, those of discs do not."""
    image = pictures(opened("dead_leaves", 6, 1), RenderRequest(OFF, 8, 128)).astype(np.float32)
    step = np.abs(np.diff(image, axis=3)).max(1) > 40
    straight = (step[:, 1:] & step[:, :-1]).sum((1, 2)) / step.sum((1, 2))
    of_class = straight.reshape(6, 8).mean(1)
    names = dict(zip(dead_leaves.FAMILIES, of_class, strict=True))
    assert min(names["squares"], names["rectangles"]) > max(names["discs"], names["turned squares"]) + 0.1


def test_sizes_of_dead_leaves_follow_the_power_law() -> None:
    power, smallest = np.full(3, 3.0), np.array([0.03, 0.06, 0.12])
    radius = np.linspace(smallest, 1, 200_001)
    density = radius**-3 / (radius**-3).sum(0)
    assert dead_leaves.mean_square(power + 1e-9, smallest) == pytest.approx((density * radius**2).sum(0), rel=1e-2)


@pytest.mark.parametrize("name", PROCEDURAL)
def test_they_are_fast_enough(name: str) -> None:
    renderer = opened(name, 8)
    pictures(renderer, RenderRequest(OFF, 1, 32))  # the search for classes
    begin = time.process_time()
    pictures(renderer, RenderRequest(OFF, 32, 32))
    assert 256 / (time.process_time() - begin) > 150, "700 to 1,300 a core-second where nothing else runs"
