"""The procedural catalogue: every category builds, objects are sound and different, the cache is faithful."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.render.builtin.catalogue import (
    CATEGORIES,
    build_object,
    category_order,
    choose_categories,
    load_catalogue,
)
from t2s_offline.render.builtin.meshset import Mesh, crease_normals
from t2s_offline.render.builtin.shapes import FAMILIES
from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import REGISTRY, Builder
from t2s_offline.render.builtin.shapes.csg import cut
from t2s_offline.render.builtin.shapes.outline import circle, star
from t2s_offline.render.builtin.shapes.primitives import (
    ball,
    box,
    cushion,
    disc,
    lathe,
    prism,
    rod,
    torus,
    tube,
    vessel,
)
from t2s_offline.render.builtin.shapes.solid import Solid

FEW = ("anchor", "bicycle", "mug", "owl")


def fingerprint(mesh: Mesh) -> str:
    parts = (mesh.vertex, mesh.normal, mesh.face, mesh.component, mesh.colour)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def volume(solid: Solid) -> float:
    corner = solid.vertex[solid.face]
    return float(np.einsum("fi,fi->", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])) / 6)


def is_closed(vertex: np.ndarray, face: np.ndarray) -> bool:
    """Every edge is used as often in one direction as in the other."""
    _, number = np.unique(vertex, axis=0, return_inverse=True)
    merged = number.ravel()[face]
    edge = merged[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    edge = edge[edge[:, 0] != edge[:, 1]]
    balance: dict[tuple[int, int], int] = {}
    for a, b in edge.tolist():
        key = (min(a, b), max(a, b))
        balance[key] = balance.get(key, 0) + (1 if a < b else -1)
    return not any(balance.values())


@pytest.mark.parametrize(
    ("solid", "expected"),
    [
        (box(1, 2, 3), 6.0),
        (box(1, 1, 1, 0.1), 1 - 6 * 0.01 + 0.01 * 4 / 3 * 1.0),
        (ball(1, count=48), 4 / 3 * np.pi),
        (disc(1, 2, 64), 2 * np.pi),
        (rod((0, 0, 0), (0, 3, 0), 1, count=64), 3 * np.pi),
        (torus(2, 0.5, 64, 32), 2 * np.pi**2 * 2 * 0.25),
        (prism(circle(1, 64), circle(0.5, 64), depth=2), 1.5 * np.pi),
        (cut(box(2, 2, 2), box(1, 1, 4)), 6.0),
    ],
)
def test_primitives_enclose_their_volume(solid: Solid, expected: float) -> None:
    assert volume(solid) == pytest.approx(expected, rel=0.05)
    assert is_closed(solid.vertex, solid.face)


def test_every_kind_of_primitive_is_closed_and_faces_outwards() -> None:
    blob = Blob().bone((0, 0, 0), (1, 0, 0), 0.2, 0.1).ball((1, 0.3, 0), (0.2, 0.1, 0.1), turn=(0, 0, 30))
    solids = [
        cushion(1, 0.3, 1),
        lathe([(0, 0), (1, 0), (0.5, 1), (0, 1.5)]),
        vessel([(0.3, 0), (0.5, 0.5), (0.4, 1)], 0.04),
        tube([(0, 0, 0), (0, 1, 0), (1, 1, 0)], [0.2, 0.1, 0.2], ends=True),
        prism(star(5, 1, 0.4), depth=0.2),
        blob.solid(24),
        box(1, 1, 1).flip(0).twin(1).around(3).at(1, 2, 3).turn(10, 20, 30),
    ]
    for solid in solids:
        assert volume(solid) > 0
        assert is_closed(solid.vertex, solid.face)


def test_creases_are_split_and_curves_are_not() -> None:
    cube = box(1, 1, 1)
    vertex, normal, face = crease_normals(cube.vertex, cube.face)
    assert len(vertex) == 24  # three normals at each of eight corners
    assert np.allclose(np.abs(normal).max(1), 1)
    assert np.array_equal(vertex[face], cube.vertex[cube.face].astype(np.float32))
    sphere = ball(1, count=24)
    vertex, normal, _ = crease_normals(sphere.vertex, sphere.face)
    assert len(vertex) == len(sphere.vertex)
    assert np.einsum("ij,ij->i", normal, vertex / np.linalg.norm(vertex, axis=1, keepdims=True)).min() > 0.98


def test_there_are_enough_categories_in_every_family() -> None:
    assert len(CATEGORIES) >= 237  # as many as the paper's larger setting has
    assert len(FAMILIES) >= 12
    assert list(CATEGORIES) == sorted(CATEGORIES)
    assert all(name.isidentifier() and name == name.lower() for name in CATEGORIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_category_builds_sound_objects(family: str) -> None:
    for name in (name for name in CATEGORIES if REGISTRY[name].family == family):
        meshes = [build_object(name, index) for index in (0, 7)]
        for mesh in meshes:
            assert 300 <= len(mesh.face) <= 4000, name
            assert np.isfinite(mesh.vertex).all(), name
            assert np.isfinite(mesh.normal).all(), name
            assert np.allclose(np.linalg.norm(mesh.normal, axis=1), 1, atol=1e-4), name
            assert np.linalg.norm(mesh.vertex, axis=1).max() == pytest.approx(0.5, abs=1e-4), name
            assert mesh.face.min() == 0, name
            assert mesh.face.max() == len(mesh.vertex) - 1, name
            assert 1 <= len(mesh.components) <= 10, name
            assert len(set(mesh.components)) == len(mesh.components), name
            assert mesh.colour.shape == (len(mesh.components), 3), name
            assert mesh.colour.min() >= 0, name
            assert mesh.colour.max() <= 1, name
            assert (mesh.vertex.dtype, mesh.normal.dtype, mesh.colour.dtype) == (np.float32,) * 3, name
            assert (mesh.face.dtype, mesh.component.dtype) == (np.int32,) * 2, name
            corner = mesh.vertex[mesh.face]
            area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
            shown = np.bincount(mesh.component, area > 0, minlength=len(mesh.components))
            assert (shown > 0).all(), name
        assert fingerprint(meshes[0]) != fingerprint(meshes[1]), name


def test_components_are_closed() -> None:
    closed = total = 0
    for name in category_order()[:60]:
        mesh = build_object(name, 1)
        for number in range(len(mesh.components)):
            closed += is_closed(mesh.vertex, mesh.face[mesh.component == number])
            total += 1
    assert closed >= 0.97 * total


def test_an_object_depends_on_its_category_index_and_seed_alone() -> None:
    prints = {(name, index): fingerprint(build_object(name, index)) for name in FEW for index in range(4)}
    assert len(set(prints.values())) == len(prints)
    again = {(name, index): fingerprint(build_object(name, index)) for name, index in reversed(list(prints))}
    assert again == prints
    assert fingerprint(build_object("mug", 0, seed=1)) != prints["mug", 0]


def test_objects_of_a_category_differ_in_more_than_size() -> None:
    # proportions of the bounding box, which scaling does not change
    for name in ("chair", "teapot", "dog", "house", "rocket", "chess_king"):
        extents = np.array([np.ptp(build_object(name, index).vertex, axis=0) for index in range(8)])
        assert (extents / extents.max(1, keepdims=True)).std(0).max() > 0.01, name


def test_colour_alone_does_not_name_the_category() -> None:
    # the nearest other object in mean colour is seldom one of the same category
    names = category_order()[:40]
    mean = np.array([build_object(name, index).colour.mean(0) for name in names for index in range(4)])
    label = np.repeat(np.arange(len(names)), 4)
    gap = np.linalg.norm(mean[:, None] - mean[None], axis=2) + 9 * np.eye(len(mean))
    assert (label[gap.argmin(1)] == label).mean() < 0.15


def test_a_number_of_classes_is_a_prefix_spread_over_the_families() -> None:
    assert choose_categories(64)[:32] == choose_categories(32)
    assert set(choose_categories(len(CATEGORIES))) == set(CATEGORIES)
    assert len({REGISTRY[name].family for name in choose_categories(len(FAMILIES) + 8)}) >= 0.8 * len(FAMILIES)
    assert choose_categories(None) == CATEGORIES
    assert choose_categories(["mug", "car"]) == ("mug", "car")


def test_later_categories_leave_every_number_of_classes_as_it_was() -> None:
    # recipes say how many classes they want: the same ones must be meant after the catalogue has grown
    first = category_order()[:226]
    assert {REGISTRY[name].added for name in first} == {1}
    assert hashlib.sha256(" ".join(first).encode()).hexdigest()[:16] == "504e62859a7602b5"
    assert all(REGISTRY[name].added > 1 for name in category_order()[226:])


@pytest.mark.parametrize("classes", [0, -1, len(CATEGORIES) + 1, [], ["mug", "mug"]])
def test_impossible_classes_are_refused(classes: int | list[str]) -> None:
    with pytest.raises(BadInput, match="expected"):
        choose_categories(classes)


def test_unknown_category_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="teapot"):
        build_object("teapott", 0)
    with pytest.raises(UnknownName, match="bicycle"):
        load_catalogue(["bicyle"])
    with pytest.raises(BadInput, match="from 0"):
        build_object("teapot", -1)


def test_a_set_packs_its_objects_and_comes_back_from_the_cache(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    first = load_catalogue(FEW, 3, cache=tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(list(tmp_path.glob("*.npz"))) == 4
    assert not list(tmp_path.glob("*.tmp"))
    second = load_catalogue(FEW, 3, cache=tmp_path)
    assert first.classes == second.classes == FEW
    assert len(second) == 12
    assert second.class_of.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    for index in range(len(second)):
        name = FEW[index // 3]
        assert second.objects[index] == f"{name}_{index % 3:03d}"
        assert fingerprint(first.mesh(index)) == fingerprint(second.mesh(index))
        assert fingerprint(second.mesh(index)) == fingerprint(build_object(name, index % 3))
        assert second.mesh(index).components == build_object(name, index % 3).components


def test_a_subset_uses_the_same_cache(tmp_path: Path) -> None:
    load_catalogue(FEW, 2, cache=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    subset = load_catalogue(["owl", "mug"], 2, cache=tmp_path)
    assert subset.classes == ("owl", "mug")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "other"])
def test_a_damaged_cache_is_built_again(tmp_path: Path, damage: str) -> None:
    whole = load_catalogue(["mug", "owl"], 2, cache=tmp_path)
    path, other = sorted(tmp_path.glob("*.npz"))
    data = path.read_bytes()
    middle = len(data) // 2
    bad = {
        "cut": data[:middle],
        "noise": data[:middle] + bytes(64) + b"\xff" * 64 + data[middle + 128 :],
        "empty": b"",
        "other": other.read_bytes(),
    }
    path.write_bytes(bad[damage])
    again = load_catalogue(["mug", "owl"], 2, cache=tmp_path)
    assert [fingerprint(again.mesh(k)) for k in range(4)] == [fingerprint(whole.mesh(k)) for k in range(4)]
    assert path.read_bytes() != bad[damage]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert len(load_catalogue(["mug"], 1, cache=blocked / "cache")) == 1


def test_workers_change_nothing(tmp_path: Path) -> None:
    names = category_order()[:8]
    one = load_catalogue(names, 1, cache=tmp_path / "one")
    two = load_catalogue(names, 1, cache=tmp_path / "two", jobs=2)
    assert one.objects == two.objects
    assert np.array_equal(one.vertex, two.vertex)
    assert np.array_equal(one.colour, two.colour)


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("T2S_CACHE", str(tmp_path))
    load_catalogue(["mug"], 1)
    assert [path.suffix for path in (tmp_path / "catalogue").iterdir()] == [".npz"]


def test_small_objects_are_subdivided_and_stay_closed() -> None:
    builder = Builder(np.random.default_rng(0))
    builder.add("cube", box(1, 1, 1))
    mesh = builder.mesh()
    assert len(mesh.face) >= 300
    assert is_closed(mesh.vertex, mesh.face)
