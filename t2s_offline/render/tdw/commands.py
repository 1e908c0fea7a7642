"""TDW commands: the list of commands that shows the scene values of one image.

Every function is pure. `image_commands` is given the image that the build shows now, if any, and leaves out what stays
the same; the state it leads to depends on the new image alone. That holds for the light too, whose intensity and
direction TDW changes only relative to what they are: a skybox always brings the same sun with it, intensities are
multiples of 1/1024 so that sums are exact, and a direction starts from a reset.

World axes are Unity's: left-handed, x right, y up, z away from the camera; metres and degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.render.scene import LENS, LIGHT, Scenes
from t2s_offline.render.tdw.models import Material, Model, Skybox, Vector

Command = dict[str, Any]

AVATAR, NOBODY = "a", -1
CENTRE: Vector = (0.0, 2.0, 0.0)  # of the object, clear of any floor
FIELD_OF_VIEW = 35.0  # degrees, as the embedded renderer's
DISTANCE = 3.0  # m from the object's centre: the sphere around a cube of 1 m just fits the frame
CANONICAL: Vector = (-14.0, 150.0, 0.0)  # models face away from the camera; shown half from the front, from above
SUN_INTENSITY, SUN_ELEVATION, SUN_ANGLE = 1.0, LIGHT[1], LIGHT[0]  # of every skybox's own sun
LEVELS = 1024.0  # steps of light intensity in 1
IN_FOCUS = 70.0  # f-number with which everything is sharp (Task2Sim's)


@dataclass(frozen=True)
class Placement:
    """How an object stands at unit size: its scale over its default, and its centre from its pivot before that."""

    scale: float
    centre: Vector


@dataclass(frozen=True)
class Shot:
    """Everything that one image shows. rotation: degrees about x, y, z; distance: over the default; intensity: over the
    default; colour: RGB; light: yaw and pitch, degrees; focus: over the distance; lens: radius, 0 = all sharp; turn of
    the skybox in degrees; materials go round over the model's slots, none leaves the model's own."""

    model: Model
    object_id: int
    placement: Placement
    rotation: Vector
    distance: float
    intensity: float
    colour: Vector
    light: tuple[float, float]
    focus: float
    lens: float
    skybox: Skybox
    turn: float
    materials: tuple[Material, ...] = ()


def standing(model: Model) -> Placement:
    """Where a model's record says it stands."""
    return Placement(model.unit_scale, model.centre)


def shot(
    scenes: Scenes,
    row: int,
    model: Model,
    object_id: int,
    placement: Placement,
    skyboxes: Sequence[Skybox],
    materials: Sequence[Material],
) -> Shot:
    """Row `row` of the scene values as one image."""
    x, y, z = (float(angle) for angle in scenes.rotation_N3[row])
    red, green, blue = (float(value) for value in scenes.colour_N3[row])
    chosen = [int(index) for index in scenes.material_NK[row]]
    return Shot(
        model=model,
        object_id=object_id,
        placement=placement,
        rotation=(x, y, z),
        distance=float(scenes.distance_N[row]),
        intensity=float(scenes.intensity_N[row]),
        colour=(red, green, blue),
        light=(float(scenes.light_N2[row, 0]), float(scenes.light_N2[row, 1])),
        focus=float(scenes.focus_N[row]),
        lens=float(scenes.lens_N[row]),
        skybox=skyboxes[int(scenes.background_N[row])],
        turn=360.0 * float(scenes.view_N3[row, 0]),
        materials=tuple(materials[index] for index in chosen) if chosen and chosen[0] >= 0 else (),
    )


def scene_commands(size: int, *, render_quality: int = 5, jpeg: bool = True) -> list[Command]:
    """What a build is told once: frame of size x size pixels, an avatar, and the look that TDW advises for skyboxes."""
    return [
        {"$type": "set_screen_size", "width": size, "height": size},
        {"$type": "set_render_quality", "render_quality": render_quality},
        {"$type": "set_target_framerate", "framerate": 1000},
        {"$type": "set_img_pass_encoding", "value": not jpeg},
        {"$type": "create_empty_environment"},
        {"$type": "simulate_physics", "value": False},
        {"$type": "create_avatar", "type": "A_Img_Caps_Kinematic", "id": AVATAR},
        {"$type": "set_pass_masks", "pass_masks": ["_img"], "avatar_id": AVATAR},
        {"$type": "set_field_of_view", "field_of_view": FIELD_OF_VIEW, "avatar_id": AVATAR},
        {"$type": "set_camera_clipping_planes", "near": 0.05, "far": 160.0, "avatar_id": AVATAR},
        {"$type": "set_anti_aliasing", "mode": "subpixel", "avatar_id": AVATAR},
        {"$type": "set_post_process", "value": True},
        {"$type": "set_post_exposure", "post_exposure": 0.6},
        {"$type": "set_contrast", "contrast": -20},
        {"$type": "set_saturation", "saturation": 10},
        {"$type": "set_screen_space_reflections", "enabled": False},
        {"$type": "set_vignette", "enabled": False},
        {"$type": "set_shadow_strength", "strength": 1.0},
    ]


def load_commands(model: Model, object_id: int) -> list[Command]:
    """Add a model at unit size with its centre where it belongs, unturned, and ask for its bounds."""
    placed = standing(model)
    return [
        {
            "$type": "add_object", "name": model.name, "url": model.url, "scale_factor": model.scale_factor,
            "position": _vector(CENTRE), "rotation": _vector((0.0, 0.0, 0.0)), "category": model.category,
            "id": object_id,
        },
        {"$type": "set_kinematic_state", "id": object_id, "is_kinematic": True, "use_gravity": False},
        *scale_commands(object_id, placed.scale),
        *_pose(object_id, placed, (0.0, 0.0, 0.0, 1.0)),
        {"$type": "send_bounds", "ids": [object_id], "frequency": "once"},
    ]  # fmt: skip


def scale_commands(object_id: int, factor: float) -> list[Command]:
    """Change an object's size by a factor of its present one."""
    return [{"$type": "scale_object", "id": object_id, "scale_factor": _vector((factor, factor, factor))}]


def unload_commands(objects: Sequence[int]) -> list[Command]:
    """Take objects away and free what they, and everything unused, take up."""
    gone: list[Command] = [{"$type": "destroy_object", "id": number} for number in objects]
    return [*gone, {"$type": "unload_asset_bundles"}, {"$type": "unload_unused_assets"}]


def image_commands(new: Shot, before: Shot | None = None) -> list[Command]:
    """From what the build shows now (None: not known) to the new image. The picture is asked for by the caller."""
    sky = needs_sky(new, before)
    return [
        *(_sky(new) if sky else []),
        *_light(new, before, sky),
        *_camera(new, before),
        *_lens(new, before),
        *_swap(new, before),
        *_pose(new.object_id, new.placement, quaternion(new)),
        *_materials(new),
    ]


def needs_sky(new: Shot, before: Shot | None) -> bool:
    """Whether the skybox has to be set again: it or its turn is another, or its sun must come back to where it was."""
    if before is None or (new.skybox.name, new.turn) != (before.skybox.name, before.turn):
        return True
    return new.light == LIGHT != before.light


def level(intensity: float) -> float:
    """The nearest intensity whose sums and differences are exact in single precision."""
    return round(intensity * LEVELS) / LEVELS


def depth(new: Shot) -> float:
    """Metres from the camera to the object's centre."""
    return DISTANCE * new.distance


def _sky(new: Shot) -> list[Command]:
    """The skybox, turned, with the one sun: its record's sun would vary the light with the background."""
    return [
        {
            "$type": "add_hdri_skybox", "name": new.skybox.name, "url": new.skybox.url,
            "exposure": new.skybox.exposure, "initial_skybox_rotation": (new.skybox.turn + new.turn) % 360.0,
            "sun_elevation": SUN_ELEVATION, "sun_initial_angle": SUN_ANGLE, "sun_intensity": SUN_INTENSITY,
        }
    ]  # fmt: skip


def _light(new: Shot, before: Shot | None, sky: bool) -> list[Command]:
    now = SUN_INTENSITY if sky or before is None else level(before.intensity)
    commands: list[Command] = []
    if change := level(new.intensity) - now:
        commands.append({"$type": "adjust_directional_light_intensity_by", "intensity": change})
    if sky or before is None or new.colour != before.colour:
        red, green, blue = new.colour
        colour = {"r": red, "g": green, "b": blue, "a": 1.0}
        commands.append({"$type": "set_directional_light_color", "color": colour})
    if new.light != LIGHT and (sky or before is None or new.light != before.light):
        yaw, pitch = ((angle - usual) % 360.0 for angle, usual in zip(new.light, LIGHT, strict=True))
        commands += [
            {"$type": "reset_directional_light_rotation"},
            {"$type": "rotate_directional_light_by", "angle": yaw, "axis": "yaw"},
            {"$type": "rotate_directional_light_by", "angle": pitch, "axis": "pitch"},
        ]
    return commands


def _camera(new: Shot, before: Shot | None) -> list[Command]:
    if before is not None and before.distance == new.distance:
        return []
    place = (CENTRE[0], CENTRE[1], CENTRE[2] - depth(new))
    return [
        {"$type": "teleport_avatar_to", "avatar_id": AVATAR, "position": _vector(place)},
        {"$type": "look_at_position", "avatar_id": AVATAR, "position": _vector(CENTRE)},
    ]


def _lens(new: Shot, before: Shot | None) -> list[Command]:
    def setting(shown: Shot) -> tuple[float, float]:
        return (LENS / shown.lens, shown.focus * depth(shown)) if shown.lens > 0 else (IN_FOCUS, DISTANCE)

    if before is not None and setting(before) == setting(new):
        return []
    aperture, focus = setting(new)
    return [
        {"$type": "set_aperture", "aperture": aperture},
        {"$type": "set_focus_distance", "focus_distance": focus},
    ]


def _swap(new: Shot, before: Shot | None) -> list[Command]:
    if before is not None and before.object_id == new.object_id:
        return []
    hidden = [{"$type": "hide_object", "id": before.object_id}] if before and before.object_id != NOBODY else []
    return [*hidden, {"$type": "show_object", "id": new.object_id}]


def _pose(object_id: int, placed: Placement, turned: tuple[float, float, float, float]) -> list[Command]:
    """Turn an object about its centre: TDW turns it about its pivot, so the pivot moves round the centre."""
    offset = rotated(turned, np.array(placed.centre) * placed.scale)
    x, y, z, w = turned
    place = (CENTRE[0] - offset[0], CENTRE[1] - offset[1], CENTRE[2] - offset[2])
    return [
        {"$type": "rotate_object_to", "id": object_id, "rotation": {"x": x, "y": y, "z": z, "w": w}},
        {"$type": "teleport_object", "id": object_id, "position": _vector(place)},
    ]


def _materials(new: Shot) -> list[Command]:
    if not new.materials:
        return []
    slots = [(part, index, new.materials[i % len(new.materials)]) for i, (part, index) in enumerate(new.model.slots)]
    loaded = dict.fromkeys(material for *_, material in slots)
    return [
        *({"$type": "add_material", "name": material.name, "url": material.url} for material in loaded),
        *(
            {
                "$type": "set_visual_material", "id": new.object_id, "object_name": part, "material_index": index,
                "material_name": material.name,
            }
            for part, index, material in slots
        ),
    ]  # fmt: skip


def quaternion(new: Shot) -> tuple[float, float, float, float]:
    """The object's turn as x, y, z, w: its record's pose, then the varied turn in its own axes, then the fixed pose."""
    x, y, z = CANONICAL
    fixed = _product(_euler((x, 0.0, 0.0)), _euler((0.0, y, z)))
    return _product(_product(fixed, _euler(new.rotation)), _euler(new.model.canonical))


def rotated(turn: tuple[float, float, float, float], point: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """A point (3,) or points (N, 3) turned by a unit quaternion x, y, z, w."""
    axis, p = np.array(turn[:3]), np.asarray(point, dtype=np.float64)
    twice = 2.0 * np.cross(axis, p)
    return np.asarray(p + turn[3] * twice + np.cross(axis, twice))


def _euler(degrees: Sequence[float]) -> tuple[float, float, float, float]:
    """Unity's order: about z, then x, then y."""
    (sx, cx), (sy, cy), (sz, cz) = ((math.sin(a), math.cos(a)) for a in (math.radians(d) / 2 for d in degrees))
    return _product(_product((0.0, sy, 0.0, cy), (sx, 0.0, 0.0, cx)), (0.0, 0.0, sz, cz))


def _product(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float, float]:
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def _vector(values: Sequence[float]) -> dict[str, float]:
    return dict(zip("xyz", (float(value) for value in values), strict=True))
