"""Each parameter: its own streams, constant when off, the stated range when on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from t2s_offline.errors import UnknownName
from t2s_offline.render.scene import FIELDS, Scenes, SceneSampler
from t2s_offline.space import TASK2SIM, SimParam, SimSpace

SETTINGS: dict[str, Any] = {
    "classes": ("ball", "ring"),
    "objects": (5, 3),
    "components": 4,
    "backgrounds": 78,
    "materials": 150,
}
N = 4000


def draw(configuration: str, seed: int = 0, space: SimSpace = TASK2SIM, n: int = N, **changed: Any) -> Scenes:
    sampler = SceneSampler(space, configuration, seed, **(SETTINGS | changed))
    return sampler.sample(np.arange(n) % 2, np.arange(n) // 2)


def one_bit(name: str) -> str:
    return "".join(str(int(param == name)) for param in TASK2SIM.names)


def spread(values: npt.NDArray[Any], low: float, high: float) -> None:
    """Uniform on low..high: range, mean and quartiles."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    width = high - low
    assert low <= flat.min() < low + 0.01 * width
    assert high - 0.01 * width < flat.max() <= high
    assert np.quantile(flat, [0.25, 0.5, 0.75]) == pytest.approx(
        np.array([low, low, low]) + width * np.array([0.25, 0.5, 0.75]), abs=0.025 * width
    )


@pytest.mark.parametrize("name", TASK2SIM.names)
@pytest.mark.parametrize("others", ["0", "1"])
def test_a_bit_changes_only_its_own_values(name: str, others: str) -> None:
    position = TASK2SIM.position(name)
    off, on = (others * position + bit + others * (7 - position) for bit in "01")
    before, after = draw(off), draw(on)
    changed = {f for f in Scenes.__dataclass_fields__ if not np.array_equal(getattr(before, f), getattr(after, f))}
    assert changed == set(FIELDS[name])


def test_off_is_constant() -> None:
    scenes = draw(TASK2SIM.all_off)
    for names in FIELDS.values():
        for field in names:
            values = getattr(scenes, field)
            assert (values == values[0]).all(), field
    assert (scenes.material_NK == -1).all()
    assert scenes.lens_N[0] == 0
    assert scenes.distance_N[0] == scenes.intensity_N[0] == 1
    assert (scenes.colour_N3 == 1).all()


def test_ranges_when_on() -> None:
    spread(draw(one_bit("object_rotation")).rotation_N3, -180, 180)
    spread(draw(one_bit("object_distance")).distance_N, 0.4, 1.5)
    spread(draw(one_bit("light_intensity")).intensity_N, 0.4, 1.6)
    spread(draw(one_bit("light_colour")).colour_N3, 0.05, 1.0)
    spread(draw(one_bit("light_direction")).light_N2, 0, 360)


def test_blur_is_on_for_three_quarters() -> None:
    scenes = draw(one_bit("focus_blur"))
    blurred = scenes.lens_N > 0
    assert blurred.mean() == pytest.approx(0.75, abs=0.02)
    assert (scenes.focus_N[~blurred] == 1).all()
    spread(scenes.focus_N[blurred], 0.62, 1.38)
    spread(0.085 / scenes.lens_N[blurred], 0.5, 1.2)


def test_backgrounds_and_materials_are_all_used_evenly() -> None:
    scenes = draw("00000011", n=20_000)
    for values, count in ((scenes.background_N, 78), (scenes.material_NK, 150)):
        seen = np.bincount(values.ravel(), minlength=count)
        assert len(seen) == count
        expected = values.size / count
        assert ((seen - expected) ** 2 / expected).sum() < count + 5 * (2 * count) ** 0.5
    spread(scenes.view_N3[:, 2], 0.75, 1.25)
    assert len(np.unique(scenes.grain_N3[:, 0])) > 19_000


def test_columns_of_a_parameter_are_independent() -> None:
    scenes = draw("1" * 8, n=20_000)
    columns = [c.astype(float) for name, c in scenes.columns().items() if name not in ("object", "lens", "focus")]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 0.04


def test_an_image_does_not_depend_on_the_others() -> None:
    whole = draw("1" * 8)
    sampler = SceneSampler(TASK2SIM, "1" * 8, 0, **SETTINGS)
    chosen = np.array([3, 1001, 17])
    part = sampler.sample(chosen % 2, chosen // 2)
    for field in Scenes.__dataclass_fields__:
        assert np.array_equal(getattr(whole, field)[chosen], getattr(part, field)), field


def test_more_classes_and_another_order_change_nothing() -> None:
    few = draw("1" * 8, n=2)
    sampler = SceneSampler(
        TASK2SIM, "1" * 8, 0, **(SETTINGS | {"classes": ("x", "ring", "ball"), "objects": (1, 3, 5)})
    )
    many = sampler.sample(np.array([2, 1]), np.array([0, 0]))
    for field in Scenes.__dataclass_fields__:
        assert np.array_equal(getattr(few, field), getattr(many, field)), field


def test_seeds_differ_and_repeat() -> None:
    first, again, other = draw("1" * 8), draw("1" * 8), draw("1" * 8, seed=1)
    for field in Scenes.__dataclass_fields__:
        assert np.array_equal(getattr(first, field), getattr(again, field))
        assert not np.array_equal(getattr(first, field), getattr(other, field)), field


def test_images_go_through_the_objects_in_turn() -> None:
    scenes = draw(TASK2SIM.all_off, n=60)
    ball, ring = scenes.object_N[::2], scenes.object_N[1::2]
    assert sorted(ball[:5]) == list(range(5))
    assert sorted(ring[:3]) == list(range(3))
    assert np.array_equal(ball[5:10], ball[:5])


def test_a_middle_level_scales_the_range() -> None:
    space = SimSpace(tuple(SimParam(name, 3) for name in TASK2SIM.names))
    scenes = draw("1" * 8, space=space)
    spread(scenes.rotation_N3, -90, 90)
    spread(scenes.distance_N, 0.7, 1.25)
    spread(scenes.intensity_N, 0.7, 1.3)
    spread(scenes.colour_N3, 0.525, 1)
    assert scenes.background_N.max() == 38
    assert scenes.material_NK.max() == 74
    full = draw("2" * 8, space=space)
    for field in Scenes.__dataclass_fields__:
        assert np.array_equal(getattr(full, field), getattr(draw("1" * 8), field)), field


def test_a_parameter_that_the_space_lacks_is_off_and_a_strange_one_an_error() -> None:
    scenes = draw("1", space=SimSpace((SimParam("light_colour"),)))
    assert (scenes.rotation_N3 == 0).all()
    spread(scenes.colour_N3, 0.05, 1.0)
    with pytest.raises(UnknownName, match=r"'light_color'; did you mean light_colour"):
        draw("1", space=SimSpace((SimParam("light_color"),)))
