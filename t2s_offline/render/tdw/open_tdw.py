"""The paper's renderer: ThreeDWorld (TDW), live. Opens a renderer that talks to a TDW build.

The only module that imports tdw: here are its libraries and what decodes a build's answers. `models` says which models
there are, `commands` what a build is told, `build` how it is reached and watched, `session` what it shows now;
`renderer` makes datasets. The version of its pixels is derived from what the build is told, and raised in `pixels.py`,
as the builtin renderer's is; no golden picture can hold it, so raise it for every edit that a build could draw
differently.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from t2s_offline.device import open_device
from t2s_offline.errors import BadFile, BadInput, RenderError, check_known
from t2s_offline.render import pixels
from t2s_offline.render.tdw import models as tdw_models
from t2s_offline.render.tdw.build import BuildLost, Place
from t2s_offline.render.tdw.models import ASSETS_VARIABLE, MATERIALS_VARIABLE, OBJECTS_VARIABLE
from t2s_offline.render.tdw.renderer import TdwRenderer
from t2s_offline.render.tdw.session import Session

try:
    with warnings.catch_warnings():
        # tdw's own FlatBuffers import imp, which goes away in Python 3.12: that is why the extra ends there
        warnings.filterwarnings("ignore", message="the imp module is deprecated", category=DeprecationWarning)
        import tdw
        from tdw import output_data
except ImportError as error:
    raise ImportError(
        f"{error}; expected TDW on Python 3.11: pip install 't2s-offline[tdw]' there, or use --renderer builtin"
    ) from error

LIBRARIES = Path(tdw.__path__[0]) / "metadata_libraries"


class Answers:
    """Reads payloads with tdw's own classes; see `Wire`."""

    package: str = ".".join(tdw.__version__.split(".")[:3])

    def version(self, payload: bytes) -> str:
        return str(_decoded(lambda: output_data.Version(payload).get_tdw_version()))

    def message(self, payload: bytes) -> tuple[str, str]:
        def read() -> tuple[str, str]:
            log = output_data.LogMessage(payload)
            return log.get_message_type(), " ".join(log.get_message().split())

        found: tuple[str, str] = _decoded(read)
        return found

    def bounds(self, payload: bytes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        def read() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
            b = output_data.Bounds(payload)
            sides = ((b.get_right(0), b.get_left(0)), (b.get_top(0), b.get_bottom(0)), (b.get_front(0), b.get_back(0)))
            extents = [abs(float(high[axis] - low[axis])) for axis, (high, low) in enumerate(sides)]
            return np.array(b.get_center(0), dtype=np.float64), np.array(extents)

        found: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] = _decoded(read)
        return found

    def intensity(self, payload: bytes) -> float:
        return float(_decoded(lambda: output_data.Lights(payload).get_directional_light_intensity(0)))


def decode(payload: bytes, size: int) -> npt.NDArray[np.uint8]:
    """The picture of an Images payload, uint8 (3, size, size). BuildLost when damaged, RenderError at another size."""

    def read() -> tuple[int, int, Image.Image]:
        images = output_data.Images(payload)
        picture = Image.open(io.BytesIO(images.get_image(0).tobytes())).convert("RGB")
        return images.get_width(), images.get_height(), picture

    width, height, picture = _decoded(read)
    if (width, height) != (size, size) or picture.size != (size, size):
        raise RenderError(
            f"the TDW build sends {width}x{height} pixels; expected {size}x{size}; "
            f"give it a display of at least that size"
        )
    return np.asarray(picture).transpose(2, 0, 1)


def _decoded(read: Callable[[], Any]) -> Any:
    """What `read` makes of a payload; BuildLost whatever is wrong with it: a cut FlatBuffer fails in many ways."""
    try:
        return read()
    except Exception as error:
        raise BuildLost(f"the TDW build sent a damaged answer ({type(error).__name__}: {error})") from error


def build_version(place: Place) -> str:
    """Start or wait for a build, and say its version; RenderError when there is none or it is not the package's."""
    session = Session(place, Answers(), render_quality=5, jpeg=True, settle=0)
    try:
        session.ready(64)
    finally:
        session.stop()
    return Answers.package


def open_renderer(
    *,
    classes: Sequence[str] | int | None = None,
    objects: int = 20,
    device: str = "auto",
    threads: int = 2,
    models: str | Path = "core",
    materials: str | Path = "all",
    quality: str = "low",
    render_quality: int = 5,
    pictures: str = "jpg",
    settle: int = 1,
    assets: Path | None = None,
    restarts: int = 3,
    models_a_build: int = 300,
    warn: Callable[[str], None] = lambda line: None,
    **place: Any,
) -> TdwRenderer:
    """TDW's models and skyboxes as a renderer; a build is started or waited for when the first image is asked for.

    models: ``core`` (the public library), ``full``, a list's file, or ``list:DIGEST`` for the file that T2S_TDW_OBJECTS
    names; materials: ``all``, or likewise with T2S_TDW_MATERIALS; quality: of materials, low, med or high;
    render_quality: 0 to 5; pictures: jpg or png; settle: frames to wait after a new skybox; assets: folder of local
    bundles, else what T2S_TDW_ASSETS names; restarts: of a failing build; models_a_build: models after which it is
    started anew; place: fields of `Place`. `warn` is called with a line for every record left out.
    """
    check_known("quality of materials", quality, ("low", "med", "high"))
    check_known("kind of pictures", pictures, ("jpg", "png"))
    for name, value, least, most in (
        ("threads", threads, 0, 64), ("render_quality", render_quality, 0, 5), ("settle", settle, 0, 100),
        ("restarts", restarts, 0, 1000), ("models_a_build", models_a_build, 1, 10**6),
    ):  # fmt: skip
        if not least <= value <= most:
            raise BadInput(f"{name} = {value} for TDW; expected {least} to {most}")
    for name in place:
        check_known("option of TDW", name, [field.name for field in fields(Place)])
    where = Place.from_environment(**place)
    local = assets or (Path(os.environ[ASSETS_VARIABLE]) if os.environ.get(ASSETS_VARIABLE) else None)
    wanted = _list_file(models, ("core", "full"), OBJECTS_VARIABLE, "--objects")
    painted = _list_file(materials, ("all",), MATERIALS_VARIABLE, "--materials")
    folder = local or LIBRARIES
    # a list names models of both libraries, and the full one holds the core's
    library = "models.json" if local else "models_core.json" if models == "core" else "models_full.json"
    chosen = tdw_models.choose_models(
        tdw_models.read_library(folder / library), folder, classes=classes, objects=objects,
        wanted=tdw_models.read_models(wanted) if wanted else None,
    )  # fmt: skip
    library = "hdri_skyboxes.json"
    skyboxes, no_sky = tdw_models.choose_skyboxes(tdw_models.read_library(folder / library), folder)
    library = "materials.json" if local else f"materials_{quality}.json"
    names = tdw_models.read_materials(painted) if painted else None
    used, no_material = tdw_models.choose_materials(tdw_models.read_library(folder / library), folder, names)
    for line in tdw_models.summary([*chosen.skipped, *no_sky, *no_material]):
        warn(line)
    session = Session(where, Answers(), render_quality=render_quality, jpeg=pictures == "jpg", settle=settle)
    return TdwRenderer(
        chosen, skyboxes, used, session, decode, pixels=pixels.version("tdw"), device=open_device(device),
        quality=quality, threads=threads or 2, restarts=restarts, models_a_build=models_a_build,
    )  # fmt: skip


def _list_file(given: str | Path, known: Sequence[str], variable: str, option: str) -> Path | None:
    """The file of a list, or None for a name of `known`; a digest must be that of the file that the variable names."""
    text = str(given)
    if text in known:
        return None
    if not text.startswith("list:"):
        return Path(given)
    if not os.environ.get(variable):
        raise BadInput(f"the recipe wants the list {text}; give it with {option} FILE or {variable}")
    path = Path(os.environ[variable])
    found = f"list:{tdw_models.file_digest(path)}"
    if found != text:
        raise BadFile(f"{path} is {found}; the recipe wants {text}: give the list that it was made with")
    return path
