"""The scene of a stub build: commands change its state, which is drawn as a picture of boxes.

Every command is a method with the command's arguments, so that one it does not have, or a wrong argument, is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tdw
from PIL import Image, ImageDraw, ImageFilter

from tests.render.tdw.payloads import Payload, bounds_payload, image_payload, lights_payload, version_payload

VERSION = "1.13.0"
SIDES = (("right", "left", "x"), ("top", "bottom", "y"), ("front", "back", "z"))


@lru_cache(maxsize=1)
def records() -> dict[str, Any]:
    """Models of the package's libraries by name."""
    folder = Path(tdw.__path__[0]) / "metadata_libraries"
    return dict(json.loads((folder / "models_full.json").read_text("utf-8"))["records"])


class Refused(Exception):
    """A command that the build cannot carry out."""


class Scene:
    """The state that commands lead to, and its picture. Light angles are sums since the last skybox or reset."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.size, self.jpeg, self.quality = 640, False, 5
        self.objects: dict[int, dict[str, Any]] = {}
        self.materials: set[str] = set()
        self.avatar: np.ndarray[Any, Any] | None = None
        self.field_of_view, self.aperture, self.focus, self.post = 54.43223, 4.0, 2.0, True
        self.skybox: dict[str, Any] = {}
        self.intensity, self.colour = 1.25, (1.0, 0.96, 0.84)
        self.sun, self.turned = (0.0, 30.0), (0.0, 0.0)
        self.setting: dict[str, Any] = {}
        self.send: list[tuple[str, Any]] = []
        self._pictures: dict[str, bytes] = {}

    def state(self) -> dict[str, Any]:
        """Everything that a picture shows, as JSON could hold it."""
        shown = [o for o in self.objects.values() if o["visible"]]
        return {
            "size": self.size, "jpeg": self.jpeg, "view": self.field_of_view, "skybox": self.skybox,
            "lens": (self.aperture, self.focus) if self.post else None,
            "avatar": None if self.avatar is None else self.avatar.tolist(),
            "light": (float(np.float32(self.intensity)), self.colour, self.sun, self.turned),
            "objects": [
                (o["name"], o["scale"], o["rotation"], o["position"].tolist(), sorted(o["painted"].items()))
                for o in shown
            ],
        }  # fmt: skip

    def do(self, command: dict[str, Any]) -> None:
        kind = command["$type"]
        act = getattr(self, f"do_{kind}", None)
        if act is None:
            raise Refused(f"{kind} is no command")
        act(**{name: value for name, value in command.items() if name != "$type"})

    def at(self, id: int) -> dict[str, Any]:
        if id not in self.objects:
            raise Refused(f"there is no object {id}")
        return self.objects[id]

    def do_set_error_handling(self, **_: Any) -> None: ...
    def do_load_scene(self, scene_name: str) -> None:
        if scene_name != "ProcGenScene":
            raise Refused(f"there is no scene {scene_name}")

    def do_send_version(self, **_: Any) -> None:
        self.send.append(("version", None))

    def do_send_log_messages(self) -> None: ...
    def do_do_nothing(self) -> None: ...
    def do_create_empty_environment(self, **_: Any) -> None: ...
    def do_simulate_physics(self, value: bool) -> None: ...
    def do_set_target_framerate(self, framerate: int) -> None: ...
    def do_set_anti_aliasing(self, mode: str, **_: Any) -> None: ...
    def do_set_camera_clipping_planes(self, near: float, far: float, avatar_id: str) -> None: ...
    def do_set_post_exposure(self, post_exposure: float) -> None: ...
    def do_set_contrast(self, contrast: float) -> None: ...
    def do_set_saturation(self, saturation: float) -> None: ...
    def do_set_screen_space_reflections(self, enabled: bool) -> None: ...
    def do_set_vignette(self, enabled: bool) -> None: ...
    def do_set_shadow_strength(self, strength: float) -> None: ...
    def do_unload_unused_assets(self) -> None: ...
    def do_unload_asset_bundles(self, bundle_type: str = "models") -> None:
        self.materials.clear()

    def do_terminate(self) -> None:
        raise SystemExit(0)

    def do_set_screen_size(self, width: int, height: int) -> None:
        self.size = width if self.fault != "size" else 640

    def do_set_render_quality(self, render_quality: int) -> None:
        self.quality = render_quality

    def do_set_img_pass_encoding(self, value: bool) -> None:
        self.jpeg = not value

    def do_create_avatar(self, type: str, id: str) -> None:
        self.avatar = np.zeros(3)

    def do_set_pass_masks(self, pass_masks: list[str], avatar_id: str) -> None:
        if pass_masks != ["_img"]:
            raise Refused(f"this stub draws no {pass_masks}")

    def do_set_field_of_view(self, field_of_view: float, avatar_id: str) -> None:
        self.field_of_view = field_of_view

    def do_set_post_process(self, value: bool) -> None:
        self.post = value

    def do_set_aperture(self, aperture: float) -> None:
        self.aperture = aperture

    def do_set_focus_distance(self, focus_distance: float) -> None:
        self.focus = focus_distance

    def do_teleport_avatar_to(self, position: dict[str, float], avatar_id: str) -> None:
        self.avatar = np.array([position[axis] for axis in "xyz"])

    def do_look_at_position(self, position: dict[str, float], avatar_id: str) -> None:
        if self.avatar is None or position["x"] != self.avatar[0] or position["y"] != self.avatar[1]:
            raise Refused("this stub looks along z alone")

    def do_add_hdri_skybox(
        self, name: str, url: str, exposure: float, initial_skybox_rotation: float, sun_elevation: float,
        sun_initial_angle: float, sun_intensity: float,
    ) -> None:  # fmt: skip
        self.skybox = {"name": name, "turn": initial_skybox_rotation, "exposure": exposure}
        self.intensity = np.float32(sun_intensity) + (0.25 if self.fault == "dim" else 0.0)
        self.sun, self.turned = (sun_initial_angle, sun_elevation), (0.0, 0.0)
        self.colour = (0.9, 0.9, 1.0) if "dawn" in name else (1.0, 0.95, 0.9)

    def do_rotate_hdri_skybox_by(self, angle: float) -> None:
        self.skybox["turn"] = (self.skybox["turn"] + angle) % 360
        self.turned = (self.turned[0] - angle, self.turned[1])

    def do_adjust_directional_light_intensity_by(self, intensity: float, index: int = 0) -> None:
        self.intensity = np.float32(self.intensity) + np.float32(intensity)

    def do_set_directional_light_color(self, color: dict[str, float], index: int = 0) -> None:
        self.colour = (color["r"], color["g"], color["b"])

    def do_reset_directional_light_rotation(self, index: int = 0) -> None:
        self.turned = (0.0, 0.0)

    def do_rotate_directional_light_by(self, angle: float, axis: str, index: int = 0) -> None:
        yaw, pitch = self.turned
        self.turned = (yaw + angle, pitch) if axis == "yaw" else (yaw, pitch + angle)

    def do_add_object(
        self, name: str, url: str, scale_factor: float, position: dict[str, float], rotation: dict[str, float],
        category: str, id: int,
    ) -> None:  # fmt: skip
        if id in self.objects or name not in records():
            raise Refused(f"object {name} {id} cannot be added: {url}")
        known = records()[name]["bounds"]
        twice = 2.0 if self.fault == "big" else 1.0
        self.objects[id] = {
            "name": name, "scale": 1.0, "visible": True, "rotation": (0.0, 0.0, 0.0, 1.0),
            "position": np.array([position[axis] for axis in "xyz"]), "painted": {},
            "centre": twice * np.array([known["center"][axis] for axis in "xyz"]),
            "extents": twice * np.array([known[high][axis] - known[low][axis] for high, low, axis in SIDES]),
            "slots": {part["name"]: len(part["materials"]) for part in records()[name]["substructure"]},
        }  # fmt: skip

    def do_destroy_object(self, id: int) -> None:
        self.at(id)
        del self.objects[id]

    def do_set_kinematic_state(self, id: int, is_kinematic: bool, use_gravity: bool) -> None:
        self.at(id)

    def do_scale_object(self, id: int, scale_factor: dict[str, float]) -> None:
        self.at(id)["scale"] *= scale_factor["x"]

    def do_rotate_object_to(self, id: int, rotation: dict[str, float]) -> None:
        self.at(id)["rotation"] = tuple(rotation[axis] for axis in "xyzw")

    def do_teleport_object(self, id: int, position: dict[str, float]) -> None:
        self.at(id)["position"] = np.array([position[axis] for axis in "xyz"])

    def do_hide_object(self, id: int) -> None:
        self.at(id)["visible"] = False

    def do_show_object(self, id: int) -> None:
        self.at(id)["visible"] = True

    def do_add_material(self, name: str, url: str) -> None:
        self.materials.add(name)

    def do_set_visual_material(self, id: int, object_name: str, material_name: str, material_index: int) -> None:
        shown = self.at(id)
        if material_name not in self.materials or material_index >= shown["slots"].get(object_name, 0):
            raise Refused(f"material {material_name} on {object_name} {material_index} of {shown['name']}")
        shown["painted"][f"{object_name}/{material_index}"] = material_name

    def do_send_images(self, frequency: str) -> None:
        self.send.append(("image", None))

    def do_send_bounds(self, ids: list[int], frequency: str) -> None:
        self.send += [("bounds", number) for number in ids]

    def do_send_lights(self, frequency: str) -> None:
        self.send.append(("lights", None))

    def payloads(self) -> list[Payload]:
        """What was asked to be sent with this frame."""
        sent: list[Payload] = []
        for kind, number in self.send:
            if kind == "version":
                sent.append(version_payload(VERSION if self.fault != "version" else "1.12.4"))
            elif kind == "lights":
                sent.append(lights_payload(self.intensity, self.colour))
            elif kind == "bounds":
                shown = self.at(number)
                corners = self.corners(shown)
                sent.append(bounds_payload(number, corners.mean(0), (corners.max(0) - corners.min(0)) / 2))
            elif self.fault != "no-picture":
                sent.append(image_payload(self.size, self.picture(), 2 if self.jpeg else 1))
        self.send = []
        return sent

    @staticmethod
    def corners(shown: dict[str, Any]) -> np.ndarray[Any, Any]:
        """Corners of an object's box in the world, (8, 3)."""
        x, y, z, w = shown["rotation"]
        signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        local = shown["scale"] * (shown["centre"] + signs * shown["extents"] / 2)
        matrix = np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ])  # fmt: skip
        return np.asarray(shown["position"] + local @ matrix.T)

    def picture(self) -> bytes:
        """The scene as a JPEG or PNG; kept, so that drawing the same state again costs a look."""
        key = hashlib.blake2b(json.dumps(self.state()).encode()).hexdigest()
        if key not in self._pictures:
            if len(self._pictures) > 4000:
                self._pictures.clear()
            file = io.BytesIO()
            drawn = self.draw()
            drawn.save(file, "JPEG", quality=75) if self.jpeg else drawn.save(file, "PNG")
            self._pictures[key] = file.getvalue()
        return self._pictures[key]

    def draw(self) -> Image.Image:
        """Ground and sky of the skybox's colours, and each visible object's box, lit and blurred."""
        size = self.size
        sky, ground = tint(self.skybox.get("name", "")), tint(self.skybox.get("name", "") + "ground")
        drawn = Image.new("RGB", (size, size), sky)
        pen = ImageDraw.Draw(drawn)
        turn = self.skybox.get("turn", 0.0) / 360
        pen.rectangle((0, size // 2, size, size), ground)
        pen.rectangle((size * turn - size / 12, size / 3, size * turn + size / 12, size / 2), ground)
        assert self.avatar is not None
        reach = math.tan(math.radians(self.field_of_view / 2))
        blur = 0.0
        for shown in self.objects.values():
            if not shown["visible"]:
                continue
            seen = self.corners(shown) - self.avatar
            seen[:, 2] = np.maximum(seen[:, 2], 0.05)
            flat = size / 2 * (1 + np.stack([seen[:, 0], -seen[:, 1]], 1) / (seen[:, 2:] * reach))
            colour = np.mean([tint(name) for name in shown["painted"].values()] or [tint(shown["name"])], axis=0)
            yaw, pitch = (math.radians(a + b) for a, b in zip(self.sun, self.turned, strict=True))
            facing = 0.3 + 0.7 * max(0.0, math.cos(yaw) * math.cos(pitch - math.radians(30)))
            lit = colour * np.array(self.colour) * self.intensity * facing
            pen.polygon(hull(flat), tuple(int(v) for v in np.clip(lit, 0, 255)))
            if self.post:
                distance = float(seen[:, 2].mean())
                blur = 40.0 * abs(1 / self.focus - 1 / distance) / self.aperture * size / 256
        if blur > 0.3:
            drawn = drawn.filter(ImageFilter.BoxBlur(blur))
        return drawn


def tint(name: str) -> tuple[int, int, int]:
    """A colour for a name, 60 to 215."""
    return tuple(60 + byte % 156 for byte in hashlib.blake2b(name.encode(), digest_size=3).digest())  # type: ignore[return-value]


def hull(points: np.ndarray[Any, Any]) -> list[tuple[float, float]]:
    """The convex hull of points (N, 2), in order."""
    ordered = sorted(map(tuple, points.tolist()))
    half: list[list[tuple[float, float]]] = []
    for walk in (ordered, ordered[::-1]):
        line: list[tuple[float, float]] = []
        for x, y in walk:
            while len(line) > 1:
                (ax, ay), (bx, by) = line[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                line.pop()
            line.append((x, y))
        half.append(line[:-1])
    return half[0] + half[1]
