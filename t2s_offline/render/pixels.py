"""Which pixels a renderer makes: a version, derived from the sources that decide them.

The version is part of every recipe, so rewards of different pictures never meet under one id. It is derived: `digest`
hashes what the sources say (not how: comments, docstrings, formatting, file names and imports of our own modules change
nothing), and VERSIONS names the digests that have been looked at. Sources that are not in it have a version of their
own, ``dev-DIGEST``.

After an edit of these sources tests/render/test_pixels.py fails and says which line to add. If the golden pictures
(tests/golden) are still the same, the new digest gets the old name; if they changed, it gets a new name and the
pictures are made again. The names are kernel.catalogue.backgrounds for ``builtin`` and a number for the others. What
TDW's build draws cannot be pinned here: its release is the package's, and a recipe's pictures are of that release.

Imports nothing but the standard library.
"""

from __future__ import annotations

import ast
import gc
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

#: What makes objects; and what makes backgrounds. Both are kept in a cache, under these digests.
CATALOGUE = ("builtin/catalogue.py", "builtin/meshset.py", "builtin/shapes/**/*.py", "builtin/srgb.py")
BACKGROUNDS = (
    "builtin/backgrounds.py", "builtin/scenery.py", "builtin/interiors.py", "builtin/materials.py", "builtin/srgb.py",
    "scene.py",
)  # fmt: skip
#: The sources that decide a renderer's pixels, relative to this folder.
SOURCES = {
    "builtin": (
        *CATALOGUE, *BACKGROUNDS, "builtin/renderer.py", "builtin/coverage.py", "builtin/kernel.py", "builtin/lens.py",
        "builtin/optics.py", "builtin/shading.py", "builtin/sky.py", "builtin/stage.py", "builtin/surface.py",
        "builtin/user_meshes.py",
    ),
    "tdw": (
        "scene.py", "tdw/open_tdw.py", "tdw/commands.py", "tdw/models.py", "tdw/renderer.py", "tdw/session.py",
    ),
    "fractals": ("fractals.py", "procedural.py", "scene.py"),
    "dead_leaves": ("dead_leaves.py", "procedural.py", "scene.py"),
}  # fmt: skip
#: Digest of the sources -> the version that recipes hold. Several digests of one version make the same pictures.
VERSIONS: dict[str, dict[str, str]] = {
    "builtin": {
        "5e8b67432690": "1.1.1",
        "dcbba95042f9": "2.1.1",
        "c09464f19615": "2.1.1",
        "0a1171dae42b": "2.1.1",
        "6c5cbec6811a": "2.1.1",
        "d8ff0be937e2": "2.1.1",
    },
    "tdw": {"13c5f351a4f8": "1"},
    "fractals": {"815e144b7700": "1"},
    "dead_leaves": {"53a887cdcc07": "1"},
}


@cache
def version(renderer: str) -> str:
    """The version of an embedded renderer's pixels."""
    found = digest(SOURCES[renderer])
    return VERSIONS[renderer].get(found, f"dev-{found}")


@cache
def digest(patterns: tuple[str, ...]) -> str:
    """Twelve hex digits of what the sources say that these patterns (relative to this folder) name."""
    files = sorted({file for pattern in patterns for file in HERE.glob(pattern)})
    return digest_of(file.read_bytes() for file in files)


def digest_of(sources: Iterable[bytes]) -> str:
    """The same of sources given as text, in any order."""
    running = gc.isenabled()
    gc.disable()  # trees have no cycles; looking for some takes most of the time
    try:
        sums = sorted(hashlib.sha256(said(source)).digest() for source in sources)
    finally:
        if running:
            gc.enable()
    return hashlib.sha256(b"".join(sums)).hexdigest()[:12]


def said(source: bytes) -> bytes:
    """What a module says: its syntax tree as text, the same for every version of Python that can read it."""
    out: list[str] = []
    _write(ast.parse(source), out)
    return "\n".join(out).encode()


def _write(node: ast.AST, out: list[str]) -> None:
    if isinstance(node, ast.Constant):
        out.append(ascii(node.value))
        return
    out.append(node.__class__.__name__)
    for name in node._fields:
        value = getattr(node, name, None)
        # what is absent or empty is left out: newer versions of Python have more fields
        if value is None or value == [] or name in ("ctx", "type_ignores"):
            continue
        out.append(f".{name}")
        if isinstance(value, ast.AST):
            _write(value, out)
        elif isinstance(value, list):
            for item in _kept(value):
                if isinstance(item, ast.AST):
                    _write(item, out)
                else:
                    out.append(ascii(item))
            out.append("]")
        else:
            out.append(ascii(value))
    out.append(")")


def _kept(items: list[object]) -> Iterator[object]:
    """A list without docstrings and without imports of our own modules."""
    for item in items:
        if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and isinstance(item.value.value, str):
            continue
        if isinstance(item, ast.ImportFrom) and (item.level or str(item.module).split(".")[0] == "t2s_offline"):
            continue
        if isinstance(item, ast.Import) and all(alias.name.split(".")[0] == "t2s_offline" for alias in item.names):
            continue
        yield item
