"""What is missing on this machine, and what to do about it.

Each `Check` says what was found, what to do when it is missing, and whether the sweep's specification, if one was
given, needs it. Native libraries of torch and Warp are loaded, both are really asked for GPUs where there is a driver,
and a TDW build is started and asked for its version. What they do with pictures is `benchmark.py`'s.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from t2s_offline.errors import T2SError, brief
from t2s_offline.recipe import Recipe, SweepSpec
from t2s_offline.tasks import DATA_VARIABLE, data_folder, locate, present

State = Literal["ok", "missing", "absent"]
GIGABYTE = 1e9
LEAST_DISK = 5 * GIGABYTE  # bytes for a small table, its backbones and checkpoints
HELLO = 20.0  # seconds to wait for a TDW build
X_SOCKETS = Path("/tmp/.X11-unix")


@dataclass(frozen=True)
class Check:
    """The result for one thing. state: missing when it is needed and not there, absent when it is not needed and not
    there; found: what is there; advice: what to do."""

    name: str
    state: State
    found: str
    advice: str = ""


def examine(
    spec: SweepSpec | None = None, *, data: Path | None = None, store: Path = Path("rewards.duckdb"), backbones: int = 0
) -> list[Check]:
    """Every check. `backbones`: how many networks the specification will keep beside the store."""
    recipes = list(spec.recipes.values()) if spec else []
    renderers = {recipe.renderer for recipe in recipes}
    return [
        _python("tdw" in renderers),
        *_packages(),
        _torch(),
        *_warp(not recipes or "builtin" in renderers),
        *_tdw(recipes),
        *_tasks(spec, data),
        _disk(store, recipes, backbones),
    ]


def unfit(checks: Sequence[Check]) -> bool:
    """Whether something that is needed is missing."""
    return any(check.state == "missing" for check in checks)


def _check(name: str, there: bool, needed: bool, found: str, advice: str) -> Check:
    return Check(name, "ok" if there else "missing" if needed else "absent", found, "" if there else advice)


def _python(tdw: bool) -> Check:
    here = platform.python_version()
    fits = sys.version_info < (3, 12)
    advice = "make an environment with Python 3.11: the tdw package does not work on 3.12"
    return _check("python", fits or not tdw, tdw, here, advice)


def _packages() -> Iterator[Check]:
    """The packages that are always needed, as one check that names those that are missing."""
    names = [text.split(";")[0] for text in requires("t2s-offline") or [] if "extra ==" not in text]
    bare = ["".join(char for char in name.split("[")[0] if char.isalnum() or char in "-_. ") for name in names]
    wanted = [name.rstrip("0123456789. ").strip() for name in bare]
    gone = []
    for name in wanted:
        try:
            version(name)
        except PackageNotFoundError:
            gone.append(name)
    shown = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "numpy", "polars") if name not in gone)
    advice = f"run: pip install {' '.join(gone)}"
    yield _check("packages", not gone, True, f"{len(wanted) - len(gone)} of {len(wanted)} ({shown})", advice)


def _torch() -> Check:
    """Whether torch's libraries load. It is imported where a GPU's driver is there, to be asked for GPUs: that takes
    two seconds, and without a driver it would find none."""
    try:
        if driver():
            return _torch_on_gpus()
        folder = _package("torch", "lib/libtorch_python.*")
    except (ImportError, OSError) as error:
        return Check("torch", "missing", brief(error), "run: pip install torch torchvision")
    said = (folder / "version.py").read_text("utf-8")
    built = re.search(r"^cuda\b.*= '[\d.]+'", said, re.MULTILINE)
    own = re.search(r"^__version__ = '([^']+)'", said, re.MULTILINE)
    advice = (
        "nvidia-smi says whether the driver sees a GPU" if built else "this torch is for CPUs; install one for CUDA"
    )
    return Check("torch", "ok", f"{own[1] if own else version('torch')}, no GPU: everything runs on the CPU", advice)


def _torch_on_gpus() -> Check:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        names = [torch.cuda.get_device_name(index) for index in range(count)]
        return Check("torch", "ok", f"{torch.__version__}, {count} GPU(s): {', '.join(dict.fromkeys(names))}")
    advice = (
        "this torch is for CPUs; install one for CUDA"
        if torch.version.cuda is None
        else f"nvidia-smi says whether the driver sees a GPU, and whether it is for CUDA {torch.version.cuda}"
    )
    return Check("torch", "ok", f"{torch.__version__}, a driver but no GPU: everything runs on the CPU", advice)


def driver() -> bool:
    """Whether this machine has NVIDIA's driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _package(name: str, library: str) -> Path:
    """The folder of a package that is not imported, after its native library was loaded; ImportError or OSError."""
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"no package {name}")
    folder = Path(next(iter(found.submodule_search_locations)))
    try:
        ctypes.CDLL(str(next(folder.glob(library))))
    except (OSError, StopIteration):  # laid out otherwise: the import itself knows where its libraries are
        import_module(name)
    return folder


def _warp(needed: bool) -> Iterator[Check]:
    """Whether Warp's library loads; where a GPU's driver is there it is started, to count GPUs."""
    try:
        where = "on the CPU"
        if driver():
            import_module("t2s_offline.render.builtin.warp_device").start_warp()
            wp = import_module("warp")
            where = f"{wp.get_cuda_device_count()} GPU(s)" if wp.is_cuda_available() else where
        else:
            _package("warp", "bin/*warp.*")
        yield Check("warp", "ok", f"{version('warp-lang')}, {where}")
    except (ImportError, OSError, RuntimeError) as error:
        yield _check("warp", False, needed, brief(error), "run: pip install warp-lang, or use --renderer tdw")


def _tdw(recipes: Sequence[Recipe]) -> Iterator[Check]:
    """TDW's package, build, display and bundles. A build is started or waited for where one is named or needed."""
    from t2s_offline.render.tdw.build import BUILD_VARIABLE, DISPLAY_VARIABLE, Place, build_command
    from t2s_offline.render.tdw.models import ASSETS_VARIABLE

    using = [recipe for recipe in recipes if recipe.renderer == "tdw"]
    needed = bool(using)
    advice = "on Python 3.11: pip install 't2s-offline[tdw]'"
    build = os.environ.get(BUILD_VARIABLE, "")
    try:
        if find_spec("tdw") is None:
            raise ImportError("no package tdw")
        tdw = import_module("t2s_offline.render.tdw.open_tdw") if needed or build else None
    except ImportError as error:
        yield _check("tdw package", False, needed, brief(error), advice)
        return
    yield Check("tdw package", "ok", version("tdw"))

    display = os.environ.get(DISPLAY_VARIABLE) or os.environ.get("DISPLAY", "")
    if needed or build:
        yield _display(display, needed and bool(build))
    found, there = "none is named", False
    if tdw is not None:
        try:
            if build:
                build_command(build)
            found, there = f"version {tdw.build_version(Place.from_environment(patience=HELLO))}, as the package", True
        except T2SError as error:
            found = brief(error)
    release = ".".join(version("tdw").split(".")[:3])
    advice = f"get release v{release} of threedworld-mit/tdw and give it as --tdw-build, or start it before this"
    yield _check("tdw build", there, needed, found, advice)

    named = os.environ.get(ASSETS_VARIABLE)
    if named:
        lists = [name for name in ("models", "materials", "hdri_skyboxes") if (Path(named) / f"{name}.json").is_file()]
        advice = "fill it with TDWUtils.download_asset_bundles (models, materials and hdri_skyboxes)"
        yield _check("tdw assets", len(lists) == 3, needed, f"{named}: {', '.join(lists) or 'no library'}", advice)
    else:
        advice = "TDWUtils.download_asset_bundles fills a folder for --tdw-assets, for nodes with no network"
        yield Check("tdw assets", "ok" if needed else "absent", "none local: the build downloads what it shows", advice)
    if using:
        yield _models(using[0])


def _models(recipe: Recipe) -> Check:
    """Whether TDW's library has the models of the recipe."""
    from t2s_offline.render.renderer import pixels_version, recipe_renderer

    skipped: list[str] = []
    try:
        here = replace(recipe, renderer_version=pixels_version(recipe.renderer))
        opened = recipe_renderer(here, device="cpu", warn=skipped.append)
    except T2SError as error:
        return Check(
            "tdw models", "missing", brief(error), "name others with --objects, or lower classes in the recipe"
        )
    left = "".join(f"; {line.split(':')[0]}" for line in skipped)
    return Check("tdw models", "ok", f"{len(opened.objects)} of {len(opened.classes)} classes{left}")


def _display(display: str, needed: bool) -> Check:
    advice = (
        "start one, then set DISPLAY: Xvfb :1 -screen 0 1024x1024x24 & draws on the CPU; Xorg with the NVIDIA driver "
        "draws on a GPU"
    )
    if not display:
        return _check("display", False, needed, "DISPLAY is not set", advice)
    first = display.split(",")[0]
    number = first.removeprefix(":").split(".")[0]
    there = not first.startswith(":") or (X_SOCKETS / f"X{number}").exists()
    return _check("display", there, needed, display if there else f"{display}: nothing listens there", advice)


def _tasks(spec: SweepSpec | None, data: Path | None) -> Iterator[Check]:
    try:
        folder = data_folder(data)
        names = [found.name for found in present(data)]
    except T2SError as error:
        yield Check("data", "missing", brief(error), f"set {DATA_VARIABLE} to a folder of tasks")
        return
    where = str(folder) if folder else f"{DATA_VARIABLE} is not set"
    yield Check("data", "ok", f"{where}; present: {', '.join(names)}", "" if folder else "only digits is present")
    for name in spec.tasks if spec else ():
        try:
            locate(name, data)
        except T2SError as error:
            yield Check(f"task {name}", "missing", brief(error), "see: t2s-offline tasks")


def _disk(store: Path, recipes: Sequence[Recipe], backbones: int) -> Check:
    folder = next(path for path in (store.resolve(), *store.resolve().parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    wanted = 0
    if recipes:
        from t2s_offline.training.networks import build

        archs = {recipe.backbone for recipe in recipes}
        sizes = [sum(2 * p.numel() for p in build(arch, seed=0).parameters()) for arch in archs]
        wanted = backbones * max(sizes)
    found = f"{free / GIGABYTE:.1f} GB free at {folder}" + (f", {wanted / GIGABYTE:.1f} GB wanted" if wanted else "")
    least = max(LEAST_DISK, 1.2 * wanted)
    advice = f"make room for {least / GIGABYTE:.0f} GB, or put the store elsewhere with --store"
    return _check("disk", free >= least, bool(recipes), found, advice)
