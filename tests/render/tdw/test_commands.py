"""Commands: a pure function of scene values, each parameter with commands of its own, in TDW's own words."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from t2s_offline.render.scene import SceneSampler
from t2s_offline.render.tdw.commands import (
    CENTRE,
    DISTANCE,
    FIELD_OF_VIEW,
    IN_FOCUS,
    LEVELS,
    Command,
    Shot,
    depth,
    image_commands,
    level,
    load_commands,
    needs_sky,
    quaternion,
    rotated,
    scale_commands,
    scene_commands,
    shot,
    standing,
    unload_commands,
)
from t2s_offline.render.tdw.models import Material, Model, Skybox
from t2s_offline.space import TASK2SIM

KAYAK = Model("kayak", "n1", "boat", "file:///k", 1.0, (0.0, 180.0, 0.0), (0.1, 0.2, 0.5), (0.6, 0.4, 3.0),
              (("hull", 0), ("hull", 1), ("seat", 0)))  # fmt: skip
BUCKET = Model("bucket", "n2", "bucket", "file:///b", 0.5, (0.0, 0.0, 0.0), (0.0, 0.15, 0.0), (0.3, 0.3, 0.3),
               (("bucket", 0),))  # fmt: skip
SKYBOXES = tuple(Skybox(f"sky{i}", f"file:///s{i}", 0.5 + i / 4, 30.0 * i) for i in range(4))
MATERIALS = tuple(Material(f"stuff{i}", f"file:///m{i}") for i in range(7))
#: parameter -> the commands that it alone may change
OWN = {
    "object_rotation": {"rotate_object_to", "teleport_object"},
    "object_distance": {"teleport_avatar_to", "look_at_position"},
    "light_intensity": {"adjust_directional_light_intensity_by"},
    "light_colour": {"set_directional_light_color"},
    "light_direction": {"reset_directional_light_rotation", "rotate_directional_light_by"},
    "focus_blur": {"set_aperture", "set_focus_distance"},
    "background": {"add_hdri_skybox"},
    "materials": {"add_material", "set_visual_material"},
}


def shots(configuration: str, n: int = 24, seed: int = 0) -> list[Shot]:
    """Images of two models, one object after the other."""
    sampler = SceneSampler(TASK2SIM, configuration, seed, classes=("n1", "n2"), objects=(1, 1), components=3,
                           backgrounds=len(SKYBOXES), materials=len(MATERIALS))  # fmt: skip
    label, k = np.divmod(np.arange(n), n // 2)
    scenes = sampler.sample(label, k)
    models = (KAYAK, BUCKET)
    return [
        shot(scenes, row, models[c], 10 + int(c), standing(models[c]), SKYBOXES, MATERIALS)
        for row, c in enumerate(label)
    ]


def by_type(commands: list[Command]) -> dict[str, list[Command]]:
    found: dict[str, list[Command]] = {}
    for command in commands:
        found.setdefault(command["$type"], []).append(command)
    return found


def one_bit(name: str) -> str:
    return "".join(str(int(other == name)) for other in TASK2SIM.names)


@pytest.mark.parametrize("name", TASK2SIM.names)
def test_a_bit_changes_its_own_commands_alone(name: str) -> None:
    seen: set[str] = set()
    for plain, varied in zip(shots(TASK2SIM.all_off), shots(one_bit(name)), strict=True):
        before, after = by_type(image_commands(plain)), by_type(image_commands(varied))
        seen |= {kind for kind in before | after if before.get(kind) != after.get(kind)}
    # the camera moves along its line of sight, so that looking at the same place is the same command
    assert seen == OWN[name] - {"look_at_position"}


def test_what_is_off_is_the_same_in_every_image() -> None:
    first, *others = (by_type(image_commands(image)) for image in shots(TASK2SIM.all_off)[:12])
    assert all(other == first for other in others)
    assert {"hide_object", "set_visual_material", "adjust_directional_light_intensity_by"} & set(first) == set()


def test_the_same_values_give_the_same_commands() -> None:
    for one, two in zip(shots("1" * 8), shots("1" * 8), strict=True):
        assert json.dumps(image_commands(one)) == json.dumps(image_commands(two))


def test_where_one_comes_from_changes_nothing() -> None:
    """The state that commands lead to is that of the image, whatever was shown before, bit for bit."""
    stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here")
    scene_of = {name: image for name in ("00000000", "1" * 8, "00111010", "00001000") for image in [shots(name)]}
    images = [image for name in scene_of for image in (scene_of[name][0], scene_of[name][5], scene_of[name][17])]

    def start() -> Any:
        scene = stub.Scene()
        stub.records().update({model.name: _record(model) for model in (KAYAK, BUCKET)})
        for command in [*scene_commands(64), *load_commands(KAYAK, 10), *load_commands(BUCKET, 11)]:
            scene.do(command)
        for number in (10, 11):
            scene.do({"$type": "hide_object", "id": number})
        return scene

    for first, second in itertools.permutations(images, 2):
        if first.materials and not second.materials and first.model == second.model:
            continue  # a painted object is loaded anew: the session's task
        straight, round_about = start(), start()
        for command in image_commands(second):
            straight.do(command)
        for command in [*image_commands(first), *image_commands(second, first)]:
            round_about.do(command)
        assert straight.state() == round_about.state()


def _record(model: Model) -> dict[str, Any]:
    bounds: dict[str, Any] = {"center": dict(zip("xyz", model.centre, strict=True))}
    for axis, (high, low) in enumerate((("right", "left"), ("top", "bottom"), ("front", "back"))):
        name, middle, half = "xyz"[axis], model.centre[axis], model.extents[axis] / 2
        bounds |= {high: {name: middle + half}, low: {name: middle - half}}
    parts = [{"name": part, "materials": ["own"] * (index + 1)} for part, index in dict(model.slots).items()]
    return {"bounds": bounds, "substructure": parts}


def test_little_is_said_twice() -> None:
    images = shots(one_bit("object_rotation"))
    second = by_type(image_commands(images[1], images[0]))
    assert set(second) == {"rotate_object_to", "teleport_object"}
    other = by_type(image_commands(images[12], images[11]))
    assert set(other) == {"hide_object", "show_object", "rotate_object_to", "teleport_object"}


def test_light_is_applied_again_after_a_skybox() -> None:
    first, second = shots("11111111")[:2]
    kinds = [command["$type"] for command in image_commands(second, first)]
    sky = kinds.index("add_hdri_skybox")
    for kind in ("adjust_directional_light_intensity_by", "set_directional_light_color"):
        assert kinds.index(kind) > sky
    assert kinds[kinds.index("reset_directional_light_rotation") + 1 :][:2] == ["rotate_directional_light_by"] * 2
    skies = [by_type(image_commands(image))["add_hdri_skybox"][0] for image in shots("00000010")]
    assert len({sky["name"] for sky in skies}) == len(SKYBOXES)
    suns = {(sky["sun_intensity"], sky["sun_elevation"], sky["sun_initial_angle"]) for sky in skies}
    assert suns == {(1.0, 50.0, 35.0)}, "one sun with every skybox"
    # without a new skybox the way back to the usual direction is over the skybox: a reset has a base of its own
    plain = shots(TASK2SIM.all_off)[0]
    turned = replace(plain, light=(10.0, 20.0))
    assert needs_sky(plain, turned)
    assert not needs_sky(turned, plain)


def test_intensity_is_absolute_and_exact() -> None:
    images = shots(one_bit("light_intensity"), 240)
    light, before = np.float32(0.0), None
    for image in images:
        found = by_type(image_commands(image, before))
        if "add_hdri_skybox" in found:
            light = np.float32(found["add_hdri_skybox"][0]["sun_intensity"])
        for command in found.get("adjust_directional_light_intensity_by", []):
            light = np.float32(light + np.float32(command["intensity"]))
        assert float(light) == level(image.intensity)
        assert abs(float(light) - image.intensity) <= 0.5 / LEVELS
        before = image
    assert 0.4 <= min(i.intensity for i in images) < 0.5
    assert 1.5 < max(i.intensity for i in images) <= 1.6


def test_blur_has_the_papers_ranges() -> None:
    images = shots(one_bit("focus_blur"), 200)
    found = [by_type(image_commands(image)) for image in images]
    aperture = np.array([f["set_aperture"][0]["aperture"] for f in found])
    focus = np.array([f["set_focus_distance"][0]["focus_distance"] for f in found])
    sharp = aperture == IN_FOCUS
    assert 0.15 < sharp.mean() < 0.35
    assert (focus[sharp] == DISTANCE).all()
    assert aperture[~sharp].min() == pytest.approx(0.5, abs=0.05)
    assert aperture[~sharp].max() == pytest.approx(1.2, abs=0.05)
    assert np.abs(focus[~sharp] - DISTANCE).max() < 0.38 * DISTANCE


def test_every_part_gets_a_material() -> None:
    for image in shots(one_bit("materials")):
        found = by_type(image_commands(image))
        set_on = [(c["object_name"], c["material_index"]) for c in found["set_visual_material"]]
        assert set_on == list(image.model.slots)
        added = {c["name"] for c in found["add_material"]}
        assert {c["material_name"] for c in found["set_visual_material"]} == added
        assert len(found["add_material"]) == len(added)


def corners(image: Shot) -> np.ndarray[Any, Any]:
    """Corners of the model's box in the world, (8, 3), as the commands place it."""
    found = by_type(image_commands(image))
    turn = tuple(found["rotate_object_to"][0]["rotation"][axis] for axis in "xyzw")
    pivot = np.array([found["teleport_object"][0]["position"][axis] for axis in "xyz"])
    signs = np.array(list(itertools.product((-1, 1), repeat=3)))
    local = image.placement.scale * (np.array(image.model.centre) + signs * np.array(image.model.extents) / 2)
    return np.asarray(pivot + rotated(turn, local))  # type: ignore[arg-type]


def in_frame(image: Shot) -> np.ndarray[Any, Any]:
    """Corners in the frame, (8, 2): 1 is its edge."""
    seen = corners(image) - (np.array(CENTRE) - [0.0, 0.0, depth(image)])
    return np.asarray(seen[:, :2] / seen[:, 2:] / math.tan(math.radians(FIELD_OF_VIEW / 2)))


@pytest.mark.parametrize("configuration", ["00000000", "10000000"])
def test_objects_have_unit_size_and_stand_in_the_middle_of_the_frame(configuration: str) -> None:
    for image in shots(configuration, 60):
        box = corners(image)
        assert box.mean(0) == pytest.approx(np.array(CENTRE), abs=1e-6)
        assert max(image.model.extents) * image.placement.scale == pytest.approx(1.0)
        assert np.abs(in_frame(image)).max() < 1.0


def test_every_public_model_fits_the_frame() -> None:
    pytest.importorskip("tdw", reason="TDW is not installed here")
    from t2s_offline.render.tdw.models import choose_models, read_library
    from t2s_offline.render.tdw.open_tdw import LIBRARIES

    found = choose_models(read_library(LIBRARIES / "models_core.json"), LIBRARIES, objects=1000)
    turns = shots("10000000", 20)
    for number, model in enumerate(found.models):
        image = replace(turns[number % 20], model=model, placement=standing(model))
        flat = in_frame(image)
        assert np.abs(flat).max() < 1.0, model.name
        upright = in_frame(replace(image, rotation=(0.0, 0.0, 0.0)))
        share = (upright.max(0) - upright.min(0)).max() / 2
        assert 0.15 < share < 0.95, (model.name, share)


def test_distance_moves_the_camera_and_leaves_it_outside_the_object() -> None:
    near = [depth(image) for image in shots(one_bit("object_distance"), 200)]
    assert 0.4 * DISTANCE <= min(near) < 0.5 * DISTANCE
    assert 1.4 * DISTANCE < max(near) <= 1.5 * DISTANCE
    assert min(near) > math.sqrt(3) / 2 + 0.05, "further than the sphere around a cube and the near clipping plane"


def test_quaternions_turn_in_unitys_order() -> None:
    image = replace(shots(TASK2SIM.all_off)[12], rotation=(30.0, 40.0, 50.0))
    assert np.linalg.norm(quaternion(image)) == pytest.approx(1.0)
    assert rotated((0.0, math.sin(math.pi / 4), 0.0, math.cos(math.pi / 4)), (0, 0, 1)) == pytest.approx([1, 0, 0])
    turned = by_type(image_commands(image))["rotate_object_to"][0]["rotation"]
    from t2s_offline.render.builtin import stage

    expected = stage.rotation([[-14.0, 0.0, 0.0]])[0] @ stage.rotation([[0.0, 150.0, 0.0]])[0]
    expected = expected @ stage.rotation([[30.0, 40.0, 50.0]])[0]
    q = tuple(turned[axis] for axis in "xyzw")
    assert rotated(q, np.eye(3)) == pytest.approx(expected.T, abs=1e-9)  # type: ignore[arg-type]


def every_command() -> list[Command]:
    """At least one of each command that these functions can give."""
    images = [*shots("11111111"), *shots("00000000"), *shots("00101000")]
    commands = [*scene_commands(64, jpeg=False), *load_commands(KAYAK, 1), *unload_commands([1, 2])]
    commands += scale_commands(1, 2.0)
    for before, image in itertools.pairwise([None, *images]):
        assert image is not None
        commands += image_commands(image, before)
    return commands


def test_commands_are_tdws_own() -> None:
    """Names, arguments and types against the package's documentation of its commands, and its own use of them."""
    pytest.importorskip("tdw", reason="TDW is not installed here")
    from tests.render.tdw.reference import documented, fits, used_by_package

    known = documented()
    assert len(known) > 400
    for command in every_command():
        kind, given = command["$type"], {name: value for name, value in command.items() if name != "$type"}
        assert kind in known, f"TDW has no command {kind}"
        assert set(given) <= set(known[kind].arguments), kind
        assert known[kind].required <= set(given), f"{kind} lacks {known[kind].required - set(given)}"
        for name, value in given.items():
            assert fits(value, known[kind].arguments[name]), (kind, name, value)
    checked = {command["$type"] for command in every_command()} & set(used_by_package())
    assert len(checked) > 15
    for kind in checked:
        assert used_by_package()[kind] <= set(known[kind].arguments), "the documentation is of another version"
