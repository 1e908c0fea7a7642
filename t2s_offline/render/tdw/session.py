"""A session with one TDW build: payloads of pictures for models and shots.

Knows what the build has loaded and shows, so that each image is told by what changes, and checks what it answers: its
version, the bounds of models, the intensity of the light. A `Wire` decodes payloads. Does not import tdw.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import RenderError
from t2s_offline.render.tdw.build import BuildLost, Link, Place
from t2s_offline.render.tdw.commands import (
    CENTRE,
    NOBODY,
    Command,
    Placement,
    Shot,
    image_commands,
    level,
    load_commands,
    needs_sky,
    scale_commands,
    scene_commands,
    standing,
    unload_commands,
)
from t2s_offline.render.tdw.models import Model

KEPT = 32  # models that stay loaded, hidden
HELLO: list[Command] = [
    {"$type": "set_error_handling"},
    {"$type": "send_log_messages"},
    {"$type": "send_version"},
    {"$type": "load_scene", "scene_name": "ProcGenScene"},
]
TOLERANCE = 0.02  # m that a model's bounds may differ from its record's, and of light intensity


class Wire(Protocol):
    """What reads payloads. All raise BuildLost for damaged ones."""

    package: str  # version of TDW that the wire belongs to

    def version(self, payload: bytes) -> str: ...

    def message(self, payload: bytes) -> tuple[str, str]:
        """Kind (message, warning or error) and text of a log message."""
        ...

    def bounds(self, payload: bytes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Centre and extents of the first object, (3,) each, in metres."""
        ...

    def intensity(self, payload: bytes) -> float:
        """Of the first directional light."""
        ...


@dataclass
class Loaded:
    """A model in the build's scene. painted: its materials are no longer its own."""

    object_id: int
    placement: Placement
    painted: bool = False


class Session:
    """One build at a time, and what it shows. Raises BuildLost where starting it again may help, else RenderError."""

    def __init__(
        self, place: Place, wire: Wire, *, render_quality: int, jpeg: bool, settle: int, kept: int = KEPT
    ) -> None:
        self.place, self.wire, self.settle, self.kept = place, wire, settle, kept
        self.render_quality, self.jpeg = render_quality, jpeg
        self.link: Link | None = None
        self.size = 0
        self.before: Shot | None = None
        self.loaded: OrderedDict[str, Loaded] = OrderedDict()
        self.models = 0  # loaded since the build started
        self._number = 0

    def ready(self, size: int) -> None:
        """See to a build that answers, with frames of this size."""
        if self.link is None:
            self.link = Link(self.place)
            self.link.open()
            self._check_version(self.tell(HELLO))
        if self.size != size:
            if self.size:
                self.tell([{"$type": "set_screen_size", "width": size, "height": size}])
            else:
                self.tell(scene_commands(size, render_quality=self.render_quality, jpeg=self.jpeg))
            self.tell([{"$type": "do_nothing"}])  # a frame for the window to follow
            self.size = size

    def tell(self, commands: Sequence[Command]) -> dict[str, bytes]:
        """Send commands; payloads of the answer by id. A build that says that it quits, or logs an error, is lost: the
        picture might lack what it could not load."""
        assert self.link is not None
        parts = self.link.talk(commands)
        answer = {bytes(part[4:8]).decode("ascii", "replace"): part for part in parts}
        if "quit" in answer or "logm" in answer:
            said = [self.wire.message(part) for part in parts if part[4:8] == b"logm"]
            errors = [text for kind, text in said if kind == "error"]
            if "quit" in answer or errors:
                how = "quit" if "quit" in answer else "reports an error"
                raise BuildLost(": ".join([f"the TDW build {how}", *errors[:1]]))
        return answer

    def photograph(self, model: Model, make: Callable[[int, Placement], Shot]) -> bytes:
        """The Images payload of one shot of a model; `make` is told the object's number and placement."""
        shown = self._load(model, make)
        new = make(shown.object_id, shown.placement)
        commands = image_commands(new, self.before)
        if self.settle and needs_sky(new, self.before):
            # what lights the scene follows a skybox a frame later, and would else come from the image before
            answer = self.tell([*commands, {"$type": "send_lights", "frequency": "once"}])
            commands = self._correct_light(answer, new)
            for _ in range(self.settle - 1):
                self.tell([{"$type": "do_nothing"}])
        answer = self.tell([*commands, {"$type": "send_images", "frequency": "once"}])
        self.before = new
        shown.painted |= bool(new.materials)
        if "imag" not in answer:
            raise BuildLost(f"the TDW build sent no picture of {model.name}")
        return answer["imag"]

    def tidy(self) -> None:
        """Give back the memory that models took: a new build where it is ours, else by unloading."""
        if self.place.build:
            self.stop()
        elif self.link is not None:
            self.tell(unload_commands([entry.object_id for entry in self.loaded.values()]))
            self.loaded.clear()
            self.before, self.models = None, 0

    def stop(self) -> None:
        """Let go of the build; the next `ready` starts or waits for another."""
        if self.link is not None:
            self.link.close()
        self.link, self.before, self.size, self.models = None, None, 0, 0
        self.loaded.clear()

    def _load(self, model: Model, make: Callable[[int, Placement], Shot]) -> Loaded:
        known = self.loaded.get(model.name)
        if known is not None and known.painted and not make(known.object_id, known.placement).materials:
            self._drop(model.name)  # its own materials come back with a new copy alone
            known = None
        if known is not None:
            self.loaded.move_to_end(model.name)
            return known
        if len(self.loaded) >= self.kept:
            self._drop(next(iter(self.loaded)))
        self._number += 1
        answer = self.tell(load_commands(model, self._number))
        entry = Loaded(self._number, self._placed(model, self._number, answer))
        self.loaded[model.name] = entry
        self.models += 1
        return entry

    def _drop(self, name: str) -> None:
        number = self.loaded.pop(name).object_id
        self.tell([{"$type": "destroy_object", "id": number}])
        if self.before is not None and self.before.object_id == number:
            self.before = replace(self.before, object_id=NOBODY)

    def _placed(self, model: Model, number: int, answer: dict[str, bytes]) -> Placement:
        """Its placement by the bounds that the build reports, where they are not those of its record."""
        placed = standing(model)
        if "boun" not in answer:
            raise BuildLost(f"the TDW build sent no bounds of {model.name}")
        centre, extents = self.wire.bounds(answer["boun"])
        longest, away = float(extents.max()), centre - CENTRE
        if not (np.isfinite(longest) and np.isfinite(away).all() and longest > 1e-4):
            raise RenderError(f"TDW's model {model.name} has no size; leave it out of --objects")
        if abs(longest - 1) <= TOLERANCE and np.abs(away).max() <= TOLERANCE:
            return placed
        self.tell(scale_commands(number, 1 / longest))
        x, y, z = (float(c + a / placed.scale) for c, a in zip(placed.centre, away, strict=True))
        return Placement(placed.scale / longest, (x, y, z))

    def _correct_light(self, answer: dict[str, bytes], new: Shot) -> list[Command]:
        """What brings the light to the intensity it should have, if it has not."""
        if "ligh" not in answer:
            return []
        off = level(new.intensity) - self.wire.intensity(answer["ligh"])
        if abs(off) <= TOLERANCE:
            return []
        return [{"$type": "adjust_directional_light_intensity_by", "intensity": off}]

    def _check_version(self, answer: dict[str, bytes]) -> None:
        if "vers" not in answer:
            raise BuildLost("the TDW build did not say its version")
        build, package = self.wire.version(answer["vers"]), self.wire.package
        if build.split(".")[:3] != package.split(".")[:3]:
            wanted = ".".join(package.split(".")[:3])
            raise RenderError(
                f"the TDW build is version {build}, the package {package}; get build {wanted}, "
                f"or pip install tdw=={build}.0"
            )
