"""The embedded renderer: pixels that depend on the request alone, and show what they should."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import warp as wp

from t2s_offline.errors import BadInput, RenderError, UnknownName
from t2s_offline.render.builtin import coverage, kernel, optics, stage
from t2s_offline.render.builtin import renderer as builtin
from t2s_offline.render.builtin.backgrounds import Backgrounds
from t2s_offline.render.builtin.renderer import BuiltinRenderer
from t2s_offline.render.renderer import Renderer, RenderRequest, get_renderer
from t2s_offline.space import TASK2SIM, SimParam, SimSpace
from tests.render.builtin.toys import toy_meshes, toy_renderer, toy_sky

ALL = "1" * 8


@pytest.fixture(scope="module")
def renderer() -> BuiltinRenderer:
    return toy_renderer()


def images(renderer: Renderer, configuration: str, n: int = 4, size: int = 32, **more: int) -> npt.NDArray[np.uint8]:
    request = RenderRequest(configuration, n, size, seed=more.pop("seed", 0), samples=more.pop("samples", 4))
    return np.concatenate([b.image_NCHW.numpy() for b in renderer.render(request, **more)])


def silhouette(renderer: BuiltinRenderer, configuration: str, n: int) -> npt.NDArray[np.bool_]:
    """Where the object is (N, H, W): what changes when its distance does, found by two backgrounds' difference."""
    masks = []
    for sky in (0, 1):
        request = RenderRequest(configuration, n, 64)
        _, shown, scenes = renderer.describe(request)
        scenes.background_N[:] = sky
        scenes.light_N2[:] = (0, 0)
        masks.append(renderer.draw(scenes, shown, 64, 4).numpy().astype(int))
    far = renderer.describe(RenderRequest(configuration, n, 64))[2]
    far.distance_N[:] = 1000.0
    behind = []
    for sky in (0, 1):
        far.background_N[:] = sky
        behind.append(renderer.draw(far, shown, 64, 4).numpy().astype(int))
    same = np.abs(masks[0] - behind[0]).max(1) + np.abs(masks[1] - behind[1]).max(1)
    return np.asarray(same > 12)


def test_batches_are_labelled(renderer: BuiltinRenderer) -> None:
    request = RenderRequest(ALL, 4, 16)
    batches = list(renderer.render(request, batch=5))
    assert [len(b.label_N) for b in batches] == [5, 5, 2]
    first = batches[0]
    assert first.image_NCHW.shape == (5, 3, 16, 16)
    assert first.image_NCHW.dtype == torch.uint8
    label = torch.cat([b.label_N for b in batches])
    shown = torch.cat([b.object_N for b in batches])
    assert label.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert torch.cat([b.index_N for b in batches]).tolist() == list(range(12))
    assert [toy_meshes().class_of[o] for o in shown] == label.tolist()
    assert all(sorted(shown[c * 4 : c * 4 + 2].tolist()) == [2 * c, 2 * c + 1] for c in range(3))
    assert isinstance(renderer, Renderer)


@pytest.mark.parametrize("configuration", [TASK2SIM.all_off, ALL])
def test_same_bytes_whatever_the_batch_chunk_and_threads(
    renderer: BuiltinRenderer, configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = images(renderer, configuration, 12)
    assert np.array_equal(whole, images(renderer, configuration, 12, batch=7))
    threaded = toy_renderer(threads=4)
    for chunk in (1, 3, 64):
        monkeypatch.setattr(builtin, "CHUNK", chunk)
        assert np.array_equal(whole, images(threaded, configuration, 12))
    chosen = np.array([30, 4, 17])
    part = next(renderer.render(RenderRequest(configuration, 12, 32), indices=chosen))
    assert np.array_equal(whole[chosen], part.image_NCHW.numpy())


def test_more_images_extend_a_dataset(renderer: BuiltinRenderer) -> None:
    few, many = images(renderer, ALL, 3), images(renderer, ALL, 5)
    assert np.array_equal(few.reshape(3, 3, 3, 32, 32), many.reshape(3, 5, 3, 32, 32)[:, :3])


def test_seeds_differ(renderer: BuiltinRenderer) -> None:
    first, other = images(renderer, ALL), images(renderer, ALL, seed=1)
    assert (first != other).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("name", TASK2SIM.names)
def test_every_bit_is_visible(renderer: BuiltinRenderer, name: str) -> None:
    plain = images(renderer, TASK2SIM.all_off, 8).astype(int)
    varied = images(renderer, "".join(str(int(p == name)) for p in TASK2SIM.names), 8).astype(int)
    changed = np.abs(plain - varied).mean(axis=(1, 2, 3))
    assert np.median(changed) > 0.7
    assert (changed > 0.1).mean() > 0.7
    # without variation an object is one image, but for the noise of the shadow's edge
    twice = images(renderer, TASK2SIM.all_off, 4).reshape(3, 2, 2, -1).astype(int)
    assert np.abs(twice[:, 0] - twice[:, 1]).mean() < 0.5


def test_the_object_fills_the_frame_as_it_should(renderer: BuiltinRenderer) -> None:
    mask = silhouette(renderer, "10001001", 16)
    width, height = mask.any(1).sum(1) / 64, mask.any(2).sum(1) / 64
    assert np.minimum(width, height).min() > 0.15
    assert np.maximum(width, height).max() < 0.85
    off_centre = np.abs((mask * (np.arange(64) - 31.5)).sum((1, 2)) / mask.sum((1, 2)))
    assert off_centre.max() < 13
    near = silhouette(renderer, "01000000", 16)
    share = near.mean((1, 2))
    assert share.min() > 0.02
    assert share.max() > 2 * mask.mean((1, 2)).mean(), "nearer fills more"


def test_nothing_is_black_or_burnt_out(renderer: BuiltinRenderer) -> None:
    for configuration in (TASK2SIM.all_off, "00001000", "00111000"):
        mask = silhouette(renderer, configuration, 16)
        shown = images(renderer, configuration, 16, size=64).mean(1)
        level = (shown * mask).sum((1, 2)) / mask.sum((1, 2))
        assert level.min() > 25, configuration
        assert level.max() < 245, configuration


def test_lit_from_above_and_shadowed(renderer: BuiltinRenderer) -> None:
    request = RenderRequest(TASK2SIM.all_off, 2, 64)
    _, shown, scenes = renderer.describe(request)
    shown[:] = 0  # a ball
    pictures = []
    for pitch in (90.0, 270.0):
        scenes.light_N2[:] = (0.0, pitch)
        pictures.append(renderer.draw(scenes, shown, 64, 4).numpy()[0].astype(int).mean(0))
    above, below = pictures
    assert above[22:26, 30:34].mean() > below[22:26, 30:34].mean() + 20
    assert below[40:44, 30:34].mean() > above[40:44, 30:34].mean() + 20


def test_no_lens_leaves_edges_sharp_and_a_lens_blurs(renderer: BuiltinRenderer) -> None:
    _, shown, scenes = renderer.describe(RenderRequest(TASK2SIM.all_off, 4, 64))
    sharp = renderer.draw(scenes, shown, 64, 4).numpy().astype(float)
    scenes.lens_N[:], scenes.focus_N[:] = 0.15, 0.65
    soft = renderer.draw(scenes, shown, 64, 4).numpy().astype(float)
    edges = [np.abs(np.diff(picture, axis=3)).max(axis=(1, 2, 3)) for picture in (sharp, soft)]
    assert (edges[1] < 0.75 * edges[0]).all()


def test_drawn_faces_are_what_rays_meet(renderer: BuiltinRenderer) -> None:
    _, shown, scenes = renderer.describe(RenderRequest("11000000", 4, 32))
    renderer.draw(scenes, shown, 32, 1)  # builds the trees
    shots = renderer._shots(scenes, shown)
    met: Any = wp.zeros(len(shown) * 32 * 32, dtype=wp.uint64, device="cpu")
    frame = [renderer.world, shots, 0, 1, 32, 0, 32, 1]
    wp.launch(coverage.cover, dim=(len(shown), 1), inputs=frame, outputs=[met], device="cpu")
    face = (met.numpy().reshape(-1, 32, 32) & np.uint64(0xFFFFFFFF)).astype(int)
    depth = 1 / np.maximum((met.numpy() >> np.uint64(32)).astype(np.uint32).view(np.float32), 1e-9).reshape(face.shape)
    column, row = np.meshgrid(np.arange(32) + 0.5, np.arange(32) + 0.5)
    half = 2 * float(optics.HALF_VIEW)
    film = np.stack([(column / 32 - 0.5) * half, (0.5 - row / 32) * half, -np.ones((32, 32))], -1).reshape(-1, 3)
    missed = 0
    for n, obj in enumerate(shown):
        mesh = renderer.meshes.mesh(int(obj))
        pose = stage.pose(scenes.rotation_N3[n : n + 1])[0].astype(float)
        away = stage.camera(scenes, renderer._radius_O[shown])[n, 0]
        corner = mesh.vertex[mesh.face].astype(float) @ pose.T - [0.0, 0.0, away]
        nearest = np.full(len(film), 1e9)
        for a, b, c in corner:  # by Cramer's rule: the ray's length is the depth, since film z is -1
            x, y, t = np.linalg.solve(
                np.broadcast_to(np.stack([b - a, c - a, [0, 0, 0]], 1), (len(film), 3, 3))
                - film[:, :, None] * [0, 0, 1], np.broadcast_to(-a[:, None], (len(film), 3, 1)),
            )[..., 0].T  # fmt: skip
            nearest = np.where((x >= 0) & (y >= 0) & (x + y <= 1), np.minimum(nearest, t), nearest)
        drawn = np.where(met.numpy().reshape(len(shown), -1)[n] > 0, depth[n].ravel(), 1e9)
        missed += int((np.abs(drawn - nearest) > 1e-3).sum())
        assert face[n].max() < len(mesh.face)
        assert (drawn < 1e8).sum() > 20
    assert missed <= 3, "but for samples on an edge, to the last digit"


def test_same_bytes_in_bands(renderer: BuiltinRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = images(renderer, ALL, 4)
    monkeypatch.setattr(kernel, "CPU_SAMPLES", 5 * 8 * 32 * 4)  # bands of five rows
    monkeypatch.setattr(builtin, "CHUNK_PIXELS", 3 * 32 * 32)
    assert np.array_equal(whole, images(renderer, ALL, 4))


def test_the_order_of_drawing_changes_nothing(renderer: BuiltinRenderer) -> None:
    _, shown, scenes = renderer.describe(RenderRequest(ALL, 4, 32))
    shots, found = renderer._shots(scenes, shown), []
    for lanes in (1, 7):
        met: Any = wp.zeros(len(shown) * 32 * 32 * 4, dtype=wp.uint64, device="cpu")
        frame = [renderer.world, shots, 0, lanes, 32, 0, 32, 4]
        wp.launch(coverage.cover, dim=(len(shown), lanes), inputs=frame, outputs=[met], device="cpu")
        found.append(met.numpy())
    assert np.array_equal(*found)


@pytest.mark.parametrize(("size", "lens", "focus"), [(64, 0.1, 0.7), (64, 0.15, 0.62), (512, 0.15, 0.62)])
def test_blur_moves_light_but_makes_none(renderer: BuiltinRenderer, size: int, lens: float, focus: float) -> None:
    _, shown, scenes = renderer.describe(RenderRequest("00000000", 2, size))
    shown, (black, white) = shown[:1].repeat(2), (0, 1)
    dark = Backgrounds(("black", "white"), np.stack([np.full_like(toy_sky().texel[0], tone) for tone in (0, 255)]))
    plain = BuiltinRenderer(toy_meshes(), dark, device="cpu", threads=1)
    scenes = replace(scenes, **{name: value[:2] for name, value in vars(scenes).items()})
    scenes.background_N[:] = (black, white)
    sums, masks = [], []
    for scenes.lens_N[:] in (0.0, lens):  # type: ignore[attr-defined]
        scenes.focus_N[:] = focus
        byte = plain.draw(scenes, shown, size, 4).numpy() / 255.0
        light = np.where(byte <= 0.04045, byte / 12.92, ((byte + 0.055) / 1.055) ** 2.4)
        masks.append(1 - (light[1] - light[0]).mean(0))
        sums.append(masks[-1].sum())
    assert sums[1] == pytest.approx(sums[0], rel=0.03), "the object's share of the frame"
    rough = [np.abs(np.diff(mask, axis=1)).max() for mask in masks]
    assert rough[1] < 0.6 * rough[0]
    middle = [mask[size // 2, size // 2] for mask in masks]  # under one: backgrounds light the object, too
    assert middle[1] == pytest.approx(middle[0], abs=0.02), "solid inside"


def test_a_space_of_other_parameters(renderer: BuiltinRenderer) -> None:
    space = SimSpace((SimParam("materials"), SimParam("object_distance", 4)))
    (batch,) = renderer.render(RenderRequest("13", 2, 16, space=space))
    assert (batch.scenes.material_NK >= 0).all()
    strange = SimSpace((SimParam("weather"),))
    with pytest.raises(UnknownName, match="weather"):
        next(renderer.render(RenderRequest("1", 2, 16, space=strange)))


@pytest.mark.parametrize(
    "bad", [{"size": 15}, {"size": 10**6}, {"images": 0}, {"samples": 0}, {"seed": -1}, {"configuration": "0123"}]
)
def test_bad_requests(bad: dict[str, int | str]) -> None:
    with pytest.raises(BadInput):
        RenderRequest(**({"configuration": ALL, "images": 1} | bad))  # type: ignore[arg-type]


def test_bad_indices_and_devices(renderer: BuiltinRenderer) -> None:
    with pytest.raises(BadInput, match="expected 0 to 11"):
        next(renderer.render(RenderRequest(ALL, 4, 16), indices=np.array([12])))
    for device in ("gpu", "cuda:", "cuda:x", "mps"):
        with pytest.raises(BadInput, match="expected auto, cpu"):
            BuiltinRenderer(toy_meshes(), toy_sky(), device=device)
    with pytest.raises(RenderError, match="is not there"):
        BuiltinRenderer(toy_meshes(), toy_sky(), device="cuda:99")


def test_renderers_by_name() -> None:
    with pytest.raises(UnknownName, match="did you mean builtin"):
        get_renderer("bultin")
    with pytest.raises(BadInput, match="cannot be imported"):
        get_renderer("no_such_package:open")
    opened = get_renderer("builtin", device="cpu", meshes=toy_meshes(), photographs=None, threads=1)
    assert opened.classes == ("ball", "ring", "box")
    assert opened.settings["renderer"] == "builtin"


def test_a_second_renderer_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "from tests.render.builtin.toys import toy_renderer\n"
        "def opened(classes, objects, device, **more):\n"
        "    return toy_renderer()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert images(get_renderer("mine:opened"), ALL, 1, 16).shape == (3, 3, 16, 16)


def test_poses_are_rotations() -> None:
    rng = np.random.default_rng(0)
    pose = stage.pose(rng.uniform(-180, 180, (50, 3)))
    assert pose @ pose.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (50, 1, 1)), abs=1e-5)
    assert np.linalg.det(pose) == pytest.approx(np.ones(50), abs=1e-5)
    assert stage.sun([[0, 90]])[0] == pytest.approx([0, 1, 0], abs=1e-6)


def test_the_door_is_light() -> None:
    code = "import sys, t2s_offline.render; print([m for m in ('torch', 'warp', 'trimesh') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_renders_what_the_cpu_does(renderer: BuiltinRenderer) -> None:
    gpu = BuiltinRenderer(toy_meshes(), toy_sky(), device="cuda")
    request = RenderRequest(ALL, 4, 64)
    (there,), (here,) = gpu.render(request), renderer.render(request)
    assert there.image_NCHW.is_cuda
    assert np.abs(there.image_NCHW.cpu().numpy().astype(int) - here.image_NCHW.numpy()).mean() < 1.0


def test_settings_name_meshes_and_backgrounds(renderer: BuiltinRenderer) -> None:
    same = BuiltinRenderer(toy_meshes(), toy_sky(), device="cpu", threads=1)
    assert renderer.settings == same.settings
    moved = replace(toy_meshes(), colour=toy_meshes().colour * 0.5)
    assert BuiltinRenderer(moved, toy_sky(), device="cpu", threads=1).settings["meshes"] != same.settings["meshes"]
    fewer = Backgrounds(toy_sky().names[:2], toy_sky().texel[:2])
    other = BuiltinRenderer(toy_meshes(), fewer, device="cpu", threads=1)
    assert other.settings["backgrounds"] != same.settings["backgrounds"]
