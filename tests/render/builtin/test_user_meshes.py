"""A user's meshes: components and colours from every format, and files that are broken in every way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.render.builtin.user_meshes import load_meshes, read_mesh

TETRAHEDRON = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Two classes with a file of each common format."""
    folder = tmp_path / "meshes"
    for name in ("ball", "cube"):
        (folder / name).mkdir(parents=True)
    trimesh.creation.icosphere(subdivisions=2).export(folder / "ball" / "a.ply")
    trimesh.creation.icosphere(subdivisions=1, radius=40).export(folder / "ball" / "b.stl")
    trimesh.creation.box((2, 1, 1)).export(folder / "cube" / "a.glb")
    (folder / "cube" / "b.obj").write_text(TETRAHEDRON)
    (folder / "cube" / "notes.txt").write_text("not a mesh")
    return folder


def test_good_meshes_are_scaled_and_have_normals(good: Path) -> None:
    seen: list[tuple[int, int]] = []
    meshes, skipped = load_meshes(good, progress=lambda done, total: seen.append((done, total)))
    assert skipped == []
    assert meshes.classes == ("ball", "cube")
    assert meshes.objects == ("ball/a.ply", "ball/b.stl", "cube/a.glb", "cube/b.obj")
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for index in range(len(meshes)):
        mesh = meshes.mesh(index)
        assert np.linalg.norm(mesh.vertex, axis=1).max() == pytest.approx(0.5, abs=0.01)
        assert np.allclose(np.linalg.norm(mesh.normal, axis=1), 1, atol=1e-4)
    cube = meshes.mesh(2)
    assert len(cube.vertex) == 24  # sharp edges are split
    ball = meshes.mesh(0)
    assert len(ball.vertex) == 162  # and smooth ones are shared, in STL too
    assert len(meshes.mesh(1).vertex) == 42


def test_scene_nodes_become_components_in_place_with_their_colours(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    for name, x, colour in (("left", -2.0, (1.0, 0.0, 0.0, 1.0)), ("right", 2.0, (0.0, 0.5, 0.0, 1.0))):
        part = trimesh.creation.box((1, 1, 1))
        material = trimesh.visual.material.PBRMaterial(name=f"{name}_paint", baseColorFactor=colour)
        part.visual = trimesh.visual.TextureVisuals(material=material)
        scene.add_geometry(part, node_name=name, transform=trimesh.transformations.translation_matrix([x, 0, 0]))
    path = tmp_path / "pair.glb"
    scene.export(path)
    mesh = read_mesh(path)
    assert sorted(mesh.components) == ["left_paint", "right_paint"]
    left = mesh.components.index("left_paint")
    where = mesh.vertex[mesh.face[mesh.component == left]].mean((0, 1))
    assert where[0] < -0.2
    assert mesh.colour[left] == pytest.approx([1, 0, 0], abs=0.01)
    assert mesh.colour[1 - left] == pytest.approx([0, 0.5, 0], abs=0.01)


def test_materials_of_an_obj_become_components(tmp_path: Path) -> None:
    (tmp_path / "two.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\n")
    text = TETRAHEDRON.replace("f 1 3 2", "usemtl red\nf 1 3 2").replace("f 1 4 3", "usemtl blue\nf 1 4 3")
    (tmp_path / "two.obj").write_text("mtllib two.mtl\n" + text)
    mesh = read_mesh(tmp_path / "two.obj")
    assert sorted(mesh.components) == ["blue", "red"]
    assert mesh.colour[mesh.components.index("red")] == pytest.approx([1, 0, 0], abs=0.01)
    assert len(mesh.face) == 4


def test_texture_and_vertex_colours_give_a_mean(tmp_path: Path) -> None:
    textured = trimesh.creation.box((1, 1, 1))
    image = Image.new("RGB", (8, 8), (0, 188, 0))  # 188 in sRGB is one half in linear light
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
    textured.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(textured.vertices), 2)), material=material)
    textured.export(tmp_path / "textured.glb")
    assert read_mesh(tmp_path / "textured.glb").colour[0] == pytest.approx([0, 0.5, 0], abs=0.02)
    painted = trimesh.creation.icosphere(subdivisions=1)
    painted.visual.vertex_colors = np.tile([255, 0, 0, 255], (len(painted.vertices), 1))
    painted.export(tmp_path / "painted.ply")
    assert read_mesh(tmp_path / "painted.ply").colour[0] == pytest.approx([1, 0, 0], abs=0.02)


BAD = {
    "empty.obj": b"",
    "words.obj": b"this is no mesh\n",
    "points.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\n",
    "nan.obj": TETRAHEDRON.replace("v 1 0 0", "v nan 0 0").encode(),
    "inf.obj": TETRAHEDRON.replace("v 1 0 0", "v inf 0 0").encode(),
    "flat.obj": b"v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n",
    "point.obj": b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n",
    "index.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n",
    "noise.glb": bytes(range(256)) * 4,
    "header.glb": b"glTF\x02\x00\x00\x00\xff\xff\xff\x7f",
    "huge.stl": b"\x00" * 80 + b"\xff\xff\xff\xff" + b"\x00" * 50,
    "text.stl": b"solid nothing\nendsolid nothing\n",
    "count.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\n"
    b"property float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n\x00\x00",
    "index.ply": b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    b"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 77\n",
    "broken.gltf": b'{"asset": {"version": "2.0"}, "meshes": [',
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_file_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises(BadFile) as caught:
        read_mesh(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) > len(str(path)) + 10


def test_a_truncated_glb_is_refused_at_every_length(tmp_path: Path) -> None:
    data = trimesh.creation.icosphere(subdivisions=1).export(file_type="glb")
    path = tmp_path / "part.glb"
    for share in (0.02, 0.1, 0.3, 0.6, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(BadFile, match=r"part\.glb"):
            read_mesh(path)


def test_bad_files_are_skipped_and_counted(good: Path) -> None:
    for name, data in BAD.items():
        (good / "cube" / f"z_{name}").write_bytes(data)
    meshes, skipped = load_meshes(good)
    assert len(meshes) == 4
    assert len(skipped) == len(BAD)
    assert all("z_" in message for message in skipped)


def test_a_class_left_empty_is_an_error(good: Path) -> None:
    (good / "nothing").mkdir()
    with pytest.raises(BadFile, match="class nothing"):
        load_meshes(good)
    (good / "nothing" / "a.obj").write_bytes(BAD["nan.obj"])
    with pytest.raises(BadFile, match="NaN or infinite"):
        load_meshes(good)


def test_a_folder_without_classes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no class folders"):
        load_meshes(tmp_path)
    with pytest.raises(BadInput, match="not a folder"):
        load_meshes(tmp_path / "absent")


def test_a_vertex_shared_by_a_great_many_faces_does_no_harm(tmp_path: Path) -> None:
    # a fan of 8,000 faces around one vertex would make 64 million pairs of corners
    ring = np.linspace(0, 2 * np.pi, 8000, endpoint=False)
    vertex = np.concatenate([[[0, 0, 1.0]], np.stack([np.cos(ring), np.sin(ring), 0 * ring], 1)])
    face = np.stack([np.zeros(8000, int), 1 + np.arange(8000), 1 + (1 + np.arange(8000)) % 8000], 1)
    trimesh.Trimesh(vertex, face, process=False).export(tmp_path / "fan.ply")
    mesh = read_mesh(tmp_path / "fan.ply")
    assert len(mesh.face) == 8000
    assert np.isfinite(mesh.normal).all()
