"""TDW's renderer against a stub build in a process of its own: what its pictures show, and what is said for them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.render.renderer import Renderer, RenderRequest, get_renderer, pixels_version
from t2s_offline.space import TASK2SIM, SimParam, SimSpace

stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here", exc_type=ImportError)
reference = pytest.importorskip("tests.render.tdw.reference", reason="TDW is not installed here", exc_type=ImportError)
images, sent, documented = stub.images, stub.sent, reference.documented

ALL = "1" * 8


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine's TDW; what a command sets is taken back."""
    names = ("ADDRESS", "PORT", "PORTS", "BUILD", "DISPLAY", "TIMEOUT", "ASSETS", "OBJECTS", "MATERIALS")
    for name in names:
        monkeypatch.setenv(f"T2S_TDW_{name}", "")


@pytest.fixture
def opened() -> Iterator[Any]:
    stubs = stub.Opened()
    yield stubs
    stubs.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    """A renderer that several tests use: 3 classes of 2 objects."""
    stubs = stub.Opened()
    yield stubs()
    stubs.close()


def one_bit(name: str) -> str:
    """The configuration that varies this parameter alone; nothing for an empty name."""
    return "".join(str(int(other == name)) for other in TASK2SIM.names)


@pytest.fixture(scope="module")
def seen() -> Iterator[Callable[[str], tuple[Any, npt.NDArray[np.float64]]]]:
    """Scene values and exact pictures (30, 3, 64, 64) of one object with one parameter varied, or none."""
    stubs = stub.Opened()
    renderer = stubs(classes=1, objects=1, pictures="png")

    def look(name: str) -> tuple[Any, npt.NDArray[np.float64]]:
        request = RenderRequest(one_bit(name), 30, 64)
        return renderer.describe(request)[2], images(renderer, one_bit(name), 30).astype(float)

    yield look
    stubs.close()


def test_it_is_a_renderer(shared: Any) -> None:
    assert isinstance(shared, Renderer)
    assert (len(shared), len(shared.classes), len(shared.objects)) == (3, 3, 6)
    batches = list(shared.render(RenderRequest(ALL, 4, 32), batch=5))
    assert [len(batch.label_N) for batch in batches] == [5, 5, 2]
    first = batches[0]
    assert (first.image_NCHW.shape, first.image_NCHW.dtype) == ((5, 3, 32, 32), torch.uint8)
    assert torch.cat([batch.label_N for batch in batches]).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert torch.cat([batch.index_N for batch in batches]).tolist() == list(range(12))
    shown = torch.cat([batch.object_N for batch in batches]).tolist()
    assert [shared.models.class_of[number] for number in shown] == [0] * 4 + [1] * 4 + [2] * 4
    assert pixels_version("tdw") == shared.settings["version"]


def test_a_dataset_is_described_without_a_build() -> None:
    renderer: Any = get_renderer("tdw", classes=3, objects=2, device="cpu", port=stub.free_port())
    label, shown, scenes = renderer.describe(RenderRequest(ALL, 10, 32), np.array([29, 3]))
    assert label.tolist() == [2, 0]
    whole = renderer.describe(RenderRequest(ALL, 10, 32))
    assert shown.tolist() == whole[1][[29, 3]].tolist()
    assert np.array_equal(scenes.rotation_N3, whole[2].rotation_N3[[29, 3]])
    assert renderer.session.link is None
    with pytest.raises(BadInput, match="expected 0 to 29"):
        renderer.describe(RenderRequest(ALL, 10, 32), np.array([30]))
    with pytest.raises(UnknownName, match="weather"):
        renderer.describe(RenderRequest("1", 2, 32, space=SimSpace((SimParam("weather"),))))


@pytest.mark.parametrize("name", TASK2SIM.names)
def test_every_bit_is_visible(shared: Any, name: str) -> None:
    plain = images(shared, TASK2SIM.all_off, 6).astype(int)
    varied = images(shared, one_bit(name), 6).astype(int)
    changed = np.abs(plain - varied).mean(axis=(1, 2, 3))
    assert (changed > 0.5).mean() > 0.4, "in a quarter of the blurred images everything is sharp"
    # without variation an object is one image: the same bytes from the build
    _, shown, _ = shared.describe(RenderRequest(TASK2SIM.all_off, 6, 64))
    for number in set(shown.tolist()):
        same = plain[shown == number]
        assert (same == same[0]).all()


def middle(pictures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Colour of the object, (N, 3)."""
    return pictures[..., 30:34, 30:34].mean(axis=(2, 3))


def corner(pictures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Colour of the sky, (N, 3)."""
    return pictures[..., :4, :4].mean(axis=(2, 3))


def mask(pictures: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Where the object's colour is, (N, 64, 64)."""
    return np.asarray((np.abs(pictures - middle(pictures)[..., None, None]) < 2).all(1))


def test_light_lights_the_object_alone(seen: Callable[[str], tuple[Any, Any]]) -> None:
    plain = seen("")[1]
    for name in ("light_intensity", "light_colour", "light_direction"):
        assert np.array_equal(corner(seen(name)[1]), corner(plain))
    scenes, pictures = seen("light_intensity")
    assert (middle(pictures) / middle(plain)).mean(1) == pytest.approx(scenes.intensity_N, abs=0.03)
    scenes, pictures = seen("light_colour")
    assert middle(pictures) / middle(plain) == pytest.approx(scenes.colour_N3, abs=0.03)
    assert np.ptp(middle(seen("light_direction")[1]), axis=0).max() > 20


def test_distance_and_rotation_move_the_object_alone(seen: Callable[[str], tuple[Any, Any]]) -> None:
    scenes, pictures = seen("object_distance")
    shown = scenes.distance_N > 0.75  # nearer, it leaves the frame
    area = mask(pictures).sum((1, 2))
    assert np.corrcoef(area[shown], scenes.distance_N[shown] ** -2.0)[0, 1] > 0.98
    assert area[~shown].min() > area[shown].max() * 0.9
    _, turned = seen("object_rotation")
    where = mask(turned)
    rows, columns = np.mgrid[:64, :64]
    for axis in (rows, columns):
        assert (where * axis).sum((1, 2)) / where.sum((1, 2)) == pytest.approx(np.full(30, 31.5), abs=4), "perspective"
    assert len({picture.tobytes() for picture in turned}) == 30
    assert np.ptp(middle(turned), axis=0).max() == 0


def test_lens_background_and_materials(seen: Callable[[str], tuple[Any, Any]]) -> None:
    scenes, pictures = seen("focus_blur")
    edge = np.abs(np.diff(pictures, axis=3)).max(axis=(1, 2, 3))
    blurred = np.abs(scenes.focus_N - 1) * scenes.lens_N > 0.01
    assert edge[scenes.lens_N == 0].min() > edge[blurred].max()
    scenes, pictures = seen("background")
    for number in set(scenes.background_N.tolist()):
        assert np.ptp(corner(pictures)[scenes.background_N == number], axis=0).max() == 0
    assert len({tuple(colour) for colour in corner(pictures)}) > 10
    assert np.array_equal(middle(pictures), middle(seen("")[1])), "the light stays"
    scenes, pictures = seen("materials")
    assert len({tuple(colour) for colour in middle(pictures)}) > 20
    assert np.array_equal(corner(pictures), corner(seen("")[1]))


def test_batches_order_and_history_change_no_byte(shared: Any, opened: Any) -> None:
    whole = images(shared, ALL, 6)
    assert np.array_equal(whole, images(shared, ALL, 6, batch=5))
    images(shared, "00101000", 3)
    chosen = np.array([17, 2, 9])
    assert np.array_equal(whole[chosen], images(shared, ALL, 6, indices=chosen)), "the same after other images"
    assert np.array_equal(whole, images(opened(), ALL, 6)), "and from another build"
    few, many = images(shared, ALL, 2), images(shared, ALL, 3)
    assert np.array_equal(few.reshape(3, 2, -1), many.reshape(3, 3, -1)[:, :2])
    assert not np.array_equal(whole, images(shared, ALL, 6, seed=1))


def test_sizes_and_png(opened: Any) -> None:
    renderer = opened(pictures="png", classes=2, objects=1)
    exact, again = images(renderer, ALL, 2, 48), images(renderer, ALL, 2, 96)
    assert (exact.shape, again.shape) == ((4, 3, 48, 48), (4, 3, 96, 96))
    jpeg = images(opened(classes=2, objects=1), ALL, 2, 48)
    assert 0 < np.abs(jpeg.astype(int) - exact).mean() < 6


def test_models_keep_their_own_materials_when_nothing_is_painted(shared: Any) -> None:
    plain = images(shared, TASK2SIM.all_off, 2)
    painted = images(shared, one_bit("materials"), 2)
    assert not np.array_equal(plain, painted)
    assert np.array_equal(plain, images(shared, TASK2SIM.all_off, 2))


def test_what_is_on_the_wire(opened: Any, tmp_path: Path) -> None:
    """The order of a session: hello, scene, a model once, then one or two messages an image."""
    log = tmp_path / "wire"
    renderer = opened(log=log, classes=2, objects=1)
    images(renderer, TASK2SIM.all_off, 5, 32)
    messages = sent(log)
    hello = ["set_error_handling", "send_log_messages", "send_version", "load_scene"]
    assert [command["$type"] for command in messages[0]] == hello
    assert messages[1][0] == {"$type": "set_screen_size", "width": 32, "height": 32}
    kinds = [[command["$type"] for command in message] for message in messages]
    assert sum("add_object" in kind for kind in kinds) == 2
    assert sum("send_images" in kind for kind in kinds) == 10
    assert sum("add_hdri_skybox" in kind for kind in kinds) == 1, "the sky stays"
    assert not any("focus_on_object" in kind for kind in kinds)
    settled = next(i for i, kind in enumerate(kinds) if "add_hdri_skybox" in kind)
    assert "send_images" not in kinds[settled], "a new sky has a frame to light the scene"
    assert len(messages) == 3 + 2 + 10 + 1
    encoding = [command for message in messages for command in message if command["$type"] == "set_img_pass_encoding"]
    assert encoding == [{"$type": "set_img_pass_encoding", "value": False}], "JPEG"
    known = documented()
    for command in itertools.chain(*messages):
        given = set(command) - {"$type"}
        assert given <= set(known[command["$type"]].arguments)
        assert known[command["$type"]].required <= given


def test_options_that_cannot_be() -> None:
    for options, expected in (
        ({"quality": "hi"}, "did you mean high"), ({"pictures": "bmp"}, "unknown kind of pictures"),
        ({"settle": -1}, "settle = -1"), ({"render_quality": 6}, "expected 0 to 5"),
        ({"prot": 1}, "did you mean port"), ({"classes": 1000}, "expected 1 to 118"),
        ({"objects": 0}, "0 objects"), ({"models": "none.json"}, "cannot read"),
        ({"models": "list:0123456789abcdef"}, "T2S_TDW_OBJECTS"), ({"assets": Path("none")}, "cannot read"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=expected):
            get_renderer("tdw", device="cpu", **options)  # type: ignore[arg-type]


def test_lists_are_held_to_their_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from t2s_offline.render.tdw.models import file_digest

    names = [model.name for model in get_renderer("tdw", classes=1, objects=2, device="cpu").models.models]  # type: ignore[attr-defined]
    path = tmp_path / "objects.json"
    path.write_text(json.dumps({"n7": [*names, "not_a_model"]}))
    monkeypatch.setenv("T2S_TDW_OBJECTS", str(path))
    lines: list[str] = []
    digest = f"list:{file_digest(path)}"
    opened = get_renderer("tdw", device="cpu", models=digest, warn=lines.append)
    assert (opened.classes, len(opened.objects)) == (("n7",), 2)
    assert lines == ["left out 1, model is not in the library: not_a_model"]
    path.write_text(json.dumps({"n7": names[:1]}))
    with pytest.raises(BadFile, match="the recipe wants"):
        get_renderer("tdw", device="cpu", models=digest)
    assert opened.settings["models"] != get_renderer("tdw", device="cpu", models=path).settings["models"]
