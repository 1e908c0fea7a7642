"""The version of a renderer's pixels: derived from its sources, held by golden pictures."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.render import pixels
from t2s_offline.render.builtin import backgrounds, catalogue
from t2s_offline.render.renderer import pixels_version
from t2s_offline.space import PROCEDURAL
from t2s_offline.sweep.worker import processor
from tests import golden

PACKAGE = Path(__file__).parents[2] / "t2s_offline"
#: Own modules that builtin.py imports and that decide no pixel, and why.
EXEMPT = {
    "device.py": "chooses the device; bytes are promised on one kind of device",
    "errors.py": "messages",
    "files.py": "where caches lie, and how they are written",
    "recipe.py": "named for the type checker alone",
    "render/renderer.py": "what a request and a renderer are; no picture is made there",
    "render/__init__.py": "a docstring",
    "render/builtin/__init__.py": "a docstring",
    "render/builtin/warp_device.py": "the same, for Warp",
    "render/options.py": "passes or refuses what a recipe says",
    "render/pixels.py": "this version",
    "shipped.py": "where specifications and tables lie",
    "space.py": "what a digit means is written beside every recipe, and pinned by tests/test_space.py",
}
#: Mean absolute difference of a picture, of 255, on another kind of processor. Moving every vertex and normal by up to
#: 16 units in the last place gives less than 0.001, numpy without AVX nothing; a hundredfold is left.
ROUNDING = 0.1


def files(renderer: str) -> set[str]:
    return {
        f"render/{file.relative_to(pixels.HERE).as_posix()}"
        for pattern in pixels.SOURCES[renderer]
        for file in pixels.HERE.glob(pattern)
    }


def closure(first: str) -> set[str]:
    """Own modules that a module imports, directly or not, itself included; paths in the package."""
    seen: set[str] = set()
    todo = [first]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for node in ast.walk(ast.parse((PACKAGE / path).read_text("utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            names = [*modules, *(".".join([*modules, alias.name]) for alias in node.names)]
            for name in (str(name).removeprefix("t2s_offline.").replace(".", "/") for name in names):
                todo += [file for file in (f"{name}.py", f"{name}/__init__.py") if (PACKAGE / file).is_file()]
    return seen


@pytest.mark.parametrize("renderer", pixels.SOURCES)
def test_these_sources_have_a_name(renderer: str) -> None:
    found = pixels.digest(pixels.SOURCES[renderer])
    assert found in pixels.VERSIONS[renderer], (
        f"what decides the pixels of {renderer} was edited. If the golden pictures are still the same, add to VERSIONS "
        f'in render/pixels.py: "{found}" with the version that stands there; else with a new one, and: '
        "python -m tests.golden"
    )
    assert pixels_version(renderer) == pixels.VERSIONS[renderer][found]


def test_every_source_is_listed_or_exempt() -> None:
    needed, listed = closure("render/builtin/renderer.py"), files("builtin")
    assert needed - listed == set(EXEMPT)
    assert listed - needed == set()
    assert all((pixels.HERE / name).is_file() for name in pixels.SOURCES["builtin"] if "*" not in name)
    assert all((pixels.HERE / name).is_file() for name in pixels.SOURCES["tdw"])
    for renderer in PROCEDURAL:
        assert closure(f"render/{renderer}.py") - set(EXEMPT) == files(renderer)


def test_what_is_said_counts_and_not_how() -> None:
    plain = b'def f(x):\n    """Once."""\n    return x + 1\n'
    own = b"import t2s_offline.space\nfrom t2s_offline.errors import BadInput\n\n"
    same = own + b"# a word\ndef f(\n    x,\n): return (x+1)\n"
    assert pixels.digest_of([plain]) == pixels.digest_of([same])
    other = [b"def f(x):\n    return x + 2\n", b"def g(x):\n    return x + 1\n", b"import math\n" + plain]
    assert len({pixels.digest_of([source]) for source in (plain, *other)}) == 4
    assert pixels.digest_of([plain, other[0]]) == pixels.digest_of([other[0], plain])
    assert pixels.digest_of([plain, plain]) != pixels.digest_of([plain])
    assert pixels.digest_of([b"X = 'a'\n"]) != pixels.digest_of([b"X = 'b'\n"])


def test_an_edited_shape_never_passes_for_a_release(tmp_path: Path) -> None:
    """In a copy of the package: a comment changes nothing, a number in a shape changes version and caches."""
    shutil.copytree(PACKAGE, tmp_path / "t2s_offline", ignore=shutil.ignore_patterns("__pycache__"))
    shape = tmp_path / "t2s_offline" / "render" / "builtin" / "shapes" / "birds.py"
    code = (
        "from t2s_offline.render import pixels\nfrom t2s_offline.render.renderer import pixels_version\n"
        "print(pixels.__file__, pixels_version('builtin'), pixels.digest(pixels.CATALOGUE), pixels_version('tdw'))"
    )

    def versions() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert str(tmp_path) in done.stdout, done.stderr
        return done.stdout.split()[1:]

    before = versions()
    text = shape.read_text("utf-8")
    shape.write_text(f"# a comment\n{text}")
    assert versions() == before == [pixels_version("builtin"), before[1], pixels_version("tdw")]
    shape.write_text(f"{text}\nEDITED = 1\n")
    version, catalogue_key, tdw = versions()
    assert version.startswith("dev-")
    assert len(version) == 16
    assert catalogue_key != before[1]
    assert tdw == "1"


def test_caches_are_of_their_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backgrounds, "COUNT", 1)
    backgrounds.procedural(cache=tmp_path)
    catalogue.load_catalogue(["owl"], 1, cache=tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert pixels.digest(pixels.BACKGROUNDS) in names[0]
    assert pixels.digest(pixels.CATALOGUE) in names[1]


def test_the_version_is_cheap() -> None:
    code = (
        "import sys; from t2s_offline.render.renderer import pixels_version;"
        "pixels_version('builtin'); pixels_version('tdw');"
        "sys.exit(bool({'torch', 'warp', 'trimesh', 'tdw'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    before = time.process_time()
    pixels.digest.__wrapped__(pixels.SOURCES["builtin"])
    assert time.process_time() - before < 1.0, "0.2 s on an idle machine"


def test_golden_pictures() -> None:
    """Small pictures of three classes: off, on, and each parameter alone, made again."""
    made = dict(golden.strips())
    assert {path.name for path in golden.HERE.glob("*.png")} == set(made)
    same = golden.MADE_ON.read_text().strip() == processor()
    for name, picture in made.items():
        with Image.open(golden.HERE / name) as kept:
            difference = np.abs(np.asarray(kept).astype(int) - picture)
        assert difference.mean() <= (0 if same else ROUNDING), f"{name}: mean difference {difference.mean():.4f} of 255"
    off = made["00000000-32.png"].astype(int)
    for bit in golden.ONE_BIT:
        assert np.abs(made[f"{bit}-32.png"] - off).mean() > 2 * ROUNDING, f"{bit} shows nothing that could be lost"


def test_golden_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in golden.HERE.glob("*.png")) < 100_000
